"""Drops read-only properties from requests: clients often send back what they got, changed in one place.

OpenAPI 3.0.3 says that such properties SHOULD NOT be sent. The validator accepts any value for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from relay.contract.model import Contract, Schema

from .schemas import SchemaCompiler
from .translation import discriminated
from .verdicts import Accepts

Drop = Callable[[Any], None]
"""Takes a valid value, and removes its read-only properties."""


@dataclass(eq=False, slots=True)
class _Node:
    """A schema; only parts that lead to read-only properties are kept. `written` may be a `$ref` to it."""

    written: Schema
    schema: Schema
    names: list[str] = field(default_factory=list)
    parts: list[_Node] = field(default_factory=list)
    properties: dict[str, _Node] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    additional: list[_Node] = field(default_factory=list)
    items: list[_Node] = field(default_factory=list)
    choices: list[_Choice] = field(default_factory=list)
    leads: bool = False  # to a read-only property

    def inner(self) -> Iterator[_Node]:
        yield from (*self.parts, *self.properties.values(), *self.additional, *self.items)
        for choice in self.choices:
            yield from choice.branches


@dataclass(eq=False, slots=True)
class _Choice:
    """An `anyOf` or `oneOf`: what a branch hides is dropped if the branch was meant."""

    branches: list[_Node]
    name: str
    by_value: dict[str, _Node]
    verdicts: dict[int, Accepts] = field(default_factory=dict)

    def meant(self, value: Any) -> Iterable[_Node]:
        """Return the branches that apply to a value, as the validator decides it."""
        tag = value.get(self.name) if isinstance(value, dict) else None
        if isinstance(tag, str) and tag in self.by_value:
            return [self.by_value[tag]]
        return [node for node in self.branches if node.leads and self.verdicts[id(node)](value)]


class ReadOnly:
    """Finds what to drop for the schemas of one contract; a schema that is referred to is read once."""

    def __init__(self, contract: Contract, compiler: SchemaCompiler) -> None:
        self._contract = contract
        self._compiler = compiler
        self._by_ref: dict[str, _Node] = compiler.memo.setdefault(("read-only",), {})
        self._new: list[_Node] = []
        self._pending: list[_Node] = []

    def of(self, schema: Schema) -> Drop | None:
        """Return the function for the values of a schema; None if it has no read-only properties, or they are refused."""
        if self._compiler.strictness.read_only:
            return None
        root = self._node(schema)
        while self._pending:
            self._fill(self._pending.pop())
        self._mark()
        for node in self._new:
            self._keep_what_leads(node)
        self._new = []
        return (lambda value: _drop(root, value)) if root.leads else None

    def _node(self, schema: Schema) -> _Node:
        ref = schema.get("$ref")
        if ref in self._by_ref:
            return self._by_ref[ref]
        node = _Node(schema, self._contract.resolve(schema))
        if ref is not None:
            self._by_ref[ref] = node
        self._new.append(node)
        self._pending.append(node)
        return node

    def _fill(self, node: _Node) -> None:
        schema = node.schema
        is_hidden = self._compiler.translator.is_hidden
        properties = schema.get("properties", {})
        node.known = frozenset(properties)
        node.names = [name for name, part in properties.items() if is_hidden(part, "request")]
        node.leads = bool(node.names)
        node.properties = {
            name: self._node(part) for name, part in properties.items() if name not in node.names
        }
        node.parts = [self._node(part) for part in schema.get("allOf", [])]
        node.items = [self._node(schema["items"])] if "items" in schema else []
        additional = schema.get("additionalProperties")
        node.additional = [self._node(additional)] if isinstance(additional, dict) else []
        node.choices = [self._choice(schema, keyword) for keyword in ("anyOf", "oneOf") if keyword in schema]

    def _choice(self, schema: Schema, keyword: str) -> _Choice:
        branches = [self._node(part) for part in schema[keyword]]
        by_value = {value: self._node({"$ref": ref}) for value, ref in discriminated(schema, keyword)}
        name = schema["discriminator"]["propertyName"] if by_value else ""
        return _Choice(branches, name, by_value)

    def _mark(self) -> None:
        """Mark each new node that leads to a read-only property."""
        outer: dict[int, list[_Node]] = {}
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

    def _keep_what_leads(self, node: _Node) -> None:
        for nodes in (node.parts, node.additional, node.items):
            nodes[:] = [one for one in nodes if one.leads]
        node.properties = {name: one for name, one in node.properties.items() if one.leads}
        node.choices = [choice for choice in node.choices if any(one.leads for one in choice.branches)]
        for choice in node.choices:
            choice.verdicts = {id(one): self._verdict(one) for one in choice.branches if one.leads}

    def _verdict(self, branch: _Node) -> Accepts:
        validator = self._compiler.compile(branch.written, "request", ())

        def accepts(value: Any) -> bool:
            try:
                return validator is not None and validator.accepts(value)
            except ValueError:  # a file of a form
                return False

        return accepts


def _drop(root: _Node, value: Any) -> None:
    """Remove the read-only properties; all are found before the first is removed, since they may decide a choice."""
    found: list[tuple[dict[str, Any], str]] = []
    visited: set[tuple[int, int]] = set()
    pending = [(root, value)]
    while pending:
        node, value = pending.pop()
        if (key := (id(node), id(value))) in visited:
            continue
        visited.add(key)
        if isinstance(value, dict):
            found += [(value, name) for name in node.names if name in value]
            pending += [(one, value[name]) for name, one in node.properties.items() if name in value]
            for one in node.additional:
                pending += [(one, item) for name, item in value.items() if name not in node.known]
        elif isinstance(value, list):
            pending += [(one, item) for one in node.items for item in value]
        pending += [(part, value) for part in node.parts]
        pending += [(branch, value) for choice in node.choices for branch in choice.meant(value)]
    for owner, name in found:
        owner.pop(name, None)
