"""Schemas as a graph of which only the parts are kept that lead to properties of a kind, such as read-only ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from relay.contract.model import Schema
from relay.contract.schema_words import CHOICES, conditional_schemas

from .patterns import pattern_properties
from .schemas import SchemaCompiler
from .translation import discriminated
from .validators import Accepts

Select = Callable[[Any], Iterable[Any]]
"""Returns the properties or items of a value that a schema describes."""


@dataclass(eq=False, slots=True)
class Node:
    """A schema. `written` may be a `$ref` to it; `own` is what it has of the kind that is looked for, such as properties.

    `accepts` is its verdict, if it is a branch of a choice and a graph needs that.
    """

    written: Schema
    schema: Schema
    own: Mapping[str, Any] = field(default_factory=dict)
    parts: list[Node] = field(default_factory=list)
    within: list[tuple[Select, Node]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    leads: bool = False  # to what is looked for
    accepts: Accepts | None = None

    def inner(self) -> Iterator[Node]:
        """Yield the schemas in it."""
        yield from self.parts
        yield from (node for _, node in self.within)
        for choice in self.choices:
            yield from choice.branches


@dataclass(eq=False, slots=True)
class Choice:
    """An `anyOf` or `oneOf`, and its discriminator: `by_value` are the branches that its values name.

    If it is conditional, its branches are schemas that apply if another one does (`then`, `else`, `dependentSchemas`).
    """

    branches: list[Node]
    name: str
    by_value: dict[str, Node]
    is_conditional: bool = False

    def named(self, value: Any) -> Node | None:
        """Return the branch that the discriminator of a value names."""
        tag = value.get(self.name) if isinstance(value, dict) else None
        return self.by_value.get(tag) if isinstance(tag, str) else None


def walk(
    root: Node, value: Any, branches: Callable[[Choice, Any], Iterable[Node]]
) -> Iterator[tuple[Node, Any]]:
    """Yield a value and all that is within it, each with each schema that applies to it, once.

    `branches` returns those of a choice that apply. What is added to a value before the next one is asked for is
    walked through, too.
    """
    visited: set[tuple[int, int]] = set()
    pending = [(root, value)]
    while pending:
        first, value = pending.pop()
        nodes, same = [], [first]
        for node in same:  # it grows
            if (key := (id(node), id(value))) not in visited:
                visited.add(key)
                nodes.append(node)
                same += node.parts
                same += [branch for choice in node.choices for branch in branches(choice, value)]
        yield from ((node, value) for node in nodes)
        pending += [(inner, one) for node in nodes for select, inner in node.within for one in select(value)]


class Graph:
    """The graphs of a contract's schemas; `own` returns what is looked for, `verdict` that of a branch."""

    def __init__(
        self,
        compiler: SchemaCompiler,
        kind: str,
        own: Callable[[Schema], Mapping[str, Any]],
        verdict: Callable[[Schema], Accepts] | None = None,
    ) -> None:
        self._compiler = compiler
        self._own = own
        self._verdict = verdict
        self._by_ref: dict[str, Node] = compiler.memo.setdefault((kind,), {})
        self._new: list[Node] = []
        self._pending: list[Node] = []

    def of(self, schema: Schema) -> Node | None:
        """Return the graph of a schema; None if it does not lead to a property that is looked for."""
        root = self._node(schema)
        while self._pending:
            self._fill(self._pending.pop())
        self._mark()
        for node in self._new:
            self._keep_what_leads(node)
        self._new = []
        return root if root.leads else None

    def _node(self, schema: Schema) -> Node:
        ref = schema.get("$ref")
        if ref in self._by_ref:
            return self._by_ref[ref]
        node = Node(schema, self._compiler.contract.resolve(schema))
        if ref is not None:
            self._by_ref[ref] = node
        self._new.append(node)
        self._pending.append(node)
        return node

    def _fill(self, node: Node) -> None:
        schema = node.schema
        node.own = self._own(schema)
        node.leads = bool(node.own)
        node.parts = self._nodes(schema.get("allOf", []))
        node.within = [(select, self._node(part)) for select, part in self._parts(schema)]
        node.choices = [self._choice(schema, keyword) for keyword in CHOICES if keyword in schema]
        if branches := self._nodes(conditional_schemas(schema)):
            node.choices.append(Choice(branches, "", {}, is_conditional=True))

    def _nodes(self, schemas: Iterable[Schema]) -> list[Node]:
        return [self._node(one) for one in schemas]

    def _parts(self, schema: Schema) -> Iterator[tuple[Select, Schema]]:
        properties, prefix = schema.get("properties", {}), schema.get("prefixItems", [])
        is_hidden = self._compiler.translator.is_hidden
        for name, part in properties.items():
            if not is_hidden(part, "request"):
                yield partial(_property, name), part
        for pattern, part in pattern_properties(schema).items():
            yield partial(_properties, self._compiler.verdict({"pattern": pattern}, "request")), part
        for word in ("additionalProperties", "unevaluatedProperties"):
            if isinstance(part := schema.get(word), dict):
                yield partial(_properties, lambda name: name not in properties), part
        for number, part in enumerate(prefix):
            yield partial(_items, number, number + 1), part
        for word in ("items", "unevaluatedItems"):
            if isinstance(part := schema.get(word), dict):
                yield partial(_items, len(prefix), None), part

    def _choice(self, schema: Schema, keyword: str) -> Choice:
        branches = self._nodes(schema[keyword])
        by_value = {value: self._node({"$ref": ref}) for value, ref in discriminated(schema, keyword)}
        return Choice(branches, schema["discriminator"]["propertyName"] if by_value else "", by_value)

    def _mark(self) -> None:
        outer: dict[int, list[Node]] = {}
        for node in self._new:
            for inner in node.inner():
                outer.setdefault(id(inner), []).append(node)
                node.leads = node.leads or inner.leads
        pending = [node for node in self._new if node.leads]
        while pending:
            for node in outer.get(id(pending.pop()), []):
                if not node.leads:
                    node.leads = True
                    pending.append(node)

    def _keep_what_leads(self, node: Node) -> None:
        node.parts = [one for one in node.parts if one.leads]
        node.within = [(select, one) for select, one in node.within if one.leads]
        node.choices = [choice for choice in node.choices if any(one.leads for one in choice.branches)]
        for one in (one for choice in node.choices for one in choice.branches if one.leads):
            one.accepts = one.accepts or (self._verdict and self._verdict(one.written))


def _property(name: str, value: Any) -> list[Any]:
    return [value[name]] if isinstance(value, dict) and name in value else []


def _properties(accepts: Accepts, value: Any) -> list[Any]:
    return [one for name, one in value.items() if accepts(name)] if isinstance(value, dict) else []


def _items(start: int, end: int | None, value: Any) -> list[Any]:
    return value[start:end] if isinstance(value, list) else []
