"""A pair of old and new schema in one direction: which side produces values, and which consumes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from relay.validation.schemas import Direction

from .changes import Difference
from .schema_view import Shape
from .sites import Site, Sites

T = TypeVar("T")


class Child(NamedTuple):
    """A pair of schemas within a pair, to be compared too; `name` is the name if it is a property."""

    old: Sites
    new: Sites
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """An old and a new schema of requests or of responses.

    A request that is valid for the old schema must be valid for the new one; a response that is valid for the new
    schema must be valid for the old one. The `producer` is the side that sends values, the `consumer` the side
    that must accept them.
    """

    old: Shape
    new: Shape
    direction: Direction

    @property
    def producer(self) -> Shape:
        """The shape whose values must all be accepted."""
        return self.in_order(self.old, self.new)[0]

    @property
    def consumer(self) -> Shape:
        """The shape that must accept them."""
        return self.in_order(self.old, self.new)[1]

    def in_order(self, old: T, new: T) -> tuple[T, T]:
        """Return the values of old and new in the order producer, consumer."""
        return (old, new) if self.direction == "request" else (new, old)

    def child(self, producer: Sites, consumer: Sites, name: str | None = None) -> Child:
        """Return a pair within this one."""
        return Child(*self.in_order(producer, consumer), name)  # swapping twice restores the order old, new

    def differs(self, request: str, response: str, what: str, keyword: str) -> Difference:
        """Return a difference at a keyword, by the rule of this direction."""
        return Difference(
            f"{self.direction}-{request if self.direction == 'request' else response}",
            what,
            (*self.old.part_with(keyword).pointer, keyword),
            (*self.new.part_with(keyword).pointer, keyword),
        )

    def undecided(self, keyword: str) -> Difference:
        """Return a difference at a keyword that the consumer has, and of which the effect is not known."""
        what = f"`{keyword}` was added or changed, and may refuse values that were valid"
        if self.direction == "response":
            what = f"`{keyword}` was removed or changed, and there may be values that were not valid"
        return self.differs("keyword-narrowed", "keyword-widened", what, keyword)


class Comparers(NamedTuple):
    """Functions of the whole comparison that the comparison of one pair needs."""

    same: Callable[[Site, Site], bool]
    """Returns True if an old and a new site are equivalent."""
    is_compatible: Callable[[Sites, Sites, Direction], bool]
    """Returns True if the change from old to new breaks no client in a direction."""
