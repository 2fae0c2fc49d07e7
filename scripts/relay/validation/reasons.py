"""Explains why a schema rejects a value, at a cost bounded by the size of the value.

`iter_errors` of the library copies the instance into every error and follows every branch of every `oneOf`
at every level. This module asks the library only for verdicts, one level at a time, and follows the branch that was meant.
It is one module because the reason for a keyword depends on the verdicts on the schemas within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from relay.contract.pointers import escape

from .nodes import Choice, Node
from .violations import MAX_VIOLATIONS, Violation, describe, type_name

MAX_DEPTH = 48
"""Nesting of values and choices that is explained; each level asks for the verdicts of all below."""

MAX_COMPARISONS = 64
"""How many branches of choices without a tag are compared for one value; a branch of an `anyOf` counts twice.

The verdict of a valid value looks at every branch of a `oneOf`, but may look at only one of an `anyOf`.
"""

_MAX_TRIED = 32
"""How many properties are left out, one after the other, to find the one that no schema describes."""

_SLICE = 128  # items of an array that are asked for at once
_MAX_PATHS = 16_384  # characters of all paths of a value, whose names may be as long as the value


@dataclass(frozen=True, slots=True, eq=False)
class ValuePath:
    """The path of a value. It refers to its parent: names may be long, and are written for violations only."""

    parent: ValuePath | None
    token: str

    def __str__(self) -> str:
        tokens: list[str] = []
        path = self
        while path.parent is not None:
            tokens.append(f"/{escape(path.token)}")
            path = path.parent
        return "".join(reversed(tokens))


ROOT = ValuePath(None, "")


class Broken(NamedTuple):
    """A violation whose path is not written yet."""

    path: ValuePath
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A value that a schema or a choice rejects, its path, and its depth in values and choices."""

    by: Node | Choice
    value: Any
    path: ValuePath
    depth: int


Reason = Broken | Rejected


def explain(node: Node, value: Any) -> list[Violation]:
    """Return violations of a value that a node rejects: at least one, at most MAX_VIOLATIONS.

    If schemas only refer to each other for the same value, the violation names the last choice between them.
    """
    found: dict[Broken, None] = {}
    known: set[tuple[int, ValuePath]] = set()
    search = Reasons()
    unclear = broken(ROOT, "schema")
    pending: list[Reason] = [Rejected(node, value, ROOT, 0)]
    while pending and len(found) < MAX_VIOLATIONS:
        reason = pending.pop()
        if isinstance(reason, Broken):
            found[reason] = None
        elif (key := (id(reason.by), reason.path)) not in known:
            known.add(key)
            pending += reversed(search.of(reason))
        elif isinstance(reason.by, Choice):
            unclear = broken(reason.path, reason.by.rule)
    violations: list[Violation] = []
    room = _MAX_PATHS
    for one in [*found] or [unclear]:
        path = str(one.path)
        room -= len(path)
        if room < 0 and violations:
            break
        violations.append(Violation(path, one.rule, one.message))
    return violations


