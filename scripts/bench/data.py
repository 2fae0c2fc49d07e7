"""The token that every program accepts, and the secret it is signed with."""

from __future__ import annotations

import time

import jwt

from bench.programs.response_data import ORGANIZATION, PATH, USER

__all__ = ["ORGANIZATION", "PATH", "SECRET", "USER", "token"]

SECRET = "a-secret-for-benchmarks-of-thirty-two-bytes"  # noqa: S105 -- signs for loopback only


def token() -> str:
    """Return a token that is valid for a day."""
    return jwt.encode({"userId": USER, "sub": USER, "exp": int(time.time()) + 86400}, SECRET, "HS256")
