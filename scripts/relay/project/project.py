"""The current project: its folder, and the table [tool.relay] of its pyproject.toml."""

import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Pointer, display

SPEC = Path("spec", "openapi.yaml")  # default path of a project's contract
HANDLERS = "handlers"  # default name of a project's handlers package


class Section(NamedTuple):
    """A table of pyproject.toml: its data, and its name in diagnostics."""

    data: Any
    name: str

    def place(self, pointer: Pointer) -> str:
        """Return the name of a value in diagnostics: `pyproject.toml: tool.relay.contract.waivers[1]`."""
        return self.name + "".join(f"[{token}]" if token.isdecimal() else f".{token}" for token in pointer)


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a contract and a handlers package; `table` is its [tool.relay].

    An implicit project is a working directory that is a project only because a contract is given.
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
        """The path of the project's pyproject.toml, as shown in diagnostics."""
        return display(self.folder / "pyproject.toml")

    def section(self, name: str) -> Section:
        """Return the table [tool.relay.NAME]; raise SetupError if the file that it replaces still exists."""
        replaced = self.folder / f".relay-{name}.yaml"
        if replaced.exists():
            message = f"is no longer read: move its entries to [tool.relay.{name}] in pyproject.toml"
            raise SetupError([Diagnostic(display(replaced), message)])
        return Section(self.table.get(name, {}), f"{self.file}: tool.relay.{name}")

    def check_inside(self, path: Path) -> None:
        """Raise SetupError for a path outside the project, or inside site-packages."""
        resolved = path.resolve()
        if not resolved.is_relative_to(self.folder) or "site-packages" in resolved.parts:
            message = f"is outside the project {display(self.folder)}; Relay writes inside it only"
            raise SetupError([Diagnostic(display(path), message)])


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"RELAY_{name.upper()}"


def working_directory() -> Path:
    """Return the working directory; raise SetupError where it has been deleted or may not be searched."""
    try:
        folder = Path.cwd()
        with suppress(FileNotFoundError, NotADirectoryError):
            folder.joinpath(SPEC).stat()
    except OSError as exc:
        message = f"cannot be used: {exc.strerror}; change to another folder"
        raise SetupError([Diagnostic("the working directory", message)]) from exc
    return folder


def find_project(start: Path | None = None) -> Project | None:
    """Return the project of a folder, by default the working directory.

    The project is the nearest folder upward with a table [tool.relay] in its pyproject.toml, else the
    nearest with spec/openapi.yaml. Raises SetupError for an unreadable pyproject.toml.
    """
    folder = (start or working_directory()).resolve()
    folders = [folder, *folder.parents]
    for candidate in folders:
        if (table := relay_table(candidate)) is not None:
            return Project(candidate, table)
    return next((Project(candidate) for candidate in folders if (candidate / SPEC).is_file()), None)


def current_project(spec: Path | None = None) -> Project:
    """Return the project of the working directory.

    If a contract is given, by `spec` or RELAY_SPEC, the working directory itself may be the project.
    Raises SetupError if there is no project.
    """
    if (found := find_project()) is not None:
        return found
    if spec is not None or os.environ.get(variable("spec")):
        return Project(Path.cwd().resolve(), is_implicit=True)
    message = "no project here: neither [tool.relay] in a pyproject.toml nor spec/openapi.yaml, in this folder or above; run `relay init`, or name a contract (--spec, RELAY_SPEC)"
    raise SetupError([Diagnostic(str(Path.cwd()), message)])


def read_pyproject(folder: Path) -> dict[str, Any]:
    """Return the data of a folder's pyproject.toml, {} without one; raise SetupError for an unreadable one."""
    file = folder / "pyproject.toml"
    check_regular(file)
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise SetupError([Diagnostic(display(file), f"cannot be read: {reason}")]) from exc


def check_regular(file: Path) -> None:
    """Raise SetupError for a pipe, a socket or a device, whose content may never end."""
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise SetupError([Diagnostic(display(file), "is not a regular file; replace it by one")])


def relay_table(folder: Path) -> Mapping[str, Any] | None:
    """Return [tool.relay] of a folder's pyproject.toml, None without one; raise SetupError if it is no table."""
    table = read_pyproject(folder).get("tool", {}).get("relay")
    if table is not None and not isinstance(table, dict):
        file = folder / "pyproject.toml"
        raise SetupError([Diagnostic(display(file), "tool.relay must be a table")])
    return table
