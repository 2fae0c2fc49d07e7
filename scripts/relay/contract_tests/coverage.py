"""Coverage of the documented responses: each operation, status and media type, observed or not; and the report of a run."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, SourceLocation
from relay.contract.model import Contract, Operation, Response
from relay.validation import media_types as media
from relay.validation.http import BODILESS

from .conformance import ConformanceChecker
from .contract_config import Accepted, Waiver
from .contract_rules import RULES
from .exchanges import Exchange
from .results import Failure, Phase, is_cut


class State(StrEnum):
    """The coverage state of a cell."""

    SEEN = "seen"
    WAIVED = "waived"
    NOT_SEEN = "not seen"


@dataclass(slots=True)
class Cell:
    """One documented response; `media_type` has no charset, and is None if no body is documented.

    `seen` counts the exchanges that showed it, by the part of the run, or the file, that they come from.
    """

    operation: Operation
    status: str
    media_type: str | None
    place: SourceLocation
    seen: Counter[str] = field(default_factory=Counter)
    waiver: Waiver | None = None

    @property
    def state(self) -> State:
        """SEEN, even with a waiver, or WAIVED, or NOT_SEEN."""
        if self.seen:
            return State.SEEN
        return State.WAIVED if self.waiver else State.NOT_SEEN

    def __str__(self) -> str:
        return f"{self.status} {self.media_type or 'without a body'} of {self.operation}"


class Coverage:
    """The cells of a contract, in the order of the contract."""

    def __init__(self, contract: Contract, waivers: Sequence[Waiver] = ()) -> None:
        self._waivers = waivers
        self._succeeded: set[str] = set()
        self.cells = [
            Cell(operation, status, media_type, contract.place(response.pointer))
            for operation in contract.operations
            for status, response in operation.responses.items()
            for media_type in _media_types(status, response)
        ]
        self._by_answer = {(cell.operation.id, cell.status, cell.media_type): cell for cell in self.cells}
        for cell in self.cells:
            cell.waiver = next((one for one in waivers if _covers(one, cell)), None)

    def add(self, exchanges: Iterable[Exchange], checker: ConformanceChecker) -> None:
        """Count the documented responses in some exchanges."""
        for exchange in exchanges:
            operation = checker.operation_of(exchange.request)
            if operation is None:
                continue
            if 200 <= exchange.status < 300:
                self._succeeded.add(operation.id)
            if (cell := self._cell_of(exchange, operation)) is not None:
                cell.seen[exchange.part] += 1

    def waive_unwritten(self, handlers: Mapping[str, str]) -> None:
        """Waive the responses of operations whose handler is not written yet, unless a waiver covers them already."""
        for cell in self.cells:
            if cell.operation.id in handlers and cell.waiver is None:
                reason = f"not written yet: {handlers[cell.operation.id]}"
                cell.waiver = Waiver(cell.operation.id, cell.status, cell.media_type, reason, cell.place)

    def _cell_of(self, exchange: Exchange, operation: Operation) -> Cell | None:
        status, response = str(exchange.status), operation.response(exchange.status)
        key = next((key for key in (status, f"{status[0]}XX", "default") if key in operation.responses), None)
        if key is None or response is None:
            return None
        if not response.content or exchange.status in BODILESS:
            return self._by_answer.get((operation.id, key, None))
        known = {name: name for name in media.by_name(response.content)}
        found = media.find(exchange.header("content-type") or "", known)
        return self._by_answer.get((operation.id, key, found)) if found else None

    @property
    def percent(self) -> float:
        """The percentage of observed responses among those not waived, rounded down to 0.1."""
        states = Counter(cell.state for cell in self.cells)
        required = states[State.SEEN] + states[State.NOT_SEEN]
        return (states[State.SEEN] * 1000 // required) / 10 if required else 100.0

    def has_succeeded(self, operation_id: str) -> bool:
        """Return True for an operation that answered a request with a success, documented or not."""
        return operation_id in self._succeeded

    def never_succeeded(self) -> list[Operation]:
        """Return the operations for which no documented success was observed.

        If an operation documents no 2xx and no 3xx, any 2xx under `default` counts as its success.
        """
        candidates = [cell for cell in self.cells if _may_succeed(cell)]
        succeeded = {
            cell.operation.id
            for cell in candidates
            if cell.waiver
            or (cell.seen and (cell.status != "default" or cell.operation.id in self._succeeded))
        }
        operations = {cell.operation.id: cell.operation for cell in candidates}
        return [operation for id_, operation in operations.items() if id_ not in succeeded]

    def unused_waivers(self) -> list[Diagnostic]:
        """Return a warning for each waiver that matches no response, or only observed ones."""
        rule = RULES["unused-waiver"]
        found = []
        for waiver in self._waivers:
            cells = [cell for cell in self.cells if _covers(waiver, cell)]
            if all(cell.seen for cell in cells):
                reason = "was observed" if cells else "is not in the contract"
                message = f"the waived response {reason}; remove the waiver"
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
        and (waiver.media_type is None or media.key_of(waiver.media_type) == cell.media_type)
    )


def _media_types(status: str, response: Response) -> Iterable[str | None]:
    has_body = response.content and status not in map(str, BODILESS)
    return media.by_name(response.content) if has_body else [None]


def _may_succeed(cell: Cell) -> bool:
    names_one = any(status.startswith(("2", "3")) for status in cell.operation.responses)
    return cell.status.startswith("2") or (cell.status == "default" and not names_one)


@dataclass(slots=True)
class Report:
    """A whole run: what was tested, how, and the results.

    `subject` is the service's address, or None if only recorded traffic was checked; `reproduce` are
    shell lines that set URL and TOKEN for the curl commands of the failures.
    """

    title: str
    spec: str
    subject: str | None
    seed: int | None
    started: datetime
    parts: list[Phase]
    coverage: Coverage
    min_coverage: float | None = None
    reproduce: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        """True if no part found an error."""
        return all(part.held for part in self.parts)

    @property
    def is_cut(self) -> bool:
        """True if the time limit left something out."""
        return is_cut(self.parts)

    @property
    def failures(self) -> list[Failure]:
        """All findings, sorted by severity and then by the order of the rules."""
        found = [failure for part in self.parts for failure in part.failures]
        severities, order = [*Severity], {rule: at for at, rule in enumerate(RULES)}
        return sorted(
            found, key=lambda one: (severities.index(one.severity), order.get(one.rule, len(order)))
        )
