"""Schemas as nodes: the parts of a schema that can reject a value, each with its own verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from .validators import Accepts

TYPES = frozenset("array boolean integer null number object string".split())


class Check(NamedTuple):
    """A keyword of a schema that contains no other schema, or forbids one."""

    accepts: Accepts
    rule: str
    message: str
    missing_end: tuple[str, str] | None = None

    def message_for(self, value: Any) -> str:
        """Return the sentence for a rejected value, which says what is missing if that is all that is wrong."""
        if self.missing_end is not None and isinstance(value, str):
            end, sentence = self.missing_end
            return sentence if self.accepts(value + end) else self.message
        return self.message


@dataclass(eq=False, slots=True)
class Node:
    """A schema. `accepts` is its verdict; the other fields are its parts."""

    accepts: Accepts
    checks: list[Check] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    dependent: Mapping[str, list[str]] = field(default_factory=dict)  # required next to a property
    is_closed: bool = False  # allows no property besides `properties`
    properties: dict[str, Node] = field(default_factory=dict)
    additional: Node | None = None
    patterns: list[tuple[Accepts, Node]] = field(default_factory=list)  # the verdict of a property's name
    prefix: list[Node] = field(default_factory=list)
    items: Items | None = None  # after those of the prefix
    conditions: list[Condition] = field(default_factory=list)
    evaluates: str = ""  # `unevaluatedProperties` or `unevaluatedItems`, which depend on the whole
    parts: list[Node] = field(default_factory=list)  # the target of its `$ref`, and its `allOf`
    choices: list[Choice] = field(default_factory=list)
    types: frozenset[str] = TYPES
    member_types: frozenset[str] = TYPES  # those of the members of its `enum`
    tags: frozenset[str] | None = None  # its `enum`, if that contains only strings

    def with_parts(self) -> list[Node]:
        """Return the node and all its parts, which apply to the same value."""
        if not self.parts:
            return [self]
        found = {id(self): self}
        pending = [self]
        while pending:
            new = {id(part): part for part in pending.pop().parts if id(part) not in found}
            found |= new
            pending += new.values()
        return [*found.values()]

    def requires(self, name: str) -> bool:
        """Return True if a property is required."""
        return any(name in part.required for part in self.with_parts())


class Items(NamedTuple):
    """The schema of the items of an array; `accept` is its verdict about several items at once."""

    node: Node
    accept: Accepts


class Condition(NamedTuple):
    """A schema for values that another one accepts (`if`, `dependentSchemas`), or that it rejects."""

    accepts: Accepts
    node: Node
    is_negated: bool = False


@dataclass(eq=False)
class Choice:
    """An `anyOf` or `oneOf`."""

    accepts: Accepts
    rule: str
    branches: list[Node]
    discriminator: str
    mapping: Mapping[str, Node]  # value of the discriminator → branch
    default: Node | None = None  # the branch of a value without one, or of which nothing is known

    def branches_for(self, type_name: str) -> list[Node]:
        """Return the branches that allow a type; those whose `enum` has no member of it only if there are no others."""
        return self._by_member.get(type_name) or self._by_type.get(type_name, [])

    @property
    def type_names(self) -> list[str]:
        """The types that a branch allows, as a schema lists them."""
        return [name for name in self._by_type if name != "integer" or "number" not in self._by_type]

    @cached_property
    def _by_type(self) -> dict[str, list[Node]]:
        types = [
            (branch, TYPES.intersection(*(part.types for part in branch.with_parts())))
            for branch in self.branches
        ]
        found = {name: [branch for branch, allowed in types if name in allowed] for name in sorted(TYPES)}
        return {name: branches for name, branches in found.items() if branches}

    @cached_property
    def _by_member(self) -> dict[str, list[Node]]:
        types = {
            id(branch): TYPES.intersection(*(part.member_types for part in branch.with_parts()))
            for branch in self.branches
        }
        return {
            name: [branch for branch in branches if name in types[id(branch)]]
            for name, branches in self._by_type.items()
        }

    def mapped(self, value: Mapping[str, Any]) -> Node | None:
        """Return the branch that the discriminator of an object names."""
        name = value.get(self.discriminator)
        return self.mapping.get(name, self.default) if isinstance(name, str) else self.default

    @cached_property
    def is_decided(self) -> bool:
        """True if the discriminator names each branch that allows an object."""
        named = {id(node) for node in self.mapping.values()}
        return bool(named) and all(id(branch) in named for branch in self.branches_for("object"))

    @property
    def names(self) -> list[str]:
        """The values of the discriminator to show: a schema's own name only if the mapping has no other for it."""
        by_branch: dict[int, list[str]] = {}
        for value, node in self.mapping.items():  # the names of schemas come first
            by_branch.setdefault(id(node), []).append(value)
        return [value for values in by_branch.values() for value in values[1:] or values]

    @cached_property
    def tag(self) -> Tag | None:
        """The property that distinguishes all branches which allow an object."""
        branches = self.branches_for("object")
        pinned = [_pinned(branch) for branch in branches]
        names = [name for name in pinned[0] if all(name in one for one in pinned)] if pinned else []
        for name in sorted(names, key=lambda name: name != self.discriminator):
            by_value = {
                value: branch
                for one, branch in zip(pinned, branches, strict=True)
                for value in sorted(one[name])
            }
            if len(by_value) == sum(len(one[name]) for one in pinned):
                return Tag(name, by_value, all(branch.requires(name) for branch in branches))
        return None


class Tag(NamedTuple):
    """A property whose value decides between the branches of a choice."""

    name: str
    branches: dict[str, Node]
    is_required: bool

    def branch(self, value: Any) -> Node | None:
        """Return the branch of a value of the property."""
        return self.branches.get(value) if isinstance(value, str) else None


def _pinned(branch: Node) -> dict[str, frozenset[str]]:
    pinned: dict[str, frozenset[str]] = {}
    for owner in branch.with_parts():
        for name, node in owner.properties.items():
            for part in node.with_parts():
                if part.tags is not None:
                    pinned[name] = pinned.get(name, part.tags) & part.tags
    return pinned
