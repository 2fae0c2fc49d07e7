"""Compares `anyOf` and `oneOf`: matches old and new alternatives, and detects new overlaps."""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Literal

from .changes import Difference
from .schema_pair import Child, Pair
from .schema_view import Alternatives, View
from .sites import Site, Sites, is_component

_MAX_TRIED = 1_000  # values of an enum, times alternatives
_NOT_NULL = ["array", "boolean", "integer", "number", "object", "string"]
_DEPTH = 4  # levels of properties searched for a difference between two alternatives


def split(pair: Pair) -> Iterator[Child]:
    """Yield each alternative of the producer, if only that has some, to be compared with the whole consumer."""
    group, *_ = pair.producer.groups
    rest = [part.excluding(group.kind) if part == group.owner else part for part in pair.producer.parts]
    for site in group.sites:
        yield pair.child(tuple(dict.fromkeys([*rest, site])), pair.consumer.sites)


def compare_alternatives(pair: Pair) -> Iterator[Difference | Child]:
    """Yield alternatives that the consumer does not know."""
    known = pair.producer.groups
    for index, group in enumerate(pair.consumer.groups):
        if known:
            yield from _compare_groups(pair, known[min(index, len(known) - 1)], group)
        else:
            yield from _compare_whole(pair, group)


def _compare_groups(
    pair: Pair, producer_group: Alternatives, group: Alternatives
) -> Iterator[Difference | Child]:
    matches = _match(pair, producer_group.sites, group.sites)
    unmatched = [site for site in producer_group.sites if site not in matches]
    for site in unmatched:
        name = site.pointer[-1] if is_component(site.pointer) else site.schema.get("type", "without a name")
        places = pair.in_order(site.pointer, (*group.owner.pointer, group.kind))
        rule, verb = pair.by_direction(("alternative-removed", "removed"), ("alternative-added", "added"))
        side: Literal["old", "new"] = "old" if verb == "removed" else "new"
        yield Difference(f"{pair.direction}-{rule}", f"the alternative {name} was {verb}", *places, side)
    for site, other in matches.items():
        yield pair.child((site,), (other,))
    if group.kind == "oneOf" and not unmatched and _is_wider(pair, producer_group, group, matches):
        yield from _overlaps(pair, combinations([(site,) for site in group.sites], 2), group)


def _match(pair: Pair, producer: Sites, consumer: Sites) -> dict[Site, Site]:
    """Match alternatives: equal ones, then by component name, compatible ones, and by type."""

    def has_same_type(site: Site, other: Site) -> bool:
        is_same = "type" in site.schema and site.schema["type"] == other.schema.get("type")
        return is_same and not (is_component(site.pointer) and is_component(other.pointer))

    criteria: list[tuple[Callable[[Site, Site], bool], bool]] = [
        (pair.same, True),
        (lambda site, other: site.pointer == other.pointer and is_component(site.pointer), True),
        (lambda site, other: pair.is_compatible((site,), (other,)), False),
        (has_same_type, True),
    ]
    matches: dict[Site, Site] = {}
    for criterion, is_exclusive in criteria:
        for site in [one for one in producer if one not in matches]:
            taken = matches.values() if is_exclusive else ()
            found = next((other for other in consumer if other not in taken and criterion(site, other)), None)
            if found:
                matches[site] = found
    return matches


def _is_wider(
    pair: Pair, producer_group: Alternatives, group: Alternatives, matches: dict[Site, Site]
) -> bool:
    """Return True if an alternative may accept more than before, so that a value may match two."""
    if producer_group.kind != group.kind or set(group.sites) - set(matches.values()):
        return True
    return not all(
        pair.same(site, other) or pair.is_compatible((site,), (other,), is_reverse=True)
        for site, other in matches.items()
    )


def _compare_whole(pair: Pair, group: Alternatives) -> Iterator[Difference | Child]:
    """Find the consumer's alternative that accepts every value of a producer without alternatives."""
    producer, sites = pair.producer, pair.producer.sites
    if producer.takes_null and (
        pair.consumer.has_nullable or producer.is_modern
    ):  # null is compared on its own
        sites = tuple(site.excluding("nullable") for site in sites)
        sites += (sites[0].made({"type": _NOT_NULL}, "type"),) if producer.is_modern else ()
    if _is_each_accepted(pair, group):
        return
    found = next((site for site in group.sites if pair.is_compatible(sites, (site,))), None)
    if found is None:
        what = pair.by_direction("must now match an alternative", "may now match no alternative")
        yield pair.differs("alternatives-added", "alternatives-dropped", f"the value {what}", group.kind)
        return
    yield pair.child(sites, (found,))
    if group.kind == "oneOf":
        yield from _overlaps(pair, [((found,), (site,)) for site in group.sites if site != found], group)


def _is_each_accepted(pair: Pair, group: Alternatives) -> bool:
    """Return True if the producer has few values, and each is valid for an alternative, or for one of `oneOf`."""
    sites, listed = pair.producer.sites, pair.producer.listed
    if listed is None or len(listed) * len(group.sites) > _MAX_TRIED:
        return False
    for index, value in enumerate(listed.values()):
        one = sites[0].made({"enum": [value]}, "enum", str(index))
        valid = [site for site in group.sites if pair.is_compatible((*sites, one), (site,))]
        if len(valid) != 1 and (not valid or group.kind == "oneOf"):
            return False
    return True


def _overlaps(
    pair: Pair, candidates: Iterable[tuple[Sites, Sites]], group: Alternatives
) -> Iterator[Difference]:
    if not all(_are_disjoint(pair.consumer.view, one, other) for one, other in candidates):
        what = "a value may now match two alternatives"
        yield pair.differs("alternatives-overlap", "alternatives-overlap", what, group.kind)


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
        own, others = left.property(name), right.property(name)
        if own is None or others is None:
            return True
        if name in left.required & right.required and _are_disjoint(view, own, others, depth - 1):
            return True
    return False
