"""The header Accept (RFC 9110 section 12.5.1): which media types a client wants."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
