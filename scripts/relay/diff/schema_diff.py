"""Compares schemas of two contracts pair by pair, each pair once.

Requests and responses are compared separately, because the same change has opposite effects. A recursive schema
leads to a pair that was already compared, which ends the recursion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from relay.contract.diagnostics import Severity
from relay.contract.model import Contract
from relay.validation.schemas import Direction

from .alternatives import compare_alternatives, split
from .changes import Difference, Places
from .diff_rules import RULES
from .object_diff import compare_items, compare_properties
from .pointer_names import canonical, raw
from .schema_equality import Equality
from .schema_keywords import (
    compare_contents,
    compare_discriminators,
    compare_notes,
    compare_null,
    compare_types,
    compare_values,
)
from .schema_pair import Child, Pair
from .schema_view import View
from .sites import Site, Sites

_Key = tuple[Sites, Sites, Direction]
_MAX_NESTED = 32


@dataclass(slots=True, eq=False)
class _Node:
    """A pair to compare; when it is compared, its differences, and the pairs within it with their names."""

    key: _Key
    differences: list[Difference] = field(default_factory=list)
    children: list[tuple[_Node, str | None]] = field(default_factory=list)
    is_started: bool = False
    is_complete: bool = False
    named: dict[str | None, list[Difference]] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Return True if the pair is known to have no differences and no pairs within it."""
        return self.is_complete and not self.differences and not self.children

    def differences_in(self, name: str | None) -> list[Difference]:
        """Return the differences for the innermost property that contains the pair; each time the same ones."""
        if name not in self.named:
            self.named[name] = [one if one.name else replace(one, name=name) for one in self.differences]
        return self.named[name]


class SchemaComparison:
    """Compares schemas of two contracts."""

    def __init__(self, old: Contract, new: Contract) -> None:
        self.old, self.new = old, new
        self._views = {one: (View(old, one), View(new, one)) for one in get_args(Direction)}
        self._same = Equality().same
        self._nodes: dict[_Key, _Node] = {}
        self._found: dict[_Node, list[Difference]] = {}
        self._nested = 0

    def raw(self, at: Places) -> tuple[Any, Any]:
        """Return the values at a place of both contracts; {} where there is none."""
        return raw(self.old, at.old), raw(self.new, at.new)

    def canonical(self, at: Places) -> Places:
        """Return the places of the definitions of two values."""
        return Places(canonical(self.old, at.old), canonical(self.new, at.new))

    def differences(self, at: Places, direction: Direction) -> list[Difference]:
        """Return the differences at a place, each with the name of the innermost property around it."""
        old, new = self._sites(at)
        root = self._node(((old,), (new,), direction))
        if root not in self._found:
            self._found[root] = [
                difference for node, name in self._reached(root) for difference in node.differences_in(name)
            ]
        return self._found[root]

    def same(self, at: Places) -> bool:
        """Return True if the schemas at a place are equivalent."""
        return self._same(*self._sites(at))

    def _sites(self, at: Places) -> tuple[Site, Site]:
        return Site.at(self.old, at.old), Site.at(self.new, at.new)

    def _is_compatible(self, old: Sites, new: Sites, direction: Direction) -> bool:
        """Return True if no difference of a pair breaks clients; False while the pair is being compared.

        To compare alternatives asks this of the alternatives within them; at a depth of _MAX_NESTED it is False.
        """
        if self._nested == _MAX_NESTED:
            return False
        self._nested += 1
        try:
            return all(
                node.is_complete
                and all(RULES[found.rule].severity is Severity.INFO for found in node.differences)
                for node, _ in self._reached(self._node((old, new, direction)))
            )
        finally:
            self._nested -= 1

    def _reached(self, root: _Node) -> Iterator[tuple[_Node, str | None]]:
        """Yield each pair reachable from a root, once per property name that leads to it."""
        visited: set[_Node] = set()
        seen: set[tuple[_Node, str | None]] = set()
        pending: list[tuple[_Node, str | None]] = [(root, None)]
        while pending:
            visit = pending.pop()
            if visit not in seen:
                seen.add(visit)
                node, name = visit
                self._fill(node)
                yield visit
                inner = [one for one in reversed(node.children) if not one[0].is_equal]
                if node in visited:  # properties have a name of their own
                    pending += [(child, name) for child, own in inner if own is None]
                else:
                    visited.add(node)
                    pending += [(child, own or name) for child, own in inner]

    def _node(self, key: _Key) -> _Node:
        """Return the node of a pair, which is compared when it is reached."""
        if key not in self._nodes:
            self._nodes[key] = _Node(key)
        return self._nodes[key]

    def _fill(self, node: _Node) -> None:
        if not node.is_started:
            node.is_started = True
            for part in self._compare(*node.key):
                if isinstance(part, Child):
                    node.children.append((self._node((part.old, part.new, node.key[2])), part.name))
                else:
                    node.differences.append(part)
            node.is_complete = True

    def _compare(self, old: Sites, new: Sites, direction: Direction) -> Iterator[Difference | Child]:
        if len(old) == len(new) == 1 and self._same(old[0], new[0]):
            return
        before, after = self._views[direction]
        pair = Pair(before.shape(old), after.shape(new), direction, self._same, self._is_compatible)
        producer = pair.producer
        if producer.groups and not pair.consumer.groups:
            parts = list(split(pair))
            if not any(producer.view.shape(pair.in_order(*part[:2])[0]).takes_null for part in parts):
                yield from compare_null(pair)
            yield from parts
            return
        if not (producer.groups and pair.consumer.groups) or producer.has_nullable:
            yield from compare_null(pair)
        yield from compare_notes(pair)
        if producer.is_empty:
            return
        yield from compare_types(pair)
        yield from compare_values(pair)
        yield from compare_discriminators(pair)
        common = producer.likely_types & pair.consumer.types
        if "string" in common:
            yield from compare_contents(pair)
        if "array" in common:
            yield from compare_items(pair)
        if "object" in common:
            yield from compare_properties(pair)
        if common:
            yield from compare_alternatives(pair)
