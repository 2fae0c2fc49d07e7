"""Operations of the tag Logbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._types import Entry


async def write_log(*, body: Entry):
    """Enter what a telescope sent."""
    return body
