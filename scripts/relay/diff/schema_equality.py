"""Checks whether two schemas are equivalent, ignoring component names and prose."""

from collections.abc import Iterator
from typing import Any

from relay.contract.discriminators import mapped_schemas
from relay.contract.schema_words import CHOICES, SCHEMA_WORDS, inner_schemas

from .schema_view import json_key
from .sites import Site

_PROSE = frozenset("title description example examples externalDocs xml $defs definitions".split())
"""Keywords that do not change which values are valid; definitions are compared where a `$ref` leads to them."""


class Equality:
    """Compares schemas of two contracts through their `$ref`s; results are cached."""

    def __init__(self) -> None:
        self._equal: set[tuple[Site, Site]] = set()
        self._unequal: set[tuple[Site, Site]] = set()

    def same(self, old: Site, new: Site) -> bool:
        """Return True if two sites are equivalent; a recursive pair is assumed equal until a difference is found."""
        found_in: dict[tuple[Site, Site], tuple[Site, Site] | None] = {(old, new): None}
        pending = [(old, new)]
        while pending:
            pair = pending.pop()
            if pair in self._equal:
                continue
            if pair in self._unequal or not _are_alike(*pair):
                differing: tuple[Site, Site] | None = pair
                while differing is not None:  # what contains a difference differs
                    self._unequal.add(differing)
                    differing = found_in[differing]
                return False
            inner = [one for one in _below(*pair) if one not in found_in]
            found_in |= dict.fromkeys(inner, pair)
            pending += inner
        self._equal |= found_in.keys()
        return True


def _are_alike(old: Site, new: Site) -> bool:
    """Return True if two schema objects are equal, without comparing nested schemas."""
    one, other = _own(old), _own(new)
    return (
        one.keys() == other.keys()
        and all(_fingerprint(key, one[key]) == _fingerprint(key, other[key]) for key in one)
        and discriminator_values(old).keys() == discriminator_values(new).keys()
    )


def _below(old: Site, new: Site) -> Iterator[tuple[Site, Site]]:
    for within, part in inner_schemas(_own(old)):
        if isinstance(part, dict):
            yield old.child(*within), new.child(*within)
    new_values = discriminator_values(new)
    yield from ((site, new_values[value]) for value, site in discriminator_values(old).items())


def discriminator_values(site: Site) -> dict[str, Site]:
    """Return the values of a discriminator and their alternatives: from `mapping`, else the component names."""
    if "discriminator" not in site.schema:
        return {}
    targets = mapped_schemas(site.schema, site.contract.document)
    mapped = {value: Site.of(site.contract, schema, pointer) for value, (pointer, schema) in targets.items()}
    named = {
        part.pointer[-1]: part
        for kind in CHOICES
        for part in site.parts(kind)
        if part.pointer[:2] == ("components", "schemas") and part not in mapped.values()
    }
    return {**named, **mapped}


def _own(site: Site) -> dict[str, Any]:
    return {
        key: value for key, value in site.schema.items() if key not in _PROSE and not key.startswith("x-")
    }


def _fingerprint(keyword: str, value: Any) -> Any:
    match SCHEMA_WORDS.get(keyword):
        case "list":
            return len(value)
        case "map":
            return value.keys()
        case "schema" if isinstance(value, dict):
            return dict
    if keyword == "discriminator":
        return value.get("propertyName")
    if keyword == "type" and isinstance(value, list):
        return frozenset(value)
    return value if isinstance(value, str) else json_key(value)
