"""/livez and /readyz: is the process up, can it do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from relay.contract.diagnostics import Diagnostic
from relay.validation.http import ALWAYS, Answer

PROBES = frozenset(["/livez", "/readyz", "/metrics"])
"""What machines ask every few seconds: answered however busy the service is, and no news for the log."""

READY_TIMEOUT = 3.0  # seconds

_HEADERS = [(b"content-type", b"application/json"), *ALWAYS]


async def livez() -> Answer:
    """Answer 200 as long as the process answers at all."""
    return Answer(200, list(_HEADERS), b'{"status":"live"}')


async def readyz(collaborators: Mapping[str, Any], reload_problems: Iterable[Diagnostic] = ()) -> Answer:
    """Answer 200 when every collaborator that has `ready()` returns from it, else 503 with their names.

    Why a newer version of the service was not taken is told in either case.
    """
    checks = {name: one.ready() for name, one in collaborators.items() if hasattr(one, "ready")}
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            results = await asyncio.gather(*checks.values(), return_exceptions=True)
    except TimeoutError:
        results = [TimeoutError()] * len(checks)
    failing = [
        name for name, result in zip(checks, results, strict=True) if isinstance(result, BaseException)
    ]
    told: dict[str, Any] = {"status": "unavailable", "failing": failing} if failing else {"status": "ready"}
    if reload := [{"where": str(one.where), "message": one.message} for one in reload_problems]:
        told["reload"] = reload
    return Answer(503 if failing else 200, list(_HEADERS), orjson.dumps(told))
