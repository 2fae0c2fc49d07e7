"""Data, serving and token verification of the Python programs, configured by BENCH_* variables."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import jwt

_DATA = json.loads(Path(os.environ["BENCH_DATA"]).read_text("utf-8"))
BODY: dict[str, Any] = _DATA["body"]
USERS = {_DATA["user"]: _DATA["organization"]}
SECRET = os.environ["BENCH_SECRET"]
SOURCE = os.environ["BENCH_SOURCE"]
PATH = os.environ["BENCH_PATH"]
UVICORN: dict[str, Any] = {"host": "127.0.0.1", "port": int(os.environ["PORT"]), "access_log": False}

MAX_CACHED, CACHE_SECONDS = 2048, 60.0


def verify(token: str) -> dict[str, Any]:
    """Return a token's claims; raise jwt.PyJWTError for an invalid token."""
    return jwt.decode(token, os.environ["BENCH_SECRET"], algorithms=["HS256"], options={"require": ["exp"]})


_cache: OrderedDict[bytes, tuple[dict[str, Any], float]] = OrderedDict()


def verify_cached(token: str) -> dict[str, Any]:
    """Verify a token with a memory as Relay's: for a minute, and within the token's own times."""
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
