"""The handlers of a plant nursery: what OpenAPI 3.1 has and 3.0 has not, in memory."""

from __future__ import annotations

from contextlib import asynccontextmanager

from ._nursery import Nursery

GATE_KEY = "under-the-third-flower-pot-on-the-left"


@asynccontextmanager
async def collaborators(_settings):
    """Open the nursery."""
    yield {"nursery": Nursery()}


def gate(key: str) -> dict[str, str] | None:
    """Verify the key of the gate."""
    return {"sub": "gardener"} if key == GATE_KEY else None


verifiers = {"gate": gate}
