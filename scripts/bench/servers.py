"""The measured processes: each has its own port, log and process group."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract_tests.secret_spellings import Spellings

from .data import PATH, SECRET, token

CHECKOUT = Path(__file__).parents[2]
"""The root folder of the measured project."""

START_SECONDS = 60.0
STOP_SECONDS = 5.0
SETTLE_SECONDS = 30.0
REDACTED = b"[REDACTED]"
_TOKEN = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_POLL = 0.005  # seconds between two requests during the start
_QUIET = 0.1  # seconds; an idle server uses almost no CPU time in this period
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start: command, environment, requested path and expected status.

    The port is passed in the variable `port_variable`; without a `status`, any response is accepted.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    path: str = PATH
    status: int | None = 200
    port_variable: str = "PORT"


@dataclass(frozen=True, slots=True)
class Server:
    """A running program; `started` is the time to its first response, in seconds."""

    program: Program
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    started: float

    @property
    def url(self) -> str:
        """The URL of its operation."""
        return f"http://127.0.0.1:{self.port}{self.program.path}"

    def cpu(self) -> float:
        """Return the CPU time of it and its children in seconds, with a resolution of 10 ms."""
        return sum(sum(map(int, fields[11:15])) for fields in _group(self.process.pid)) / _TICKS

    def rss(self) -> float:
        """Return the memory of it and its children in MB."""
        return sum(int(fields[21]) for fields in _group(self.process.pid)) * _PAGE / 1e6


@contextmanager
def started(program: Program, folder: Path) -> Iterator[Server]:
    """Start a program, yield it after its first response, and end it on exit; its log is in `folder`.

    Raises SetupError with the last log line if the program does not start.
    """
    port = _free_port()
    log = folder / f"{program.name}-{port}.log"
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "BENCH_"))
    }
    inherited.pop("PYTHONPATH", None)
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 -- programs of ours
            program.command,
            cwd=folder,
            env={**inherited, **program.environment, program.port_variable: str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for_response(program, process, port, log)
        yield Server(program, process, port, log, time.perf_counter() - start)
    finally:
        _end(process)
        log.unlink()  # the log grows by a line for each request


def settle(server: Server) -> None:
    """Wait until a server is idle, including requests whose clients have disconnected."""
    deadline = time.monotonic() + SETTLE_SECONDS
    before = server.cpu()
    while time.monotonic() < deadline:
        time.sleep(_QUIET)
        taken = server.cpu() - before
        if taken < _QUIET / 4:
            return
        before += taken


def last_log_line(program: Program, log: Path) -> str:
    """Return the last line of a program's log, without the secret, tokens and database password."""
    password = urlsplit(program.environment.get("BENCH_SOURCE", "")).password or ""
    text = Spellings([SECRET, unquote(password)]).replaced(log.read_bytes(), REDACTED)
    lines = _TOKEN.sub(REDACTED, text).decode("utf-8", "replace").strip().splitlines()
    return (lines or ["no output"])[-1][:300]


def _wait_for_response(program: Program, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    headers = {"Authorization": f"Bearer {token()}"}
    returned = "nothing"
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", program.path, headers=headers)
            status = connection.getresponse().status
            if program.status in (status, None):
                connection.close()
                return
            returned = str(status)
        connection.close()
        time.sleep(_POLL)
    state = f"returns {returned}" if process.poll() is None else f"ended with exit code {process.returncode}"
    raise SetupError(
        [
            Diagnostic(
                program.name, f"does not start: it {state}; last log line: {last_log_line(program, log)}"
            )
        ]
    )


def _group(leader: int) -> Iterator[list[str]]:
    """Yield the fields of /proc/PID/stat, starting with the state, for each process of a group."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has ended
            fields = file.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[2]) == leader:
                yield fields


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process group with SIGTERM, then SIGKILL, because a child may outlive the leader."""
    for sign, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
