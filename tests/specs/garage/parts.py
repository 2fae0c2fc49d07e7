"""Operations of the tag Parts."""

from __future__ import annotations

from typing import Any

from ._garage import Garage, NotEnoughLeft, Reference


async def get_part(*, reference: Reference, depth: int, garage: Garage):
    """Show a part and, to a depth, what it is put together from."""
    return _view(garage.part(reference), depth)


async def change_stock(*, reference: Reference, body: dict[str, Any], garage: Garage):
    """Change how many of a part are left."""
    part = garage.part(reference)
    if part["stock"] + body["change"] < 0:
        raise NotEnoughLeft
    part["stock"] += body["change"]
    return _view(part, 0)


def _view(part: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth == 0:
        return {key: value for key, value in part.items() if key != "contains"}
    return {**part, "contains": [_view(inner, depth - 1) for inner in part["contains"]]}
