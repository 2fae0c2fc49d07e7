"""Views of schemas in one direction: `$ref`s are resolved, `allOf` is flattened, hidden properties are omitted.

A schema is compared as a conjunction of sites, each a schema object and its pointer. Null is handled separately
from all other values, because `nullable` allows it regardless of other keywords.
"""

# One module: the constraints of a shape depend on each other.

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import jsonschema_rs

from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.contract.schema_words import CHOICES
from relay.validation.patterns import translated
from relay.validation.schemas import MARKS, Direction

from .sites import Scope, Site, Sites, flat, named_types, scopes, takes_null, without_null

TYPES = frozenset(["integer", "fraction", "string", "boolean", "array", "object"])
"""The types of values other than null; a number is an integer or a fraction."""


class Alternatives(NamedTuple):
    """An `anyOf` or `oneOf`: the keyword, its alternatives, and the site that contains it."""

    kind: str
    sites: Sites
    owner: Site


class View:
    """A contract's schemas in one direction."""

    def __init__(self, contract: Contract, direction: Direction) -> None:
        self.contract = contract
        self.mark = MARKS[direction]
        self._shapes: dict[Sites, Shape] = {}

    def shape(self, sites: Sites) -> Shape:
        """Return the shape of a conjunction of sites."""
        if sites not in self._shapes:
            self._shapes[sites] = Shape(self, sites)
        return self._shapes[sites]


