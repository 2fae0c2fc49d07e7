"""Select the operations that a run tests: --operation, --tag, --method."""

import difflib
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract, Operation

_LISTED = 5


@dataclass(frozen=True, slots=True)
class Selection:
    """The operations to test: by id or as `GET /pets`, tags and methods; all where one is empty."""

    operations: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def of(self, contract: Contract) -> Contract:
        """Return the contract with only the selected operations; its document stays whole.

        Raises SetupError for values that the contract does not have, and if nothing is selected.
        """
        if problems := list(self._problems(contract)):
            raise SetupError(problems)
        selected = copy(contract)
        selected.operations = tuple(filter(self._has, contract.operations))
        if contract.operations and not selected.operations:
            options = {"--operation": self.operations, "--tag": self.tags, "--method": self.methods}
            given = " ".join(f"{option} '{one}'" for option, values in options.items() for one in values)
            raise SetupError([Diagnostic(given, "no operation matches all options; name fewer")])
        return selected

    def _has(self, operation: Operation) -> bool:
        names = {operation.id, _written(str(operation))}
        return (
            (not self.operations or not names.isdisjoint({*self.operations, *map(_written, self.operations)}))
            and (not self.tags or operation.tag in self.tags)
            and (not self.methods or operation.method in map(str.lower, self.methods))
        )

    def _problems(self, contract: Contract) -> Iterator[Diagnostic]:
        operations = contract.operations
        left_out = {name: contract.not_served(name) for name in map(_written, self.operations)}
        yield from (Diagnostic("--operation", one.reason.message) for one in left_out.values() if one)
        asked = [name for name, one in left_out.items() if one is None]
        names = {operation.id for operation in operations} | set(map(str, operations))
        yield from _unknown("--operation", "operation", asked, names)
        yield from _unknown("--tag", "tag", self.tags, {operation.tag for operation in operations})
        methods = {operation.method.upper() for operation in operations}
        yield from _unknown("--method", "operation with the method", map(str.upper, self.methods), methods)


def _written(name: str) -> str:
    """Return `get /pets` as `GET /pets`, and an operation's id as it is."""
    method, space, path = name.partition(" ")
    return f"{method.upper()} {path.strip()}" if space else name


def _unknown(option: str, what: str, values: Iterable[str], known: set[str]) -> Iterator[Diagnostic]:
    for value in values:
        if value not in known:
            close = difflib.get_close_matches(value, sorted(known), 1, 0.6)
            first = ", ".join(f"'{name}'" for name in sorted(known)[:_LISTED])
            more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
            advice = f"did you mean '{close[0]}'?" if close else f"it has {first}{more}"
            yield Diagnostic(option, f"the contract has no {what} '{value}'; {advice}")
