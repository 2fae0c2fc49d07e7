"""The plants of the nursery."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._types import Plant


class NoSuchPlant(Exception):
    """There is no plant of this number."""

    status, code, message = 404, "NO_SUCH_PLANT", "The nursery has no such plant"


class Nursery:
    """Plants by number."""

    def __init__(self) -> None:
        self._numbers = count(2)
        self._plants: dict[int, Plant] = {1: {"number": 1, "kind": "tree", "name": "Oak", "height": 12.5}}

    def plants(self) -> list[Plant]:
        """Return all plants, the tallest first."""
        return sorted(self._plants.values(), key=lambda one: -(one.get("height") or 0))

    def plant(self, number: int) -> Plant:
        """Find a plant; raise NoSuchPlant."""
        if number not in self._plants:
            raise NoSuchPlant
        return self._plants[number]

    def add(self, plant: Plant) -> Plant:
        """Add a plant."""
        number = next(self._numbers)
        self._plants[number] = {**plant, "number": number}
        return self._plants[number]

    def remove(self, number: int) -> None:
        """Remove a plant; raise NoSuchPlant."""
        self.plant(number)
        del self._plants[number]
