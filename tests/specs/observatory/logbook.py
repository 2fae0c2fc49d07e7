"""Operations of the tag Logbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from relay import Reply

if TYPE_CHECKING:
    from ._types import Entry, Name, Night, Reading, Upload

PICTURE = b"\x89PNG\r\n\x1a\n"


async def write_log(*, body: Entry):
    """Enter what a telescope sent."""
    return body


async def get_night(*, name: Name) -> list[Reading | str | list[Reading] | bytes]:
    """Fetch what was seen of a star."""
    picture: Any = Reply(PICTURE, headers={"Content-Location": f"pictures/{name}.png"})
    return [{"celsius": 4.5}, f"{name} was bright", [{"celsius": 4}, {"celsius": 3}], picture]


async def add_night(
    *, name: Name, body: dict[str, Any] | list[Reading | int | Upload]
) -> tuple[Night, Literal[201]]:
    """File what was seen of a star."""
    parts = body["readings"] if isinstance(body, dict) else body
    return {"celsius": parts[0]["celsius"], "parts": len(parts)}, 201
