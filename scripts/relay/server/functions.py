"""The arguments of operations' functions, and messages about signatures, which `relay drift` shares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from relay.contract.diagnostics import Diagnostic, SourceLocation
from relay.contract.documents import display
from relay.contract.model import Contract, Operation, Parameter
from relay.validation.uploads import Upload

from .threads import Function, accepting

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

CONTEXT_ARGUMENTS = frozenset({"user", "token_info", "context_"})
"""Objects of Connexion that a function gets if it names them and nothing else has the name."""


def _named(function: Function) -> list[inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    return [one for one in parameters if one.kind not in _VARIADIC]


def named_arguments(function: Function) -> frozenset[str]:
    """Return the parameters that a function names."""
    return frozenset(one.name for one in _named(function))


def required_names(function: Function) -> list[str]:
    """Return the parameters without a default."""
    return [one.name for one in _named(function) if one.default is one.empty]


def code_place(function: Function) -> SourceLocation | str:
    """Return the source location of a function; its name if it has no code object."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__qualname__", repr(function))
    return SourceLocation(display(Path(code.co_filename)), code.co_firstlineno, 1)


def takes_upload(function: Function) -> bool:
    """Return True if the annotation of `body` names relay.Upload: the class, its name in a string, or a union with it."""
    body = inspect.signature(function).parameters.get("body")
    annotation = None if body is None else body.annotation
    if isinstance(annotation, str):
        return re.search(r"\bUpload\b", annotation) is not None
    return annotation is Upload or Upload in get_args(annotation)


@dataclass(frozen=True, slots=True)
class HandlerArgument:
    """An argument that an operation passes to its handler: `always`, or only if the request has it."""

    name: str
    what: str
    always: bool

    @classmethod
    def of(cls, parameter: Parameter, name: str, operation: Operation, contract: Contract) -> HandlerArgument:
        """Return the argument of a parameter."""
        what = f"the {parameter.location} parameter '{parameter.name}' of {operation}"
        return cls(name, what, contract.always_sends(parameter))


def handler_arguments(operation: Operation, contract: Contract) -> list[HandlerArgument]:
    """Return the arguments that a handler must accept, in the contract's order, the body last."""
    names = operation.arguments
    found = [HandlerArgument.of(one, names[one.pointer], operation, contract) for one in operation.parameters]
    if operation.body:
        found.append(HandlerArgument("body", f"the body of {operation}", operation.body.required))
    return found


def signature_problems(operation: Operation, function: Function, contract: Contract) -> Iterator[Diagnostic]:
    """Check that a function accepts the arguments of every valid request."""
    accepts = accepting(function)
    required = set(required_names(function))
    yield from positional_only_problems(function)
    for sent in handler_arguments(operation, contract):
        if not accepts(sent.name):
            yield Diagnostic(code_place(function), missing_argument_message(sent))
        elif sent.name in required and not sent.always:
            yield Diagnostic(code_place(function), missing_default_message(sent))


def positional_only_problems(function: Function) -> Iterator[Diagnostic]:
    """Report the arguments that cannot be passed by name."""
    for argument in _named(function):
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
