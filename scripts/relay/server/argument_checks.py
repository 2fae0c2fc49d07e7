"""Compares the arguments of a package's functions with the names of its collaborators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, errors
from relay.contract.names import RESERVED_ARGUMENTS

from .binding import Binding
from .functions import code_place, required_names
from .package_hooks import PackageHooks
from .request_scope import CONTEXT_NAMES, scope_names
from .threads import Function
from .yielded_names import yielded_names


def check_names(
    bindings: Iterable[Binding], hooks: PackageHooks, collaborators: Mapping[str, Any]
) -> list[Diagnostic]:
    """Return a warning for each argument, of a function that the contract names, that nothing has the name of.

    Raises SetupError for such arguments of other functions, and for objects with the name of an argument of the contract.
    """
    scoped = _scope_names(hooks.scope) if hooks.scope else ()
    names = {*collaborators, *(scoped or ())}
    offered = ", ".join(sorted(names)) or "none"
    found: list[Diagnostic] = []
    for binding in bindings:
        if scoped is not None:  # a scope whose names are not known may yield every name
            found += _unknown(binding, names, offered)
        found += _taken(binding, names)
    for function, wanted in _wanted(hooks).items():
        for name in wanted:
            if name not in collaborators:
                message = f"{function.__name__} needs '{name}', and no collaborator has that name (collaborators: {offered})"
                found.append(Diagnostic(code_place(function), message))
    if problems := errors(found):
        raise SetupError(problems)
    return found


def _scope_names(scope: Function) -> Iterable[str] | None:
    """Return the names of the objects that a `scope` yields, by its annotation or its source; None if neither shows them."""
    annotated = scope_names(scope)
    return yielded_names(scope) if annotated is None else annotated


def _unknown(binding: Binding, names: Iterable[str], offered: str) -> Iterator[Diagnostic]:
    for name in binding.unknown_names(names):
        message = f"{binding.operation} does not send '{name}', and no collaborator has that name (collaborators: {offered})"
        if binding.is_named:
            message += "; give it a default, or remove it; until then, such a request is a 500"
            yield Diagnostic(binding.where(), message, "argument", Severity.WARNING)
        else:
            yield Diagnostic(binding.where(), message)


def _taken(binding: Binding, names: set[str]) -> Iterator[Diagnostic]:
    for name in sorted({*binding.names.values(), *RESERVED_ARGUMENTS} & names):
        message = f"the collaborator '{name}' has the name of an argument of {binding.operation}; rename it"
        yield Diagnostic(binding.where(), message)


def _wanted(hooks: PackageHooks) -> dict[Any, list[str]]:
    """Return the collaborators that the hooks require."""
    wanted = {hooks.identify: [name for name in required_names(hooks.identify) if name != "claims"]}
    wanted |= {function: required_names(function)[1:] for function in hooks.verifiers.values()}
    if hooks.scope is not None:
        wanted[hooks.scope] = [name for name in required_names(hooks.scope) if name not in CONTEXT_NAMES]
    return wanted
