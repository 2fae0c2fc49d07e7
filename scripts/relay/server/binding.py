"""Binds each operation to its handler: found by first tag and operationId, called by argument name.

`GET /pets` with the tag "Pet Shop" and the operationId `list-pets` is `pet_shop.list_pets` of the
handlers package; the contract needs no extension for that. A handler gets, as keyword arguments:

- each parameter of the contract, under its name in snake case (`X-Trace` → `x_trace`);
- `body`, if the operation has one;
- `caller`, the result of the package's `identify`, and `claims`, the claims of the credential; both
  are None on an operation without security;
- the package's collaborators;
- `request`, a `relay.Request`, if it names this argument and none of the above has the name.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, cast, get_args

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import Pointer, display
from relay.contract.model import Contract, Operation
from relay.contract.names import RESERVED_ARGUMENTS
from relay.validation.uploads import Upload

from .missing_handlers import MissingHandlerPolicy, Policies
from .threads import Function, accepted_names


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation and its handler.

    `names` maps each parameter's pointer to its argument name. `missing` is the policy that applies if
    the package has no handler for the operation.
    """

    operation: Operation
    function: Function
    names: Mapping[Pointer, str]
    missing: MissingHandlerPolicy | None = None

    def unknown_names(self, collaborators: Iterable[str]) -> list[str]:
        """Return the required arguments that Relay does not pass."""
        known = {*self.names.values(), *RESERVED_ARGUMENTS, "request", *collaborators}
        return [name for name in required_names(self.function) if name not in known]

    def takes(self, name: str, collaborators: Iterable[str]) -> bool:
        """Return True if the function names an argument that neither the contract nor a collaborator has."""
        accepted = accepted_names(self.function) or ()
        return name in accepted and name not in {*self.names.values(), *collaborators}

    def where(self) -> SourceLocation | str:
        """Return the source location of the function."""
        return code_place(self.function)


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


def import_package(name: str) -> ModuleType:
    """Import the handlers package `name`; raise SetupError if it does not exist or cannot be imported."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise SetupError([Diagnostic("RELAY_HANDLERS", f"'{name}' is not the name of a package")])
    return _import(name, "RELAY_HANDLERS")


def bind(
    contract: Contract, package: ModuleType, policies: Policies | None = None
) -> tuple[list[Binding], list[Diagnostic]]:
    """Find the handler of every operation; return the bindings and the diagnostics.

    Reports handlers that are missing, cannot be imported, or do not accept their arguments. `policies`
    define for which operations a handler may be missing; with `mock`, an unchanged stub counts as missing.
    """
    problems: list[Diagnostic] = []
    bindings: list[Binding] = []
    policies = policies or Policies()
    for operation in contract.operations:
        try:
            function = find_function(operation, contract, package)
        except SetupError as exc:
            problems += exc.problems
            continue
        policy = policies.of(operation)
        if function is not None and not (policy is MissingHandlerPolicy.MOCK and is_stub(function)):
            binding = Binding(operation, function, operation.arguments)
            problems += _signature_problems(binding, contract)
        elif policy is not MissingHandlerPolicy.FAIL:
            binding = Binding(operation, _not_implemented, operation.arguments, policy)
        else:
            problems.append(_missing_handler(operation, contract, package))
            continue
        bindings.append(binding)
    return bindings, problems


async def _not_implemented(**_arguments: Any) -> None:
    """The handler of operations without one."""
    raise NotImplementedError


def is_stub(function: Function) -> bool:
    """Return True for an unchanged stub: an async function with only `raise NotImplementedError`."""
    code = getattr(function, "__code__", None)
    return code is not None and (code.co_code, code.co_names) == _STUB


_STUB = _not_implemented.__code__.co_code, _not_implemented.__code__.co_names


def required_names(function: Function) -> list[str]:
    """Return the parameters without a default."""
    return [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in _VARIADIC
    ]


def takes_upload(function: Function) -> bool:
    """Return True if the annotation of `body` names relay.Upload: the class, its name in a string, or a union with it."""
    body = inspect.signature(function).parameters.get("body")
    annotation = None if body is None else body.annotation
    if isinstance(annotation, str):
        return re.search(r"\bUpload\b", annotation) is not None
    return annotation is Upload or Upload in get_args(annotation)


def code_place(function: Function) -> SourceLocation | str:
    """Return the source location of a function; its name if it has no code object."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__qualname__", repr(function))
    return SourceLocation(display(Path(code.co_filename)), code.co_firstlineno, 1)


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def find_function(operation: Operation, contract: Contract, package: ModuleType) -> Function | None:
    """Return the handler of an operation; None if the package has none.

    Raises SetupError if the module cannot be imported.
    """
    name = module_name(operation, package)
    if not is_package(package) or importlib.util.find_spec(name) is None:
        return None
    function = getattr(_import(name, contract.place(operation.pointer)), operation.function, None)
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


def _missing_handler(operation: Operation, contract: Contract, package: ModuleType) -> Diagnostic:
    """Report a missing handler, and where to write it."""
    name = module_name(operation, package)
    module = sys.modules.get(name)
    where = f"the module {name}" if module is None else display(Path(str(module.__file__)))
    return Diagnostic(contract.place(operation.pointer), missing_handler_message(operation, where))


def _import(name: str, where: SourceLocation | str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise SetupError([Diagnostic(where, f"there is no package '{name}' here")]) from exc
        raise _import_error(exc) from exc
    except BaseException as exc:
        is_own = (
            threading.current_thread() is not threading.main_thread()
        )  # Ctrl-C is raised in the main thread
        if isinstance(exc, KeyboardInterrupt) and not is_own:
            raise
        raise _import_error(exc) from exc


def _import_error(exc: BaseException) -> SetupError:
    """Return the import error with the location of the line that raised it."""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    place = SourceLocation(display(Path(frame.filename)), frame.lineno or 1, 1)
    if isinstance(exc, SyntaxError) and exc.filename:
        place = SourceLocation(display(Path(exc.filename)), exc.lineno or 1, exc.offset or 1)
    return SetupError([Diagnostic(place, f"cannot be imported: {type(exc).__name__}: {exc}")])


def _signature_problems(binding: Binding, contract: Contract) -> Iterable[Diagnostic]:
    """Check that the function accepts the arguments of every valid request."""
    operation, function = binding.operation, binding.function
    where = binding.where()
    accepted = accepted_names(function)
    required = set(required_names(function))
    for argument in inspect.signature(function).parameters.values():
        if argument.kind is argument.POSITIONAL_ONLY:
            yield Diagnostic(where, positional_only_message(argument.name))
    for sent in handler_arguments(operation, contract):
        if accepted is not None and sent.name not in accepted:
            yield Diagnostic(where, missing_argument_message(sent))
        elif sent.name in required and not sent.always:
            yield Diagnostic(where, missing_default_message(sent))


# These messages are shared with `relay drift`, which reads functions without importing them.


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
