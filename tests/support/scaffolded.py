"""Contracts and handlers packages that a test writes down, compared and brought in line without the type generator."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from relay.codegen.drift import check
from relay.codegen.formatting import AsWritten
from relay.codegen.package_state import State
from relay.codegen.plan import Plan, plan
from relay.codegen.types_module import Types
from relay.contract.loading import load_contract
from relay.contract.model import Contract
from relay.project.package_source import Sources

ROOT = Path("/project")
FOLDER = ROOT / "shop"


def read(document: Any) -> Contract:
    """Load a contract from a document; its places are in `contract.json`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "contract.json"
        path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return load_contract(path)


def types_of(contract: Contract) -> Types:
    """Stand in for the generator: a class of no fields for each component, called as it is."""
    schemas = (contract.document.get("components") or {}).get("schemas") or {}
    names = {name: re.sub(r"\W", "", name.title()) if name.islower() else name for name in schemas}
    source = "from typing import TypedDict\n" + "".join(
        f"\n\nclass {name}(TypedDict): ..." for name in names.values()
    )
    return Types(source + "\n", names, frozenset(names.values()))


def sources_of(**modules: str) -> Sources:
    """The package `shop` of some modules; `init` is its own, `tests__x` is a file `tests/x.py` beside it."""
    files, tests = {}, {}
    for name, source in {"init": "", **modules}.items():
        content = textwrap.dedent(source).encode()
        if name.startswith("tests__"):
            tests[ROOT / "tests" / f"{name.removeprefix('tests__')}.py"] = content
        else:
            files[FOLDER / f"{'__init__' if name == 'init' else name}.py"] = content
    return Sources("shop", FOLDER, files, tests)


def state_of(document: Any, sources: Sources | None = None, **modules: str) -> State:
    """Put a contract and a package side by side."""
    contract = read(document)
    return State(contract, sources or sources_of(**modules), types_of(contract), ROOT / "api.yaml")


def regenerated(state: State, **rest: Any) -> tuple[State, Plan]:
    """Bring a package in line; return how it is then, and what was done."""
    made = plan(state, AsWritten(), **rest)
    return state.changed(made.changes), made


def lined_up(document: Any, **modules: str) -> Sources:
    """Return a package that has been brought in line with a contract, record and all."""
    return regenerated(state_of(document, **modules))[0].sources


def text(sources: Sources, module: str) -> str:
    """Return a module's source."""
    return sources.files[FOLDER / f"{module}.py"].decode()


def told(state: State) -> list[tuple[str, str]]:
    """Return what is found of handlers: rule and place, without types and record."""
    return [
        (finding.rule, _short(str(finding.where)))
        for finding in check(state)
        if not finding.rule.startswith("types-")
    ]


def _short(place: str) -> str:
    return (
        place[place.rindex("shop/") :] if "shop/" in place else re.sub(r".*/(contract\.json)", r"\1", place)
    )
