"""The handlers of an observatory, in memory: what OpenAPI 3.1 and 3.2 add to a document."""

from __future__ import annotations

from contextlib import asynccontextmanager

from ._sky import Sky

SESSION = "the-dome-is-open"


@asynccontextmanager
async def collaborators(_settings):
    """Open the sky with its stars."""
    yield {"sky": Sky()}


def of_session(session: str) -> dict[str, str] | None:
    """Return who has a session."""
    return {"sub": "observer"} if session == SESSION else None


verifiers = {"session": of_session}