class Reasons:
    """Finds the reasons why one value is rejected, step by step."""

    def __init__(self) -> None:
        self._comparisons = MAX_COMPARISONS
        self._rejected: set[tuple[int, int]] = set()  # branches of a choice often share schemas
        self._paths: dict[tuple[ValuePath, str], ValuePath] = {}

    def of(self, at: Rejected) -> list[Reason]:
        """Return violations, and smaller rejected parts, that are the reasons of a rejection."""
        if at.depth > MAX_DEPTH:
            return [broken(at.path, at.by.rule if isinstance(at.by, Choice) else "schema")]
        if isinstance(at.by, Choice):
            return self._of_choice(at.by, at)
        return self._of_node(at.by, at)

    def _within(self, parent: ValuePath, token: str) -> ValuePath:
        """Return the path of a part, always the same object for the same part."""
        return self._paths.setdefault((parent, token), ValuePath(parent, token))

    def _part(self, node: Node, value: Any, token: str, at: Rejected) -> Rejected:
        return Rejected(node, value, self._within(at.path, token), at.depth + 1)

    def _rejects(self, by: Node | Choice, value: Any) -> bool:
        key = id(by.accepts), id(value)
        if key not in self._rejected:
            if by.accepts(value):
                return False
            self._rejected.add(key)
        return True

    def _of_node(self, node: Node, at: Rejected) -> list[Reason]:
        parts = node.with_parts()
        found = islice((reason for part in parts for reason in self._of_part(part, at)), MAX_VIOLATIONS)
        return [*found] or [self._unevaluated(part, at) for part in parts if part.evaluates]

    def _unevaluated(self, node: Node, at: Rejected) -> Broken:
        """Return the violation of a keyword about what no other keyword describes: the property, if one alone is it."""
        value = at.value
        names = [*islice(value, _MAX_TRIED)] if isinstance(value, dict) else []
        alone = [
            name for name in names if node.accepts({key: one for key, one in value.items() if key != name})
        ]
        if node.evaluates == "unevaluatedProperties" and len(alone) == 1:
            return broken(self._within(at.path, alone[0]), "additionalProperties")._replace(
                rule=node.evaluates
            )
        return broken(at.path, node.evaluates)

    def _of_part(self, part: Node, at: Rejected) -> Iterator[Reason]:
        for check in part.checks:
            if not check.accepts(at.value):
                yield Broken(at.path, check.rule, check.message_for(at.value))
        if isinstance(at.value, dict):
            yield from self._of_object(part, at.value, at)
        elif isinstance(at.value, list | tuple):
            yield from self._rejected_items(part, at.value, at)
        for condition in part.conditions:
            applies = condition.accepts(at.value) is not condition.is_negated
            if applies and self._rejects(condition.node, at.value):
                yield Rejected(condition.node, at.value, at.path, at.depth + 1)
        for choice in part.choices:
            if self._rejects(choice, at.value):
                yield Rejected(choice, at.value, at.path, at.depth + 1)

    def _of_object(self, node: Node, value: dict[str, Any], at: Rejected) -> Iterator[Reason]:
        missing = [(name, "required", "") for name in node.required]
        for owner, names in node.dependent.items():
            missing += [(name, "dependentRequired", owner) for name in names if owner in value]
        for name, rule, owner in missing:
            if name not in value:
                yield broken(self._within(at.path, name), rule, owner)
        others = (name for name in value if node.is_closed and name not in node.properties)
        unknown = (name for name in others if not any(accepts(name) for accepts, _ in node.patterns))
        for name in islice(unknown, 1):
            yield broken(self._within(at.path, name), "additionalProperties")
        for name, child in _children(node, value):
            if self._rejects(child, value[name]):
                yield self._part(child, value[name], name, at)

    def _rejected_items(self, node: Node, value: Sequence[Any], at: Rejected) -> Iterator[Reason]:
        for index, (child, item) in enumerate(zip(node.prefix, value, strict=False)):
            if self._rejects(child, item):
                yield self._part(child, item, str(index), at)
        if node.items is None:
            return
        child, accept = node.items
        for start in range(len(node.prefix), len(value), _SLICE):
            piece = value[start : start + _SLICE]
            for index, item in enumerate(() if accept(piece) else piece, start):
                if self._rejects(child, item):
                    yield self._part(child, item, str(index), at)

    def _of_choice(self, choice: Choice, at: Rejected) -> list[Reason]:
        """Return the reasons of the branch that was meant; the choice itself if that is unclear."""
        if isinstance(at.value, dict) and (reasons := self._of_tag(choice, at.value, at)):
            return reasons
        branches = choice.branches_for(type_name(at.value))
        if not branches:
            return [broken(at.path, "type", choice.type_names)]
        if len(branches) > 1:
            self._comparisons -= len(branches) * (2 if choice.rule == "anyOf" else 1)
        may_compare = len(branches) == 1 or self._comparisons >= 0
        return (self._of_closest(branches, at) if may_compare else []) or [broken(at.path, choice.rule)]

    def _of_tag(self, choice: Choice, value: dict[str, Any], at: Rejected) -> list[Reason]:
        """Return the reasons of the branch that a property of the value names; [] if no property names branches."""
        tag, named = choice.tag, choice.mapped(value)
        is_unknown = tag is not None and tag.branch(value.get(tag.name)) is None
        is_tagged = tag is not None and tag.name == choice.discriminator and tag.name in value
        if named is not None and not (is_tagged and is_unknown):
            return self._of_node(named, at)
        if choice.is_decided and (tag is None or tag.name != choice.discriminator):
            return [self._unnamed(choice, value, at)]
        if tag is None:
            return []
        path = self._within(at.path, tag.name)
        if tag.name not in value:
            return [broken(path, "required")] if tag.is_required else []
        branch = tag.branch(value[tag.name])
        return [broken(path, "enum", [*tag.branches])] if branch is None else self._of_node(branch, at)

    def _unnamed(self, choice: Choice, value: dict[str, Any], at: Rejected) -> Broken:
        path = self._within(at.path, choice.discriminator)
        if choice.discriminator in value:
            return broken(path, "discriminator", choice.names)
        is_required = all(one.requires(choice.discriminator) for one in choice.branches_for("object"))
        rule = "required" if is_required else "discriminator"
        return Broken(path, rule, describe("undiscriminated", choice.names))

    def _of_closest(self, branches: list[Node], at: Rejected) -> list[Reason]:
        """Return the reasons of the closest branch; [] if several are, or one accepts the value.

        Wrong fields say less against a branch than missing or unknown fields do.
        """
        by_distance: dict[tuple[int, int], list[list[Reason]]] = {}
        for branch in branches:
            reasons = self._of_node(branch, at)
            own = sum(isinstance(reason, Broken) for reason in reasons)
            by_distance.setdefault((own, len(reasons)), []).append(reasons)
        closest = by_distance[min(by_distance)]
        return closest[0] if len(closest) == 1 else []


def _children(node: Node, value: dict[str, Any]) -> Iterator[tuple[str, Node]]:
    if node.additional is None and not node.patterns:
        for name, child in node.properties.items():
            if name in value:
                yield name, child
        return
    for name in value:
        matching = [child for accepts, child in node.patterns if accepts(name)]
        if name in node.properties:
            matching.append(node.properties[name])
        if not matching and node.additional is not None:
            matching = [node.additional]
        yield from ((name, child) for child in matching)


def broken(path: ValuePath, rule: str, limit: Any = None) -> Broken:
    """Return the violation of a keyword; `limit` is its value in the schema."""
    return Broken(path, rule, describe(rule, limit))
