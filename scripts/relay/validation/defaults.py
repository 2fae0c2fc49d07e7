"""Fills in the defaults of properties that a request leaves out.

A default that would make a valid value invalid is not filled in. Of a choice, only the branch that is certain has
defaults: the one that the discriminator names, or the only one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from relay.contract.model import ABSENT, Schema

from .schema_graph import Choice, Graph, Node
from .schemas import SchemaCompiler
from .validators import Accepts, Validator

MAX_LEVELS = 4
"""How many defaults are filled into one another: a default may be an object whose properties have defaults."""

Fill = Callable[[Any, Accepts], bool]
"""Takes a valid value and the verdict of its schema; fills in defaults, all or none; returns True if it did."""


@dataclass(frozen=True)
class _Default:
    """The default of a property."""

    value: Any
    validator: Validator | None

    @cached_property
    def is_valid(self) -> bool:
        """Whether the schema of the property accepts it; `relay lint` reports one that it rejects."""
        return self.validator is not None and self.validator.accepts(self.value)


class Defaults:
    """Finds what to fill in for the schemas of one contract."""

    def __init__(self, compiler: SchemaCompiler) -> None:
        self._contract = compiler.contract
        self._compiler = compiler
        self._graph = Graph(compiler, "defaults", self._own)

    def of(self, schema: Schema) -> Fill | None:
        """Return the function for the values of a schema; None if no property in it has a default."""
        root = self._graph.of(schema)
        return None if root is None else lambda value, accepts: _fill(root, value, accepts)

    def _own(self, schema: Schema) -> Mapping[str, Any]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        is_hidden = self._compiler.translator.is_hidden
        found = {
            name: self._contract.default(part)
            for name, part in properties.items()
            if not is_hidden(part, "request")
        }
        return {
            name: _Default(default, self._compiler.compile(properties[name], "request", ()))
            for name, default in found.items()
            if default is not ABSENT
        }


def _fill(root: Node, value: Any, accepts: Accepts) -> bool:
    """Fill in the defaults, unless they make the value invalid together."""
    filled = _Filling().fill(root, value)
    if not filled or accepts(value):
        return bool(filled)
    for owner, name in filled:
        del owner[name]
    return False


class _Filling:
    """Fills one value."""

    def __init__(self) -> None:
        self._filled: list[tuple[dict[str, Any], str]] = []
        self._around: dict[int, frozenset[int]] = {}  # the defaults that a filled value is in, by its id

    def fill(self, root: Node, value: Any) -> list[tuple[dict[str, Any], str]]:
        """Return where defaults were filled in; recursive schemas end, since no default is filled into itself."""
        visited: set[tuple[int, int]] = set()
        pending = [(root, value)]
        while pending:
            node, value = pending.pop()
            if (id(node), id(value)) in visited:
                continue
            nodes = _applying(node, value)
            visited.update((id(one), id(value)) for one in nodes)
            if isinstance(value, dict):
                for one in nodes:
                    self._fill_own(one.own, value)
            around = self._around.get(id(value))
            for one in nodes:
                inner = [*one.within(value)]
                if around is not None:
                    self._around |= {id(part): around for _, part in inner if id(part) not in self._around}
                pending += inner
        return self._filled

    def _fill_own(self, own: Mapping[str, _Default], value: dict[str, Any]) -> None:
        around = self._around.get(id(value), frozenset())
        for name, default in own.items():
            if name in value or id(default) in around or len(around) == MAX_LEVELS or not default.is_valid:
                continue
            value[name] = default.value
            if isinstance(default.value, dict | list):
                value[name] = copy.deepcopy(default.value)
                self._around[id(value[name])] = around | {id(default)}
            self._filled.append((value, name))


def _applying(node: Node, value: Any) -> list[Node]:
    """Return a schema and those that certainly apply to the same value."""
    nodes = {id(node): node}
    pending = [node]
    while pending:
        one = pending.pop()
        certain = [*one.parts, *(branch for choice in one.choices for branch in _certain(choice, value))]
        new = {id(part): part for part in certain if id(part) not in nodes}
        nodes |= new
        pending += new.values()
    return [*nodes.values()]


def _certain(choice: Choice, value: Any) -> Iterable[Node]:
    """Return the branch of a choice that is certain."""
    if (named := choice.named(value)) is not None:
        return [named]
    return choice.branches if len(choice.branches) == 1 and not choice.is_conditional else []
