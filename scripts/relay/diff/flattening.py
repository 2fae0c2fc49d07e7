"""Flattens schemas that all apply to a value, and finds what `unevaluatedProperties` and `unevaluatedItems` are next to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from relay.contract.documents import Pointer
from relay.contract.schema_words import CHOICES

from .sites import Site, Sites

Parts = Callable[[Site, str], Sites]
"""Returns the sites in the list at a keyword of a site."""

_BRANCHING = frozenset(("if", "dependentSchemas", "contains", *CHOICES))
_TAKEN_APART = frozenset(("allOf", *CHOICES))


class Scope(NamedTuple):
    """A schema with a keyword such as `unevaluatedProperties`, and the parts that describe properties for it."""

    site: Site
    parts: Sites

    @property
    def has_branches(self) -> bool:
        """True if other schemas may describe more properties and items of the value."""
        return any(not _BRANCHING.isdisjoint(part.schema) for part in self.parts)

    def has_inner(self, keyword: str) -> bool:
        """Return True if a schema within it has the keyword, too, which then concerns all that the others do not."""
        return any(keyword in part.schema for part in self.parts if part.pointer != self.site.pointer)


def flat(parts_of: Parts, sites: Iterable[Site], seen: set[Pointer]) -> Iterator[Site]:
    """Yield the sites and the sites of every `allOf` in them, and of the only alternative to null."""
    for site in sites:
        joined = _joined(parts_of, site)
        if not joined:
            yield site
        elif site.pointer not in seen:
            seen.add(site.pointer)
            yield site.excluding(*joined)
            for parts in joined.values():
                yield from flat(parts_of, parts, seen)


def scopes(parts_of: Parts, sites: Sites, parts: Sites, keyword: str) -> Iterator[Scope]:
    """Yield the scope of each schema with a keyword in `sites`, which are flat as `parts`: the schema and its `allOf`.

    All parts are the scope of a schema that was taken apart before.
    """
    pending, seen = [*sites], set[Pointer]()
    while pending:
        site = pending.pop()
        if site.pointer in seen:
            continue
        seen.add(site.pointer)
        if site.schema.get(keyword, True) is not True:
            is_whole = not _TAKEN_APART.isdisjoint(site.excluded)
            yield Scope(site, parts if is_whole else tuple(flat(parts_of, (site,), set())))
        pending += [one for inner in _joined(parts_of, site).values() for one in inner]


def _joined(parts_of: Parts, site: Site) -> dict[str, Sites]:
    """Return the keywords whose schemas all apply to each value other than null."""
    joined = {"allOf": parts_of(site, "allOf")} if "allOf" in site.schema else {}
    if "discriminator" not in site.schema:
        for kind in CHOICES:
            alternatives = parts_of(site, kind)
            others = without_null(alternatives)
            if len(others) == 1 < len(alternatives):
                joined[kind] = others
    return joined


def is_null(site: Site) -> bool:
    """Return True for a schema of null only."""
    return site.schema.get("type") == "null"


def without_null(sites: Sites) -> Sites:
    """Return the sites that are not null only; all if there are no others."""
    return tuple(site for site in sites if not is_null(site)) or sites
