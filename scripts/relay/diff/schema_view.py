"""Views of schemas in one direction: `$ref`s are resolved, `allOf` is flattened, hidden properties are omitted.

A schema is compared as a conjunction of sites, each a schema object and its pointer. Null is handled separately
from all other values, because `nullable` allows it regardless of other keywords.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import jsonschema_rs

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.pointers import lookup, parse_pointer
from relay.contract.schema_words import CHOICES
from relay.validation.patterns import translated
from relay.validation.schemas import MARKS, Direction

from .flattening import Scope, flat, is_null, scopes, without_null
from .sites import Site, Sites

TYPES = frozenset(["integer", "fraction", "string", "boolean", "array", "object"])
"""The types of values other than null; a number is an integer or a fraction."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """An `anyOf` or `oneOf`: the keyword, its alternatives, and the site that contains it."""

    kind: str
    sites: tuple[Site, ...]
    owner: Site


class View:
    """A contract's schemas in one direction."""

    def __init__(self, contract: Contract, direction: Direction) -> None:
        self.contract = contract
        self.direction = direction
        self._shapes: dict[Sites, Shape] = {}

    def site(self, schema: Any, pointer: Pointer) -> Site:
        """Return the site of a schema, or of the target of its `$ref`; a circular `$ref` gives an empty schema."""
        seen: set[Pointer] = set()
        while isinstance(ref := schema.get("$ref"), str):
            pointer = parse_pointer(ref[1:])
            schema = {} if pointer in seen else lookup(self.contract.document, pointer)
            seen.add(pointer)
        return Site(pointer, schema=schema)

    def shape(self, sites: Sites) -> Shape:
        """Return the shape of a conjunction of sites."""
        if sites not in self._shapes:
            self._shapes[sites] = Shape(self, sites)
        return self._shapes[sites]

    def is_hidden(self, schema: Schema) -> bool:
        """Return True if a property must not be sent in this direction."""
        return self.contract.is_marked(schema, MARKS[self.direction])

    def takes_null(self, site: Site, within: frozenset[Pointer] = frozenset()) -> bool:
        """Return True if a schema accepts null."""
        schema = site.schema
        listed = None in schema.get("enum", [None])
        if schema.get("nullable") and listed:
            return True
        if ("type" in schema and "null" not in _types(schema)) or not listed or site.pointer in within:
            return False
        within |= {site.pointer}

        def branches(keyword: str) -> list[bool]:
            return [self.takes_null(part, within) for part in self.parts(site, keyword)]

        return (
            all(branches("allOf"))
            and ("anyOf" not in schema or any(branches("anyOf")))
            and ("oneOf" not in schema or sum(branches("oneOf")) == 1)
            and ("not" not in schema or not self.takes_null(self.child(site, "not"), within))
            and ("if" not in schema or self.takes_null(self._then(site, within), within))
        )

    def _then(self, site: Site, within: frozenset[Pointer]) -> Site:
        """Return the schema that applies to null on a condition."""
        return self.child(site, "then" if self.takes_null(self.child(site, "if"), within) else "else")

    def parts(self, site: Site, keyword: str) -> Sites:
        """Return the sites in the list at a keyword."""
        return tuple(
            self.site(part, (*site.pointer, keyword, str(index)))
            for index, part in enumerate(site.schema.get(keyword, []))
        )

    def child(self, site: Site, *path: str) -> Site:
        """Return the site of a nested schema; an empty schema if there is none."""
        value = lookup(site.schema, path) if path[0] in site.schema else {}
        return self.site(value if isinstance(value, dict) else {}, (*site.pointer, *path))


