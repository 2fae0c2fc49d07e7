"""Secrets in every spelling that they come out in by accident."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MIN_LENGTH = 8
"""Shorter values are not looked for: they stand in innocent text, too."""


class Spellings:
    """The spellings of some secrets: as they are, escaped for JSON and URLs, base64, hexadecimal."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {spelling for secret in secrets for spelling in _spellings(secret)}
        self._spellings = sorted(found, key=lambda spelling: (-len(spelling), spelling))

    def are_in(self, data: bytes) -> bool:
        """Whether one of them stands in some bytes."""
        return any(spelling in data for spelling in self._spellings)

    def replaced(self, data: bytes, instead: bytes) -> bytes:
        """Return some bytes with something else in the place of each of them, the longest first."""
        for spelling in self._spellings:
            data = data.replace(spelling, instead)
        return data


def _spellings(secret: str) -> Iterator[bytes]:
    raw = secret.encode(errors="surrogateescape")  # a variable of the environment may hold any bytes
    if len(raw) < MIN_LENGTH:
        return
    yield raw
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted.encode()
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret, ensure_ascii=False)[1:-1].encode(errors="surrogateescape")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for before in range(3):  # what stands before it shifts base64 by one of three
        coded = base64.b64encode(bytes(before) + raw)
        inner = coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
