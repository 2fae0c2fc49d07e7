"""Commands and output of the load generators: `scripts/bench/load.py`."""

from __future__ import annotations

import stat

import pytest

from bench import load
from bench.load import Autocannon, Job, LoadFailed, Wrk, find_generator, parse
from relay.contract.diagnostics import SetupError

WRK = """\
Running 1s test @ http://127.0.0.1:18999/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.97ms    2.61ms  15.79ms   72.48%
    Req/Sec   802.10    169.25     1.22k    80.00%
  798 requests in 1.00s, 317.95KB read
Requests/sec:    797.50
Transfer/sec:    317.75KB
"""
RESULT = 'RESULT {{"requests": {}, "refused": {}, "errors": {}, "microseconds": 1000624, "p50": 4234, "p99": 12789}}\n'
JOB = Job("http://127.0.0.1:1/x", ["sk_canary_1", "sk_canary_2", "sk_canary_3"], 8, 2, first=4)


def test_parses_the_output_of_wrk():
    """Wrk's own summary before the result line is ignored."""
    found = parse(WRK + RESULT.format(798, 0, 0))

    assert found == (798, 1.000624, 4.234, 12.789)


def test_parses_the_output_of_autocannon():
    """It prints only the result line."""
    assert parse(RESULT.format(5, 0, 0)).requests == 5


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (WRK + RESULT.format(798, 3, 0), "3 of 798 responses were not 200"),
        (WRK + RESULT.format(798, 0, 2), "2 requests failed or were not answered in time"),
        (WRK + RESULT.format(0, 0, 0), "no request was answered in time; try a longer --seconds"),
        (
            "unable to connect to 127.0.0.1:1 Connection refused\n",
            "the load generator printed no result; its last line: unable to connect to 127.0.0.1:1 Connection refused",
        ),
        ("", "the load generator printed no result; its last line: nothing"),
    ],
)
def test_an_incorrect_response_fails_the_run(output, message):
    """A server that only returns errors is fast, and would win."""
    with pytest.raises(LoadFailed) as failed:
        parse(output)

    assert str(failed.value) == message


def test_another_status_may_be_expected():
    """Stubs return 501, and then every response must be 501."""
    assert parse(RESULT.format(7, 7, 0), 501).requests == 7
    with pytest.raises(LoadFailed, match="1 of 7 responses were not 501"):
        parse(RESULT.format(7, 6, 0), 501)


@pytest.mark.parametrize("kind", ["wrk", "autocannon"])
def test_tokens_are_in_files_that_only_the_owner_can_read(tmp_path, kind):
    """All users of the machine can read a command's arguments."""
    generator = Wrk("wrk", "wrk") if kind == "wrk" else Autocannon("node", tmp_path)
    place = tmp_path / "job"
    place.mkdir()

    command = generator.command(JOB, place)

    assert "sk_canary" not in " ".join(command)
    assert {stat.S_IMODE(file.stat().st_mode) for file in place.iterdir()} == {0o600}
    assert (place / "tokens").read_text("utf-8").split() == ["sk_canary_2", "sk_canary_3", "sk_canary_1"]


def test_says_what_to_install_without_a_load_generator(tmp_path, monkeypatch):
    """One of the two is enough."""
    monkeypatch.setattr(load.shutil, "which", lambda _: None)

    with pytest.raises(SetupError) as refused:
        find_generator(tmp_path)

    assert str(refused.value) == "load generator: install wrk, or Node.js with npm for autocannon"


def test_reports_a_failure_of_npm_in_one_line(tmp_path, monkeypatch):
    """For example, without a network."""
    monkeypatch.setattr(load.shutil, "which", lambda name: None if name == "wrk" else "/bin/false")

    with pytest.raises(SetupError) as refused:
        find_generator(tmp_path)

    assert str(refused.value) == "load generator: npm could not install autocannon: no error message"
