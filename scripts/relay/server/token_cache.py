"""What was verified a moment ago, so that the same token is not verified again with each request."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from .keys import Key

MAX_REMEMBERED = 2048
"""Tokens; the claims of one are at most 6 KB, and hardly ever more than 500 bytes."""


class Verified(NamedTuple):
    """A token that was good: its claims as JSON, the key that it was good with, and for how long."""

    claims: bytes
    kid: str | None
    key: Key
    not_before: float
    expires: float
    forgotten: float


def fingerprint(token: str) -> bytes:
    """Return what a token is remembered by: from a dump of this memory nobody can sign in."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


class TokenCache:
    """The last tokens that were good, by fingerprint.

    Nothing is remembered for longer than `seconds`, nor past the token's own times, by which clocks may
    differ by `leeway` seconds.
    """

    def __init__(self, seconds: float, leeway: float) -> None:
        self._seconds, self._leeway = seconds, leeway
        self._tokens: OrderedDict[bytes, Verified] = OrderedDict()

    def get(self, mark: bytes) -> Verified | None:
        """Return what is known of a token, whose key is still to be compared; None for nothing."""
        found = self._tokens.get(mark)
        if found is None or time.monotonic() >= found.forgotten:
            return None
        now = time.time()
        is_timely = found.not_before <= now + self._leeway and now - self._leeway < found.expires
        return found if is_timely else None

    def put(self, mark: bytes, claims: Mapping[str, Any], kid: str | None, key: Key) -> None:
        """Remember a token that was good, unless its claims cannot be written down exactly."""
        if not self._seconds:
            return
        try:
            written = orjson.dumps(claims)
        except orjson.JSONEncodeError:  # an integer over 64 bits
            return
        not_before = max(claims.get("nbf", 0), claims.get("iat", 0))
        forgotten = time.monotonic() + self._seconds
        self._tokens[mark] = Verified(written, kid, key, not_before, claims["exp"], forgotten)
        if len(self._tokens) > MAX_REMEMBERED:
            self._tokens.popitem(last=False)
