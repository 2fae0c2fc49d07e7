"""Serving and token verification of the Python programs, configured by BENCH_* variables."""

from __future__ import annotations

import hashlib
import os
import time
from collections import OrderedDict
from typing import Any

import jwt
from response_data import ORGANIZATION, USER

USERS = {USER: ORGANIZATION}
SECRET = os.environ["BENCH_SECRET"]
SOURCE = os.environ.get("BENCH_SOURCE", "memory")
UVICORN: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": int(os.environ.get("PORT", "0")),
    "log_level": "info",
    "access_log": os.environ.get("BENCH_ACCESS_LOG") == "1",
}
REFUSED = {"success": False, "error": "A valid credential is required", "code": "UNAUTHENTICATED"}

MAX_CACHED = 2048
CACHE_SECONDS = 60.0


def verify(token: str) -> dict[str, Any]:
    """Return a token's claims; raise jwt.PyJWTError for an invalid token."""
    return jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp"]})


_cache: OrderedDict[bytes, tuple[dict[str, Any], float]] = OrderedDict()


def verify_cached(token: str) -> dict[str, Any]:
    """Verify a token with a cache as in Relay: for a minute, and within the token's own times."""
    mark = hashlib.sha256(token.encode()).digest()
    found = _cache.get(mark)
    if found is not None and time.monotonic() < found[1]:
        claims, now = found[0], time.time()
        if claims.get("nbf", 0) <= now < claims["exp"]:
            return claims
    claims = verify(token)
    _cache[mark] = claims, time.monotonic() + CACHE_SECONDS
    if len(_cache) > MAX_CACHED:
        _cache.popitem(last=False)
    return claims
