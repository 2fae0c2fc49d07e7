"""The modules of a project that its contract names by Python paths, such as `api.pets.get_pet`.

Only modules of the project's own folder are imported by such a name: a contract may come from somebody else, and
`operationId: os.system` must not be a way to run a command. The modules of a configured handlers package may be
installed elsewhere, because the project's owner has chosen it.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

from relay.contract.documents import display


class NamedModule(NamedTuple):
    """A module that a Python path leads to, and the names after it: `api.pets`, `("Pets", "get")`."""

    name: str
    path: Path
    members: tuple[str, ...]


def find_module(dotted: str, folder: Path, package: str = "") -> NamedModule | None:
    """Return the module of a Python path within a project's folder; None if the folder has none.

    A path below `package` may lead anywhere on the import path. Imports nothing.
    """
    parts = dotted.split(".")
    if parts[0] in sys.stdlib_module_names:
        return None
    is_chosen = bool(package) and dotted.startswith(f"{package}.")
    found: NamedModule | None = None
    # Also folders below the project's on the import path, such as `src` of an editable install.
    entries = [entry for entry in sys.path if is_chosen or (entry and is_own(Path(entry), folder))]
    search: Sequence[str] = [str(folder), *entries]
    for depth, part in enumerate(parts[:-1], 1):
        spec = PathFinder.find_spec(part, search)
        path = None if spec is None else _file(spec)
        if spec is None or path is None or not (is_chosen or is_own(path, folder)):
            break
        found = NamedModule(".".join(parts[:depth]), path, tuple(parts[depth:]))
        if spec.submodule_search_locations is None:
            break
        search = list(spec.submodule_search_locations)
    return found


def expected_file(dotted: str) -> str:
    """Return the file in which a Python path's function is written by custom: `api/pets.py`."""
    return f"{dotted.rpartition('.')[0].replace('.', '/')}.py"


def what_to_write(dotted: str, module: NamedModule | None) -> str:
    """Say which function to write for a Python path that leads to nothing; `module` is the one that is there."""
    if module is None:
        return f"write {dotted.rpartition('.')[2]}() in {expected_file(dotted)}"
    return f"write {'.'.join(module.members)}() in {display(module.path)}"


def is_own(path: Path, folder: Path) -> bool:
    """Return True for a file in a project's folder that is not an installed one."""
    resolved = path.resolve()
    return resolved.is_relative_to(folder.resolve()) and "site-packages" not in resolved.parts


def _file(spec: ModuleSpec) -> Path | None:
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    return next((Path(one) for one in places if one is not None), None)
