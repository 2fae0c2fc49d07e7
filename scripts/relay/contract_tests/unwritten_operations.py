"""Operations that are not written yet: until a person fills the stub, 501 is their right response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from relay.contract.diagnostics import SetupError
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.server.binding import is_stub
from relay.server.handler_modules import find_function, import_package
from relay.server.named_functions import NamedFunctions

from .contract_config import Waiver
from .contract_rules import finding
from .coverage import Coverage
from .results import Failure


def unwritten_handlers(contract: Contract, package_name: str, root: Path | None = None) -> dict[str, str]:
    """Return the operations whose handler is a stub or missing: operation id → `handlers/books.py:list_books`.

    A package that cannot be imported has none: its errors are reported elsewhere. `root` is the project's folder,
    whose functions the contract may name.
    """
    named = NamedFunctions(root, package_name)
    try:
        package = import_package(package_name)
    except SetupError:
        if not named.has_any_module(contract):
            return {}
        package = ModuleType(package_name)
    try:
        return {
            operation.id: f"{display(_file(package, operation))}:{operation.function}"
            for operation in contract.operations
            if (function := find_function(operation, contract, package) or named.of(operation, contract))
            is None
            or is_stub(function)
        }
    except SetupError:
        return {}


def _file(package: ModuleType, operation: Operation) -> Path:
    """Return the file of an operation's handler, existing or not."""
    folder = next(iter(getattr(package, "__path__", [package.__name__])))
    return Path(folder, operation.module).with_suffix(".py")


def waive(coverage: Coverage, handlers: Mapping[str, str]) -> None:
    """Waive the responses of operations that are not written yet, unless a waiver covers them already."""
    for cell in coverage.cells:
        if cell.operation.id in handlers and cell.waiver is None:
            reason = f"not written yet: {handlers[cell.operation.id]}"
            cell.waiver = Waiver(cell.operation.id, cell.status, cell.media_type, reason, cell.place)


def notes(contract: Contract, handlers: Mapping[str, str]) -> Iterator[Failure]:
    """Yield a note for each operation that is not written yet, in the contract's order."""
    for operation in contract.operations:
        if operation.id in handlers:
            message = f"not written yet: {operation} ({handlers[operation.id]})"
            yield Failure(finding(contract, "not-written-yet", operation.pointer, message), str(operation))
