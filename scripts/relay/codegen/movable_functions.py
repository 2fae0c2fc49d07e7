"""Find, in source, what a contract names by a Python path as Connexion does: `api.pets.get_pet`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from relay.contract.connexion_words import body_names, spellings
from relay.contract.model import Contract, Operation
from relay.project.module_source import Function, Module
from relay.project.package_source import Sources


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """What a Python path leads to: a module and names in it; `function` is set for a function of its top level."""

    path: str
    module: Module
    function: Function | None


def find_named(sources: Sources, path: str) -> NamedFunction | None:
    """Return what a Python path leads to; None if the project has no such module, or no such name in it."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = sources.named(".".join(parts[:length]))
        if module is None:
            continue
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
    if "body" not in own and spelled:
        names[spelled[0]] = "body"
    return names
