"""What a value is built for, and what builds the values within it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from .judging import SchemaJudge
from .schema_parts import SchemaPart

MAX_PARTS = 2_000
"""Maximum number of values built for one sample, including discarded ones."""
TRIES = 8
"""Values tried where a value must differ from others."""


class TooLarge(Exception):
    """The value would be infinite or exceed the limits."""


class Target(NamedTuple):
    """What a value is built for: its schemas as given and flat, its nesting, and which variant is wanted.

    If it is conditional, a value of another type is no solution, for another branch may have a better one.
    """

    given: list[SchemaPart]
    parts: list[SchemaPart]
    level: int
    variant: int
    is_conditional: bool = False


class Builder(Protocol):
    """Builds values, with optional parts down to `depth` levels."""

    @property
    def schemas(self) -> SchemaJudge:
        """What judges the values."""

    @property
    def depth(self) -> int:
        """The number of levels with optional parts."""

    def value(self, given: list[SchemaPart], level: int, variant: int = 0) -> Any:
        """Return a value for all schemas. Raises NoSample and TooLarge."""

    def spend(self, cost: int) -> None:
        """Count values or properties that are considered. Raises TooLarge."""
