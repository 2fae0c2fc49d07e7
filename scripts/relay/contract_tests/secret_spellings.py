"""Find and replace secrets in every encoding in which they may leak."""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from .exchanges import REDACTED

MIN_LENGTH = 8  # shorter values are ignored, as they also occur in other text


class Spellings:
    """The encodings of some secrets: plain, escaped for JSON and URLs, base64, hexadecimal."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {spelling for secret in secrets for spelling in _spellings(secret)}
        self._spellings = sorted(found, key=lambda spelling: (-len(spelling), spelling))

    def are_in(self, data: bytes) -> bool:
        """Return True if some bytes contain one of them."""
        return any(spelling in data for spelling in self._spellings)

    def redacted(self, data: bytes) -> bytes:
        """Return some bytes with each of them replaced, the longest first."""
        for spelling in self._spellings:
            data = data.replace(spelling, REDACTED.encode())
        return data

    def redacted_text(self, text: str) -> str:
        """Return text with each of them replaced."""
        return self.redacted(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _spellings(secret: str) -> Iterator[bytes]:
    raw = secret.encode(errors="surrogateescape")  # an environment variable may contain any bytes
    if len(raw) < MIN_LENGTH:
        return
    yield raw
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted.encode()
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret, ensure_ascii=False)[1:-1].encode(errors="surrogateescape")
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for before in range(3):  # the bytes before it shift base64 in one of three ways
        coded = base64.b64encode(bytes(before) + raw)
        inner = coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
