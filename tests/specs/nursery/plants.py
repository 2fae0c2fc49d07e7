"""Operations of the tag Plants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._nursery import Nursery
    from ._types import Catalogue, Count, Plant


async def listPlants(  # noqa: N802 -- the contract's name
    *,
    kind: Literal["tree", "flower"] | None = None,
    between: list[float] | None = None,
    limit: Count,
    nursery: Nursery,
) -> list[Plant]:
    """List plants, the tallest first."""
    least, greatest = between or [0, float("inf")]
    found = [one for one in nursery.plants() if kind in (None, one["kind"])]
    return [one for one in found if least <= (one.get("height") or 0) <= greatest][:limit]


async def addPlant(*, body: Plant, nursery: Nursery) -> Plant:  # noqa: N802
    """Add a plant."""
    return nursery.add(body)


async def showPlant(*, number: Count, nursery: Nursery) -> Plant:  # noqa: N802
    """Show a plant."""
    return nursery.plant(number)


async def removePlant(*, number: Count, nursery: Nursery) -> None:  # noqa: N802
    """Remove a plant."""
    nursery.remove(number)


async def showCatalogue() -> Catalogue:  # noqa: N802
    """Show the catalogue, a tree of families."""
    roses: Catalogue = {"title": "Roses", "kinds": 12}
    return {"title": "All", "kinds": 40, "families": [roses]}
