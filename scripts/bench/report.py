"""The report of a run: goals and by how much they are met, then a table for each number of phone numbers; medians."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from relay import __version__

from .measuring import NUMBERS, Run
from .peers import PEERS

_LINES = Path(__file__).with_name("goals.txt").read_text("utf-8").splitlines()[1:]
GOALS = [line.split(" | ") for line in _LINES]
"""Title, bound and figure of each goal; if it is divided by others, their names."""
_HEAD = "|requests/s|Relay to it|CPU, µs a request|p99, ms|idle, MB".split("|")


def machine(run: Run) -> dict[str, str]:
    """Describe what the figures depend on."""
    model = re.search("model name.*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    described = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "Relay": __version__}
    described["processor"] = f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores"
    for python in run.installed.glob("*/bin/python"):
        listed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=False)
        described[f"packages of {python.parts[-3]}"] = ", ".join(listed.stdout.splitlines())
    return described


def markdown(run: Run) -> Iterator[str]:
    """Yield the lines of the report."""
    yield from _table(("goal", "bound", "found", "verdict"), judged(run.figures, run.reasons))
    for numbers in NUMBERS:
        if rows := [_row(run, numbers, name) for name in PEERS if f"{numbers}/{name}/rate" in run.figures]:
            yield from ("", f"{numbers:,} number{'s' * (numbers > 1)}:", "", *_table(_HEAD, rows))


def _row(run: Run, numbers: int, name: str) -> list[str]:
    """Return the row of a peer, which is compared with Relay on the same source."""
    named = [run.figures.get(f"{numbers}/{name}/{unit}") for unit in ("rate", "cpu", "p99", "idle")]
    rate, *others = (statistics.median(values) if values else None for values in named)
    source = PEERS[name].source
    ours = run.figures.get(f"{numbers}/relay{'' if source == 'memory' else f'-{source}'}/rate")
    times = f"{statistics.median(ours) / rate:.2f}" if ours and rate else ""
    shown = ("" if value is None else f"{value:,.1f}" for value in others)
    return [PEERS[name].title, f"{rate:,.0f}", times, *shown]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def judged(figures: Mapping[str, Sequence[float]], reasons: Mapping[str, str]) -> Iterator[Sequence[str]]:
    """Yield each goal's title, bound, value and verdict; `reasons` say why something was not measured."""
    for title, bound, figure, *against in GOALS:
        names = [figure, *" ".join(against).split()]
        missing = [reason for name in names if (reason := _reason(name, figures, reasons))]
        if missing:
            yield title, bound, "", f"not measured: {missing[0]}"
            continue
        value, *others = (statistics.median(figures[name]) for name in names)
        value = min((value / other for other in others), default=value)
        yield title, bound, f"{value:.3g}", verdict(bound, value)


def verdict(bound: str, value: float) -> str:
    """Say whether a value meets a bound such as "≥ 4", and by how much of it."""
    sign, number = bound.split()
    share = value / float(number) - 1 if sign == "≥" else 1 - value / float(number)
    return f"met by {share:.0%}" if share >= 0 else f"missed by {-share:.0%}"


def _reason(figure: str, figures: Mapping[str, Sequence[float]], reasons: Mapping[str, str]) -> str:
    """Return why a figure `cell/server/unit` was not measured, "" if it was."""
    cell, server, _ = figure.split("/")
    for name in (cell, server, f"{cell}/{server}"):
        if name in reasons:
            return reasons[name]
    return "" if figures.get(figure) else f"the cell {cell} was not part of the run"
