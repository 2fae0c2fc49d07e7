"""The Change between two contracts, and the report that collects changes and writes their messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from relay.contract.diagnostics import Severity, SourceLocation
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation

from .diff_rules import RULES, advice
from .pointer_names import described


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contracts.

    `message` states the change, its effect on clients and what to do. `operations` are the affected operations of
    the new contract, or of the old one if they were removed; empty for a change of the whole contract. `where`
    identifies the change in an ignore file: an operation (`GET /pets/{id}`), the name of a component, or "".
    `names` are, by the pointer of an operation, the properties, parameters or headers that changed or contain the change; empty if
    the operation itself changed. Pointers and locations are those of the value, or of its nearest parent that
    exists on that side.
    """

    rule: str
    severity: Severity
    message: str
    where: str
    operations: tuple[Operation, ...]
    old_pointer: Pointer
    new_pointer: Pointer
    old_place: SourceLocation
    new_place: SourceLocation
    names: Mapping[Pointer, frozenset[str]]

    @property
    def operation(self) -> Operation | None:
        """The first affected operation, or None."""
        return self.operations[0] if self.operations else None


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """A rule and the pair of pointers it applies to; `what` describes the change of the value on `side`.

    One that several operations share is one object: a large contract has half a million of them.
    """

    rule: str
    what: str
    old: Pointer
    new: Pointer
    side: Literal["old", "new"] = "new"
    name: str | None = None


_NONE: frozenset[str] = frozenset()


class Report:
    """Collects differences; one shared by several operations becomes one change."""

    def __init__(self, old: Contract, new: Contract) -> None:
        self._contracts = {"old": old, "new": new}
        self._found: dict[tuple[str, str, SourceLocation, SourceLocation], _Reached] = {}
        self._reached: dict[Difference, _Reached] = {}
        self._operations: dict[Pointer, Operation] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}  # equal ones are one object

    def add(self, difference: Difference, *operations: Operation) -> None:
        """Add a difference of these operations."""
        reached = self._reached.get(difference)
        if reached is None:
            reached = self._reached[difference] = self._new(difference)
        for operation in operations:
            known = reached.names.get(operation.pointer, _NONE)
            names = known if difference.name is None else known | {difference.name}
            reached.names[operation.pointer] = self._sets.setdefault(names, names)
            self._operations[operation.pointer] = operation

    def _new(self, difference: Difference) -> _Reached:
        """Return what is known of a difference; equal ones at the same places are one."""
        old, new = (
            self._contracts["old"].place(difference.old),
            self._contracts["new"].place(difference.new),
        )
        key = difference.rule, difference.what, old, new
        return self._found.setdefault(key, _Reached(difference, old, new))

    def changes(self) -> list[Change]:
        """Return the changes in the order in which they were added."""
        return [self._change(reached) for reached in self._found.values()]

    def _change(self, reached: _Reached) -> Change:
        difference = reached.difference
        rule = RULES[difference.rule]
        pointer = difference.new if difference.side == "new" else difference.old
        why = advice(rule.id, self._contracts["new"].version)
        component, path = described(self._contracts[difference.side], pointer)
        operations = tuple(self._operations[at] for at in reached.names)
        parts = [f"{component}{path} ({_list(operations)})"] if component else [_list(operations), path]
        return Change(
            rule=rule.id,
            severity=rule.severity,
            message=": ".join([*filter(None, parts), f"{difference.what}; {why}"]),
            where=component or (str(operations[0]) if operations else ""),
            operations=operations,
            old_pointer=difference.old,
            new_pointer=difference.new,
            old_place=reached.old,
            new_place=reached.new,
            names=reached.names,
        )


@dataclass(slots=True)
class _Reached:
    """A difference, its locations, and what changed by the pointers of the operations that it affects."""

    difference: Difference
    old: SourceLocation
    new: SourceLocation
    names: dict[Pointer, frozenset[str]] = field(default_factory=dict)


def _list(operations: tuple[Operation, ...]) -> str:
    """Name the first operation and the number of the others."""
    if len(operations) < 2:
        return "".join(map(str, operations))
    return f"{operations[0]} and {len(operations) - 1} other{'s' * (len(operations) > 2)}"
