"""Explains why a schema rejects a value, at a cost bounded by the size of the value.

`iter_errors` of the library copies the instance into every error and follows every branch of every `oneOf`
at every level. This module asks the library only for verdicts, and follows the branch that was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from relay.contract.bundling import escape
from relay.contract.model import Schema

from .nodes import Choice, Items, Node
from .plan import plan
from .violations import MAX_VIOLATIONS, Violation, describe

MAX_DEPTH = 48
"""Nesting of values and choices that is explained; each level asks for the verdicts of all below."""

MAX_COMPARISONS = 64
"""How many branches of choices without a tag are compared for one value; a branch of an `anyOf` counts twice.

The verdict of a valid value looks at every branch of a `oneOf`, but may look at only one of an `anyOf`.
"""

_MAX_PATHS = 16_384  # characters of all paths of a value, whose names may be as long as the value

_SLICE = 128  # items of an array that are asked for at once


class Explainer:
    """Explains the values that the schemas of one direction reject.

    Plans are made when the first value is rejected: for all schemas that were added until then.
    """

    def __init__(
        self,
        definitions: Callable[[set[str]], Mapping[str, Schema]],
        compiled: Callable[[Schema], Any],
        hidden: tuple[str, str],
    ) -> None:
        """Take functions that return the definitions of some `$ref`s, and compile a document."""
        self._definitions = definitions
        self._compiled = compiled
        self._hidden = hidden
        self._new: dict[str, tuple[Schema, set[str]]] = {}
        self._nodes: dict[str, Node] = {}

    def add(self, schema: Schema, refs: set[str]) -> Callable[[Any], list[Violation]]:
        """Return the function that explains a value which the schema rejects; `refs` are its `$ref`s."""
        name = f"root {len(self._nodes) + len(self._new)}"
        self._new[name] = schema, refs
        return lambda value: explain(self._node(name), value)

    def _node(self, name: str) -> Node:
        if name not in self._nodes:
            roots = {root: schema for root, (schema, _) in self._new.items()}
            refs = {ref for _, refs in self._new.values() for ref in refs}
            self._nodes |= plan(roots, self._definitions(refs), self._compiled, self._hidden)
            self._new.clear()
        return self._nodes[name]


def explain(node: Node, value: Any) -> list[Violation]:
    """Return violations of a value that a node rejects: at least one, at most MAX_VIOLATIONS."""
    found: dict[_Broken, None] = {}
    known: set[tuple[int, _Path]] = set()
    explanation = _Explanation()
    pending: list[_Reason] = [_Rejected(node, value, _ROOT, 0)]
    while pending and len(found) < MAX_VIOLATIONS:
        reason = pending.pop()
        if isinstance(reason, _Broken):
            found[reason] = None
        elif (key := (id(reason.by), reason.path)) not in known:
            known.add(key)
            pending += reversed(explanation.reasons(reason))
    return _violations([*found] or [_broken(_ROOT, "schema")])


def _violations(found: list[_Broken]) -> list[Violation]:
    """Return the first violations whose paths are not too long together, and the first one in any case."""
    violations: list[Violation] = []
    room = _MAX_PATHS
    for broken in found:
        path = str(broken.path)
        room -= len(path)
        if room < 0 and violations:
            break
        violations.append(Violation(path, broken.rule, broken.message))
    return violations


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """The place of a value. It refers to its parent: names may be long, and are written for violations only."""

    parent: _Path | None
    token: str

    def __str__(self) -> str:
        tokens: list[str] = []
        path = self
        while path.parent is not None:
            tokens.append(f"/{escape(path.token)}")
            path = path.parent
        return "".join(reversed(tokens))


_ROOT = _Path(None, "")


class _Broken(NamedTuple):
    """A violation whose path is not written yet."""

    path: _Path
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class _Rejected:
    """A value that a schema or a choice rejects, its path, and its depth in values and choices."""

    by: Node | Choice
    value: Any
    path: _Path
    depth: int


_Reason = _Broken | _Rejected


class _Explanation:
    """Finds the reasons of one rejected value, step by step."""

    def __init__(self) -> None:
        self._comparisons = MAX_COMPARISONS
        self._rejected: set[tuple[int, int]] = set()  # branches of a choice often share schemas
        self._paths: dict[tuple[_Path, str], _Path] = {}

    def reasons(self, at: _Rejected) -> list[_Reason]:
        """Return violations, and smaller rejected parts, that are the reasons of a rejection."""
        if at.depth > MAX_DEPTH:
            return [_broken(at.path, at.by.rule if isinstance(at.by, Choice) else "schema")]
        if isinstance(at.by, Choice):
            return self._of_choice(at.by, at)
        return self._of_node(at.by, at)

    def _within(self, parent: _Path, token: str) -> _Path:
        """Return the path of a part, always the same object for the same part."""
        return self._paths.setdefault((parent, token), _Path(parent, token))

    def _part(self, node: Node, value: Any, token: str, at: _Rejected) -> _Rejected:
        return _Rejected(node, value, self._within(at.path, token), at.depth + 1)

    def _rejects(self, by: Node | Choice, value: Any) -> bool:
        key = id(by.accepts), id(value)
        if key not in self._rejected:
            if by.accepts(value):
                return False
            self._rejected.add(key)
        return True

    def _of_node(self, node: Node, at: _Rejected) -> list[_Reason]:
        """Return the first reasons of a schema; [] if it accepts the value."""
        return [*islice(self._all_of_node(node, at), MAX_VIOLATIONS)]

    def _all_of_node(self, node: Node, at: _Rejected) -> Iterator[_Reason]:
        for part in node.with_parts():
            for check in part.checks:
                if not check.accepts(at.value):
                    yield _Broken(at.path, check.rule, check.message)
            if isinstance(at.value, dict):
                yield from self._own_of_object(part, at.value, at.path)
                yield from self._rejected_properties(part, at.value, at)
            elif isinstance(at.value, list | tuple) and part.items is not None:
                yield from self._rejected_items(part.items, at.value, at)
            for choice in part.choices:
                if self._rejects(choice, at.value):
                    yield _Rejected(choice, at.value, at.path, at.depth + 1)

    def _own_of_object(self, node: Node, value: dict[str, Any], path: _Path) -> Iterator[_Broken]:
        """Yield the missing properties of an object, and the first unknown one."""
        for name in node.required:
            if name not in value:
                yield _broken(self._within(path, name), "required")
        if node.is_closed:
            for name in islice((name for name in value if name not in node.properties), 1):
                yield _broken(self._within(path, name), "additionalProperties")

    def _rejected_properties(self, node: Node, value: dict[str, Any], at: _Rejected) -> Iterator[_Reason]:
        for name, child in _children(node, value):
            if self._rejects(child, value[name]):
                yield self._part(child, value[name], name, at)

    def _rejected_items(self, items: Items, value: Sequence[Any], at: _Rejected) -> Iterator[_Reason]:
        for start in range(0, len(value), _SLICE):
            piece = value[start : start + _SLICE]
            if not items.accept(piece):
                for index, item in enumerate(piece, start):
                    if self._rejects(items.node, item):
                        yield self._part(items.node, item, str(index), at)

    def _of_choice(self, choice: Choice, at: _Rejected) -> list[_Reason]:
        """Return the reasons of the branch that was meant; the choice itself if that is unclear."""
        if isinstance(at.value, dict) and (reasons := self._of_tag(choice, at.value, at)):
            return reasons
        branches = choice.branches_for(_type_of(at.value))
        if not branches:
            return [_broken(at.path, "type", choice.type_names)]
        reasons = self._of_closest(branches, at) if self._may_compare(choice, branches) else []
        return reasons or [_broken(at.path, choice.rule)]

    def _may_compare(self, choice: Choice, branches: list[Node]) -> bool:
        if len(branches) > 1:
            self._comparisons -= len(branches) * (2 if choice.rule == "anyOf" else 1)
        return len(branches) == 1 or self._comparisons >= 0

    def _of_tag(self, choice: Choice, value: dict[str, Any], at: _Rejected) -> list[_Reason]:
        """Return the reasons of the branch that a property of the value names; [] if none does."""
        tag = choice.tag
        if tag is None:
            branch = choice.mapped(value)
            return [] if branch is None else self._of_node(branch, at)
        path = self._within(at.path, tag.name)
        if tag.name not in value:
            return [_broken(path, "required")] if tag.is_required else []
        branch = tag.branch(value[tag.name])
        return [_broken(path, "enum", [*tag.branches])] if branch is None else self._of_node(branch, at)

    def _of_closest(self, branches: list[Node], at: _Rejected) -> list[_Reason]:
        """Return the reasons of the closest branch; [] if several are, or one accepts the value.

        Wrong fields say less against a branch than missing or unknown fields do.
        """
        by_distance: dict[tuple[int, int], list[list[_Reason]]] = {}
        for branch in branches:
            reasons = self._of_node(branch, at)
            own = sum(isinstance(reason, _Broken) for reason in reasons)
            by_distance.setdefault((own, len(reasons)), []).append(reasons)
        closest = by_distance[min(by_distance)]
        return closest[0] if len(closest) == 1 else []


def _children(node: Node, value: dict[str, Any]) -> Iterator[tuple[str, Node]]:
    """Yield the properties of an object that have a schema."""
    if node.additional is not None:
        for name in value:
            yield name, node.properties.get(name, node.additional)
    else:
        for name, child in node.properties.items():
            if name in value:
                yield name, child


def _broken(path: _Path, rule: str, limit: Any = None) -> _Broken:
    return _Broken(path, rule, describe(rule, limit))


def _type_of(value: Any) -> str:
    """Return the name of the type that the fewest schemas allow."""
    return next(name for kind, name in _TYPES.items() if isinstance(value, kind))


_TYPES: dict[type, str] = {
    bool: "boolean",  # before int, of which it is a subclass
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
    type(None): "null",
}
