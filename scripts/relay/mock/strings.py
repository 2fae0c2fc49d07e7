"""Generates deterministic strings of a `format` or a length."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Callable, Iterator

_DAY = dt.date(2024, 1, 1)


def of_format(name: str, least: int, variant: int) -> Iterator[str]:
    """Yield candidates for a format: a typical one, one of length `least`, short ones; the caller validates them.

    Each `variant` gives other strings.
    """
    if (write := _WRITERS.get(name)) is not None:
        yield write(variant, 0)
        yield write(variant, least)
    yield from _SHORT.get(name, ())


def of_length(least: int, most: int | None, variant: int) -> str:
    """Return a string within a length range; each `variant` gives another one if the length allows it."""
    number = str(variant) if variant else ""
    text = "string"[: None if most is None else max(most - len(number), 0)] + number
    return text.ljust(least, "a")[:most]


def _day(variant: int) -> dt.date:
    return _DAY + dt.timedelta(days=variant)


def _fraction(missing: int) -> str:
    """Return a fraction of a second that adds at least `missing` characters to a time."""
    return "." + "0" * max(missing - 1, 1) if missing > 0 else ""


_WRITERS: dict[str, Callable[[int, int], str]] = {
    "date": lambda variant, _: _day(variant).isoformat(),
    "date-time": lambda variant, least: f"{_day(variant)}T12:00:00{_fraction(least - 20)}Z",
    "time": lambda variant, _: f"12:00:{variant % 60:02}Z",
    "duration": lambda variant, _: f"P{variant + 1}D",
    "uuid": lambda variant, _: str(uuid.UUID(int=variant + 1, version=4)),
    "email": lambda variant, least: f"someone{variant or ''}@example.com".rjust(least, "a"),
    "idn-email": lambda variant, least: f"someone{variant or ''}@example.com".rjust(least, "a"),
    "hostname": lambda variant, least: f"host{variant or ''}.example.com".rjust(least, "a"),
    "ipv4": lambda variant, _: f"192.0.2.{variant % 254 + 1}",
    "ipv6": lambda variant, _: f"2001:db8::{variant + 1:x}",
    "uri": lambda variant, least: f"https://example.com/{variant or ''}".ljust(least, "a"),
    "url": lambda variant, least: f"https://example.com/{variant or ''}".ljust(least, "a"),
    "iri": lambda variant, least: f"https://example.com/{variant or ''}".ljust(least, "a"),
    "uri-reference": lambda variant, least: f"/{variant or ''}".ljust(least, "a"),
    "json-pointer": lambda variant, least: f"/{variant or ''}".ljust(least, "a"),
    "byte": lambda variant, least: base64.b64encode(
        of_length(least * 3 // 4, None, variant).encode()
    ).decode(),
    "regex": lambda variant, least: f"a{variant or ''}".ljust(least, "a"),
}
_SHORT = {
    "email": ("a@b.co",),
    "hostname": ("a",),
    "ipv6": ("::", "::1"),
    "uri": ("a:b",),
    "byte": ("",),
    "json-pointer": ("",),
}
