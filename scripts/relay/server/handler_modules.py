"""Imports the modules of a project, and finds the functions of operations, also by a Python path."""

from __future__ import annotations

import importlib
import importlib.util
import sysconfig
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import cast

from relay.contract.connexion_words import is_python_path, python_path
from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.project.import_path import make_named_importable
from relay.project.named_modules import NamedModule, expected_file, find_module, what_to_write

from .threads import Function

_LIBRARIES = {
    Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")
}
_RELAY = Path(__file__).resolve().parents[1]
_APPLICATION = (
    "Relay serves the contract itself, so make the application below `if __name__ == '__main__':`, or in a module "
    "of its own"
)


def import_package(name: str) -> ModuleType:
    """Import the handlers package `name`; raise SetupError if it does not exist or cannot be imported."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise SetupError([Diagnostic("RELAY_HANDLERS", f"'{name}' is not the name of a package")])
    return import_module(name, "RELAY_HANDLERS")


def package_or_empty(name: str) -> ModuleType:
    """Import a handlers package; return an empty module in place of one that cannot be imported."""
    try:
        return import_package(name)
    except SetupError:
        return ModuleType(name)


def find_function(operation: Operation, contract: Contract, package: ModuleType) -> Function | None:
    """Return the handler of an operation, None if there is none; raise SetupError for a broken module."""
    name = module_name(operation, package)
    if not is_package(package) or importlib.util.find_spec(name) is None:
        return None
    function = getattr(import_module(name, contract.place(operation.pointer)), operation.function, None)
    return cast("Function", function) if callable(function) else None


def has_any_handler(contract: Contract, package: ModuleType) -> bool:
    """Return True if the package has a handler for at least one operation of the contract."""
    return any(find_function(operation, contract, package) for operation in contract.operations)


def is_package(module: ModuleType) -> bool:
    """Return True for a package; False for the empty module that replaces a missing package."""
    return hasattr(module, "__path__")


def module_name(operation: Operation, package: ModuleType) -> str:
    """Return the dotted name of the module of an operation's handler."""
    return f"{package.__name__}.{operation.module}"


def import_module(name: str, where: SourceLocation | str) -> ModuleType:
    """Import a module that is needed at `where`. Raises SetupError with the line that fails."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise SetupError([Diagnostic(where, f"there is no package '{name}' here")]) from exc
        raise _import_error(name, exc) from exc
    except BaseException as exc:
        is_main = threading.current_thread() is threading.main_thread()
        if isinstance(exc, KeyboardInterrupt) and is_main:  # Ctrl-C
            raise
        raise _import_error(name, exc) from exc


def _import_error(name: str, exc: BaseException) -> SetupError:
    """Return the error of a module that cannot be imported, with the innermost line of the project that fails."""
    frames = [(Path(one.filename), one.lineno or 1) for one in traceback.extract_tb(exc.__traceback__)]
    own = [at for at, (file, _) in enumerate(frames) if _is_own(file, name)]
    file, line = frames[own[-1] if own else -1]
    called = frames[own[-1] + 1 :] if own else []
    place = SourceLocation(display(file), line, 1)
    if isinstance(exc, SyntaxError) and exc.filename and Path(exc.filename).is_file():
        place = SourceLocation(display(Path(exc.filename)), exc.lineno or 1, exc.offset or 1)
    message = f"{type(exc).__name__}: {exc}"
    if isinstance(exc, ImportError) and "flask" in str(exc).lower():
        message = f"Flask is not installed; {_APPLICATION}"
    elif any("connexion" in library.parts for library, _ in called):
        message += f"; {_APPLICATION}"
    return SetupError([Diagnostic(place, f"cannot be imported: {message}")])


def _is_own(file: Path, name: str) -> bool:
    """Return True for a file of neither a library nor Relay; an installed one may be the module's own."""
    resolved = file.resolve()
    if not file.is_absolute() or not file.exists() or resolved.is_relative_to(_RELAY):
        return False
    is_library = "site-packages" in resolved.parts or any(map(resolved.is_relative_to, _LIBRARIES))
    return not is_library or any(map(resolved.is_relative_to, _places(name)))


def _places(name: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError, AttributeError):
        return []
    found = [] if spec is None else spec.submodule_search_locations or [str(spec.origin)]
    return [Path(place).resolve() for place in found]


@dataclass(frozen=True, slots=True)
class NamedFunctions:
    """Finds functions by their Python path in a project's folder; none without a folder."""

    folder: Path | None = None
    package: str = ""

    def of(self, operation: Operation, contract: Contract) -> Function | None:
        """Return the function that an operation names, None if there is none; raise SetupError as `find`."""
        path = python_path(operation, contract)
        return self.find(path, contract.place(operation.pointer)) if path else None

    def find(self, path: str, where: SourceLocation | str) -> Function | None:
        """Return the function of a Python path, None if there is none; raise SetupError for a broken module."""
        module = self.module(path)
        if module is None or self.folder is None:
            return None
        make_named_importable(module.name, self.folder)
        found: object = import_module(module.name, where)
        file = getattr(found, "__file__", None)
        if file is not None and Path(file).resolve() != module.path.resolve():
            message = f"names {display(module.path)}, but the module '{module.name}' is {file}; rename yours"
            raise SetupError([Diagnostic(where, message)])
        for name in module.members:
            found = getattr(found, name, None)
        return cast("Function", found) if callable(found) else None

    def module(self, path: str) -> NamedModule | None:
        """Return the module of a Python path; None if the project has none."""
        if self.folder is None or not is_python_path(path):
            return None
        return find_module(path, self.folder, self.package)

    def has_any_module(self, contract: Contract) -> bool:
        """Return True if an operation of the contract names a module that the project has."""
        return any(self.module(path) is not None for path in _paths(contract))

    def is_used(self, contract: Contract) -> bool:
        """Return True if the project has a function for an operation; without one, the contract is served alone."""
        if self.has_any_module(contract):
            return True
        try:
            return has_any_handler(contract, package_or_empty(self.package))
        except SetupError:
            return False

    def owns(self, package: ModuleType) -> bool:
        """Return True for a package in the project's folder."""
        places = [Path(place).resolve() for place in package.__path__]
        return self.folder is not None and any(one.is_relative_to(self.folder) for one in places)

    def missing(self, path: str) -> str:
        """Say what to write for a Python path that leads to nothing."""
        return what_to_write(path, self.module(path))


def _paths(contract: Contract) -> Iterator[str]:
    return filter(None, (python_path(operation, contract) for operation in contract.operations))


def no_package_message(name: str, contract: Contract) -> str:
    """Say that there is no handlers package, nor a module that the contract names."""
    message = f"there is no package '{name}' here; create it with `relay regenerate`, or use --missing mock"
    first = next(_paths(contract), None)
    if first is None:
        return message
    return f"{message}, or write the modules that the operationIds name, such as {expected_file(first)}"
