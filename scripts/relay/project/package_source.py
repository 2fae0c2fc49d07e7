"""The source files of a handlers package, found by its dotted name and read without an import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display

from .files import package_folder
from .module_source import Module

TYPES = "_types"  # the generated module
_FOREIGN = frozenset({"site-packages", "node_modules"})


@dataclass(frozen=True)
class Sources:
    """A package's modules, in their current state or with planned changes.

    `files` maps the path of each Python file below `folder` to its bytes; `tests` does the same for files
    outside the package that may refer to it.
    """

    package: str
    folder: Path
    files: Mapping[Path, bytes]
    tests: Mapping[Path, bytes] = field(default_factory=dict)
    _parsed: dict[tuple[Path, bytes], Module] = field(default_factory=dict, repr=False)

    @property
    def root(self) -> Path:
        """The folder that the package's dotted name starts from."""
        return self.folder.parents[self.package.count(".")]

    @cached_property
    def paths(self) -> dict[str, Path]:
        """The file of each module, by dotted name below the package; the package itself is ''."""
        found: dict[str, Path] = {}
        # The package takes precedence, as in Python.
        for path in sorted(self.files, key=lambda path: path.name == "__init__.py"):
            parts = path.relative_to(self.folder).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        return found

    def path(self, name: str) -> Path:
        """Return the file of a module below the package; for a new module, the path to create."""
        return self.paths.get(name) or self.folder.joinpath(*name.split(".")).with_suffix(".py")

    def module(self, name: str) -> Module | None:
        """Return a module by its dotted name below the package; None if it does not exist."""
        path = self.paths.get(name)
        return None if path is None else self._module(path, self.files[path])

    def named(self, dotted: str) -> Module | None:
        """Return a module of the project by its whole name, also one outside the package; None if there is none."""
        if dotted == self.package or dotted.startswith(f"{self.package}."):
            return self.module(dotted.removeprefix(self.package).removeprefix("."))
        base = self.root.joinpath(*dotted.split("."))
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path in self.tests or path.is_file():
                return self._module(path, self.tests[path] if path in self.tests else _read(path))
        return None

    def _module(self, path: Path, source: bytes) -> Module:
        key = path, source
        if key not in self._parsed:
            is_below = path.is_relative_to(self.root)
            parts = path.relative_to(self.root).with_suffix("").parts if is_below else ()
            self._parsed[key] = Module(path, source, ".".join(part for part in parts if part != "__init__"))
        return self._parsed[key]

    def operation_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield each module that may contain handlers, by name."""
        for name in sorted(self.paths):
            if name and "." not in name and not name.startswith("_"):
                module = self.module(name)
                assert module is not None  # every name in `paths` has a module
                yield name, module

    def modules(self, words: Iterable[str]) -> Iterator[Module]:
        """Yield every hand-written file that contains one of the words: those of the package, then those outside it."""
        wanted = [word.encode() for word in words]
        own = {path: self.files[path] for name, path in self.paths.items() if name != TYPES}
        for path, source in (own | dict(self.tests)).items():
            if any(word in source for word in wanted):
                yield self._module(path, source)

    def with_tests(self, folder: Path) -> Sources:
        """Return the package with the files of another folder, except those in the package."""
        return replace(self, tests=_python_files(folder, exclude=self.folder))

    def with_project(self) -> Sources:
        """Return the package with all other files of its project, without environments and hidden folders."""
        return replace(self, tests=_python_files(self.root, exclude=self.folder, only_own=True))

    def changed(self, changes: Mapping[Path, bytes]) -> Sources:
        """Return the package with some changes applied."""
        tests = {path: changes.get(path, source) for path, source in self.tests.items()}
        own = {path: source for path, source in changes.items() if path not in tests}
        return replace(self, files={**self.files, **own}, tests=tests)


def read_sources(package: str, root: Path) -> Sources:
    """Read a package, searching `root` first; a package that does not exist yet has no files.

    Raises SetupError for a name that cannot be a package, and for files that cannot be read.
    """
    folder = package_folder(package, root)
    return Sources(package, folder, _python_files(folder))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise SetupError([Diagnostic(display(path), f"cannot be read: {exc.strerror}")]) from exc


def _python_files(folder: Path, exclude: Path | None = None, *, only_own: bool = False) -> dict[Path, bytes]:
    """Return the files below a folder; with `only_own` without those of environments and hidden folders."""
    folder = folder.resolve()

    def is_wanted(path: Path) -> bool:
        parts = path.relative_to(folder).parts if only_own else ()
        is_foreign = any(part.startswith(".") or part in _FOREIGN for part in parts)
        return not is_foreign and not (exclude and path.is_relative_to(exclude)) and path.is_file()

    try:
        return {path: path.read_bytes() for path in sorted(folder.rglob("*.py")) if is_wanted(path)}
    except OSError as exc:
        where = display(Path(exc.filename or folder))
        raise SetupError([Diagnostic(where, f"cannot be read: {exc.strerror}")]) from exc
