"""Operations of the tag Pictures."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._types import Picture


async def add_picture(*, body: Picture):
    """File a picture."""
    return _filed(body["image"].read()), 201


async def add_raw(*, body: bytes | None = None):
    """File what the sensor saw."""
    return _filed(body or b""), 201


def _filed(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "digest": hashlib.sha256(content).digest()}
