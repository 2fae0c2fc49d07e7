"""The stars that the observatory knows."""

from __future__ import annotations

from typing import Any


class UnknownStar(Exception):
    """The sky has no such star."""

    status, code, message = 404, "UNKNOWN_STAR", "The sky has no such star"


class Sky:
    """Stars by name."""

    def __init__(self) -> None:
        self.stars: dict[str, dict[str, Any]] = {
            "vega-1": {"name": "vega-1", "magnitude": 0.03, "kind": "single"},
            "sirius-2": {"name": "sirius-2", "magnitudes": [-1.46, 8.44], "kind": "double"},
        }

    def star(self, name: str) -> dict[str, Any]:
        """Return a star; raise UnknownStar."""
        if name not in self.stars:
            raise UnknownStar
        return self.stars[name]

    def found(self, names: list[str] | None = None, brighter: float | None = None) -> list[dict[str, Any]]:
        """Return the stars with some names, and of at least a brightness."""
        found = [star for name, star in self.stars.items() if names is None or name in names]
        return [star for star in found if brighter is None or _magnitude(star) < brighter]

    def copy(self, name: str, to: str) -> dict[str, Any]:
        """Return a star under another name; raise UnknownStar."""
        return {**self.star(name), "name": to}


def _magnitude(star: dict[str, Any]) -> float:
    return float(star.get("magnitude", min(star.get("magnitudes", [0]))))
