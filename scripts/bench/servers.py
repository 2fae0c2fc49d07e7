"""The processes that are measured: each with a port, a log and a process group of its own."""

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
"""The project that is measured."""

START_SECONDS = 60.0
STOP_SECONDS = 5.0
SETTLE_SECONDS = 30.0
REDACTED = b"[REDACTED]"
_TOKEN = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_POLL = 0.005  # seconds between two attempts to be answered
_QUIET = 0.1  # seconds within which an idle server takes next to nothing
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Program:
    """What is started: its words, what it finds in its environment, what it is asked for and then answers.

    `environment` says all but the port, which is in the variable `port_variable`; without a `status` any
    answer will do.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    path: str = PATH
    status: int | None = 200
    port_variable: str = "PORT"


@dataclass(frozen=True, slots=True)
class Server:
    """A program that answers; `started` is how many seconds it took to the first answer."""

    program: Program
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    started: float

    @property
    def url(self) -> str:
        """Where its operation is."""
        return f"http://127.0.0.1:{self.port}{self.program.path}"

    def cpu(self) -> float:
        """Return the seconds of processor time that it and its children have taken, with ticks of 10 ms."""
        return sum(sum(map(int, fields[11:15])) for fields in _group(self.process.pid)) / _TICKS

    def rss(self) -> float:
        """Return the MB of memory that it and its children hold."""
        return sum(int(fields[21]) for fields in _group(self.process.pid)) * _PAGE / 1e6


@contextmanager
def started(program: Program, folder: Path) -> Iterator[Server]:
    """Start a program and yield it once it has answered, until left; its log goes to `folder`.

    Raises SetupError with the last line that it has said when it does not come to that.
    """
    port = _free_port()
    log = folder / f"{program.name}-{port}.log"
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "BENCH_"))
    }
    inherited.pop("PYTHONPATH", None)
    begun = time.perf_counter()
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
        _first_answer(program, process, port, log)
        yield Server(program, process, port, log, time.perf_counter() - begun)
    finally:
        _end(process)
        log.unlink()  # a line a request adds up


def settle(server: Server) -> None:
    """Return when a server has done what it was asked, also by those who did not wait for the answer."""
    overdue = time.monotonic() + SETTLE_SECONDS
    before = server.cpu()
    while time.monotonic() < overdue:
        time.sleep(_QUIET)
        taken = server.cpu() - before
        if taken < _QUIET / 4:
            return
        before += taken


def last_words(program: Program, log: Path) -> str:
    """Return the last line of a program's log, without secret, tokens and the password of a database."""
    password = urlsplit(program.environment.get("BENCH_SOURCE", "")).password or ""
    said = Spellings([SECRET, unquote(password)]).replaced(log.read_bytes(), REDACTED)
    lines = _TOKEN.sub(REDACTED, said).decode("utf-8", "replace").strip().splitlines()
    return (lines or ["it says nothing"])[-1][:300]


def _first_answer(program: Program, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    overdue = time.monotonic() + START_SECONDS
    headers = {"Authorization": f"Bearer {token()}"}
    answered = "nothing"
    while process.poll() is None and time.monotonic() < overdue:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", program.path, headers=headers)
            status = connection.getresponse().status
            if program.status in (status, None):
                connection.close()
                return
            answered = str(status)
        connection.close()
        time.sleep(_POLL)
    told = f"answers {answered}" if process.poll() is None else f"ended with exit code {process.returncode}"
    raise SetupError(
        [Diagnostic(program.name, f"does not start: it {told}; its last words: {last_words(program, log)}")]
    )


def _group(leader: int) -> Iterator[list[str]]:
    """Return what /proc says of each process of a group: the fields of `stat` from the state on."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            fields = file.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[2]) == leader:
                yield fields


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a whole group, by SIGTERM, then by SIGKILL: a child may outlive the leader."""
    for sign, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
