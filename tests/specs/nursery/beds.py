"""Operations of the tag Beds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._types import Code, Labels


async def labelBed(*, bed: Code, body: Labels) -> Labels:  # noqa: N802 -- each bed takes any labels
    """Write the labels of a bed."""
    return body
