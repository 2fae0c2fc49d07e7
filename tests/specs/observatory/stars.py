"""Operations of the tag Stars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ._sky import Sky

if TYPE_CHECKING:
    from ._types import Name, Search


async def find_stars(*, body: Search, sky: Sky):
    """Find stars by a description of them."""
    return sky.found(**body)


async def list_stars(*, filter: dict[str, Any] | None = None, sky: Sky):  # noqa: A002 -- the contract's name
    """List the stars that a query string describes."""
    return sky.found(**(filter or {}))


async def copy_star(*, name: Name, body: dict[str, Any], sky: Sky):
    """Enter a star again, under another name."""
    return sky.copy(name, body["to"])


async def get_star(*, name: Name, units: Literal["ly", "pc", "km"] = "ly", sky: Sky):
    """Show a star."""
    return sky.star(name), 200, {"X-Units": units}
