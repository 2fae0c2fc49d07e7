"""Makes a project's modules importable without replacing a module of Python or an installed one.

The working directory may contain any file. Of it, the handlers package comes first; another module comes last, and
only where the project's own code imports it: a `sqlite3.py` that lies there is never executed, nor is a module that
a library tries to import. The import path itself is not changed.
"""

import ast
import functools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True, slots=True)
class FolderFinder(MetaPathFinder):
    """Finds a package and the packages above it in a folder first; or a module that a contract names and what is below it."""

    name: str
    folder: Path
    own: list[Path] | None = None
    """Takes the package's folder, which is outside of the project for an installed one; None for a named module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module in the folder, else where Python finds it; None for any other name."""
        whole, part = (fullname, self.name) if self.own is None else (self.name, fullname)
        if not f"{whole}.".startswith(f"{part}."):
            return None
        places = [str(self.folder.joinpath(*fullname.split(".")[:-1])), *(path or sys.path)]
        spec = PathFinder.find_spec(fullname, places, target)
        if spec is not None and self.own is not None and fullname == self.name:
            self.own.extend(_places(spec))
        return spec


@dataclass(frozen=True, slots=True)
class NeighbourFinder(MetaPathFinder):
    """Finds the modules of a folder that a project's package imports, and those that they import."""

    folder: Path
    own: list[Path]  # files and folders of the project's code that is known so far

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that no other finder has found; None for one that the project does not import."""
        if path is not None:  # a module within a package
            return None
        spec = PathFinder.find_spec(fullname, [str(self.folder)], target)
        if spec is None or not self._imports(fullname):
            return None
        self.own.extend(_places(spec))
        return spec

    def _imports(self, name: str) -> bool:
        """Return True if the project's code has the name in an import, or as a text for `import_module`."""
        files = (file for place in self.own for file in (place.rglob("*.py") if place.is_dir() else [place]))
        return any(name in _imported(file.read_bytes()) for file in filter(Path.is_file, files))


def _places(spec: ModuleSpec) -> Iterator[Path]:
    return map(Path, spec.submodule_search_locations or [str(spec.origin)])


@functools.lru_cache(maxsize=10_000)
def _imported(source: bytes) -> frozenset[str]:
    """Return the top-level modules that a source may import; none if it is not Python."""
    try:
        nodes = ast.walk(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # its own import reports the error
    return frozenset(name.partition(".")[0] for node in nodes for name in _names(node))


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the modules that an import names, or the text that may be one for `import_module`."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module
        case ast.Constant(value=str(text)):
            yield text


def make_named_importable(name: str, folder: Path) -> None:
    """Let a module that the contract names be imported from the project's folder, and the modules next to it."""
    first = name.partition(".")[0]
    finder = FolderFinder(first, folder)
    neighbours = [one for one in sys.meta_path if isinstance(one, NeighbourFinder) and one.folder == folder]
    if not neighbours:
        neighbours = [NeighbourFinder(folder, [])]
        sys.meta_path.append(neighbours[0])
    if finder not in sys.meta_path:
        sys.meta_path.insert(0, finder)
        neighbours[0].own.extend([folder / first, folder / f"{first}.py"])


def make_importable(package: str, folder: Path) -> None:
    """Let a project's package be imported from its folder, and what it imports from there after all others."""
    others = [one for one in sys.meta_path if not isinstance(one, FolderFinder | NeighbourFinder)]
    own = [folder.joinpath(*package.split("."))]  # it may have been imported already
    sys.meta_path[:] = [FolderFinder(package, folder, own), *others, NeighbourFinder(folder, own)]
