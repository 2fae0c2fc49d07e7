"""The arguments that an operation passes to its handler, and what is wrong with a handler's signature.

The messages are shared with `relay drift`, which reads functions without importing them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract, Operation

from .functions import code_place, required_names
from .threads import Function, accepted_names


class HandlerArgument(NamedTuple):
    """An argument that an operation passes to its handler: `always`, or only if the request has it."""

    name: str
    what: str
    always: bool


def handler_arguments(operation: Operation, contract: Contract) -> list[HandlerArgument]:
    """Return the arguments that a handler must accept, in the contract's order, the body last."""
    names = operation.arguments
    found = [
        HandlerArgument(
            names[parameter.pointer],
            f"the {parameter.location} parameter '{parameter.name}' of {operation}",
            contract.always_sends(parameter),
        )
        for parameter in operation.parameters
    ]
    if operation.body:
        found.append(HandlerArgument("body", f"the body of {operation}", operation.body.required))
    return found


def signature_problems(operation: Operation, function: Function, contract: Contract) -> Iterator[Diagnostic]:
    """Check that a function accepts the arguments of every valid request."""
    where = code_place(function)
    accepted = accepted_names(function)
    required = set(required_names(function))
    yield from positional_only_problems(function)
    for sent in handler_arguments(operation, contract):
        if accepted is not None and sent.name not in accepted:
            yield Diagnostic(where, missing_argument_message(sent))
        elif sent.name in required and not sent.always:
            yield Diagnostic(where, missing_default_message(sent))


def positional_only_problems(function: Function) -> Iterator[Diagnostic]:
    """Report the arguments that cannot be passed by name."""
    for argument in inspect.signature(function).parameters.values():
        if argument.kind is argument.POSITIONAL_ONLY:
            yield Diagnostic(code_place(function), positional_only_message(argument.name))


def missing_handler_message(operation: Operation, where: str) -> str:
    """Say that an operation has no handler; `where` is the file or module to write it in."""
    return f"{operation} has no handler: write {operation.function}() in {where}"


def positional_only_message(name: str) -> str:
    """Say that an argument is positional-only."""
    return f"the argument '{name}' is positional-only, but arguments are passed by name; remove the '/'"


def missing_argument_message(argument: HandlerArgument) -> str:
    """Say that an argument is missing."""
    return f"no argument for {argument.what}: add '{argument.name}'"


def missing_default_message(argument: HandlerArgument) -> str:
    """Say that an argument needs a default."""
    return f"{argument.what} may be absent: give '{argument.name}' a default, such as None"
