"""The Change between two contracts, and the report that collects changes and writes their messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

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
    new_pointer: Pointer
    old_place: SourceLocation
    new_place: SourceLocation
    names: Mapping[Pointer, frozenset[str]]

    @property
    def operation(self) -> Operation | None:
        """The first affected operation, or None."""
        return self.operations[0] if self.operations else None


class Places(NamedTuple):
    """The pointers of one value in the old and in the new contract."""

    old: Pointer
    new: Pointer

    def __truediv__(self, token: str) -> Places:
        return Places((*self.old, token), (*self.new, token))


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
        self._old, self._new = old, new
        self._found: dict[tuple[str, str, SourceLocation, SourceLocation], Difference] = {}
        self._names: dict[Difference, dict[Pointer, frozenset[str]]] = {}  # by the pointers of operations
        self._operations: dict[Pointer, Operation] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}  # equal ones are one object

    def add(self, difference: Difference, *operations: Operation) -> None:
        """Add a difference of these operations; equal ones at the same places are one."""
        if difference not in self._names:
            places = self._old.place(difference.old), self._new.place(difference.new)
            known = self._found.setdefault((difference.rule, difference.what, *places), difference)
            self._names[difference] = self._names.setdefault(known, {})
        reached = self._names[difference]
        for operation in operations:
            names = reached.get(operation.pointer, _NONE)
            names = names if difference.name is None else names | {difference.name}
            reached[operation.pointer] = self._sets.setdefault(names, names)
            self._operations[operation.pointer] = operation

    def changes(self) -> list[Change]:
        """Return the changes in the order in which they were added."""
        return [self._change(found, *places) for (_, _, *places), found in self._found.items()]

    def _change(self, difference: Difference, old: SourceLocation, new: SourceLocation) -> Change:
        rule, names = RULES[difference.rule], self._names[difference]
        side = (self._old, difference.old) if difference.side == "old" else (self._new, difference.new)
        component, path = described(*side)
        operations = tuple(self._operations[at] for at in names)
        others = len(operations) - 1
        named = (
            f"{operations[0]} and {others} other{'s' * (others > 1)}"
            if others > 0
            else "".join(map(str, operations))
        )
        parts = [f"{component}{path} ({named})"] if component else [named, path]
        what = f"{difference.what}; {advice(rule.id, self._new.version)}"
        return Change(
            rule=rule.id,
            severity=rule.severity,
            message=": ".join([*filter(None, parts), what]),
            where=component or (str(operations[0]) if operations else ""),
            operations=operations,
            new_pointer=difference.new,
            old_place=old,
            new_place=new,
            names=names,
        )
