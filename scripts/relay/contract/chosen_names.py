"""Give operations their names in Python, with those that a project chooses in [tool.relay.names]."""

from __future__ import annotations

import difflib
import keyword
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .diagnostics import Diagnostic
from .names import RESERVED_ARGUMENTS, ParameterKey, argument_names, derived_id, distinct, function_word, slug
from .operations import Operation, Parameter
from .parsed import Pointer

TABLES = ("operations", "tags", "parameters")
"""The tables of [tool.relay.names]."""


@dataclass(frozen=True, slots=True)
class ChosenNames:
    """Names that a project chooses instead of those that the contract's words get.

    `operations` maps `GET /pets` or an operationId to a function, `tags` a tag to a module, `parameters` a
    parameter to an argument: `End<`, `query End<`, or for one operation `GET /calls query End<`. `place` is the
    table's name in diagnostics.
    """

    operations: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    place: str = "tool.relay.names"

    def module(self, operation: Operation) -> str:
        """Return the module of an operation."""
        return self.tags.get(operation.tag) or slug(operation.tag)

    def function(self, operation: Operation) -> str | None:
        """Return the function that is chosen for an operation."""
        return _first(self.operations, operation_keys(operation))

    def argument(self, operation: Operation, parameter: Parameter) -> str | None:
        """Return the argument that is chosen for a parameter, by the most specific key."""
        return _first(self.parameters, _parameter_keys(operation, parameter))


def _first(names: Mapping[str, str], keys: Iterable[str]) -> str | None:
    return next((names[key] for key in keys if key in names), None) if names else None


def operation_keys(operation: Operation) -> Sequence[str]:
    """Return the keys of an operation in `operations`, the most specific first."""
    return str(operation), operation.id


def _parameter_keys(operation: Operation, parameter: Parameter) -> Sequence[str]:
    located = f"{parameter.location} {parameter.name}"
    return f"{operation} {located}", located, parameter.name


def with_names(operations: Iterable[Operation], chosen: ChosenNames) -> tuple[Operation, ...]:
    """Return operations with the names of their handlers; chosen names are granted first."""
    operations = [*operations]
    by_module: defaultdict[str, dict[Pointer, list[str]]] = defaultdict(dict)
    for one in sorted(operations, key=lambda one: chosen.function(one) is None):
        by_module[chosen.module(one)][one.pointer] = _wishes(one, chosen)
    functions = {at: name for wishes in by_module.values() for at, name in distinct(wishes).items()}
    return tuple(
        replace(
            one, module=chosen.module(one), function=functions[one.pointer], arguments=_arguments(one, chosen)
        )
        for one in operations
    )


def _wishes(operation: Operation, chosen: ChosenNames) -> list[str]:
    derived = function_word(derived_id(operation.method, operation.path))
    own = chosen.function(operation) or function_word(operation.id)
    return [own] if own == derived else [own, derived]


def _arguments(operation: Operation, chosen: ChosenNames) -> dict[Pointer, str]:
    keys = {ParameterKey(one.location, one.name): one for one in operation.parameters}
    own = {key: name for key, one in keys.items() if (name := chosen.argument(operation, one))}
    names = argument_names([*keys], own)
    return {one.pointer: names[key] for key, one in keys.items()}


def chosen_name_problems(
    operations: Sequence[Operation], chosen: ChosenNames, *, is_whole: bool = True
) -> list[Diagnostic]:
    """Return what is wrong with chosen names: impossible names, and keys of no operation if all are there."""
    known = {
        "operations": [key for one in operations for key in operation_keys(one)],
        "tags": [one.tag for one in operations],
        "parameters": [
            key for one in operations for each in one.parameters for key in _parameter_keys(one, each)
        ],
    }
    found = [
        (name, message)
        for name, keys in known.items()
        for key, value in getattr(chosen, name).items()
        for message in _wrong(name, key, value, keys if is_whole else [key])
    ]
    found += _shared(operations, chosen)
    return [Diagnostic(f"{chosen.place}.{name}", message, "chosen-name") for name, message in found]


_HINTS = {
    "operations": "write an operation as 'GET /path', or its operationId",
    "tags": "write the first tag of an operation",
    "parameters": "write a parameter's name, 'query NAME', or 'GET /path query NAME'",
}
_IS_POSSIBLE: Mapping[str, Callable[[str], bool]] = {
    "operations": lambda name: name == function_word(name),
    "tags": lambda _: True,
    "parameters": lambda name: name not in RESERVED_ARGUMENTS,
}


def _wrong(table: str, key: str, value: str, known: Sequence[str]) -> Iterator[str]:
    if key not in known:
        near = difflib.get_close_matches(key, dict.fromkeys(known), 1, 0.6)
        hint = f"did you mean '{near[0]}'?" if near else _HINTS[table]
        yield f"'{key}' is none of the contract's {table}; {hint}"
    is_name = value.isidentifier() and unicodedata.is_normalized("NFKC", value)
    if not is_name or keyword.iskeyword(value) or value.startswith("_") or not _IS_POSSIBLE[table](value):
        yield (
            f"'{value}', chosen for '{key}', cannot be used; choose letters, digits and '_', first a letter, and no "
            f"keyword, nor {', '.join(sorted(RESERVED_ARGUMENTS))}"
        )


def _shared(operations: Sequence[Operation], chosen: ChosenNames) -> Iterator[tuple[str, str]]:
    """Yield the table and the message of operations of one module, and parameters of one operation, with one chosen name."""
    functions: dict[tuple[str, str], Operation] = {}
    for one in operations:
        if name := chosen.function(one):
            first = functions.setdefault((chosen.module(one), name), one)
            if first is not one:
                message = f"{first} and {one} are both called '{name}', in one module; choose another for one"
                yield "operations", message
        arguments: dict[str, Parameter] = {}
        for parameter in one.parameters:
            name = chosen.argument(one, parameter)
            other = arguments.setdefault(name, parameter) if name else parameter
            if other is not parameter:
                message = (
                    f"the {other.location} parameter '{other.name}' and the {parameter.location} parameter "
                    f"'{parameter.name}' of {one} are both called '{name}'; choose names by "
                    f"'{parameter.location} {parameter.name}'"
                )
                yield "parameters", message
