"""Functions that a contract names by their Python path, as Connexion finds them: `api.pets.get_pet`, `api.Pets.get`."""

from __future__ import annotations

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

from .connexion_code import connexion_notes
from .handler_modules import has_any_handler, import_module, package_or_empty
from .threads import Function


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
        """Return the function of a Python path, None if there is none; raise SetupError if its module cannot be imported."""
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

    def notes(self) -> list[Diagnostic]:
        """Return warnings of what the project's code asks of Connexion in vain."""
        return [] if self.folder is None else connexion_notes(self.folder)

    def missing(self, path: str) -> str:
        """Say what to write for a Python path that leads to nothing."""
        return what_to_write(path, self.module(path))


def _paths(contract: Contract) -> Iterator[str]:
    """Yield the Python paths of a contract's operations."""
    return filter(None, (python_path(operation, contract) for operation in contract.operations))


def no_package_message(name: str, contract: Contract) -> str:
    """Say that there is no handlers package, nor a module that the contract names."""
    message = f"there is no package '{name}' here; create it with `relay regenerate`, or use --missing mock"
    first = next(_paths(contract), None)
    if first is None:
        return message
    return f"{message}, or write the modules that the operationIds name, such as {expected_file(first)}"
