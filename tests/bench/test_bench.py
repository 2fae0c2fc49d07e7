"""`python -m bench` as a person runs it: `scripts/bench/`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from bench import load, measuring, running
from bench.command import bench
from bench.measuring import cells
from bench.results import Cell
from relay.contract.diagnostics import SetupError
from support import benching
from support.running import ROOT, environment

SOURCES = frozenset({"memory", "sqlite"})


def standin(name, **variables):
    """A peer that is tests/support/benching.py."""
    variables |= {"PYTHONPATH": f"{ROOT}"}
    return SimpleNamespace(
        is_mock=False,
        name=name,
        title=name.title(),
        needs="",
        sources=SOURCES,
        command=lambda _folder: benching.COMMAND,
        environment=lambda: variables,
    )


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Run the command with peers that need no installation."""

    def invoke(*arguments, **variables):
        peers = (standin("relay"), standin("fastapi", **variables), standin("floor"))
        for module in (running, measuring):
            monkeypatch.setattr(module, "PEERS", peers)
        monkeypatch.setattr("bench.command.listen", lambda _hear: None)  # signals stay pytest's
        monkeypatch.setattr(running, "install", lambda _folder, _needs: None)
        monkeypatch.setattr(measuring, "prove", lambda _url, _token, _numbers, *, is_mock: None)
        monkeypatch.setattr(measuring, "fate", lambda _url, _token: "gets out")
        output = ["--output", str(tmp_path / "out"), "--folder", str(tmp_path / "installed")]
        return CliRunner().invoke(bench, [*arguments, *output])

    return invoke


@pytest.fixture
def wrk():
    """The load generator that needs no network."""
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed; autocannon would be fetched from a network")


@pytest.mark.usefixtures("wrk")
def test_measures_over_real_sockets_and_writes_three_files(invoke, tmp_path):
    """Markdown on standard output and in a file, every round as JSON, and the picture."""
    result = invoke(*"--quick --numbers 1 --sources sqlite --workers 2 --rounds 1 --peers fastapi".split())

    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "bench.json").read_text("utf-8"))
    assert [(cell["source"], cell["workers"], set(cell["peers"])) for cell in found["cells"]] == [
        ("sqlite", 2, {"relay", "fastapi"})
    ]
    assert result.stdout in (tmp_path / "out" / "bench.md").read_text("utf-8") + "\n"
    assert "| relay to fastapi, 1 number | at least 4 times |" in result.stdout
    assert (tmp_path / "out" / "bench.svg").read_text("utf-8").startswith("<svg ")
    assert list((tmp_path / "installed").iterdir()) == []


@pytest.mark.usefixtures("wrk")
def test_an_answer_that_is_not_200_fails_the_run_in_a_line(invoke, tmp_path):
    """Its figures would be those of another kind of work; the report has what was measured before."""
    result = invoke(*"--quick --numbers 1 --rounds 1 --peers fastapi".split(), TEST_REFUSES_AFTER="3")

    assert result.exit_code == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: fastapi: ")
    assert " answers were not 200; its last words: " in last
    found = json.loads((tmp_path / "out" / "bench.json").read_text("utf-8"))
    assert found["cells"] == []
    assert set(found["start_seconds"]) == {"relay", "fastapi"}
    assert "| relay to fastapi, 1 number | at least 4 times |  | not measured |" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--peers", "floor,flask"], "error: --peers: 'flask' is none of relay, fastapi, floor\n"),
        (["--sources", "oracle"], "error: --sources: 'oracle' is none of memory, sqlite, mongodb\n"),
        (
            ["--sources", "mongodb"],
            "error: --mongodb: missing: the source mongodb needs an address; set RELAY_BENCH_MONGODB\n",
        ),
    ],
)
def test_says_what_it_cannot_measure_before_anything_is_installed(invoke, tmp_path, arguments, told):
    """Half an hour later would be too late."""
    result = invoke(*arguments)

    assert (result.exit_code, result.stderr) == (2, told)
    assert not (tmp_path / "installed").exists()


def test_refuses_numbers_that_are_none(invoke):
    """Told as click tells it."""
    result = invoke("--numbers", "1,x")

    assert result.exit_code == 2
    assert "whole numbers from 1 on, with commas" in result.stderr


def test_leaves_out_what_needs_node_where_there_is_none(monkeypatch, capsys):
    """And says so; asked for by name, it is told by its installation."""
    monkeypatch.setattr(load.shutil, "which", lambda _: None)

    assert not running._can_run(SimpleNamespace(name="express", needs="node"))
    assert capsys.readouterr().err == "express is left out: it needs Node.js and npm\n"


def test_more_workers_are_measured_with_the_first_source():
    """Their answer does not depend on it, and the run has to end."""
    assert cells(["memory", "sqlite"], [1, 100], [1, 2]) == [
        Cell("memory", 1, 1),
        Cell("memory", 100, 1),
        Cell("sqlite", 1, 1),
        Cell("sqlite", 100, 1),
        Cell("memory", 1, 2),
        Cell("memory", 100, 2),
    ]


def test_no_address_of_a_database_is_in_a_report():
    """It may hold a password."""
    wanted = running.Wanted(
        None,
        (1,),
        ("mongodb",),
        (1,),
        1,
        1,
        1,
        "mongodb://relay:sk_canary@db",
        access_log=True,
        growth=True,
        quick=False,
    )

    assert "sk_canary" not in f"{wanted} {wanted.words()}"
    assert wanted.words()[-2:] == ["--access-log", "--growth"]


def test_says_where_a_report_cannot_be_written(tmp_path):
    """In a line; what half an hour has found is on standard output by then."""
    (tmp_path / "taken").write_text("", "utf-8")

    with pytest.raises(SetupError, match="taken: cannot be written: File exists; see --output"):
        running.write(running.Report("text", {}, "<svg/>", None), tmp_path / "taken")


def test_its_help_says_what_a_run_takes(tmp_path):
    """Without the libraries that only a run needs."""
    result = subprocess.run(
        [sys.executable, "-m", "bench", "--help"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0
    assert "half an hour" in result.stdout
