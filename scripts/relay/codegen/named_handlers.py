"""Find in source, without an import, what a contract names by a Python path as Connexion does: `api.pets.get_pet`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from relay.contract.connexion_words import body_names, python_path, spellings
from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.model import Contract, Operation
from relay.project.module_source import Defined, Function, Module
from relay.project.named_modules import find_module, what_to_write
from relay.project.package_source import Sources


class NamedFunction(NamedTuple):
    """The target of a Python path: a module and names in it; `function` is set for a function of its top level."""

    path: str
    module: Module
    function: Function | None


def find_named(sources: Sources, path: str) -> NamedFunction | None:
    """Return what a Python path leads to; None if the project has no such module, or no such name in it."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = sources.named(".".join(parts[:length]))
        if module is not None:
            bound = module.bindings.get(parts[length])
            if bound is None and not module.may_bind(parts[length]) and not module.stars:
                return None
            is_whole = length == len(parts) - 1
            return NamedFunction(path, module, bound if is_whole and isinstance(bound, Function) else None)
    return None


def connexion_names(operation: Operation, contract: Contract, own: Collection[str]) -> dict[str, str]:
    """Return the arguments of a function that Connexion passes by other names than Relay, with Relay's names."""
    names: dict[str, str] = {}
    for parameter in operation.parameters:
        wanted = operation.arguments[parameter.pointer]
        spelled = [name for name in spellings(parameter.name) if name in own and name not in names]
        if wanted not in own and spelled:
            names[spelled[0]] = wanted
    spelled = [name for name in body_names(operation, contract) if name in own]
    return names | ({spelled[0]: "body"} if "body" not in own and spelled else {})


def names_function(operation: Operation, contract: Contract, folder: Path, package: str) -> bool:
    """Return True if the project's source has, or may have, the function that an operation names by its Python path."""
    path = python_path(operation, contract)
    module = find_module(path, folder, package) if path else None
    if module is None or not module.path.is_file():
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
    found: list[Diagnostic] = []
    for operation in missing:
        path = python_path(operation, contract)
        module = find_module(path, folder, package) if path else None
        what = what_to_write(path, module) if path else "write it, and name it in the operationId"
        place = contract.place(operation.pointer)
        message = f"{operation} has no handler: {what}"
        found.append(Diagnostic(place, message, "missing-handler"))
    return [*found, *served_note(len(contract.operations) - len(missing), contract)]


def served_note(count: int, contract: Contract) -> Iterator[Diagnostic]:
    """Say what is not compared of operations whose functions the contract names."""
    if count:
        operations = "1 operation is" if count == 1 else f"{count} operations are"
        message = (
            f"{operations} served by functions that the contract names by their Python paths; they get the arguments "
            "that they name, so their signatures are not compared"
        )
        yield Diagnostic(contract.place(()), message, "named-handler", Severity.INFO)


def names_any_module(contract: Contract, folder: Path, package: str) -> bool:
    """Return True if the contract names a module that the project has."""
    paths = filter(None, (python_path(operation, contract) for operation in contract.operations))
    return any(find_module(path, folder, package) is not None for path in paths)
