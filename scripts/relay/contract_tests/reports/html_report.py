"""A run as one self-contained HTML page: no other file, no network, no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from relay.contract.model import Operation
from relay.contract_tests.contract_rules import RULES
from relay.contract_tests.coverage import Cell, Coverage, State
from relay.contract_tests.results import NotRun
from relay.contract_tests.run_report import Report

from .curl import curl
from .printable import answer_line, body_text, escape_unprintable, expected_statuses, shown_by, signed_in_as

OPEN_FAILURES = 10
"""The number of failures whose evidence is open at first."""

OPEN_OPERATIONS = 50
"""The largest number of operations for which the grid is open at first."""

_SYMBOLS = {State.SEEN: "✓", State.WAIVED: "\N{EN DASH}", State.NOT_SEEN: "○"}


class Group(NamedTuple):
    """The grid of one tag: each row has an operation and, status by status, the cells of its media types."""

    tag: str
    statuses: list[str]
    rows: list[tuple[Operation, list[list[Cell]]]]
    counts: Counter[State]


def page(report: Report) -> str:
    """Return a redacted report as HTML."""
    import jinja2
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        return value if isinstance(value, Markup) else escape_unprintable(str(value))

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=finalize,  # applied to every value of the template
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        statuses=expected_statuses,
        answer=answer_line,
        asked=signed_in_as,
        body=body_text,
        duration=_duration,
        plural=_plural,
    )
    return environment.get_template("page.html.j2").render(
        report=report,
        failures=report.failures,
        whys={rule.id: rule.why for rule in RULES.values()},
        exchanges=sum(len(part.exchanges) for part in report.parts),
        counts=Counter(cell.state for cell in report.coverage.cells),
        groups=groups(report.coverage),
        waived=_waived(report.coverage),
        not_run=[(part, _by_reason(part.not_run)) for part in report.parts if part.not_run],
        command=lambda exchange: curl(exchange, report.subject),
        shown_by=shown_by,
        describe=_describe,
        symbols=_SYMBOLS,
        State=State,
        open_failures=OPEN_FAILURES,
        is_grid_open=len({cell.operation.id for cell in report.coverage.cells}) <= OPEN_OPERATIONS,
    )


def groups(coverage: Coverage) -> list[Group]:
    """Return the grids of a contract, by tag."""
    by_tag: dict[str, list[Cell]] = {}
    for cell in coverage.cells:
        by_tag.setdefault(cell.operation.tag, []).append(cell)
    return [_group(tag, cells) for tag, cells in by_tag.items()]


def _group(tag: str, cells: list[Cell]) -> Group:
    statuses = sorted({cell.status for cell in cells})  # ranges after their numbers, `default` last
    rows = []
    for _, found in groupby(cells, lambda cell: cell.operation.id):
        row = list(found)
        by_status = [[cell for cell in row if cell.status == status] for status in statuses]
        rows.append((row[0].operation, by_status))
    return Group(tag, statuses, rows, Counter(cell.state for cell in cells))


def _describe(cell: Cell) -> str:
    """Return a cell's state as text: `application/json: seen by properties (12)`."""
    match cell.state:
        case State.SEEN:
            known = f"seen by {', '.join(f'{part} ({count})' for part, count in cell.seen.items())}"
        case State.WAIVED if cell.waiver:
            known = f"waived: {cell.waiver.reason}"
        case _:
            known = "not seen"
    return f"{cell.media_type or 'no body'}: {known}"


def _waived(coverage: Coverage) -> list[tuple[Cell, list[Cell]]]:
    """Return the waived cells by waiver, each list with its first cell."""
    found: dict[str, list[Cell]] = {}
    for cell in coverage.cells:
        if cell.state is State.WAIVED and cell.waiver:
            found.setdefault(str(cell.waiver.place), []).append(cell)
    return [(cells[0], cells) for cells in found.values()]


def _by_reason(not_run: Iterable[NotRun]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in not_run:
        found.setdefault(one.reason, []).append(one.case)
    return found


def _duration(seconds: float) -> str:
    """Return a duration as text: `0.4 s`, `2 min 5 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
