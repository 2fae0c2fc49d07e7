"""The measured processes: `scripts/bench/servers.py`."""

from __future__ import annotations

import http.client
import os
import time
from pathlib import Path

import pytest

from bench import servers
from bench.data import token
from bench.servers import settle, started
from relay.contract.diagnostics import SetupError
from support.benching import program


def send_requests(server, times):
    """Send requests on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for _ in range(times):
        connection.request("GET", "/", headers={"Authorization": f"Bearer {token()}"})
        connection.getresponse().read()
    connection.close()


def in_group(leader):
    """Return the running processes of a group."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(file.parent.name)
    return found


def test_yields_a_running_server_with_its_costs(tmp_path):
    """The start-up ends with the first response; requests increase the CPU time."""
    with started(program(), tmp_path) as server:
        before = server.cpu()
        send_requests(server, 500)
        settle(server)

        assert server.cpu() > before
        assert server.rss() > 5
        assert server.started > 0


def test_counts_children_and_ends_them(tmp_path):
    """A server may fork, and its children must not survive it."""
    with started(program(TEST_HAS_CHILD="1"), tmp_path) as server:
        assert len(in_group(server.process.pid)) == 2

    deadline = time.monotonic() + 10
    while in_group(server.process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert in_group(server.process.pid) == []


def test_ends_the_server_on_an_interrupt(tmp_path):
    """Ctrl-C leaves no server behind."""
    with pytest.raises(KeyboardInterrupt), started(program(), tmp_path) as server:
        raise KeyboardInterrupt

    assert server.process.poll() is not None


def test_says_why_a_server_does_not_start(tmp_path):
    """With its last log line, without secret, token and password; the log is deleted."""
    with (
        pytest.raises(SetupError) as refused,
        started(
            program(
                TEST_SAYS=f"no module {token()} sk_canary0", BENCH_SOURCE="mongodb://relay:sk_canary0@db/x"
            ),
            tmp_path,
        ),
    ):
        pass

    assert str(refused.value) == (
        "floor: does not start: it ended with exit code 1; last log line: no module [REDACTED] [REDACTED] [REDACTED]"
    )
    assert list(tmp_path.iterdir()) == []


def test_reports_a_server_that_never_returns_the_expected_status(tmp_path, monkeypatch):
    """After START_SECONDS."""
    monkeypatch.setattr(servers, "START_SECONDS", 1.0)

    with (
        pytest.raises(SetupError, match="floor: does not start: it returns 503; last log line: no output"),
        started(program(TEST_REFUSES_AFTER="0"), tmp_path),
    ):
        pass


def test_does_not_pass_on_settings_of_the_machine(tmp_path, monkeypatch):
    """A RELAY_* variable of the user would change the results."""
    monkeypatch.setenv("RELAY_LOG_LEVEL", "debug")

    with started(program(), tmp_path) as server:
        environment = Path(f"/proc/{server.process.pid}/environ").read_text("utf-8").split("\0")

    assert not any(variable.startswith("RELAY_") for variable in environment)
    assert os.environ["RELAY_LOG_LEVEL"] == "debug"
