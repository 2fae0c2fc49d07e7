"""Operations of the tag Measurements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from relay import Event, Request

if TYPE_CHECKING:
    from ._types import Measurement

_START = datetime(2026, 1, 1, tzinfo=UTC)
_PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def _measurements(count: int) -> Iterator[Any]:
    for number in range(count):
        yield {"at": _START + timedelta(hours=number), "celsius": number / 10 if number else None}


def follow_measurements(*, count: int, request: Request) -> AsyncIterator[Event] | Iterator[Measurement]:
    """Follow the measurements."""
    others = ("application/jsonl", "application/json-seq")
    if request.preferred("text/event-stream", *others) in others:
        return _measurements(count)
    return _events(count)


async def _events(count: int) -> AsyncIterator[Event]:
    yield Event(comment="measured every hour")
    for number, one in enumerate(_measurements(count)):
        yield Event(one, event="measured", id=str(number))


async def add_measurements(*, body: AsyncIterator[Measurement] | list[Measurement]) -> dict[str, int]:
    """Add measurements."""
    if isinstance(body, list):
        return {"count": len(body)}
    return {"count": len([one async for one in body])}


async def list_pictures() -> AsyncIterator[str | bytes]:
    """List pictures of the sky with their captions."""
    yield "Clouds over the roof"
    yield _PICTURE
