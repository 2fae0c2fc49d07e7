"""/livez and /readyz: whether the process runs, and whether it can serve requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from relay.contract.diagnostics import Diagnostic
from relay.validation.http import ALWAYS, Response

PROBES = frozenset(["/livez", "/readyz", "/metrics"])
"""Paths that monitoring requests every few seconds: exempt from the request limit, logged at debug level."""

READY_TIMEOUT = 3.0  # seconds

_HEADERS = [(b"content-type", b"application/json"), *ALWAYS]


async def livez() -> Response:
    """Return 200."""
    return Response(200, list(_HEADERS), b'{"status":"live"}')


async def readyz(
    collaborators: Mapping[str, Any], reload_problems: Iterable[Diagnostic] = (), not_served: int = 0
) -> Response:
    """Return 200 if `ready()` succeeds on every collaborator that has it, else 503 with the failing names.

    The body also lists the errors of a rejected reload, and counts the operations that are not served.
    """
    checks = {
        name: collaborator.ready()
        for name, collaborator in collaborators.items()
        if hasattr(collaborator, "ready")
    }
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            results = await asyncio.gather(*checks.values(), return_exceptions=True)
    except TimeoutError:
        results = [TimeoutError()] * len(checks)
    failing = [
        name for name, result in zip(checks, results, strict=True) if isinstance(result, BaseException)
    ]
    body: dict[str, Any] = {"status": "unavailable", "failing": failing} if failing else {"status": "ready"}
    if not_served:
        body["not_served"] = not_served
    if reload := [{"where": str(one.where), "message": one.message} for one in reload_problems]:
        body["reload"] = reload
    return Response(503 if failing else 200, list(_HEADERS), orjson.dumps(body))
