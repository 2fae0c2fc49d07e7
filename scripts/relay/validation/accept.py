"""The header Accept (RFC 9110 section 12.5.1): which media types a client wants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from . import media_types as media
from .structured_fields import elements, parameters

_WEIGHT = re.compile(r"(0?\.\d{1,3}|0\.?|1(\.0{0,3})?)", re.ASCII)  # `.5` is sent, too


def read_accept(header: str) -> dict[str, float]:
    """Return media range → weight; the range as `find` expects it. Malformed weights are ignored."""
    weights: dict[str, float] = {}
    for element in elements(header):
        _, found = parameters(element)
        weight = dict(found).get("q", "1").strip()
        weights[media.key_of(element, without="q")] = float(weight) if _WEIGHT.fullmatch(weight) else 1.0
    return weights


def weight_of(media_type: str, weights: Mapping[str, float]) -> float:
    """Return the weight of a media type, by the most specific range; 0 if it is not acceptable.

    A media type without parameters is also acceptable to a client that asks for it with some.
    """
    found = media.find(media_type, weights)
    if found is None:
        key = media.key_of(media_type)
        found = max((weight for name, weight in weights.items() if media.essence(name) == key), default=0.0)
    return found


def accepts_any(media_types: Iterable[str], header: str) -> bool:
    """Return True if at least one media type is acceptable; a range always is, as it may be what is wanted."""
    weights = read_accept(header)
    return any("*" in name or weight_of(name, weights) > 0 for name in media_types)


def by_weight(media_types: Iterable[str], header: str | None) -> list[str]:
    """Return the acceptable media types, the most wanted first, equal ones in their order; all without a header."""
    if header is None:
        return [*media_types]
    weights = read_accept(header)
    weighted = [(weight_of(name, weights), name) for name in media_types]
    return [name for weight, name in sorted(weighted, key=lambda one: -one[0]) if weight > 0]
