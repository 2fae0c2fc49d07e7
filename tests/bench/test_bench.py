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


def fake_peer(name, **variables):
    """Return a peer that runs tests/support/benching.py."""
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
        peers = (fake_peer("relay"), fake_peer("fastapi", **variables), fake_peer("floor"))
        for module in (running, measuring):
            monkeypatch.setattr(module, "PEERS", peers)
        monkeypatch.setattr("bench.command.listen", lambda _handler: None)  # pytest keeps its signal handlers
        monkeypatch.setattr(running, "install", lambda _folder, _needs: None)
        monkeypatch.setattr(measuring, "check_peer", lambda _url, _token, _numbers, *, is_mock: None)
        monkeypatch.setattr(measuring, "invalid_body_outcome", lambda _url, _token: "is sent")
        output = ["--output", str(tmp_path / "out"), "--folder", str(tmp_path / "installed")]
        return CliRunner().invoke(bench, [*arguments, *output])

    return invoke


@pytest.fixture
def wrk():
    """Skip without wrk, the only load generator that needs no network."""
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed; autocannon would be downloaded")


@pytest.mark.usefixtures("wrk")
def test_measures_over_real_sockets_and_writes_three_files(invoke, tmp_path):
    """Markdown on stdout and in a file, every round as JSON, and the SVG."""
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
def test_a_response_other_than_200_fails_the_run(invoke, tmp_path):
    """Its figures would not be comparable; the report has the earlier measurements."""
    result = invoke(*"--quick --numbers 1 --rounds 1 --peers fastapi".split(), TEST_REFUSES_AFTER="3")

    assert result.exit_code == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: fastapi: ")
    assert " responses were not 200; last log line: " in last
    found = json.loads((tmp_path / "out" / "bench.json").read_text("utf-8"))
    assert found["cells"] == []
    assert set(found["start_seconds"]) == {"relay", "fastapi"}
    assert "| relay to fastapi, 1 number | at least 4 times |  | not measured |" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--peers", "floor,flask"], "error: --peers: unknown peer 'flask'; use relay, fastapi, floor\n"),
        (["--sources", "oracle"], "error: --sources: unknown source 'oracle'; use memory, sqlite, mongodb\n"),
        (
            ["--sources", "mongodb"],
            "error: --mongodb: missing: the source mongodb needs a URL; set RELAY_BENCH_MONGODB\n",
        ),
    ],
)
def test_reports_what_it_cannot_measure_before_installing(invoke, tmp_path, arguments, message):
    """A run takes half an hour, so errors must come first."""
    result = invoke(*arguments)

    assert (result.exit_code, result.stderr) == (2, message)
    assert not (tmp_path / "installed").exists()


def test_rejects_invalid_numbers(invoke):
    """As a usage error of click."""
    result = invoke("--numbers", "1,x")

    assert result.exit_code == 2
    assert "use whole numbers from 1, separated by commas" in result.stderr


def test_skips_peers_that_need_node_without_node(monkeypatch, capsys):
    """It prints a message; for a peer chosen by name, the installation fails."""
    monkeypatch.setattr(load.shutil, "which", lambda _: None)

    assert not running._can_run(SimpleNamespace(name="express", needs="node"))
    assert capsys.readouterr().err == "skipping express: it needs Node.js and npm\n"


def test_more_workers_are_measured_with_the_first_source():
    """Scaling does not depend on the source, and the run must not take too long."""
    assert cells(["memory", "sqlite"], [1, 100], [1, 2]) == [
        Cell("memory", 1, 1),
        Cell("memory", 100, 1),
        Cell("sqlite", 1, 1),
        Cell("sqlite", 100, 1),
        Cell("memory", 1, 2),
        Cell("memory", 100, 2),
    ]


def test_the_report_has_no_database_url():
    """It may contain a password."""
    options = running.BenchOptions(
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

    assert "sk_canary" not in f"{options} {options.arguments()}"
    assert options.arguments()[-2:] == ["--access-log", "--growth"]


def test_reports_an_output_folder_that_is_not_writable(tmp_path):
    """In one line; the results are already on stdout."""
    (tmp_path / "file").write_text("", "utf-8")

    with pytest.raises(SetupError, match="file: cannot be written: File exists; see --output"):
        running.write(running.Report("text", {}, "<svg/>", None), tmp_path / "file")


def test_the_help_says_how_long_a_run_takes(tmp_path):
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
