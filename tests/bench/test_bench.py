"""A run and its report: `scripts/bench/measuring.py`, `report.py`, `stages.py`, `__main__.py`."""

import json
import shutil

import pytest
from click.testing import CliRunner

from bench import measuring, stages
from bench.__main__ import bench
from bench.data import body, write_data
from bench.measuring import CELLS
from bench.peers import PEERS
from bench.report import GOALS, judged, verdict

pytestmark = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")


def test_says_by_how_much_a_goal_is_met():
    assert [verdict("≥ 4", value) for value in (5, 4, 3)] == ["met by 25%", "met by 0%", "missed by 25%"]
    assert [verdict("≤ 20", value) for value in (15, 30)] == ["met by 25%", "missed by 50%"]


def test_every_goal_names_figures_of_a_cell():
    """A goal with a misspelt figure would never be measured; of two opponents, the stronger counts."""
    figures = {name: [9.0, 2.0, 1.0] for _, _, *names in GOALS for name in " ".join(names).split()}
    figures["1/fastapi-def/rate"] = [8.0]
    found = {title: (value, said) for title, _, value, said in judged(figures, {"litestar": "absent"})}

    assert {name.partition("/")[0] for name in figures} == CELLS.keys()
    assert found["1 number, to FastAPI as its docs write it"] == ("0.25", "missed by 95%")
    assert found["5,000 numbers, to Litestar"] == ("", "not measured: absent")
    assert all(said.startswith("not measured: the cell") for *_, said in judged({}, {}))


@pytest.mark.slow
def test_a_run_reports_goals_and_figures(tmp_path, monkeypatch):
    """Over real sockets, with one peer that is not there."""
    chosen = {name: PEERS[name] for name in ("relay", "relay-mongodb")}
    monkeypatch.setattr(measuring, "PEERS", chosen)
    monkeypatch.setattr(measuring, "NUMBERS", (1,))
    options = ["--quick", "--only", "1", "--output", str(tmp_path / "out.json")]
    done = CliRunner().invoke(bench, options, env={"RELAY_BENCH_MONGODB": ""}, catch_exceptions=False)

    figures = json.loads((tmp_path / "out.json").read_text("utf-8"))["figures"]
    assert {len(figures[f"1/relay/{unit}"]) for unit in ("rate", "cpu", "p99")} == {2}
    assert "| not measured: RELAY_BENCH_MONGODB names no server |" in done.stdout
    assert "| Relay | " in done.stdout


@pytest.mark.slow
async def test_stages_are_cut_one_after_the_other(tmp_path, monkeypatch):
    """Each service with a constant answers as the whole one does."""
    monkeypatch.setenv("BENCH_DATA", write_data(tmp_path, body(3)))
    answers = []

    async def kept(call, _times):
        answers.append(await call())
        return 0.0

    monkeypatch.setattr(stages, "_cost", kept)
    await stages._in_process("memory", 1)

    bodies = [[message.get("body") for message in answer] for answer in answers if isinstance(answer, list)]
    assert bodies == [bodies[0]] * 4
