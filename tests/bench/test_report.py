"""The report as Markdown, JSON and SVG: `scripts/bench/report.py` and `plot.py`."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from bench.plot import svg
from bench.report import as_json, markdown
from bench.results import Cell, Growth, Results, Sample

TITLES = {"relay": "Relay", "fastapi": "FastAPI <0.2> & co", "connexion": "Connexion"}
CELL = Cell("memory", 100, 1)


@pytest.fixture
def results():
    """Return three rounds of three servers, and values of all other measurements."""
    rates = {
        "relay": (4000.0, 5000.0, 4400.0),
        "fastapi": (1000.0, 1000.0, 1000.0),
        "connexion": (44.0, 50.0, 40.0),
    }
    return Results(
        fates={"relay": "is rejected", "fastapi": "is converted", "connexion": "is sent"},
        starts={"relay": [0.5, 0.7, 0.6], "fastapi": [1.0], "connexion": [2.0]},
        samples={
            CELL: {name: [Sample(rate, 2.0, 9.0, 0.2, 80.0) for rate in found] for name, found in rates.items()}
        },
        idle={CELL: {"relay": 70.0, "fastapi": 60.0, "connexion": 65.0}},
        waits={"relay": [8.0, 12.0, 9.0]},
        many_starts={1: {"relay": [0.5], "connexion": [1.0]}, 600: {"relay": [1.0], "connexion": [4.0]}},
        growth=[Growth("numbers", (1, 10), ((0.1,), (1.0,)), ((2.0,), (2.0,)))],
    )  # fmt: skip


def test_shows_medians_and_quartiles_of_the_paired_ratios(results):
    """The ratios of the rounds are 4, 5 and 4.4; rounds are never mixed."""
    text = markdown(results, {"Load": "wrk 4.1.0"}, TITLES)

    assert "| Load | wrk 4.1.0 |" in text
    assert "| FastAPI <0.2> & co | 1,000 | 2.0 | 9.0 | 0.200 | 60 | 80 | 4.40 [4.20 to 4.70] |" in text
    assert "| Connexion | 44.0 | 2.0 | 9.0 | 0.200 | 65 | 80 | 100.00 [95.45 to 105.00] |" in text
    assert "| relay to fastapi, 100 numbers | at least 4 times | 4.4 times | met by 10% |" in text
    assert "| relay to connexion, 100 numbers | at least 90 times | 100 times | met by 11% |" in text


def test_shows_what_happens_to_an_invalid_body(results):
    """A program that does not validate is faster."""
    text = markdown(results, {}, TITLES)

    assert "| Relay | 0.60 | is rejected |" in text
    assert "| Connexion | 2.00 | is sent |" in text


def test_shows_growth_with_its_exponent(results):
    """Ten times the cost for ten times the numbers is 1, the same cost is 0."""
    text = markdown(results, {}, TITLES)

    assert "| CPU, ms a request | 0.100 | 1.000 | 1.00 |" in text
    assert "| p50, ms | 2.000 | 2.000 | 0.00 |" in text


def test_every_round_is_in_the_json(results):
    """So that readers can check the medians."""
    plain = json.loads(json.dumps(as_json(results, {"Load": "wrk"})))

    [cell] = plain["cells"]
    assert (cell["source"], cell["numbers"], cell["workers"]) == ("memory", 100, 1)
    assert [one["requests_per_second"] for one in cell["peers"]["relay"]["rounds"]] == [4000, 5000, 4400]
    assert plain["machine"] == {"Load": "wrk"}
    assert {"goal": "start-up to connexion's, 600 operations", "bound": "at most 0.5 times", "value": 0.25,
            "verdict": "met by 50%"} in plain["goals"]  # fmt: skip


def test_the_svg_shows_each_peer_of_each_cell(results):
    """It is well-formed for any title, and has colours for light and dark mode."""
    picture = svg(results, TITLES)

    texts = [text.text for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 -- our own
    assert {"FastAPI <0.2> & co", "4.40 times", "100.00 times", str(CELL)} <= set(texts)
    assert "prefers-color-scheme: dark" in picture


def test_reports_a_run_of_relay_alone():
    """For example, to measure only growth."""
    results = Results(
        samples={CELL: {"relay": [Sample(1.0, 1.0, 1.0, 1.0, 1.0)]}}, idle={CELL: {"relay": 1.0}}
    )

    assert "| Relay | 1.0 |" in markdown(results, {}, TITLES)
    assert svg(results, TITLES).endswith("</svg>")
