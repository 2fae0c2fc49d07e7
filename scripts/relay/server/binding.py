"""Operation → function: found by first tag and operationId, called by parameter name.

`GET /pets` with the tag "Pet Shop" and the operationId `list-pets` is `pet_shop.list_pets` of the
handlers package; nothing is added to the contract for that. A handler gets, by name:

- each parameter of the contract, under its name in snake case (`X-Trace` → `x_trace`);
- `body`, when the operation has one;
- `caller`, what the package's `identify` made of the credential, and `claims`, the credential's
  own; both None on an operation without security;
- the package's collaborators.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import inspect
import keyword
import re
import sys
import threading
import traceback
import unicodedata
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, cast

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import Pointer, display
from relay.contract.model import Contract, Operation

from .missing_handlers import MissingHandlerPolicy, Policies

Function = Callable[..., Any]

GIVEN = frozenset({"body", "caller", "claims"})
"""Names that the host gives a meaning of its own."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation and the function that serves it.

    `names` maps each parameter's pointer to its argument name. `missing` says what stands in where the
    package has no such function.
    """

    operation: Operation
    function: Function
    names: Mapping[Pointer, str]
    missing: MissingHandlerPolicy | None = None

    def unknown_names(self, collaborators: Iterable[str]) -> list[str]:
        """Return the arguments that the function needs and nobody gives."""
        known = {*self.names.values(), *GIVEN, *collaborators}
        return [name for name in required_names(self.function) if name not in known]

    def where(self) -> SourceLocation | str:
        """Return the place of the function."""
        return code_place(self.function)


class HandlerArgument(NamedTuple):
    """One thing that an operation sends its handler: `always`, or only when the request has it."""

    name: str
    what: str
    always: bool


def sent(operation: Operation, contract: Contract) -> list[HandlerArgument]:
    """Return what a handler has to receive by name, in the contract's order, the body last."""
    names = argument_names(operation)
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


def taken_twice(operation: Operation) -> list[str]:
    """Return the argument names that several parameters of an operation would have."""
    return [name for name, times in Counter(argument_names(operation).values()).items() if times > 1]


def slug(word: str) -> str:
    """Make a Python identifier of a tag, operationId or parameter name: `Event Logs` → `event_logs`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)
    return _identifier(re.sub(r"\W+", "_", snake).strip("_").lower() or "_")


def function_name(operation: Operation) -> str:
    """Return the name of an operation's function: the operationId as it stands if Python allows it."""
    return _identifier(re.sub(r"\W+", "_", operation.id))


def _identifier(word: str) -> str:
    word = unicodedata.normalize("NFKC", word)  # as Python reads names
    if keyword.iskeyword(word) or word in GIVEN:
        return f"{word}_"
    return word if word.isidentifier() else f"_{word}"


def argument_names(operation: Operation) -> dict[Pointer, str]:
    """Return each parameter's argument name; a name taken by an earlier one gets its location before it."""
    names: dict[Pointer, str] = {}
    order = ["path", "query", "header", "cookie"]
    for parameter in sorted(operation.parameters, key=lambda parameter: order.index(parameter.location)):
        name = slug(parameter.name)
        names[parameter.pointer] = name if name not in names.values() else f"{parameter.location}_{name}"
    return names


def import_package(name: str) -> ModuleType:
    """Import the handlers package `name`; raise SetupError for one that is not there, or cannot be imported."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise SetupError([Diagnostic("RELAY_HANDLERS", f"'{name}' is not the name of a package")])
    return _import(name, "RELAY_HANDLERS")


def bind(
    contract: Contract, package: ModuleType, policies: Policies | None = None
) -> tuple[list[Binding], list[Diagnostic]]:
    """Find the function of every operation; what is missing, broken, or cannot receive what it is sent.

    `policies` say for which operations a missing function is no problem; a stub that nobody has filled
    is mocked like one.
    """
    problems: list[Diagnostic] = list(module_collisions(contract))
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
            binding = Binding(operation, function, argument_names(operation))
            problems += _signature_problems(binding, contract)
        elif policy is not MissingHandlerPolicy.FAIL:
            binding = Binding(operation, _not_implemented, argument_names(operation), policy)
        else:
            problems.append(_unwritten(operation, contract, package))
            continue
        bindings.append(binding)
    return bindings, problems


async def _not_implemented(**_arguments: Any) -> None:
    """Stand in for a function that is missing."""
    raise NotImplementedError


def is_stub(function: Function) -> bool:
    """Whether a function is as `relay regenerate` writes it: async, and nothing but `raise NotImplementedError`."""
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


def accepted_names(function: Function) -> frozenset[str] | None:
    """Return the parameters that a function takes by name; None when it takes any (`**kwargs`)."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)


def as_async(function: Function) -> Callable[..., Awaitable[Any]]:
    """Return `function` for awaiting; a plain one runs in a thread, so it may block."""
    if inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    async def in_thread(*positional: Any, **named: Any) -> Any:
        return await asyncio.to_thread(call, *positional, **named)

    def call(*positional: Any, **named: Any) -> Any:
        try:
            return function(*positional, **named)
        except StopIteration as exc:  # no future can carry it: whoever awaits would wait for ever
            raise RuntimeError("StopIteration left a function") from exc

    return in_thread


