"""Which of the contract's answers somebody has seen: operations by status by media type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.model import Contract, Operation
from relay.validation import media_types as media

from .conformance import ConformanceChecker
from .contract_config import Accepted, Waiver
from .contract_rules import RULES
from .exchanges import Exchange


class State(StrEnum):
    """What is known of a cell."""

    SEEN = "seen"
    WAIVED = "waived"
    NOT_SEEN = "not seen"


@dataclass(slots=True)
class Cell:
    """One answer that the contract documents; `media_type` has no parameters, and is None where it documents no body.

    `seen` counts exchanges by the part of the run, or the file, that they come from.
    """

    operation: Operation
    status: str
    media_type: str | None
    place: SourceLocation
    seen: Counter[str] = field(default_factory=Counter)
    waiver: Waiver | None = None

    @property
    def state(self) -> State:
        """Seen before waived: what was seen needs no waiver."""
        if self.seen:
            return State.SEEN
        return State.WAIVED if self.waiver else State.NOT_SEEN

    def __str__(self) -> str:
        return f"{self.status} {self.media_type or 'without a body'} of {self.operation}"


class Coverage:
    """The cells of a contract, in its order."""

    def __init__(self, contract: Contract, waivers: Sequence[Waiver] = ()) -> None:
        self._waivers = waivers
        self._succeeded: set[str] = set()
        self.cells = [
            Cell(operation, status, media_type, contract.place(response.pointer))
            for operation in contract.operations
            for status, response in operation.responses.items()
            for media_type in (media.by_name(response.content) or [None])
        ]
        self._by_answer = {(cell.operation.id, cell.status, cell.media_type): cell for cell in self.cells}
        for cell in self.cells:
            cell.waiver = next((one for one in waivers if _covers(one, cell)), None)

    def add(self, exchanges: Iterable[Exchange], judge: ConformanceChecker) -> None:
        """Mark what some exchanges have shown."""
        for exchange in exchanges:
            where = judge.where(exchange)
            if where is None or where.operation is None:
                continue
            if 200 <= exchange.status < 300:
                self._succeeded.add(where.operation.id)
            cell = self._shown(exchange, where.operation)
            if cell is not None:
                cell.seen[exchange.part] += 1

    def _shown(self, exchange: Exchange, operation: Operation) -> Cell | None:
        status, response = str(exchange.status), operation.response(exchange.status)
        key = next((key for key in (status, f"{status[0]}XX", "default") if key in operation.responses), None)
        if key is None or response is None:
            return None
        if not response.content:
            return self._by_answer.get((operation.id, key, None))
        name = media.essence(exchange.header("content-type") or "")
        found = media.find(name, {known: known for known in media.by_name(response.content)})
        return self._by_answer.get((operation.id, key, found)) if found else None

    @property
    def percent(self) -> float:
        """How many of the answers that nobody waived were seen, of a hundred; rounded down to a tenth."""
        asked = [cell for cell in self.cells if cell.state is not State.WAIVED]
        seen = sum(cell.state is State.SEEN for cell in asked)
        return (seen * 1000 // len(asked)) / 10 if asked else 100.0

    def never_succeeded(self) -> list[Operation]:
        """Return the operations that answered no request with a success that the contract documents.

        Where it names none, `default` stands for it: any success is one then, and no failure.
        """
        asked = {cell.operation.id: cell.operation for cell in self.cells if _may_succeed(cell)}
        good = {
            cell.operation.id
            for cell in self.cells
            if _may_succeed(cell)
            and (
                cell.waiver
                or (cell.seen and (cell.status != "default" or cell.operation.id in self._succeeded))
            )
        }
        return [operation for id_, operation in asked.items() if id_ not in good]

    def unused_waivers(self) -> list[Diagnostic]:
        """Tell of waivers that cover nothing, or what was seen all the same."""
        rule = RULES["unused-waiver"]
        found = []
        for waiver in self._waivers:
            cells = [cell for cell in self.cells if _covers(waiver, cell)]
            if all(cell.seen for cell in cells):
                told = "was seen" if cells else "stands nowhere in the contract"
                message = f"what it waives {told}; take the waiver out"
                found.append(Diagnostic(waiver.place, message, rule.id, rule.severity))
        return found


def check_names(contract: Contract, entries: Iterable[Waiver | Accepted]) -> None:
    """Raise SetupError for entries that name an operation that the contract does not have."""
    known = {operation.id for operation in contract.operations}
    wrong = [
        Diagnostic(entry.place, f"the contract has no operation '{entry.operation}'")
        for entry in entries
        if entry.operation is not None and entry.operation not in known
    ]
    if wrong:
        raise SetupError(wrong)


def _covers(waiver: Waiver, cell: Cell) -> bool:
    return (
        waiver.operation in (None, cell.operation.id)
        and waiver.status.upper() == cell.status.upper()
        and (waiver.media_type is None or media.essence(waiver.media_type) == cell.media_type)
    )


def _may_succeed(cell: Cell) -> bool:
    names_one = any(status.startswith(("2", "3")) for status in cell.operation.responses)
    return cell.status.startswith("2") or (cell.status == "default" and not names_one)
