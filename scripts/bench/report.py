"""The report of a run, as Markdown and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .figures import ratios, spread
from .goals import GOALS, growth_exponent
from .results import Cell, Results

OURS = "relay"


def markdown(results: Results, machine: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """Return the report as Markdown; `titles` are those of the peers. Figures are medians, with quartiles in brackets."""
    parts = ["# Relay side by side", *_table(["", ""], machine.items())]
    parts += ["", "## Goals", "", *_goals(results)]
    for cell in results.samples:
        parts += ["", f"## {cell}", "", *_cell(results, cell, titles)]
    parts += ["", "## Start-up and invalid bodies", "", *_starts(results, titles)]
    if results.many_starts:
        parts += ["", "## Start-up by operations", "", "Seconds to the first response.", "", *_many(results)]
    if results.waits:
        rows = [[titles.get(name, name), f"{_median(found):,.1f}"] for name, found in results.waits.items()]
        parts += ["", "## Small requests during 5,000 numbers", ""]
        parts += _table(["", "p99 of 50 requests a second, ms"], rows)
    if results.growth:
        parts += ["", "## Growth", "", "Cost = c · size^exponent, by least squares on the logarithms."]
        for growth in results.growth:
            costs = {"CPU, ms a request": growth.cpu, "p50, ms": growth.p50}
            rows = [
                [label, *(f"{_median(cost):.3f}" for cost in found), _exponent(growth.sizes, found)]
                for label, found in costs.items()
            ]
            head = [growth.of, *(f"{size:,}" for size in growth.sizes), "exponent"]
            parts += ["", *_table(head, rows)]
    return "\n".join(parts) + "\n"


def as_json(results: Results, machine: Mapping[str, str]) -> dict[str, Any]:
    """Return all rounds, the goals and the machine as plain data."""
    goals = [
        {"goal": goal.title, "bound": goal.bound, "value": (value := goal.value(results)),
         "verdict": goal.verdict(value)}
        for goal in GOALS
    ]  # fmt: skip
    return {"machine": dict(machine), "goals": goals, **results.as_json()}


def _goals(results: Results) -> list[str]:
    rows = []
    for goal in GOALS:
        value = goal.value(results)
        found = "" if value is None else goal.found(value)
        rows.append([goal.title, goal.bound, found, goal.verdict(value)])
    return _table(["goal", "bound", "found", "verdict"], rows)


def _cell(results: Results, cell: Cell, titles: Mapping[str, str]) -> list[str]:
    head = "server|requests/s|p50, ms|p99, ms|CPU, ms a request|RSS idle, MB|RSS loaded, MB|speed-up of Relay"
    ours = results.column(cell, OURS, "rate")
    rows = []
    for name in results.samples[cell]:
        column = {
            figure: _median(results.column(cell, name, figure)) for figure in "rate p50 p99 cpu rss".split()
        }
        times = ""
        if ours and name != OURS:
            low, middle, high = spread(ratios(ours, results.column(cell, name, "rate")))
            times = f"{middle:.2f} [{low:.2f} to {high:.2f}]"
        rows.append(
            [
                titles.get(name, name),
                f"{column['rate']:,.0f}" if column["rate"] >= 100 else f"{column['rate']:.1f}",
                *(f"{column[figure]:,.1f}" for figure in ("p50", "p99")),
                f"{column['cpu']:,.3f}",
                f"{results.idle[cell][name]:,.0f}",
                f"{column['rss']:,.0f}",
                times,
            ]
        )
    return _table(head.split("|"), rows)


def _starts(results: Results, titles: Mapping[str, str]) -> list[str]:
    rows = [
        [
            titles.get(name, name),
            f"{_median(found):.2f}",
            results.fates.get(name, ""),
        ]
        for name, found in results.starts.items()
    ]
    return _table(["server", "s to the first response", "a body that violates the contract"], rows)


def _many(results: Results) -> list[str]:
    counts = list(results.many_starts)
    names = next(iter(results.many_starts.values()))
    rows = [
        [name, *(f"{_median(results.many_starts[count][name]):.2f}" for count in counts)] for name in names
    ]
    return _table(["operations", *(f"{count:,}" for count in counts)], rows)


def _exponent(sizes: tuple[int, ...], costs: tuple[tuple[float, ...], ...]) -> str:
    return f"{growth_exponent(sizes, costs):.2f}"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
