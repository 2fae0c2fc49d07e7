"""What changed between two contracts: the Change, and the report that gathers and words them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from relay.contract.diagnostics import Severity, SourceLocation
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation

from .diff_rules import RULES
from .pointer_names import described


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contracts.

    `message` says what changed, what breaks for whom and what to do. `operations` are all that it
    reaches, of the new contract, or of the old one where they are gone; none for a change of the
    whole. `where` is what an ignore file calls the place: an operation (`GET /pets/{id}`), the name
    of a component, or nothing. `names` are, by operation, the properties, parameters or headers
    that changed or that lead to what changed; none if it is the operation itself. Pointers and
    places lead to the value, or to its nearest parent that exists on that side.
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
    names: Mapping[str, frozenset[str]]

    @property
    def operation(self) -> Operation | None:
        """The first operation that the change reaches."""
        return self.operations[0] if self.operations else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule that applies at a pair of pointers; `what` says it, told of the new or the old side."""

    rule: str
    what: str
    old: Pointer
    new: Pointer
    side: Literal["old", "new"] = "new"
    name: str | None = None


class Report:
    """Gathers differences; what several operations share is one change that names them."""

    def __init__(self, old: Contract, new: Contract) -> None:
        self._contracts = {"old": old, "new": new}
        self._found: dict[tuple[str, str, SourceLocation, SourceLocation], _Reached] = {}

    def add(self, difference: Difference, *operations: Operation) -> None:
        """Note a difference that these operations show."""
        places = (
            self._contracts["old"].place(difference.old),
            self._contracts["new"].place(difference.new),
        )
        key = difference.rule, difference.what, *places
        reached = self._found.setdefault(key, _Reached(difference, *places))
        for operation in operations:
            reached.operations[operation.pointer] = operation
            reached.names[str(operation)].update([difference.name] if difference.name else [])

    def changes(self) -> list[Change]:
        """Return what was found, in the order in which it was."""
        return [self._change(reached) for reached in self._found.values()]

    def _change(self, reached: _Reached) -> Change:
        difference = reached.difference
        rule = RULES[difference.rule]
        pointer = difference.new if difference.side == "new" else difference.old
        component, way = described(self._contracts[difference.side], pointer)
        operations = tuple(reached.operations.values())
        parts = [f"{component}{way} ({_list(operations)})"] if component else [_list(operations), way]
        return Change(
            rule=rule.id,
            severity=rule.severity,
            message=": ".join([*filter(None, parts), f"{difference.what}; {rule.why}"]),
            where=component or (str(operations[0]) if operations else ""),
            operations=operations,
            old_pointer=difference.old,
            new_pointer=difference.new,
            old_place=reached.old,
            new_place=reached.new,
            names={operation: frozenset(names) for operation, names in reached.names.items()},
        )


@dataclass(slots=True)
class _Reached:
    """A difference, its places, and the operations that show it."""

    difference: Difference
    old: SourceLocation
    new: SourceLocation
    operations: dict[Pointer, Operation] = field(default_factory=dict)
    names: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def _list(operations: tuple[Operation, ...]) -> str:
    """Name one operation, and say how many others there are."""
    if len(operations) < 2:
        return "".join(map(str, operations))
    return f"{operations[0]} and {len(operations) - 1} other{'s' * (len(operations) > 2)}"
