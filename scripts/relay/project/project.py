"""The project that a command works on: its folder, and what its pyproject.toml says of Relay."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Pointer, display

SPEC = Path("spec", "openapi.yaml")
"""Where a project's contract is, unless [tool.relay] says otherwise."""
HANDLERS = "handlers"
"""The name of a project's handlers package, unless [tool.relay] says otherwise."""


class Section(NamedTuple):
    """A table of pyproject.toml: its data, and how diagnostics call it."""

    data: Any
    name: str

    def place(self, pointer: Pointer) -> str:
        """Return how diagnostics call the value at a pointer: `pyproject.toml: tool.relay.contract.waivers[1]`."""
        return self.name + "".join(f"[{token}]" if token.isdecimal() else f".{token}" for token in pointer)


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a contract and a handlers package; `table` is its [tool.relay].

    An implicit project is a working directory that is one only because a contract is named.
    """

    folder: Path
    table: Mapping[str, Any] = field(default_factory=dict)
    is_implicit: bool = False

    @property
    def spec(self) -> Path:
        """The project's contract."""
        return self.folder / str(self.table.get("spec", SPEC))

    @property
    def handlers(self) -> str:
        """The name of the project's handlers package."""
        return str(self.table.get("handlers", HANDLERS))

    @property
    def file(self) -> str:
        """The name of the project's pyproject.toml, as diagnostics show it."""
        return display(self.folder / "pyproject.toml")

    def section(self, name: str) -> Section:
        """Return the table [tool.relay.NAME]; SetupError for a file that it has replaced."""
        replaced = self.folder / f".relay-{name}.yaml"
        if replaced.exists():
            message = f"is no longer read: move its entries to [tool.relay.{name}] in pyproject.toml"
            raise SetupError([Diagnostic(display(replaced), message)])
        return Section(self.table.get(name, {}), f"{self.file}: tool.relay.{name}")

    def make_importable(self) -> None:
        """Put the project's folder before everything else that modules are imported from."""
        folder = str(self.folder)
        if sys.path[0] != folder:
            sys.path.insert(0, folder)

    def check_inside(self, path: Path) -> None:
        """Raise SetupError for a path outside the project, or in an environment of installed packages."""
        resolved = path.resolve()
        if not resolved.is_relative_to(self.folder) or "site-packages" in resolved.parts:
            message = f"is outside the project {display(self.folder)}; Relay writes inside it only"
            raise SetupError([Diagnostic(display(path), message)])


def variable(name: str) -> str:
    """Return the variable that a setting is read from."""
    return f"RELAY_{name.upper()}"


def find_project(start: Path | None = None) -> Project | None:
    """Return the project that a folder belongs to, by default the working directory.

    It is the nearest folder upward with a [tool.relay] table in its pyproject.toml, else the nearest
    with spec/openapi.yaml. Raises SetupError for a pyproject.toml that cannot be read.
    """
    folder = (start or Path.cwd()).resolve()
    folders = [folder, *folder.parents]
    for one in folders:
        if (table := _table(one / "pyproject.toml")) is not None:
            return Project(one, table)
    return next((Project(one) for one in folders if (one / SPEC).is_file()), None)


def current_project(spec: Path | None = None) -> Project:
    """Return the project of the working directory.

    Where a contract is named, by `spec` or RELAY_SPEC, the working directory itself may be the project.
    Raises SetupError in a folder that does not belong to a project.
    """
    if (found := find_project()) is not None:
        return found
    if spec is not None or os.environ.get(variable("spec")):
        return Project(Path.cwd().resolve(), is_implicit=True)
    message = "no project here: neither [tool.relay] in a pyproject.toml nor spec/openapi.yaml, in this folder or above; run `relay init`, or name a contract with --spec"
    raise SetupError([Diagnostic(display(Path.cwd()), message)])


def _table(file: Path) -> Mapping[str, Any] | None:
    try:
        with file.open("rb") as opened:
            table = tomllib.load(opened).get("tool", {}).get("relay")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise SetupError([Diagnostic(display(file), f"cannot be read: {reason}")]) from exc
    if table is not None and not isinstance(table, dict):
        raise SetupError([Diagnostic(display(file), "tool.relay must be a table")])
    return table
