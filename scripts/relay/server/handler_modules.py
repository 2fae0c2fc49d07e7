"""Imports the handlers package, and finds the function of each operation in it."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from types import ModuleType
from typing import cast

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.model import Contract, Operation

from .import_errors import import_error
from .threads import Function


def import_package(name: str) -> ModuleType:
    """Import the handlers package `name`; raise SetupError if it does not exist or cannot be imported."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise SetupError([Diagnostic("RELAY_HANDLERS", f"'{name}' is not the name of a package")])
    return import_module(name, "RELAY_HANDLERS")


def find_function(operation: Operation, contract: Contract, package: ModuleType) -> Function | None:
    """Return the handler of an operation; None if the package has none.

    Raises SetupError if the module cannot be imported.
    """
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
        raise import_error(name, exc) from exc
    except BaseException as exc:
        is_own = (
            threading.current_thread() is not threading.main_thread()
        )  # Ctrl-C is raised in the main thread
        if isinstance(exc, KeyboardInterrupt) and not is_own:
            raise
        raise import_error(name, exc) from exc