class Shape:
    """The constraints of a conjunction of sites on values other than null."""

    def __init__(self, view: View, sites: Sites) -> None:
        self.view = view
        self.sites = sites
        self.parts: Sites = tuple(dict.fromkeys(flat(sites, set())))
        self.pointer = sites[0].pointer  # at which a missing part is reported
        self.takes_null = all(map(takes_null, sites))
        self.is_modern = view.contract.version != "3.0"

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that are accepted."""
        return TYPES.intersection(*(named_types(part.schema) for part in self.parts if "type" in part.schema))

    @cached_property
    def likely_types(self) -> frozenset[str]:
        """The types that are accepted, without those that no alternative accepts."""
        types = self.types
        if self.listed is not None:
            types &= {_type_of(value) for value in self.listed.values()}
        for group in self.groups:
            types &= frozenset().union(*(self.view.shape((site,)).types for site in group.sites))
        return types

    @cached_property
    def enum(self) -> dict[Any, Any] | None:
        """The accepted values by `json_key`; None if there is no enum."""
        listed: dict[Any, Any] | None = None
        for members in self.values("enum"):
            own = {json_key(value): value for value in members if value is not None}
            listed = own if listed is None else {key: own[key] for key in listed if key in own}
        return listed

    @property
    def listed(self) -> dict[Any, Any] | None:
        """The only values that are not null, by `json_key`: those of an enum, or of a boolean; else None."""
        if self.enum is None and self.types == {"boolean"}:
            return {json_key(value): value for value in (True, False)}
        return self.enum

    @property
    def has_nullable(self) -> bool:
        """True if `nullable` allows null, or an alternative that is null, not only an alternative for other values."""
        return any(
            part.schema.get("nullable") or any(site.is_null for kind in CHOICES for site in part.parts(kind))
            for part in self.parts
        )

    @property
    def is_empty(self) -> bool:
        """True if no value except null can be valid."""
        return not self.types or self.enum == {} or self.excludes_all

    @property
    def excludes_all(self) -> bool:
        """True if `not` excludes every value."""
        return self.is_modern and {} in self.values("not")

    @cached_property
    def groups(self) -> tuple[Alternatives, ...]:
        """Every `anyOf` and `oneOf`, without the alternative null."""
        return tuple(
            Alternatives(kind, without_null(part.parts(kind)), part)
            for part in self.parts
            for kind in CHOICES
            if kind in part.schema
        )

    def scopes(self, keyword: str) -> list[Scope]:
        """Return the schemas whose `unevaluatedProperties` or `unevaluatedItems` restrict, with the parts next to it."""
        return [*scopes(self.sites, self.parts, keyword)]

    def having(self, keyword: str) -> list[Site]:
        """Return the parts that have a keyword."""
        return [part for part in self.parts if keyword in part.schema]

    def part_with(self, keyword: str) -> Site:
        """Return the first part that has a keyword; the first part if none has it."""
        return next(iter(self.having(keyword)), self.parts[0])

    def values(self, keyword: str) -> list[Any]:
        """Return the values of a keyword in all parts."""
        return [part.schema[keyword] for part in self.having(keyword)]

    @cached_property
    def properties(self) -> dict[str, Pointer]:
        """The named properties, including hidden ones, and the pointer of their first definition."""
        return {
            name: (*part.pointer, "properties", name)
            for part in reversed(self.having("properties"))
            for name in part.schema["properties"]
        }

    @cached_property
    def patterns(self) -> dict[str, Sites]:
        """The patterns of `patternProperties`, and the schemas of the properties whose names match."""
        found: dict[str, Sites] = {}
        for part in self.having("patternProperties"):
            for pattern in part.schema["patternProperties"]:
                found[pattern] = (*found.get(pattern, ()), part.child("patternProperties", pattern))
        return found

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The properties that must not be sent in this direction."""
        return frozenset(
            name
            for properties in self.values("properties")
            for name, schema in properties.items()
            if self.view.contract.is_marked(schema, self.view.mark)
        )

    @cached_property
    def required(self) -> frozenset[str]:
        """The properties that must be sent."""
        return frozenset().union(*self.values("required")) - self.hidden

    def property(self, name: str) -> Sites | None:
        """Return the schemas of a property; None if it must not be sent."""
        return None if name in self.hidden else self._members(name)

    @cached_property
    def additional(self) -> Sites | None:
        """The schemas of additional properties; None if they are not allowed."""
        return self._members(None)

    def _members(self, name: str | None) -> Sites | None:
        members: list[Site] = []
        for part in self.parts:
            own = [*_named(part, name)]
            members += own
            additional = True if own else part.schema.get("additionalProperties")
            if additional is False:
                return None
            if isinstance(additional, dict):
                members.append(part.child("additionalProperties"))
        for scope in self.scopes("unevaluatedProperties"):
            if scope.may_describe("unevaluatedProperties") or any(
                "additionalProperties" in part.schema or [*_named(part, name)] for part in scope.parts
            ):
                continue
            if scope.site.schema["unevaluatedProperties"] is False:
                return None
            members.append(scope.site.child("unevaluatedProperties"))
        return tuple(members) or (self._anything("additionalProperties"),)

    @cached_property
    def prefix(self) -> int:
        """The number of items that have a schema of their own."""
        return max(map(len, self.values("prefixItems")), default=0)

    def item(self, index: int) -> Sites:
        """The schemas of the item at a place; after the prefix all have the same ones."""
        own = [found for part in self.parts if (found := _item(part, index))]
        for scope in self.scopes("unevaluatedItems"):
            if scope.may_describe("unevaluatedItems") or any(_item(part, index) for part in scope.parts):
                continue
            rest = scope.site.child("unevaluatedItems")
            is_closed = scope.site.schema["unevaluatedItems"] is False
            own.append(scope.site.made({"not": {}}, "unevaluatedItems") if is_closed else rest)
        return tuple(own) or (self._anything("items"),)

    def _anything(self, keyword: str) -> Site:
        """Return the site of an absent schema; for an empty schema the site itself, which ends the recursion."""
        part = self.parts[0]
        return part.made({}, keyword) if part.schema else part


def _named(part: Site, name: str | None) -> Iterator[Site]:
    """Yield the schemas that a part has for a property; none for None, which is any other property."""
    if name is None:
        return
    if name in part.schema.get("properties", {}):
        yield part.child("properties", name)
    for pattern in part.schema.get("patternProperties", {}):
        if matches(pattern, name):
            yield part.child("patternProperties", pattern)


def _item(part: Site, index: int) -> Site | None:
    """Return the schema that a part has for the item at a place."""
    if index < len(part.schema.get("prefixItems", ())):
        return part.child("prefixItems", str(index))
    return part.child("items") if "items" in part.schema else None


@lru_cache(maxsize=4096)
def matches(pattern: str, name: str) -> bool:
    """Return True if the name of a property matches a pattern; False for one that cannot be compiled."""
    keywords = translated(pattern).keywords
    return bool(keywords) and jsonschema_rs.Draft202012Validator(keywords).is_valid(name)


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "integer" if value == int(value) else "fraction"
        case str():
            return "string"
    return "array" if isinstance(value, list) else "object"


def json_key(value: Any) -> Any:
    """Return a key that is equal for values that are equal in JSON Schema: 1 equals 1.0 but not true."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return json.dumps(value, sort_keys=True)
    return value
