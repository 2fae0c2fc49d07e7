"""Find the functions that a contract names by Python paths in source, without importing them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relay.contract.connexion_words import python_path
from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.model import Contract, Operation
from relay.project.module_source import Defined, Module
from relay.project.named_modules import NamedModule, find_module, what_to_write

RULE = "named-handler"


def names_function(operation: Operation, contract: Contract, folder: Path, package: str) -> bool:
    """Return True if an operation names a function by its Python path, and the project's source has it."""
    path = python_path(operation, contract)
    module = find_module(path, folder, package) if path else None
    return module is not None and _has(module)


def _has(module: NamedModule) -> bool:
    """Return True if the source of a module binds a name, or may bind it in a way that source does not show."""
    if not module.path.is_file():
        return False
    source = Module(module.path, module.path.read_bytes(), module.name)
    first, *others = module.members
    bound = source.running.get(first)
    if bound is None:
        return bool(source.stars) or "__getattr__" in source.running or source.may_bind(first)
    if others and isinstance(bound, Defined) and not bound.node.bases:
        return others[0] in dict(source.bound_in(bound.node.body.body))
    return True


def named_findings(contract: Contract, folder: Path, package: str) -> list[Diagnostic]:
    """Return the findings about a project without a handlers package, whose contract names functions."""
    missing = [one for one in contract.operations if not names_function(one, contract, folder, package)]
    return [
        *(_missing(operation, contract, folder, package) for operation in missing),
        *served_note(len(contract.operations) - len(missing), contract),
    ]


def served_note(count: int, contract: Contract) -> Iterator[Diagnostic]:
    """Say what is not compared of operations whose functions the contract names."""
    if count:
        operations = "1 operation is" if count == 1 else f"{count} operations are"
        message = (
            f"{operations} served by functions that the contract names by their Python paths; they get the arguments "
            "that they name, so their signatures are not compared"
        )
        yield Diagnostic(contract.place(()), message, RULE, Severity.INFO)


def names_any_module(contract: Contract, folder: Path, package: str) -> bool:
    """Return True if the contract names a module that the project has."""
    paths = filter(None, (python_path(operation, contract) for operation in contract.operations))
    return any(find_module(path, folder, package) is not None for path in paths)


def _missing(operation: Operation, contract: Contract, folder: Path, package: str) -> Diagnostic:
    path = python_path(operation, contract)
    what = what_to_write(path, find_module(path, folder, package)) if path else _NAME_IT
    message = f"{operation} has no handler: {what}"
    return Diagnostic(contract.place(operation.pointer), message, "missing-handler", Severity.ERROR)


_NAME_IT = "write it, and name it in the operationId"
