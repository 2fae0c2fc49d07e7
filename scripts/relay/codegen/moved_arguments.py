"""Whether a function that a contract names gets the same arguments in a handlers package."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from relay.contract.connexion_words import body_names
from relay.contract.model import Contract, Operation
from relay.project.module_source import Function
from relay.project.syntax import declares, has_name
from relay.server.connexion_arguments import absent_body, file_fields

from .argument_usage import name_uses
from .movable_functions import connexion_names
from .signature_diff import ALWAYS_GIVEN, GIVEN_BY_NAME

Reason = tuple[cst.CSTNode | None, str]


def argument_reasons(
    function: Function, operation: Operation, contract: Contract, collaborators: frozenset[str] | None
) -> Iterator[Reason]:
    """Yield the arguments that a function would not get there, or with another value, and why.

    `collaborators` are the names of the package's own objects; None if they cannot be read from source.
    """
    own = {argument.name: argument for argument in function.arguments}
    names = connexion_names(operation, contract, [*own])
    bodies = {*body_names(operation, contract)} if operation.body is not None else set()
    files = file_fields(operation, contract)
    yield from _variadic(function)
    for name, argument in own.items():
        if files and name in files | bodies:
            yield argument.node, "in the package, the files of a form are in `body`, as relay.Upload"
        elif name in bodies and argument.default is None and _has_absent_body(operation, contract):
            what = f"for a request without a body, '{name}' has a value now"
            yield argument.node, f"{what}, and none in the package"
        elif name in names and not may_be_renamed(function, name, names[name]):
            yield argument.node, f"its argument '{name}' cannot be renamed to '{names[name]}' for certain"
        elif argument.default is None and collaborators is not None:
            sent = {*operation.arguments.values(), *names, *bodies, *ALWAYS_GIVEN, *GIVEN_BY_NAME}
            if name not in sent | collaborators:
                yield argument.node, f"{operation} does not send its argument '{name}'"


def _variadic(function: Function) -> Iterator[Reason]:
    """Yield a use of `**kwargs`, which has other names in the package."""
    variadic = function.node.params.star_kwarg
    if variadic is not None and name_uses([function.node.body], variadic.name.value):
        yield variadic, f"in the package, '**{variadic.name.value}' has the names that Relay passes"


def _has_absent_body(operation: Operation, contract: Contract) -> bool:
    """Whether the function gets a value that is not None for a request without a body."""
    is_optional = operation.body is not None and not operation.body.required
    return is_optional and absent_body(operation, contract) is not None


def may_be_renamed(function: Function, old: str, new: str) -> bool:
    """Return True if a function neither has the new name nor refers to its arguments in unusual ways."""
    words = (new, "locals", "vars", "eval", "exec")
    return not declares(function.node, old) and not has_name(function.node, *words)
