"""/livez and /readyz: is the process up, can it do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from .messages import Answer

READY_TIMEOUT = 3.0  # seconds

_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


async def livez() -> Answer:
    """Answer 200 as long as the process answers at all."""
    return Answer(200, list(_HEADERS), b'{"status":"live"}')


async def readyz(collaborators: Mapping[str, Any]) -> Answer:
    """Answer 200 when every collaborator that has `ready()` returns from it, else 503 with their names."""
    checks = {name: one.ready() for name, one in collaborators.items() if hasattr(one, "ready")}
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            results = await asyncio.gather(*checks.values(), return_exceptions=True)
    except TimeoutError:
        results = [TimeoutError()] * len(checks)
    failing = [
        name for name, result in zip(checks, results, strict=True) if isinstance(result, BaseException)
    ]
    if failing:
        return Answer(503, list(_HEADERS), orjson.dumps({"status": "unavailable", "failing": failing}))
    return Answer(200, list(_HEADERS), b'{"status":"ready"}')
