"""A cache of verified tokens, so that a token is not verified again for each request."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from .keys import Key

MAX_CACHED = 2048  # number of tokens; the claims of one take 6 KB at most, rarely more than 500 bytes


class Verified(NamedTuple):
    """A verified token: its claims as JSON, the key that verified it, and its times."""

    claims: bytes
    kid: str | None
    key: Key
    not_before: float  # Unix time
    expires: float
    evict_at: float  # seconds of the monotonic clock


def fingerprint(token: str) -> bytes:
    """Return the cache key of a token; a hash, so that a memory dump of the cache contains no usable tokens."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


@dataclass(eq=False, repr=False)
class TokenCache:
    """Recently verified tokens, for `seconds` and within their times, with clocks `leeway` seconds apart."""

    _seconds: float
    _leeway: float
    _tokens: OrderedDict[bytes, Verified] = field(default_factory=OrderedDict)

    def get(self, mark: bytes) -> Verified | None:
        """Return the entry of a token, or None; the caller must check that its key is still valid."""
        found, now, leeway = self._tokens.get(mark), time.time(), self._leeway
        if found is None or time.monotonic() >= found.evict_at:
            return None
        return found if found.not_before <= now + leeway and now - leeway < found.expires else None

    def put(self, mark: bytes, claims: Mapping[str, Any], kid: str | None, key: Key) -> None:
        """Cache a verified token, unless its claims cannot be serialised exactly."""
        if not self._seconds:
            return
        try:
            written = orjson.dumps(claims)
        except orjson.JSONEncodeError:  # an integer over 64 bits
            return
        not_before = max(claims.get("nbf", 0), claims.get("iat", 0))
        evict_at = time.monotonic() + self._seconds
        self._tokens[mark] = Verified(written, kid, key, not_before, claims["exp"], evict_at)
        if len(self._tokens) > MAX_CACHED:
            self._tokens.popitem(last=False)
