"""Schemas as one direction sees them: `$ref`s followed, `allOf` taken apart, what is hidden left out.

A schema is compared as a conjunction of sites, each a schema object and where it is written. Null is
kept apart from all other values, for `nullable` lets it in whatever else a schema says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from relay.contract.bundling import lookup, parse_pointer
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.validation.schemas import Direction

TYPES = frozenset(["integer", "fraction", "string", "boolean", "array", "object"])
"""What a value other than null can be; a number is an integer or a fraction."""

_HIDING = {"request": "readOnly", "response": "writeOnly"}


@dataclass(frozen=True, slots=True)
class Site:
    """A schema object and where it is; `without` are keywords that are dealt with elsewhere."""

    pointer: Pointer
    without: frozenset[str] = frozenset()
    schema: Schema = field(default_factory=dict, compare=False)

    def less(self, *keywords: str) -> Site:
        """Return the site without some keywords."""
        kept = {key: value for key, value in self.schema.items() if key not in keywords}
        return Site(self.pointer, self.without.union(keywords), kept)


Sites = tuple[Site, ...]
"""What a value has to fit all of."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """An `anyOf` or `oneOf`: which, its alternatives, and the site it stands in."""

    kind: str
    sites: tuple[Site, ...]
    owner: Site


class View:
    """A contract's schemas as seen in one direction."""

    def __init__(self, contract: Contract, direction: Direction) -> None:
        self.contract = contract
        self.direction = direction
        self._shapes: dict[Sites, Shape] = {}

    def site(self, schema: Any, pointer: Pointer) -> Site:
        """Return the site of a schema, or of what it refers to; one that refers to itself says nothing."""
        seen: set[Pointer] = set()
        while isinstance(ref := schema.get("$ref"), str):
            pointer = parse_pointer(ref[1:])
            schema = {} if pointer in seen else lookup(self.contract.document, pointer)
            seen.add(pointer)
        return Site(pointer, schema=schema)

    def shape(self, sites: Sites) -> Shape:
        """Return what the sites say together."""
        if sites not in self._shapes:
            self._shapes[sites] = Shape(self, sites)
        return self._shapes[sites]

    def is_hidden(self, schema: Schema) -> bool:
        """Whether a property must not be sent this way."""
        return self.site(schema, ()).schema.get(_HIDING[self.direction]) is True

    def takes_null(self, site: Site, within: frozenset[Pointer] = frozenset()) -> bool:
        """Whether a schema accepts null."""
        schema = site.schema
        listed = None in schema.get("enum", [None])
        if schema.get("nullable") and listed:
            return True
        if "type" in schema or not listed or site.pointer in within:
            return False
        within |= {site.pointer}

        def counts(keyword: str) -> list[bool]:
            return [self.takes_null(part, within) for part in self.parts(site, keyword)]

        return (
            all(counts("allOf"))
            and ("anyOf" not in schema or any(counts("anyOf")))
            and ("oneOf" not in schema or sum(counts("oneOf")) == 1)
            and ("not" not in schema or not self.takes_null(self.child(site, "not"), within))
        )

    def parts(self, site: Site, keyword: str) -> Sites:
        """Return the sites in the list at a keyword."""
        return tuple(
            self.site(part, (*site.pointer, keyword, str(index)))
            for index, part in enumerate(site.schema.get(keyword, []))
        )

    def child(self, site: Site, *way: str) -> Site:
        """Return the site of a schema within another; where there is none, anything fits."""
        value = lookup(site.schema, way) if way[0] in site.schema else {}
        return self.site(value if isinstance(value, dict) else {}, (*site.pointer, *way))


