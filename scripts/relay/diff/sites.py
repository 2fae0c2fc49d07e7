"""The schema objects that are compared, with their pointers, and how those that apply to one value are joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.pointers import lookup, parse_pointer
from relay.contract.schema_words import CHOICES

from .pointer_names import follow

_BRANCHING = frozenset(("if", "dependentSchemas", "contains", *CHOICES))
_TAKEN_APART = frozenset(("allOf", *CHOICES))


@dataclass(frozen=True, slots=True)
class Site:
    """A schema object and its pointer; `excluded` are omitted keywords, which are compared separately."""

    contract: Contract = field(compare=False, repr=False)
    pointer: Pointer
    schema: Schema = field(default_factory=dict, compare=False)
    excluded: frozenset[str] = frozenset()

    @classmethod
    def of(cls, contract: Contract, schema: Any, pointer: Pointer) -> Site:
        """Return the site of a schema, or of the target of its `$ref`; a circular `$ref` gives an empty schema."""
        seen: set[Pointer] = set()
        while isinstance(ref := schema.get("$ref"), str):
            pointer = parse_pointer(ref[1:])
            schema = {} if pointer in seen else lookup(contract.document, pointer)
            seen.add(pointer)
        return cls(contract, pointer, schema)

    @classmethod
    def at(cls, contract: Contract, pointer: Pointer) -> Site:
        """Return the site of the schema at a pointer, which may pass through `$ref`s."""
        return cls.of(contract, *follow(contract, pointer))

    def child(self, *path: str) -> Site:
        """Return the site of a nested schema; an empty schema if there is none."""
        value = lookup(self.schema, path) if path[0] in self.schema else {}
        return self.of(self.contract, value if isinstance(value, dict) else {}, (*self.pointer, *path))

    def parts(self, keyword: str) -> Sites:
        """Return the sites in the list at a keyword."""
        return tuple(self.child(keyword, str(index)) for index in range(len(self.schema.get(keyword, ()))))

    def made(self, schema: Schema, *path: str) -> Site:
        """Return the site of a schema that is not written, below this one."""
        return Site(self.contract, (*self.pointer, *path), schema)

    def excluding(self, *keywords: str) -> Site:
        """Return the site without some keywords."""
        kept = {key: value for key, value in self.schema.items() if key not in keywords}
        return Site(self.contract, self.pointer, kept, self.excluded.union(keywords))

    def only(self, *keywords: str) -> Site:
        """Return the site with only some of its keywords."""
        return self.excluding(*(self.schema.keys() - set(keywords)))

    @property
    def is_null(self) -> bool:
        """True for a schema of null only."""
        return self.schema.get("type") == "null"


Sites = tuple[Site, ...]  # a conjunction: a value must be valid for all of the sites


def is_component(pointer: Pointer) -> bool:
    """Return True for the pointer of a schema with a name."""
    return pointer[:2] == ("components", "schemas") and len(pointer) == 3


class Scope(NamedTuple):
    """A schema with a keyword such as `unevaluatedProperties`, and the parts that describe properties for it."""

    site: Site
    parts: Sites

    @property
    def has_branches(self) -> bool:
        """True if other schemas may describe more properties and items of the value."""
        return any(not _BRANCHING.isdisjoint(part.schema) for part in self.parts)

    def may_describe(self, keyword: str) -> bool:
        """Return True if more is described in branches, or if a schema within it has the keyword, too."""
        others = (part for part in self.parts if part.pointer != self.site.pointer)
        return self.has_branches or any(keyword in part.schema for part in others)


def flat(sites: Iterable[Site], seen: set[Pointer]) -> Iterator[Site]:
    """Yield the sites and the sites of every `allOf` in them, and of the only alternative to null."""
    for site in sites:
        joined = _joined(site)
        if not joined:
            yield site
        elif site.pointer not in seen:
            seen.add(site.pointer)
            yield site.excluding(*joined)
            for parts in joined.values():
                yield from flat(parts, seen)


def scopes(sites: Sites, parts: Sites, keyword: str) -> Iterator[Scope]:
    """Yield each schema with a keyword with its `allOf`, or with all parts if it was taken apart before."""
    pending, seen = [*sites], set[Pointer]()
    while pending:
        site = pending.pop()
        if site.pointer in seen:
            continue
        seen.add(site.pointer)
        if site.schema.get(keyword, True) is not True:
            is_whole = not _TAKEN_APART.isdisjoint(site.excluded)
            yield Scope(site, parts if is_whole else tuple(flat((site,), set())))
        pending += [one for inner in _joined(site).values() for one in inner]


def _joined(site: Site) -> dict[str, Sites]:
    """Return the keywords whose schemas all apply to each value other than null."""
    joined = {"allOf": site.parts("allOf")} if "allOf" in site.schema else {}
    for kind in CHOICES if "discriminator" not in site.schema else ():
        alternatives = site.parts(kind)
        others = without_null(alternatives)
        if len(others) == 1 < len(alternatives):
            joined[kind] = others
    return joined


def without_null(sites: Sites) -> Sites:
    """Return the sites that are not null only; all if there are no others."""
    return tuple(site for site in sites if not site.is_null) or sites


def takes_null(site: Site, within: frozenset[Pointer] = frozenset()) -> bool:
    """Return True if a schema accepts null."""
    schema = site.schema
    listed = None in schema.get("enum", [None])
    if schema.get("nullable") and listed:
        return True
    if ("type" in schema and "null" not in named_types(schema)) or not listed or site.pointer in within:
        return False
    within |= {site.pointer}

    def takes(*path: str) -> bool:
        return takes_null(site.child(*path), within)

    def branches(keyword: str) -> list[bool]:
        return [takes_null(part, within) for part in site.parts(keyword)]

    return (
        all(branches("allOf"))
        and ("anyOf" not in schema or any(branches("anyOf")))
        and ("oneOf" not in schema or sum(branches("oneOf")) == 1)
        and ("not" not in schema or not takes("not"))
        and ("if" not in schema or takes("then" if takes("if") else "else"))
    )


def named_types(schema: Schema) -> frozenset[str]:
    """Return the types that a `type` names; a number is an integer or a fraction."""
    named = schema["type"]
    names = {named} if isinstance(named, str) else set(named)
    return frozenset(names - {"number"} | ({"integer", "fraction"} if "number" in names else set()))
