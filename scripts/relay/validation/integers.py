"""Gives handlers an `int` for an integer that is written as `42.0` or `4.2e1`, which JSON Schema allows since draft 6.

The parser makes a float of such a number, as it does not know the schema. Values in which it saw none are not
looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from relay.contract.model import Schema

from .json_strict import whole_floats
from .schema_graph import Graph, Node
from .schemas import SchemaCompiler
from .violations import Violation

Convert = Callable[[Any], Any]
"""Takes a valid value, and returns it with its integers as such; objects and arrays are changed in place."""

From = TypeVar("From")
At = TypeVar("At")
Read = Callable[[From, At], tuple[Any, list[Violation]]]
"""Takes what is read and what is known of it, and returns the value and its violations."""


class Integers:
    """Finds the integers in the schemas of one contract; in OpenAPI 3.0, `42.0` is none."""

    def __init__(self, compiler: SchemaCompiler) -> None:
        self._has_whole_floats = compiler.contract.version != "3.0"
        self._graph = Graph(compiler, "integers", _own)

    def of(self, schema: Schema) -> Convert | None:
        """Return the function for the values of a schema; None if it has no integers that are written so."""
        root = self._graph.of(schema) if self._has_whole_floats else None
        return None if root is None else lambda value: _Conversion().of(root, value)

    def reading(self, schema: Schema, read: Read[From, At]) -> Read[From, At]:
        """Return a reader that makes integers of the floats which `read` returns for them."""
        convert = self.of(schema)
        if convert is None:
            return read

        def read_integers(source: From, known: At) -> tuple[Any, list[Violation]]:
            before = whole_floats()
            value, violations = read(source, known)
            if whole_floats() != before and not violations:
                value = convert(value)
            return value, violations

        return read_integers


def _own(schema: Schema) -> Mapping[str, Any]:
    """Return an entry for a schema of integers, none for any other."""
    types, members = schema.get("type", ()), schema.get("enum", ())
    stated = {types} if isinstance(types, str) else {*types}
    is_integer = "integer" in stated if stated else bool(members) and all(type(one) is int for one in members)
    return {"integer": True} if is_integer and "number" not in stated else {}


class _Conversion:
    """Converts one value.

    Where alternatives disagree whether a number is an integer, it becomes one: `42` is a number, too.
    """

    def __init__(self) -> None:
        self._integers: dict[
            int, tuple[Any, set[int]]
        ] = {}  # of each object or array: the ids of its integers
        self._visited: set[tuple[int, int]] = set()

    def of(self, root: Node, value: Any) -> Any:
        """Return the value with its integers as such."""
        whole = [value]
        pending: list[tuple[Node, Any, Any]] = [(root, value, whole)]
        while pending:
            node, value, owner = pending.pop()
            if isinstance(value, float | dict | list) and (key := (id(node), id(value))) not in self._visited:
                self._visited.add(key)
                pending += self._visit(node, value, owner)
        for owner, integers in self._integers.values():
            for name, one in owner.items() if isinstance(owner, dict) else enumerate(owner):
                if id(one) in integers:
                    owner[name] = int(one)
        return whole[0]

    def _visit(self, node: Node, value: Any, owner: Any) -> Iterator[tuple[Node, Any, Any]]:
        """Yield what is within a value, and the schemas that apply to it, too."""
        if not isinstance(value, float):
            yield from ((one, item, value) for one, item in node.within(value))
        elif node.own and value.is_integer():
            self._integers.setdefault(id(owner), (owner, set()))[1].add(id(value))
        yield from ((one, value, owner) for one in node.parts)
        yield from ((one, value, owner) for choice in node.choices for one in choice.branches)
