"""Host contracts that a test writes down, and talk to them."""

import asyncio
import json
import logging
import os
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import orjson
import pytest

from relay.contract_tests.recorder import Recorder
from relay.project.settings import Settings
from relay.server import logs
from relay.server.app import Application
from relay.server.compilation import create

from .documents import STRING, contract, json_of, operation, query, ref, with_json_body  # noqa: F401 -- for tests
from .running import Service, serving

SECRET = "a-secret-for-tests-of-thirty-two-bytes-and-more"


def put(path: Path, content: Any = "") -> Path:
    """Write a text, bytes, or a document as JSON into a file, whose folder is made; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def write_package(folder: Path, **modules: str) -> str:
    """Write a handlers package of one's own and return its name; `init` is its `__init__.py`."""
    name = f"package_{uuid4().hex}"
    (folder / name).mkdir()
    for module, source in {"init": "", **modules}.items():
        file = "__init__" if module == "init" else module
        (folder / name / f"{file}.py").write_text(textwrap.dedent(source), "utf-8")
    return name


@contextmanager
def serving_package(folder: Path, document: Any, **modules: str) -> Iterator[Service]:
    """Serve a contract with a package written from `modules`, in a process of its own."""
    (folder / "openapi.json").write_bytes(orjson.dumps(document))
    package = write_package(folder, **modules)
    with serving(folder, "--spec", "openapi.json", "--handlers", package) as service:
        yield service


def host(
    folder: Path,
    document: Any,
    *,
    settings: dict[str, Any] | None = None,
    kind: type[Settings] = Settings,
    **modules: str,
) -> Application:
    """Compile a contract (a document, or text) with a package written from `modules`."""
    spec = folder / f"{uuid4().hex}.yaml"
    spec.write_bytes(document.encode() if isinstance(document, str) else orjson.dumps(document))
    package = write_package(folder, **modules)
    given = {"jwt_secret": SECRET, "spec": spec, "handlers": package, **(settings or {})}
    return create(kind(**given))


@asynccontextmanager
async def calling(application: Application, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run an application in this process and yield a client of it.

    With RELAY_TEST_TRAFFIC, what is exchanged is recorded in that file, and so counts as seen.
    """
    if traffic := os.environ.get("RELAY_TEST_TRAFFIC"):
        application = Recorder(application, Path(traffic))
    async with application.running():
        transport = httpx.ASGITransport(application)
        hooks = {"response": [_a_turn_of_the_loop]}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=headers, event_hooks=hooks
        ) as client:
            yield client


async def ask(
    application: Application, target: str = "/a", method: str = "GET", **request: Any
) -> httpx.Response:
    """Send one request to an application that runs for it only."""
    async with calling(application) as client:
        return await client.request(method, target, **request)


async def post_messages(
    application: Application,
    receive: Callable[[], Awaitable[dict[str, Any]]],
    content_type: str = "text/plain",
    done: asyncio.Event | None = None,
) -> list[dict[str, Any]]:
    """POST /a with the messages of an ASGI server and return those it is sent; each waits for `done`."""
    sent = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if done is not None:
            await done.wait()

    headers = [(b"host", b"a"), (b"content-type", content_type.encode())]
    scope = {"type": "http", "method": "POST", "path": "/a", "query_string": b"", "headers": headers}
    await application(scope, receive, send)
    return sent


async def _a_turn_of_the_loop(_response: httpx.Response) -> None:
    """Lie between a request and the next, as it does where there is a socket."""
    await asyncio.sleep(0)


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[logging.LogRecord]:
    """The lines of the log that tell an event; their fields are attributes."""
    return [record for record in caplog.records if record.getMessage() == event]


@contextmanager
def unchanged_logs() -> Iterator[None]:
    """Leave the process' logging as it was."""
    loggers = [logging.getLogger(name) for name in (None, "relay", "python_multipart", "uvicorn.error")]
    levels = [logger.level for logger in loggers]
    handlers = loggers[0].handlers
    try:
        yield
    finally:
        loggers[0].handlers = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        logs.REQUESTS.close()


def request_lines(log: str) -> list[dict[str, Any]]:
    """The lines of a log of JSON that tell of requests."""
    return [line for line in map(json.loads, log.splitlines()) if line["event"] == "request"]


def bearer(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256") -> dict[str, str]:
    """An Authorization header with such a token."""
    return {"Authorization": f"Bearer {token(claims, key, algorithm)}"}


def token(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256") -> str:
    """A token that is good for an hour, unless the claims say otherwise."""
    return jwt.encode({"exp": int(time.time()) + 3600, **claims}, key, algorithm)


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that a failure is RFC 9457 problem details and nothing else, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert {key: problem[key] for key in ("type", "status", "code")} == {
        "type": "about:blank",
        "status": status,
        "code": code,
    }
    assert set(problem) <= {"type", "title", "status", "detail", "code", "errors"}
    return problem


def assert_envelope(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that a failure is the service's own envelope and nothing else, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    envelope = response.json()
    assert set(envelope) == {"success", "error", "code"}
    assert envelope["success"] is False
    assert envelope["code"] == code
    return envelope
