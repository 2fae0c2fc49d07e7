"""Compares `anyOf` and `oneOf`: matches old and new alternatives, and detects new overlaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from relay.validation.schemas import Direction

from .changes import Difference
from .schema_pair import Child, Comparers, Pair
from .schema_view import Alternatives, View
from .sites import Site, Sites

_MAX_TRIED = 1_000  # values of an enum, times alternatives
_DEPTH = 4  # levels of properties searched for a difference between two alternatives


def is_split(pair: Pair) -> bool:
    """Return True if only the producer has alternatives, so that each is compared on its own."""
    return bool(pair.producer.groups) and not pair.consumer.groups


def split(pair: Pair) -> Iterator[Child]:
    """Yield each alternative of the producer, to be compared with the whole consumer."""
    group, *_ = pair.producer.groups
    rest = [part.excluding(group.kind) if part == group.owner else part for part in pair.producer.parts]
    for site in group.sites:
        yield pair.child(tuple(dict.fromkeys([*rest, site])), pair.consumer.sites)


def compare_alternatives(pair: Pair, view: View, comparers: Comparers) -> Iterator[Difference | Child]:
    """Yield alternatives that the consumer does not know; `view` is the consumer's view."""
    for index, group in enumerate(pair.consumer.groups):
        producer_groups = pair.producer.groups
        if producer_groups:
            yield from _compare_groups(
                pair, producer_groups[min(index, len(producer_groups) - 1)], group, view, comparers
            )
        else:
            yield from _compare_whole(pair, group, view, comparers)


def _compare_groups(
    pair: Pair, producer_group: Alternatives, group: Alternatives, view: View, comparers: Comparers
) -> Iterator[Difference | Child]:
    matches = _match(pair, producer_group.sites, group.sites, comparers)
    unmatched = [site for site in producer_group.sites if site not in matches]
    for site in unmatched:
        yield _alternative(pair, site, group)
    for site, other in matches.items():
        yield pair.child((site,), (other,))
    if group.kind == "oneOf" and not unmatched and _is_wider(pair, producer_group, group, matches, comparers):
        yield from _overlaps(pair, combinations([(site,) for site in group.sites], 2), group, view)


def _match(pair: Pair, producer: Sites, consumer: Sites, comparers: Comparers) -> dict[Site, Site]:
    """Match alternatives: equal ones, then by component name, compatible ones, and by type."""

    def same(site: Site, other: Site) -> bool:
        old, new = pair.in_order(site, other)
        return comparers.same(old, new)

    def is_compatible(site: Site, other: Site) -> bool:
        return _is_compatible(pair, (site,), (other,), comparers)

    criteria: list[tuple[Callable[[Site, Site], bool], bool]] = [
        (same, True),
        (_has_same_name, True),
        (is_compatible, False),
        (_has_same_type, True),
    ]
    matches: dict[Site, Site] = {}
    for criterion, is_exclusive in criteria:
        for site in [one for one in producer if one not in matches]:
            taken = matches.values() if is_exclusive else ()
            found = next((other for other in consumer if other not in taken and criterion(site, other)), None)
            if found:
                matches[site] = found
    return matches


def _is_compatible(pair: Pair, producer: Sites, consumer: Sites, comparers: Comparers) -> bool:
    child = pair.child(producer, consumer)
    return comparers.is_compatible(child.old, child.new, pair.direction)


def _has_same_name(site: Site, other: Site) -> bool:
    return site.pointer == other.pointer and _is_component(site)


def _has_same_type(site: Site, other: Site) -> bool:
    type_ = site.schema.get("type")
    return (
        type_ is not None
        and type_ == other.schema.get("type")
        and not (_is_component(site) and _is_component(other))
    )


def _is_component(site: Site) -> bool:
    return site.pointer[:2] == ("components", "schemas") and len(site.pointer) == 3


def _alternative(pair: Pair, site: Site, group: Alternatives) -> Difference:
    owner = group.owner.pointer
    name = site.pointer[-1] if _is_component(site) else site.schema.get("type", "without a name")
    if pair.direction == "request":
        what = f"the alternative {name} was removed"
        return Difference("request-alternative-removed", what, site.pointer, (*owner, group.kind), "old")
    what = f"the alternative {name} was added"
    return Difference("response-alternative-added", what, (*owner, group.kind), site.pointer)


def _is_wider(
    pair: Pair,
    producer_group: Alternatives,
    group: Alternatives,
    matches: dict[Site, Site],
    comparers: Comparers,
) -> bool:
    """Return True if an alternative may accept more than before, so that a value may match two."""
    if producer_group.kind != group.kind or set(group.sites) - set(matches.values()):
        return True
    reverse: Direction = "response" if pair.direction == "request" else "request"
    for site, other in matches.items():
        old, new = pair.in_order(site, other)
        if not comparers.same(old, new) and not comparers.is_compatible((old,), (new,), reverse):
            return True
    return False


def _compare_whole(
    pair: Pair, group: Alternatives, view: View, comparers: Comparers
) -> Iterator[Difference | Child]:
    """Find the consumer's alternative that accepts every value of a producer without alternatives."""
    sites = pair.producer.sites
    if pair.producer.takes_null and (pair.consumer.has_nullable or pair.producer.is_modern):
        sites = pair.producer.without_null  # null is compared on its own
    if _is_each_accepted(pair, group, comparers):
        return
    found = next((site for site in group.sites if _is_compatible(pair, sites, (site,), comparers)), None)
    if found is None:
        what = (
            "must now match an alternative" if pair.direction == "request" else "may now match no alternative"
        )
        yield pair.differs("alternatives-added", "alternatives-dropped", f"the value {what}", group.kind)
        return
    yield pair.child(sites, (found,))
    if group.kind == "oneOf":
        candidates = [((found,), (site,)) for site in group.sites if site != found]
        yield from _overlaps(pair, candidates, group, view)


def _is_each_accepted(pair: Pair, group: Alternatives, comparers: Comparers) -> bool:
    """Return True if the producer has few values, and each is valid for an alternative, or for one of `oneOf`."""
    listed = pair.producer.listed
    if listed is None or len(listed) * len(group.sites) > _MAX_TRIED:
        return False
    at = pair.producer.pointer
    for index, value in enumerate(listed.values()):
        one = Site((*at, "enum", str(index)), schema={"enum": [value]})
        valid = [
            site
            for site in group.sites
            if _is_compatible(pair, (*pair.producer.sites, one), (site,), comparers)
        ]
        if len(valid) != 1 and (not valid or group.kind == "oneOf"):
            return False
    return True


def _overlaps(
    pair: Pair, candidates: Iterable[tuple[Sites, Sites]], group: Alternatives, view: View
) -> Iterator[Difference]:
    if not all(_are_disjoint(view, one, other) for one, other in candidates):
        yield pair.differs(
            "alternatives-overlap",
            "alternatives-overlap",
            "a value may now match two alternatives",
            group.kind,
        )


def _are_disjoint(view: View, one: Sites, other: Sites, depth: int = _DEPTH) -> bool:
    """Return True if certainly no value is valid for both."""
    left, right = view.shape(one), view.shape(other)
    if left.takes_null and right.takes_null:
        return False
    common = left.likely_types & right.likely_types
    if not common or (
        left.enum is not None and right.enum is not None and not left.enum.keys() & right.enum.keys()
    ):
        return True
    if common != {"object"} or not depth:
        return False
    for name in left.required | right.required:
        left_property, right_property = left.property(name), right.property(name)
        if left_property is None or right_property is None:
            return True
        if name in left.required & right.required and _are_disjoint(
            view, left_property, right_property, depth - 1
        ):
            return True
    return False