def with_collaborators(function: Function, collaborators: Mapping[str, Any]) -> Callable[..., Awaitable[Any]]:
    """Return `function` for awaiting, with the collaborators it names already given."""
    accepted = accepted_names(function)
    wanted = {name: value for name, value in collaborators.items() if accepted is None or name in accepted}
    awaitable = as_async(function)
    return functools.partial(awaitable, **wanted) if wanted else awaitable


def code_place(function: Function) -> SourceLocation | str:
    """Return the place of a function; its name where it has no code of its own."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__qualname__", repr(function))
    return SourceLocation(display(Path(code.co_filename)), code.co_firstlineno, 1)


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def module_collisions(contract: Contract) -> Iterable[Diagnostic]:
    """Find tags that differ but name the same module, and operations that name the same function."""
    tags: dict[str, str] = {}
    functions: dict[tuple[str, str], Operation] = {}
    for operation in contract.operations:
        module = slug(operation.tag)
        first_tag = tags.setdefault(module, operation.tag)
        if first_tag != operation.tag:
            yield contract.problem(
                (*operation.pointer, "tags"),
                f"the tags '{first_tag}' and '{operation.tag}' both name the module {module}.py; rename one",
                "tag-collision",
            )
        first = functions.setdefault((module, function_name(operation)), operation)
        if first is not operation:
            yield contract.problem(
                operation.pointer,
                f"{first} and {operation} both name the function {module}.{function_name(operation)}; "
                "give one another operationId",
                "name-collision",
            )


def find_function(operation: Operation, contract: Contract, package: ModuleType) -> Function | None:
    """Return the function of an operation; None where the package has none.

    Raises SetupError for a module that cannot be imported.
    """
    name = module_name(operation, package)
    if not is_package(package) or importlib.util.find_spec(name) is None:
        return None
    function = getattr(_import(name, contract.place(operation.pointer)), function_name(operation), None)
    return cast("Function", function) if callable(function) else None


def serves_any(contract: Contract, package: ModuleType) -> bool:
    """Whether a package has the function of one of the contract's operations at least."""
    return any(find_function(operation, contract, package) for operation in contract.operations)


def is_package(module: ModuleType) -> bool:
    """Whether there can be modules in it; there are none in what stands for a package that is not there."""
    return hasattr(module, "__path__")


def module_name(operation: Operation, package: ModuleType) -> str:
    """Return the full name of the module that an operation's function belongs in."""
    return f"{package.__name__}.{slug(operation.tag)}"


def _unwritten(operation: Operation, contract: Contract, package: ModuleType) -> Diagnostic:
    """Say where the function of an operation is to be written."""
    name = module_name(operation, package)
    module = sys.modules.get(name)
    where = f"the module {name}" if module is None else display(Path(str(module.__file__)))
    return Diagnostic(contract.place(operation.pointer), no_handler(operation, where))


def _import(name: str, where: SourceLocation | str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise SetupError([Diagnostic(where, f"there is no package '{name}' here")]) from exc
        raise _broken(exc) from exc
    except BaseException as exc:
        is_own = threading.current_thread() is not threading.main_thread()  # the other one gets Ctrl-C
        if isinstance(exc, KeyboardInterrupt) and not is_own:
            raise
        raise _broken(exc) from exc


def _broken(exc: BaseException) -> SetupError:
    """Point at the line, below the import machinery, that an import failed on."""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    place = SourceLocation(display(Path(frame.filename)), frame.lineno or 1, 1)
    if isinstance(exc, SyntaxError) and exc.filename:
        place = SourceLocation(display(Path(exc.filename)), exc.lineno or 1, exc.offset or 1)
    return SetupError([Diagnostic(place, f"cannot be imported: {type(exc).__name__}: {exc}")])


def _signature_problems(binding: Binding, contract: Contract) -> Iterable[Diagnostic]:
    """Check that the function can receive what the contract sends, on every request."""
    operation, function = binding.operation, binding.function
    where = binding.where()
    for name in taken_twice(operation):
        yield Diagnostic(where, several_named(operation, name))
    accepted = accepted_names(function)
    required = set(required_names(function))
    for argument in inspect.signature(function).parameters.values():
        if argument.kind is argument.POSITIONAL_ONLY:
            yield Diagnostic(where, by_name_only(argument.name))
    for one in sent(operation, contract):
        if accepted is not None and one.name not in accepted:
            yield Diagnostic(where, nowhere_to_go(one))
        elif one.name in required and not one.always:
            yield Diagnostic(where, may_be_absent(one))


# One wording, whether a function was imported or only read.


def no_handler(operation: Operation, where: str) -> str:
    """Say that an operation has no handler; `where` is the file or module it belongs into."""
    return f"{operation} has no handler: write {function_name(operation)}() in {where}"


def several_named(operation: Operation, name: str) -> str:
    """Say that several parameters would be one argument."""
    return f"several parameters of {operation} would be '{name}'; rename one"


def by_name_only(name: str) -> str:
    """Say that an argument cannot be given by name."""
    return f"{name}: a handler gets its arguments by name; remove the '/'"


def nowhere_to_go(one: HandlerArgument) -> str:
    """Say that an argument is missing."""
    return f"{one.what} has nowhere to go: add an argument '{one.name}'"


def may_be_absent(one: HandlerArgument) -> str:
    """Say that an argument needs a default."""
    return f"{one.what} may be absent: give '{one.name}' a default, such as None"
