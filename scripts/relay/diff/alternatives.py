"""`anyOf` and `oneOf`: which alternative became which, and whether a value may now fit two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from relay.validation.schemas import Direction

from .changes import Difference
from .schema_pair import Child, Comparers, Pair
from .schema_view import Alternatives, Site, Sites, View

_DEPTH = 4  # of properties that are looked into for what tells two alternatives apart


def is_split(pair: Pair) -> bool:
    """Whether only the fitting side has alternatives: each has to fit by itself."""
    return bool(pair.fitting.groups) and not pair.accepting.groups


def split(pair: Pair) -> Iterator[Child]:
    """Ask for each alternative of the fitting side to be compared with the whole of the other."""
    group, *_ = pair.fitting.groups
    rest = [part.less(group.kind) if part == group.owner else part for part in pair.fitting.parts]
    for site in group.sites:
        yield pair.child(tuple(dict.fromkeys([*rest, site])), pair.accepting.sites)


def compare_alternatives(pair: Pair, accepting: View, comparers: Comparers) -> Iterator[Difference | Child]:
    """Tell of alternatives that the accepting side does not know; `accepting` is that side's view."""
    for index, group in enumerate(pair.accepting.groups):
        mine = pair.fitting.groups
        if mine:
            yield from _matched(pair, mine[min(index, len(mine) - 1)], group, accepting, comparers)
        else:
            yield from _whole(pair, group, accepting, comparers)


def _matched(
    pair: Pair, mine: Alternatives, group: Alternatives, view: View, comparers: Comparers
) -> Iterator[Difference | Child]:
    matches = _matches(pair, mine.sites, group.sites, comparers)
    lost = [site for site in mine.sites if site not in matches]
    for site in lost:
        yield _alternative(pair, site, group)
    for site, other in matches.items():
        yield pair.child((site,), (other,))
    if group.kind == "oneOf" and not lost and _is_wider(pair, mine, group, matches, comparers):
        yield from _overlaps(pair, combinations([(site,) for site in group.sites], 2), group, view)


def _matches(pair: Pair, fitting: Sites, accepting: Sites, comparers: Comparers) -> dict[Site, Site]:
    """Pair alternatives: the same, of the same name, one that fits; at last, those of the same type."""

    def same(site: Site, other: Site) -> bool:
        old, new = pair.in_order(site, other)
        return comparers.same(old, new)

    def fits(site: Site, other: Site) -> bool:
        return _fits(pair, (site,), (other,), comparers)

    ways: list[tuple[Callable[[Site, Site], bool], bool]] = [
        (same, True),
        (_is_namesake, True),
        (fits, False),
        (_is_of_a_type, True),
    ]
    matches: dict[Site, Site] = {}
    for way, is_exclusive in ways:
        for site in fitting:
            taken = matches.values() if is_exclusive else ()
            found = next((other for other in accepting if other not in taken and way(site, other)), None)
            if site not in matches and found:
                matches[site] = found
    return matches


def _fits(pair: Pair, fitting: Sites, accepting: Sites, comparers: Comparers) -> bool:
    child = pair.child(fitting, accepting)
    return comparers.fits(child.old, child.new, pair.direction)


def _is_namesake(site: Site, other: Site) -> bool:
    return site.pointer == other.pointer and _is_component(site)


def _is_of_a_type(site: Site, other: Site) -> bool:
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
    name = site.pointer[-1] if _is_component(site) else site.schema.get("type", "an unnamed one")
    if pair.direction == "request":
        what = f"the alternative {name} is gone"
        return Difference("request-alternative-removed", what, site.pointer, (*owner, group.kind), "old")
    what = f"the alternative {name} is new"
    return Difference("response-alternative-added", what, (*owner, group.kind), site.pointer)


def _is_wider(
    pair: Pair, mine: Alternatives, group: Alternatives, matches: dict[Site, Site], comparers: Comparers
) -> bool:
    """Whether an alternative may accept what it did not: then a value may fit two."""
    if mine.kind != group.kind or set(group.sites) - set(matches.values()):
        return True
    back: Direction = "response" if pair.direction == "request" else "request"
    for site, other in matches.items():
        old, new = pair.in_order(site, other)
        if not comparers.same(old, new) and not comparers.fits((old,), (new,), back):
            return True
    return False


def _whole(pair: Pair, group: Alternatives, view: View, comparers: Comparers) -> Iterator[Difference | Child]:
    """Find the alternative that everything fits which was no alternative before."""
    sites = pair.fitting.sites
    found = next((site for site in group.sites if _fits(pair, sites, (site,), comparers)), None)
    if found is None:
        told = "fit an alternative now" if pair.direction == "request" else "fit no alternative now"
        verb = "has to" if pair.direction == "request" else "may"
        yield pair.differs("alternatives-added", "alternatives-dropped", f"it {verb} {told}", group.kind)
        return
    yield pair.child(sites, (found,))
    if group.kind == "oneOf":
        others = [((found,), (site,)) for site in group.sites if site != found]
        yield from _overlaps(pair, others, group, view)


def _overlaps(
    pair: Pair, candidates: Iterable[tuple[Sites, Sites]], group: Alternatives, view: View
) -> Iterator[Difference]:
    if not all(_are_disjoint(view, one, other) for one, other in candidates):
        yield pair.differs(
            "alternatives-overlap", "alternatives-overlap", "a value may fit two alternatives now", group.kind
        )


def _are_disjoint(view: View, one: Sites, other: Sites, depth: int = _DEPTH) -> bool:
    """Whether it is plain that no value fits both."""
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
        mine, theirs = left.property(name), right.property(name)
        if mine is None or theirs is None:
            return True
        if name in left.required & right.required and _are_disjoint(view, mine, theirs, depth - 1):
            return True
    return False
