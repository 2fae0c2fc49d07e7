"""A pair of old and new schema in one direction: which side produces values, and which consumes them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from relay.contract.model import ABSENT
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
    are_same: Callable[[Site, Site], bool]  # returns True if an old and a new site are equivalent
    are_compatible: Callable[[Sites, Sites, Direction], bool]
    """Returns True if the change from old to new breaks no client in a direction."""

    @property
    def sides(self) -> tuple[Shape, Shape]:
        """Old and new."""
        return self.old, self.new

    @property
    def producer(self) -> Shape:
        """The shape whose values must all be accepted."""
        return self.in_order(self.old, self.new)[0]

    @property
    def consumer(self) -> Shape:
        """The shape that must accept them."""
        return self.in_order(self.old, self.new)[1]

    def in_order(self, old: T, new: T) -> tuple[T, T]:
        """Return the values of old and new in the order producer, consumer; twice restores the order old, new."""
        return (old, new) if self.direction == "request" else (new, old)

    def by_direction(self, request: T, response: T) -> T:
        """Return the value for this direction."""
        return request if self.direction == "request" else response

    def same(self, producer: Site, consumer: Site) -> bool:
        """Return True if two sites are equivalent."""
        return self.are_same(*self.in_order(producer, consumer))

    def is_compatible(self, producer: Sites, consumer: Sites, *, is_reverse: bool = False) -> bool:
        """Return True if no difference between some sites breaks clients; if reversed, in the other direction."""
        direction: Direction = "request" if (self.direction == "request") != is_reverse else "response"
        return self.are_compatible(*self.in_order(producer, consumer), direction)

    def are_among(self, consumer: list[Site], producer: list[Site]) -> bool:
        """Return True if each site of the consumer is equivalent to one of the producer."""
        return all(any(self.same(other, site) for other in producer) for site in consumer)

    def child(self, producer: Sites, consumer: Sites, name: str | None = None) -> Child:
        """Return a pair within this one."""
        return Child(*self.in_order(producer, consumer), name)

    def differs(self, request: str, response: str, what: str, keyword: str) -> Difference:
        """Return a difference at a keyword, by the rule of this direction."""
        rule = f"{self.direction}-{self.by_direction(request, response)}"
        old, new = ((*shape.part_with(keyword).pointer, keyword) for shape in self.sides)
        return Difference(rule, what, old, new)

    def narrows(self, rule: str, what: str, keyword: str) -> Difference:
        """Return a difference at a keyword of the consumer, which is narrower than the producer's."""
        return self.differs(f"{rule}-narrowed", f"{rule}-widened", what, keyword)

    def undecided(self, keyword: str) -> Difference:
        """Return a difference at a keyword that the consumer has, and of which the effect is not known."""
        effect = self.by_direction(
            "was added or changed, and may refuse values that were valid",
            "was removed or changed, and there may be values that were not valid",
        )
        return self.narrows("keyword", f"`{keyword}` {effect}", keyword)


def together(values: list[Any]) -> Any:
    """Return the values of a keyword for a message; ABSENT if there are none."""
    return " and ".join(map(str, values)) if len(values) > 1 else values[0] if values else ABSENT


def changed(what: str, old: Any, new: Any) -> str:
    """Describe the change of a value, of which one may be ABSENT."""
    if old is ABSENT:
        return f"{what} {_shown(new)} was added"
    if new is ABSENT:
        return f"{what} {_shown(old)} was removed"
    return f"{what} changed from {_shown(old)} to {_shown(new)}"


def listed(values: Iterable[Any]) -> str:
    """Return the first values of a list as JSON, and the number of the others."""
    shown = [_shown(value) for value in values]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
