"""A schema before and after, seen in one direction: which side must fit into which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from relay.validation.schemas import Direction

from .changes import Difference
from .schema_view import Shape, Site, Sites

T = TypeVar("T")


class Child(NamedTuple):
    """A pair of schemas within a pair, to be compared as well; `name` is the property's, if it is one."""

    old: Sites
    new: Sites
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """What a request was and is allowed to be, or a response.

    A request that fitted the old schema must fit the new one, a response that fits the new one must
    have fitted the old one; `fitting` is what has to fit, `accepting` what it has to fit into.
    """

    old: Shape
    new: Shape
    direction: Direction

    @property
    def fitting(self) -> Shape:
        """The shape whose values must all be accepted."""
        return self.in_order(self.old, self.new)[0]

    @property
    def accepting(self) -> Shape:
        """The shape that must accept them."""
        return self.in_order(self.old, self.new)[1]

    def in_order(self, old: T, new: T) -> tuple[T, T]:
        """Return what is said of old and new as said of what has to fit, and of what it has to fit into."""
        return (old, new) if self.direction == "request" else (new, old)

    def child(self, fitting: Sites, accepting: Sites, name: str | None = None) -> Child:
        """Return a pair within this one."""
        return Child(*self.in_order(fitting, accepting), name)  # turned round twice, it is old and new again

    def differs(self, request: str, response: str, what: str, keyword: str) -> Difference:
        """Return a difference at a keyword, by the rule of this direction."""
        return Difference(
            f"{self.direction}-{request if self.direction == 'request' else response}",
            what,
            (*self.old.having(keyword).pointer, keyword),
            (*self.new.having(keyword).pointer, keyword),
        )


class Comparers(NamedTuple):
    """What is asked of the whole comparison while a pair is compared."""

    same: Callable[[Site, Site], bool]
    """Whether an old and a new site say the same."""
    fits: Callable[[Sites, Sites, Direction], bool]
    """Whether the change from old to new breaks nothing in a direction."""
