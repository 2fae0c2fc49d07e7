"""Host contracts that name their functions by Python paths, as those of Connexion's users do."""

import textwrap
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from relay.project.settings import Settings
from relay.server.app import Application
from relay.server.compilation import create

ANSWER = {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}


def host_named(folder: Path, document: Any, source: str, **settings: Any) -> Application:
    """Serve a contract with the functions of one module; `api` in its names becomes a name of its own."""
    name = f"api_{uuid4().hex}"
    (folder / f"{name}.py").write_text(textwrap.dedent(source), "utf-8")
    spec = folder / f"{name}.json"
    spec.write_bytes(orjson.dumps(document).replace(b'"api.', f'"{name}.'.encode()))
    return create(Settings(spec=spec, **settings), folder=folder)


def named_operation(function: str, **rest: Any) -> dict[str, Any]:
    """An operation that names a function of the module, and answers any JSON."""
    return {"operationId": f"api.{function}", "responses": ANSWER, **rest}


def parameter(name: str, place: str = "query", kind: str = "string", **rest: Any) -> dict[str, Any]:
    """A parameter of a simple type."""
    return {"name": name, "in": place, "required": place == "path", "schema": {"type": kind}, **rest}
