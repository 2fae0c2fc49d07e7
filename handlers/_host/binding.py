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
import traceback
import unicodedata
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from .contract import Contract, Operation
from .documents import Pointer, display
from .problems import Place, Problem, SetupError

Function = Callable[..., Any]

GIVEN = frozenset({"body", "caller", "claims"})
"""Names that the host gives a meaning of its own."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation and the function that serves it.

    `names` maps each parameter's pointer to its argument name.
    """

    operation: Operation
    function: Function
    names: Mapping[Pointer, str]

    def unknown_names(self, collaborators: Iterable[str]) -> list[str]:
        """Return the arguments that the function needs and nobody gives."""
        known = {*self.names.values(), *GIVEN, *collaborators}
        return [name for name in required_names(self.function) if name not in known]

    def where(self) -> Place | str:
        """Return the place of the function."""
        return code_place(self.function)


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
    """Import the handlers package `name`, the working directory included in the search."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    if not all(part.isidentifier() for part in name.split(".")):
        raise SetupError([Problem("RELAY_HANDLERS", f"'{name}' is no name of a package")])
    return _import(name, "RELAY_HANDLERS")


def bind(contract: Contract, package: ModuleType) -> tuple[list[Binding], list[Problem]]:
    """Find the function of every operation; what is missing, broken, or cannot receive what it is sent."""
    problems: list[Problem] = list(module_collisions(contract))
    bindings: list[Binding] = []
    for operation in contract.operations:
        try:
            binding = Binding(operation, _find(operation, contract, package), argument_names(operation))
        except SetupError as exc:
            problems += exc.problems
        else:
            bindings.append(binding)
            problems += _signature_problems(binding, contract)
    return bindings, problems


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


def code_place(function: Function) -> Place | str:
    """Return the place of a function; its name where it has no code of its own."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__qualname__", repr(function))
    return Place(display(Path(code.co_filename)), code.co_firstlineno, 1)


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def module_collisions(contract: Contract) -> Iterable[Problem]:
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


def _find(operation: Operation, contract: Contract, package: ModuleType) -> Function:
    module_name = f"{package.__name__}.{slug(operation.tag)}"
    name = function_name(operation)
    where = contract.place(operation.pointer)
    if importlib.util.find_spec(module_name) is None:
        raise SetupError(
            [Problem(where, f"{operation} has no handler: write {name}() in the module {module_name}")]
        )
    module = _import(module_name, where)
    function = getattr(module, name, None)
    if not callable(function):
        file = display(Path(str(module.__file__)))
        raise SetupError([Problem(where, f"{operation} has no handler: write {name}() in {file}")])
    return cast("Function", function)


def _import(name: str, where: Place | str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise SetupError([Problem(where, f"there is no package '{name}' here")]) from exc
        raise _broken(exc) from exc
    except Exception as exc:
        raise _broken(exc) from exc


def _broken(exc: Exception) -> SetupError:
    """Point at the line, below the import machinery, that an import failed on."""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    place = Place(display(Path(frame.filename)), frame.lineno or 1, 1)
    if isinstance(exc, SyntaxError) and exc.filename:
        place = Place(display(Path(exc.filename)), exc.lineno or 1, exc.offset or 1)
    return SetupError([Problem(place, f"cannot be imported: {type(exc).__name__}: {exc}")])


def _signature_problems(binding: Binding, contract: Contract) -> Iterable[Problem]:
    """Check that the function can receive what the contract sends, on every request."""
    operation, function = binding.operation, binding.function
    taken = [name for name, times in Counter(binding.names.values()).items() if times > 1]
    for name in taken:
        yield Problem(binding.where(), f"several parameters of {operation} would be '{name}'; rename one")
    accepted = accepted_names(function)
    required = set(required_names(function))
    where = binding.where()
    for argument in inspect.signature(function).parameters.values():
        if argument.kind is argument.POSITIONAL_ONLY:
            yield Problem(where, f"{argument.name}: a handler gets its arguments by name; remove the '/'")
    for parameter in operation.parameters:
        name = binding.names[parameter.pointer]
        what = f"the {parameter.location} parameter '{parameter.name}' of {operation}"
        yield from _argument_problems(
            where,
            name,
            what,
            accepted,
            needs_default=name in required and not contract.always_sends(parameter),
        )
    if operation.body:
        yield from _argument_problems(
            where,
            "body",
            f"the body of {operation}",
            accepted,
            needs_default="body" in required and not operation.body.required,
        )


def _argument_problems(
    where: Place | str, name: str, what: str, accepted: frozenset[str] | None, *, needs_default: bool
) -> Iterable[Problem]:
    if accepted is not None and name not in accepted:
        yield Problem(where, f"{what} has nowhere to go: add an argument '{name}'")
    elif needs_default:
        yield Problem(where, f"{what} may be absent: give '{name}' a default, such as None")
