"""Draws the paired ratios of a run as an SVG: median and quartiles on a logarithmic axis, for light and dark mode."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from .figures import Spread, ratios, spread
from .report import OURS
from .results import Results

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.grid { stroke: #d0d7de } .one { stroke: #57606a } .whisker { stroke: #0969da; stroke-width: 3 }
circle { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .grid { stroke: #30363d } .one { stroke: #8d96a0 } .whisker { stroke: #58a6ff }
  circle { fill: #58a6ff }
}
"""
_LEFT, _WIDTH, _RIGHT, _LINE = 260, 460, 120, 24  # pixels


def svg(results: Results, titles: Mapping[str, str]) -> str:
    """Return an SVG of Relay's speed relative to each peer, cell by cell."""
    panels = {
        str(cell): {
            titles.get(name, name): spread(ratios(ours, results.column(cell, name, "rate")))
            for name in peers
            if name != OURS
        }
        for cell, peers in results.samples.items()
        if (ours := results.column(cell, OURS, "rate"))
    }
    values = [value for panel in panels.values() for found in panel.values() for value in found] or [1.0]
    least, most = _decades(min(values), max(values))
    height = _LINE * (2 + sum(len(panel) + 3 for panel in panels.values()))
    width = _LEFT + _WIDTH + _RIGHT
    picture = Element(
        "svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", width=str(width),
        height=str(height), role="img",
    )  # fmt: skip
    SubElement(picture, "title").text = "How many times as fast Relay is"
    SubElement(picture, "style").text = _STYLE
    _text(
        picture,
        8,
        _LINE,
        "Relay's requests a second relative to each server: median and quartiles of the rounds",
    )

    def across(value: float) -> float:
        return _LEFT + _WIDTH * (math.log10(value) - least) / (most - least)

    top = 2 * _LINE
    for heading, panel in panels.items():
        _text(picture, 8, top + _LINE / 2, heading, "head")
        _axis(picture, range(least, most + 1), across, top + _LINE, len(panel))
        for row, (title, found) in enumerate(panel.items()):
            _whisker(picture, title, found, across, top + _LINE * (row + 1.5))
        top += _LINE * (len(panel) + 3)
    return tostring(picture, encoding="unicode")


def _decades(low: float, high: float) -> tuple[int, int]:
    """Return powers of ten around some values, and around 1."""
    least = math.floor(math.log10(min(low, 1)))
    return least, max(math.ceil(math.log10(max(high, 1))), least + 1)


def _axis(
    picture: Element, decades: Iterable[int], across: Callable[[float], float], top: float, rows: int
) -> None:
    bottom = top + _LINE * rows
    for decade in decades:
        x = f"{across(10.0**decade):.1f}"
        kind = "one" if decade == 0 else "grid"
        SubElement(picture, "line", {"class": kind}, x1=x, x2=x, y1=f"{top:g}", y2=f"{bottom:g}")
        _text(picture, float(x), bottom + _LINE * 0.7, f"{10.0**decade:g}", anchor="middle")


def _whisker(picture: Element, title: str, found: Spread, across: Callable[[float], float], y: float) -> None:
    _text(picture, _LEFT - 12, y + 4, title, anchor="end")
    ends = {"x1": f"{across(found.low):.1f}", "x2": f"{across(found.high):.1f}"}
    SubElement(picture, "line", {"class": "whisker"}, **ends, y1=f"{y:g}", y2=f"{y:g}")
    SubElement(picture, "circle", cx=f"{across(found.median):.1f}", cy=f"{y:g}", r="5")
    _text(picture, _LEFT + _WIDTH + 12, y + 4, f"{found.median:.2f} times")


def _text(picture: Element, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
    place = {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor, **({"class": kind} if kind else {})}
    SubElement(picture, "text", place).text = text
