"""Measured processes, and the check before they are measured: `scripts/bench/servers.py`, `data.py`, `load.py`."""

from pathlib import Path

import pytest

from bench.data import body, check, source_url, write_data
from bench.load import Load, parse
from bench.peers import PEERS
from bench.servers import started
from relay.contract.diagnostics import SetupError
from support.benching import program

pytestmark = pytest.mark.slow

RESULT = 'x\nRESULT {{"requests": {}, "wrong": {}, "missing": {}, "seconds": 2.0, "p99": 12.5}}\n'


@pytest.mark.parametrize(
    ("accepted", "problem"),
    [
        ("anything", "returns 200 for no token"),
        ("signature", "returns 200 for a token signed with another key"),
        ("exp", "returns 200 for an expired token"),
        ("user", "returns 200 for a token of an unknown user"),
        ("nothing", "returns other data, with status 200"),
    ],
)
def test_a_program_that_does_less_is_not_measured(tmp_path, accepted, problem):
    """It would look faster; half of the work is to verify the token and to find its user."""
    with started(program(TEST_ACCEPTS=accepted), tmp_path) as server:
        with pytest.raises(SetupError, match=problem):
            check("floor", server.url, 2 if accepted == "nothing" else 1)
        assert min(server.started, server.cpu(), server.rss()) > 0


@pytest.mark.parametrize("name", ["relay", "relay-sqlite"])
def test_relay_does_the_work_as_it_ships(tmp_path, monkeypatch, name):
    """It passes the check without settings of the user, and ends with the measurement."""
    monkeypatch.setenv("RELAY_LOG_LEVEL", "error")
    source, data = source_url(PEERS[name].source, 2, tmp_path), write_data(tmp_path, body(2))
    with started(PEERS[name].program(tmp_path, data, source), tmp_path) as server:
        check(name, server.url, 2)
        [log] = tmp_path.glob("*.log")
        assert '"event":"request"' in log.read_text("utf-8")

    assert server.process.poll() is not None
    assert not Path(f"/proc/{server.process.pid}").exists()


def test_says_why_a_program_does_not_start(tmp_path):
    """With the last line of its log, which is deleted."""
    refused = pytest.raises(SetupError, match="ended with exit code 1; last log line: no module")
    with refused, started(program(TEST_SAYS="no module"), tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("counts", [(7, 1, 0), (7, 0, 1), (0, 0, 0)])
def test_a_load_with_wrong_responses_has_no_figures(counts):
    """A server that only returns errors is fast, and would win."""
    assert parse(RESULT.format(7, 0, 0)) == Load(7, 2.0, 12.5)
    with pytest.raises(SetupError, match="responses are errors"):
        parse(RESULT.format(*counts))
