"""A log whose reader stalls: `scripts/relay/server/log_stream.py`."""

import json
import os
import subprocess
from contextlib import suppress

import httpx
import pytest

from relay.server.log_stream import LogStream
from support.running import COMMAND, environment, started
from support.targets import GARAGE

PIPE = 200_000
"""Bytes, more than a pipe holds."""


@pytest.fixture
def pipe():
    """Both ends of a pipe; the reading end takes nothing by itself."""
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        with suppress(OSError):
            os.close(descriptor)


def report(dropped):
    return f"dropped {dropped}\n"


def read_until(reading, last):
    received = b""
    while last not in received:
        received += os.read(reading, 65536)
    return received.decode()


def test_what_does_not_fit_is_counted_and_dropped(pipe):
    """A reader that continues learns how much is missing, and loses nothing more."""
    reading, writing = pipe
    stream = LogStream(writing, report, limit=PIPE)
    for _ in range(20):
        stream.write("a" * 50_000 + "\n")
    stream.write("b\nb\n" + "b" * PIPE)

    received = read_until(reading, b"dropped")
    stream.write("after\n")
    received += read_until(reading, b"after\n")

    lines = received.splitlines()
    kept, dropped = (
        lines.count("a" * 50_000),
        sum(int(line[8:]) for line in lines if line.startswith("dropped")),
    )
    assert 3 <= kept < 20
    assert kept + dropped == stream.dropped + kept == 22


@pytest.mark.parametrize("blocking", [True, False])
def test_lines_are_written_in_their_order(pipe, blocking):
    """Also where another process has made the pipe non-blocking, such as a runtime of JavaScript that shares it."""
    reading, writing = pipe
    os.set_blocking(writing, blocking)
    stream = LogStream(writing, report)
    lines = [f"line {at} {'a' * 100}" for at in range(3000)]

    for line in lines:
        stream.write(f"{line}\n")

    assert read_until(reading, lines[-1].encode() + b"\n").splitlines() == lines
    assert stream.dropped == 0


def test_a_closed_pipe_costs_nothing_else(pipe):
    reading, writing = pipe
    stream = LogStream(writing, report)
    os.close(reading)
    stream.write("lost\n")
    stream.close()
    assert stream.dropped == 1


@pytest.mark.slow
def test_a_reader_that_stalls_does_not_stop_the_service(tmp_path):
    """The log is a pipe whose reader hangs; every client is answered, and the service ends in time."""
    command = [*COMMAND, "serve", "--spec", str(GARAGE), "--missing", "mock", "--port", "0"]
    env = environment(tmp_path, RELAY_LOG_LEVEL="debug")
    with started(command, tmp_path, 0, env=env, stderr=subprocess.PIPE) as process:
        url = next(line for line in process.stdout if " at http" in line).split(" at ")[1].split()[0]
        with httpx.Client(base_url=url) as client:
            path = "/livez" + "/a" * 3000  # is in the line
            while not _dropped(client):
                for _ in range(50):
                    assert client.get(path).status_code == 404
            assert client.get("/livez").status_code == 200

        process.terminate()
        assert process.wait(10) == 0
        lines = process.stderr.read().splitlines()
    assert json.loads(lines[0])["event"]


def _dropped(client):
    page = client.get("/metrics").text
    return float(page.partition("\nrelay_log_lines_dropped_total ")[2].split("\n")[0])