class Shape:
    """The constraints of a conjunction of sites on values other than null."""

    def __init__(self, view: View, sites: Sites) -> None:
        self._view = view
        self.sites = sites
        self.parts: Sites = tuple(dict.fromkeys(flat(view.parts, sites, set())))
        self.takes_null = all(view.takes_null(site) for site in sites)

    @property
    def pointer(self) -> Pointer:
        """The pointer at which a missing part is reported."""
        return self.sites[0].pointer

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that are accepted."""
        types = TYPES
        for part in self.parts:
            if "type" in part.schema:
                types &= _types(part.schema)
        return types

    @cached_property
    def likely_types(self) -> frozenset[str]:
        """The types that are accepted, without those that no alternative accepts."""
        types = self.types
        if self.listed is not None:
            types &= {_type_of(value) for value in self.listed.values()}
        for group in self.groups:
            types &= frozenset().union(*(self._view.shape((site,)).types for site in group.sites))
        return types

    @cached_property
    def enum(self) -> dict[Any, Any] | None:
        """The accepted values by `json_key`; None if there is no enum."""
        listed: dict[Any, Any] | None = None
        for part in self.parts:
            if "enum" in part.schema:
                own = {json_key(value): value for value in part.schema["enum"] if value is not None}
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
        return any(part.schema.get("nullable") for part in self.parts) or any(
            is_null(site) for part in self.parts for kind in CHOICES for site in self._view.parts(part, kind)
        )

    @property
    def without_null(self) -> Sites:
        """The conjunction for values other than null."""
        sites = tuple(site.excluding("nullable") for site in self.sites)
        any_other = Site((*self.pointer, "type"), schema={"type": sorted(TYPES - {"fraction"} | {"number"})})
        return (*sites, any_other) if self.is_modern else sites

    @property
    def is_empty(self) -> bool:
        """True if no value except null can be valid."""
        return not self.types or self.enum == {} or self.excludes_all

    @property
    def excludes_all(self) -> bool:
        """True if `not` excludes every value."""
        return self.is_modern and {} in self.values("not")

    @property
    def is_modern(self) -> bool:
        """True for a contract of OpenAPI 3.1 or later."""
        return self._view.contract.version != "3.0"

    @cached_property
    def groups(self) -> tuple[Alternatives, ...]:
        """Every `anyOf` and `oneOf`, without the alternative null."""
        return tuple(
            Alternatives(kind, without_null(self._view.parts(part, kind)), part)
            for part in self.parts
            for kind in CHOICES
            if kind in part.schema
        )

    def scopes(self, keyword: str) -> list[Scope]:
        """Return the schemas whose `unevaluatedProperties` or `unevaluatedItems` restrict, with the parts next to it."""
        return [*scopes(self._view.parts, self.sites, self.parts, keyword)]

    def part_with(self, keyword: str) -> Site:
        """Return the first part that has a keyword; the first part if none has it."""
        return next((part for part in self.parts if keyword in part.schema), self.parts[0])

    def inner(self, part: Site, *path: str) -> Site:
        """Return the site of a schema nested in a part."""
        return self._view.child(part, *path)

    def only(self, part: Site, keywords: Iterable[str]) -> Site:
        """Return a part with only some of its keywords."""
        return part.excluding(*(part.schema.keys() - set(keywords)))

    def values(self, keyword: str) -> list[Any]:
        """Return the values of a keyword in all parts."""
        return [part.schema[keyword] for part in self.parts if keyword in part.schema]

    @cached_property
    def properties(self) -> dict[str, Pointer]:
        """The named properties, including hidden ones, and the pointer of their first definition."""
        return {
            name: (*part.pointer, "properties", name)
            for part in reversed(self.parts)
            for name in part.schema.get("properties", {})
        }

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The properties that must not be sent in this direction."""
        return frozenset(
            name
            for part in self.parts
            for name, schema in part.schema.get("properties", {}).items()
            if self._view.is_hidden(schema)
        )

    @cached_property
    def required(self) -> frozenset[str]:
        """The properties that must be sent."""
        return frozenset(name for part in self.parts for name in part.schema.get("required", [])).difference(
            self.hidden
        )

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
            own = [*self._named(part, name)]
            members += own
            if own:
                continue
            if part.schema.get("additionalProperties") is False:
                return None
            if isinstance(part.schema.get("additionalProperties"), dict):
                members.append(self._view.child(part, "additionalProperties"))
        for scope in self.scopes("unevaluatedProperties"):
            if not self._describes_property(scope, name):
                if scope.site.schema["unevaluatedProperties"] is False:
                    return None
                members.append(self._view.child(scope.site, "unevaluatedProperties"))
        return tuple(members) or (self._anything("additionalProperties"),)

    def _describes_property(self, scope: Scope, name: str | None) -> bool:
        """Return True if a scope has a schema for a property, or may have one."""
        return (
            scope.has_branches
            or scope.has_inner("unevaluatedProperties")
            or any(
                "additionalProperties" in part.schema or [*self._named(part, name)] for part in scope.parts
            )
        )

    def _named(self, part: Site, name: str | None) -> Iterator[Site]:
        """Yield the schemas that a part has for a property; none for None, which is any other property."""
        if name is None:
            return
        if name in part.schema.get("properties", {}):
            yield self._view.child(part, "properties", name)
        for pattern in part.schema.get("patternProperties", {}):
            if matches(pattern, name):
                yield self._view.child(part, "patternProperties", pattern)

    def patterned(self, pattern: str) -> Sites:
        """The schemas of properties whose names match a pattern of `patternProperties`."""
        return tuple(
            self._view.child(part, "patternProperties", pattern)
            for part in self.parts
            if pattern in part.schema.get("patternProperties", {})
        )

    @cached_property
    def prefix(self) -> int:
        """The number of items that have a schema of their own."""
        return max((len(prefix) for prefix in self.values("prefixItems")), default=0)

    def item(self, index: int) -> Sites:
        """The schemas of the item at a place; after the prefix all have the same ones."""
        own: list[Site] = []
        for part in self.parts:
            if index < len(part.schema.get("prefixItems", ())):
                own.append(self._view.child(part, "prefixItems", str(index)))
            elif "items" in part.schema:
                own.append(self._view.child(part, "items"))
        own += [
            self._rest(scope.site)
            for scope in self.scopes("unevaluatedItems")
            if not _describes_item(scope, index)
        ]
        return tuple(own) or (self._anything("items"),)

    def _rest(self, site: Site) -> Site:
        """Return the site of `unevaluatedItems`; for False one that no value is valid for."""
        if site.schema["unevaluatedItems"] is False:
            return Site((*site.pointer, "unevaluatedItems"), schema={"not": {}})
        return self._view.child(site, "unevaluatedItems")

    def _anything(self, keyword: str) -> Site:
        """Return the site of an absent schema; for an empty schema the site itself, which ends the recursion."""
        part = self.parts[0]
        return Site((*part.pointer, keyword)) if part.schema else part


def _describes_item(scope: Scope, index: int) -> bool:
    """Return True if a scope has a schema for the item at a place, or may have one."""
    return (
        scope.has_branches
        or scope.has_inner("unevaluatedItems")
        or any(
            "items" in part.schema or index < len(part.schema.get("prefixItems", ())) for part in scope.parts
        )
    )


def _types(schema: Schema) -> frozenset[str]:
    """Return the types that a `type` names; a number is an integer or a fraction."""
    named = schema["type"]
    names = {named} if isinstance(named, str) else set(named)
    return frozenset(names - {"number"} | ({"integer", "fraction"} if "number" in names else set()))


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
