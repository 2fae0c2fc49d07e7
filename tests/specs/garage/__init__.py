"""The handlers of a repair garage: the host's second user, in memory."""

from __future__ import annotations

from contextlib import asynccontextmanager

from ._garage import Garage

STOREROOM_KEY = "hangs-behind-the-storeroom-door"


@asynccontextmanager
async def collaborators(_settings):
    """Open the garage with its parts on the shelf."""
    yield {"garage": Garage()}


def storeroom(key: str) -> dict[str, str] | None:
    """Know who holds the key of the storeroom."""
    return {"sub": "storekeeper"} if key == STOREROOM_KEY else None


verifiers = {"storeroomKey": storeroom}


async def identify(claims) -> str:
    """Name who calls; the books do not say more about people."""
    return claims.get("sub", "somebody")
