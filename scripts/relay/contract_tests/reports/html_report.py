"""A run as one self-contained HTML page: no other file, no network, no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from relay.contract_tests.contract_rules import RULES
from relay.contract_tests.coverage import Cell, Report, State

from .curl import curl
from .printable import answer_line, body_text, escape_unprintable, expected_statuses, shown_by, signed_in_as

if TYPE_CHECKING:
    import jinja2

OPEN_FAILURES = 10  # the number of failures whose evidence is open at first
_OPEN_OPERATIONS = 50  # the largest number for which the grid is open at first

T = TypeVar("T")
K = TypeVar("K")

_SYMBOLS = {State.SEEN: "✓", State.WAIVED: "\N{EN DASH}", State.NOT_SEEN: "○"}


def page(report: Report) -> str:
    """Return a redacted report as HTML."""
    cells = report.coverage.cells
    waived = _by(
        [one for one in cells if one.state is State.WAIVED], lambda one: str(one.waiver and one.waiver.place)
    )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            failures=report.failures,
            whys={rule.id: rule.why for rule in RULES.values()},
            exchanges=sum(len(part.exchanges) for part in report.parts),
            counts=Counter(cell.state for cell in cells),
            groups=[_grid(one) for one in _by(cells, lambda cell: cell.operation.tag).values()],
            waived=waived.values(),
            not_run=[
                (one, _by(one.not_run, lambda case: case.reason)) for one in report.parts if one.not_run
            ],
            command=lambda exchange: curl(exchange, report.subject),
            shown_by=shown_by,
            describe=_describe,
            symbols=_SYMBOLS,
            State=State,
            open_failures=OPEN_FAILURES,
            is_grid_open=len({cell.operation.id for cell in cells}) <= _OPEN_OPERATIONS,
        )
    )


def _environment() -> jinja2.Environment:
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
    return environment


def _by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _grid(cells: list[Cell]) -> dict[str, Any]:
    """Return the grid of one tag: each row has an operation and, status by status, the cells of its media types."""
    statuses = sorted({cell.status for cell in cells})  # ranges after their numbers, `default` last
    rows = [
        (row[0].operation, [[cell for cell in row if cell.status == status] for status in statuses])
        for row in _by(cells, lambda cell: cell.operation.id).values()
    ]
    counts = Counter(cell.state for cell in cells)
    return {"tag": cells[0].operation.tag, "statuses": statuses, "rows": rows, "counts": counts}


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


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
