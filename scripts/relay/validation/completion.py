"""Completes a valid value before a handler gets it: see the three functions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from relay.contract.model import ABSENT, Schema

from .json_strict import whole_floats
from .schema_graph import Choice, Graph, Node, walk
from .schemas import SchemaCompiler
from .validators import Accepts, Validator
from .violations import Violation

MAX_LEVELS = 4
"""How many defaults are filled into one another: a default may be an object whose properties have defaults."""

Drop = Callable[[Any], None]
"""Takes a valid value, and removes its read-only properties."""

Fill = Callable[[Any, Accepts], bool]
"""Takes a valid value and the verdict of its schema; fills in defaults, all or none; returns True if it did."""

Convert = Callable[[Any], Any]
"""Takes a valid value, and returns it with its integers as such; objects and arrays are changed in place."""

From = TypeVar("From")
At = TypeVar("At")
Read = Callable[[From, At], tuple[Any, list[Violation]]]
"""Takes what is read and what is known of it, and returns the value and its violations."""


def dropping(schema: Schema, compiler: SchemaCompiler) -> Drop | None:
    """Return what drops the read-only properties of a schema; None if it has none, or they are refused.

    Clients often send back what they got, changed in one place. OpenAPI 3.0.3 says that such properties SHOULD NOT
    be sent. The validator accepts any value for them.
    """
    if compiler.strictness.read_only:
        return None
    is_hidden = compiler.translator.is_hidden

    def hidden(schema: Schema) -> Mapping[str, Any]:
        properties = schema.get("properties", {})
        return {name: part for name, part in properties.items() if is_hidden(part, "request")}

    verdict = partial(compiler.verdict, direction="request")  # also of values with the file of a form
    root = Graph(compiler, "read-only", hidden, verdict).of(schema)
    return None if root is None else lambda value: _drop(root, value)


def _drop(root: Node, value: Any) -> None:
    """Remove the read-only properties; all are found before the first is removed, since they may decide a choice."""
    objects = [(node, one) for node, one in walk(root, value, _meant) if isinstance(one, dict)]
    for node, owner in objects:
        for name in node.own:
            owner.pop(name, None)


def _meant(choice: Choice, value: Any) -> Iterable[Node]:
    if (named := choice.named(value)) is not None:
        return [named]
    return [node for node in choice.branches if node.accepts is not None and node.accepts(value)]


@dataclass(frozen=True)
class _Default:
    value: Any
    validator: Validator | None

    @cached_property
    def is_valid(self) -> bool:
        """True if the schema of the property accepts it; `relay lint` reports one that it rejects."""
        return self.validator is not None and self.validator.accepts(self.value)


def filling(schema: Schema, compiler: SchemaCompiler) -> Fill | None:
    """Return what fills in the defaults of properties that a request leaves out; None if no property has one.

    A default that would make a valid value invalid is not filled in. Of a choice, only the branch that is certain
    has defaults: the one that the discriminator names, or the only one.
    """
    is_hidden = compiler.translator.is_hidden

    def defaults(schema: Schema) -> Mapping[str, Any]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        found = {
            name: (part, compiler.contract.default(part))
            for name, part in properties.items()
            if not is_hidden(part, "request")
        }
        return {
            name: _Default(default, compiler.compile(part, "request", ()))
            for name, (part, default) in found.items()
            if default is not ABSENT
        }

    root = Graph(compiler, "defaults", defaults).of(schema)
    return None if root is None else lambda value, accepts: _fill(root, value, accepts)


def _fill(root: Node, value: Any, accepts: Accepts) -> bool:
    filled = [*_filled(root, value)]
    if not filled or accepts(value):
        return bool(filled)
    for owner, name in filled:
        del owner[name]
    return False


def _filled(root: Node, value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield where defaults were filled in; recursive schemas end, since no default is filled into itself."""
    around: dict[int, frozenset[int]] = {}  # the defaults that a filled value is in, by its id
    for node, owner in walk(root, value, _certain):
        own = around.get(id(owner), frozenset())
        if own:
            inner = owner.values() if isinstance(owner, dict) else owner
            around |= {
                id(one): own for one in inner if isinstance(one, dict | list) and id(one) not in around
            }
        for name, default in node.own.items() if isinstance(owner, dict) else ():
            if name in owner or id(default) in own or len(own) == MAX_LEVELS or not default.is_valid:
                continue
            owner[name] = copy.deepcopy(default.value)
            if isinstance(default.value, dict | list):
                around[id(owner[name])] = own | {id(default)}
            yield owner, name


def _certain(choice: Choice, value: Any) -> Iterable[Node]:
    if (named := choice.named(value)) is not None:
        return [named]
    return choice.branches if len(choice.branches) == 1 and not choice.is_conditional else []


def converting(schema: Schema, compiler: SchemaCompiler) -> Convert | None:
    """Return what gives handlers an `int` for an integer that is written as `42.0` or `4.2e1`; None without integers.

    JSON Schema allows that since draft 6; in OpenAPI 3.0, `42.0` is none. The parser makes a float of such a
    number, as it does not know the schema. Where alternatives disagree whether a number is an integer, it becomes
    one: `42` is a number, too.
    """
    if compiler.contract.version == "3.0":
        return None
    root = Graph(compiler, "integers", _integer).of(schema)
    return None if root is None else lambda value: _converted(root, value)


def _integer(schema: Schema) -> Mapping[str, Any]:
    types, members = schema.get("type", ()), schema.get("enum", ())
    stated = {types} if isinstance(types, str) else {*types}
    is_integer = "integer" in stated if stated else bool(members) and all(type(one) is int for one in members)
    return {"integer": True} if is_integer and "number" not in stated else {}


def _converted(root: Node, value: Any) -> Any:
    owners: dict[int, dict[str, Any] | list[Any]] = {}
    integers: set[int] = set()
    for node, one in walk(root, value, lambda choice, _: choice.branches):
        if isinstance(one, dict | list):
            owners[id(one)] = one
        elif node.own and isinstance(one, float) and one.is_integer():
            integers.add(id(one))
    for owner in owners.values():
        for name, one in owner.items() if isinstance(owner, dict) else enumerate(owner):
            if id(one) in integers:
                owner[name] = int(one)  # type: ignore[index]  # the key of a dict, or the index of a list
    return int(value) if id(value) in integers else value


def reading(schema: Schema, compiler: SchemaCompiler, read: Read[From, At]) -> Read[From, At]:
    """Return a reader that makes integers of the floats which `read` parses for them."""
    convert = converting(schema, compiler)
    if convert is None:
        return read

    def read_integers(source: From, known: At) -> tuple[Any, list[Violation]]:
        before = whole_floats()
        value, violations = read(source, known)
        if whole_floats() != before and not violations:
            value = convert(value)
        return value, violations

    return read_integers
