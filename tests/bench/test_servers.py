"""Processes that are measured: `scripts/bench/servers.py`."""

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


def asked(server, times):
    """Ask a server so many times; it keeps the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for _ in range(times):
        connection.request("GET", "/", headers={"Authorization": f"Bearer {token()}"})
        connection.getresponse().read()
    connection.close()


def in_group(leader):
    """The processes of a group that have not ended."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(file.parent.name)
    return found


def test_yields_a_server_that_answers_and_tells_what_it_takes(tmp_path):
    """Its first answer is the end of its start-up; work costs processor time."""
    with started(program(), tmp_path) as server:
        before = server.cpu()
        asked(server, 500)
        settle(server)

        assert server.cpu() > before
        assert server.rss() > 5
        assert server.started > 0


def test_counts_children_and_ends_them(tmp_path):
    """A server may fork, and its children would go on."""
    with started(program(TEST_HAS_CHILD="1"), tmp_path) as server:
        assert len(in_group(server.process.pid)) == 2

    deadline = time.monotonic() + 10
    while in_group(server.process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert in_group(server.process.pid) == []


def test_ends_what_it_started_when_the_run_is_broken_off(tmp_path):
    """Ctrl-C leaves no server behind."""
    with pytest.raises(KeyboardInterrupt), started(program(), tmp_path) as server:
        raise KeyboardInterrupt

    assert server.process.poll() is not None


def test_says_why_a_server_does_not_start(tmp_path):
    """In its own last words, without secret, token and password; its log is gone with it."""
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
        "floor: does not start: it ended with exit code 1; its last words: no module [REDACTED] [REDACTED] [REDACTED]"
    )
    assert list(tmp_path.iterdir()) == []


def test_says_that_a_server_never_answers_as_it_should(tmp_path, monkeypatch):
    """And waits for it no longer than it has to."""
    monkeypatch.setattr(servers, "START_SECONDS", 1.0)

    with (
        pytest.raises(SetupError, match="floor: does not start: it answers 503; its last words: it says"),
        started(program(TEST_REFUSES_AFTER="0"), tmp_path),
    ):
        pass


def test_hands_on_no_setting_of_its_own_machine(tmp_path, monkeypatch):
    """A RELAY_* variable of whoever measures would change what is measured."""
    monkeypatch.setenv("RELAY_LOG_LEVEL", "debug")

    with started(program(), tmp_path) as server:
        given = Path(f"/proc/{server.process.pid}/environ").read_text("utf-8").split("\0")

    assert not any(variable.startswith("RELAY_") for variable in given)
    assert os.environ["RELAY_LOG_LEVEL"] == "debug"