class Shape:
    """What a conjunction of sites says of values other than null."""

    def __init__(self, view: View, sites: Sites) -> None:
        self._view = view
        self.sites = sites
        self.parts: Sites = tuple(dict.fromkeys(_flat(view, sites, set())))
        self.takes_null = all(view.takes_null(site) for site in sites)

    @property
    def pointer(self) -> Pointer:
        """Where to say that something is missing."""
        return self.sites[0].pointer

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that are let in."""
        types = TYPES
        for part in self.parts:
            match part.schema.get("type"):
                case "number":
                    types &= {"integer", "fraction"}
                case str(name):
                    types &= {name}
        return types

    @cached_property
    def likely_types(self) -> frozenset[str]:
        """The types that are let in, those that no alternative knows left out."""
        types = self.types
        for group in self.groups:
            types &= frozenset().union(*(self._view.shape((site,)).types for site in group.sites))
        return types

    @cached_property
    def enum(self) -> dict[Any, Any] | None:
        """The values that are let in, by a key that tells them apart as JSON does; None for all."""
        listed: dict[Any, Any] | None = None
        for part in self.parts:
            if "enum" in part.schema:
                own = {json_key(value): value for value in part.schema["enum"] if value is not None}
                listed = own if listed is None else {key: own[key] for key in listed if key in own}
        return listed

    @property
    def says_nullable(self) -> bool:
        """Whether null is let in by `nullable`, and not by an alternative alone."""
        return any(part.schema.get("nullable") for part in self.parts)

    @property
    def is_empty(self) -> bool:
        """Whether no value but null can fit."""
        return not self.types or self.enum == {}

    @cached_property
    def groups(self) -> tuple[Alternatives, ...]:
        """Every `anyOf` and `oneOf`."""
        return tuple(
            Alternatives(kind, self._view.parts(part, kind), part)
            for part in self.parts
            for kind in ("anyOf", "oneOf")
            if kind in part.schema
        )

    def having(self, keyword: str) -> Site:
        """Return the part that says a keyword; the first one where none does."""
        return next((part for part in self.parts if keyword in part.schema), self.parts[0])

    def inner(self, part: Site, *way: str) -> Site:
        """Return the site of a schema within a part."""
        return self._view.child(part, *way)

    def values(self, keyword: str) -> list[Any]:
        """Return what the parts say by a keyword."""
        return [part.schema[keyword] for part in self.parts if keyword in part.schema]

    @cached_property
    def properties(self) -> dict[str, Pointer]:
        """The properties that have a name here, hidden ones included, and where the first is written."""
        return {
            name: (*part.pointer, "properties", name)
            for part in reversed(self.parts)
            for name in part.schema.get("properties", {})
        }

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The properties that must not be sent this way."""
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
        """Return what a property has to fit; None where it must not be sent."""
        return None if name in self.hidden else self._members(name)

    @cached_property
    def others(self) -> Sites | None:
        """What a property without a name here has to fit; None where there must be none."""
        return self._members(None)

    def _members(self, name: str | None) -> Sites | None:
        members: list[Site] = []
        for part in self.parts:
            if name is not None and name in part.schema.get("properties", {}):
                members.append(self._view.child(part, "properties", name))
            elif part.schema.get("additionalProperties") is False:
                return None
            elif isinstance(part.schema.get("additionalProperties"), dict):
                members.append(self._view.child(part, "additionalProperties"))
        return tuple(members) or (self._anything("additionalProperties"),)

    @cached_property
    def items(self) -> Sites:
        """What an item has to fit."""
        own = [self._view.child(part, "items") for part in self.parts if "items" in part.schema]
        return tuple(own) or (self._anything("items"),)

    def _anything(self, keyword: str) -> Site:
        """Return a site for a schema that is not written: itself within itself, so that it ends."""
        part = self.parts[0]
        return Site((*part.pointer, keyword)) if part.schema else part


def _flat(view: View, sites: Iterable[Site], seen: set[Pointer]) -> Iterator[Site]:
    """Return the sites and those of every `allOf` in them."""
    for site in sites:
        if "allOf" not in site.schema:
            yield site
        elif site.pointer not in seen:
            seen.add(site.pointer)
            yield site.less("allOf")
            yield from _flat(view, view.parts(site, "allOf"), seen)


def json_key(value: Any) -> Any:
    """Return a key that is equal for values that JSON Schema calls equal: 1 is 1.0, and not true."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return json.dumps(value, sort_keys=True)
    return value
