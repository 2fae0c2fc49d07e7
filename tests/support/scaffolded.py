"""Compare and regenerate contracts and handlers packages that a test defines, without the type generator."""

import os
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from relay.codegen.drift import check
from relay.codegen.formatting import Ruff
from relay.codegen.package_state import State
from relay.codegen.plan import Plan, plan
from relay.codegen.response_headers import header_schemas
from relay.codegen.types_module import Types, with_import
from relay.contract.loading import load_contract
from relay.contract.model import Contract
from relay.project.package_source import Sources

from .running import ROOT as REPOSITORY
from .running import ended

ROOT = Path("/project")
FOLDER = ROOT / "shop"


class AsWritten(Ruff):
    """Leaves code as it is written, but for the order of imports."""

    def formatted(self, pieces: Sequence[str]) -> list[str]:
        """Return the pieces."""
        return list(pieces)

    formatted_stubs = formatted


LAYOUT = AsWritten(FOLDER)
_CACHE = TemporaryDirectory(prefix="relay-mypy-")
"""mypy's cache of other packages, for all tests of a process."""


def read(document: Any) -> Contract:
    """Load a contract from a document; its source locations are in `contract.json`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "contract.json"
        path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return load_contract(path)


def types_of(contract: Contract) -> Types:
    """Stand in for the generator: return an empty class for each component and each response with headers."""
    schemas = (contract.document.get("components") or {}).get("schemas") or {}
    names = {name: re.sub(r"\W", "", name.title()) if name.islower() else name for name in schemas}
    headers = {key: name for key, (name, _) in header_schemas(contract, names.values()).items()}
    classes = dict.fromkeys([*names.values(), *headers.values()])
    source = "from typing import TypedDict\n" + "".join(
        f"\n\nclass {name}(TypedDict): ..." for name in classes
    )
    return with_import(Types(source + "\n", names, frozenset(classes), headers), contract)


def sources_of(**modules: str) -> Sources:
    """The package `shop` with some modules; `init` is its `__init__.py`, `tests__x` is a file `tests/x.py`."""
    files, tests = {}, {}
    for name, source in {"init": "", **modules}.items():
        content = textwrap.dedent(source).encode()
        if name.startswith("tests__"):
            tests[ROOT / "tests" / f"{name.removeprefix('tests__')}.py"] = content
        else:
            files[FOLDER / f"{'__init__' if name == 'init' else name}.py"] = content
    return Sources("shop", FOLDER, files, tests)


def state_of(document: Any, sources: Sources | None = None, **modules: str) -> State:
    """Return the state of a contract and a package."""
    contract = read(document)
    return State(contract, sources or sources_of(**modules), types_of(contract), ROOT / "api.yaml")


def regenerated(state: State, **rest: Any) -> tuple[State, Plan]:
    """Regenerate a package; return its new state and the plan."""
    made = plan(state, LAYOUT, **rest)
    return state.changed(made.changes), made


def in_sync(document: Any, **modules: str) -> Sources:
    """Return a package that was regenerated for a contract, including its record."""
    return regenerated(state_of(document, **modules))[0].sources


def text(sources: Sources, module: str) -> str:
    """Return a module's source."""
    return sources.files[FOLDER / f"{module}.py"].decode()


def handler_findings(state: State) -> list[tuple[str, str]]:
    """Return the findings about handlers, not about types, as (rule, place)."""
    return [
        (finding.rule, _short(str(finding.where)))
        for finding in check(state)
        if not finding.rule.startswith("types-")
    ]


def _short(place: str) -> str:
    return (
        place[place.rindex("shop/") :] if "shop/" in place else re.sub(r".*/(contract\.json)", r"\1", place)
    )


def typed_strictly(folder: Path, *arguments: str) -> str:
    """Run mypy on packages in a folder (`-p`, `package`, or paths); return what it prints."""
    options = ["--strict", "--follow-imports=silent", "--config-file=", "--cache-dir", _CACHE.name]
    command = [sys.executable, "-m", "mypy", *options, *arguments]
    variables = {**os.environ, "MYPYPATH": str(REPOSITORY / "scripts")}
    return ended(command, folder, env=variables, timeout=None).stdout
