"""The measured processes: each has its own port, log and process group."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError

from .data import PATH, token

START_SECONDS = 60.0
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_OWN = ("RELAY_", "BENCH_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")  # what would change the results


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start, with the path and the status of its first response; it reads PORT or RELAY_PORT."""

    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str]
    path: str = PATH
    status: int = 200


@dataclass(frozen=True, slots=True)
class Server:
    """A running program; `started` is the time to its first response, in seconds."""

    process: subprocess.Popen[bytes]
    url: str
    started: float

    def cpu(self) -> float:
        """Return its CPU time in seconds, with a resolution of 10 ms."""
        return sum(map(int, self._state()[11:13])) / _TICKS

    def rss(self) -> float:
        """Return its memory in MB."""
        return int(self._state()[21]) * _PAGE / 1e6

    def _state(self) -> list[str]:
        return Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()

    def settle(self) -> None:
        """Wait for 10 s at most until it is idle, which it is not while it works for clients that have left."""
        for _ in range(100):
            before = self.cpu()
            time.sleep(0.1)
            if self.cpu() - before < 0.025:
                return


@contextmanager
def started(program: Program, folder: Path) -> Iterator[Server]:
    """Start a program, yield it after its first response, and end it on exit; raise SetupError if there is none."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    variables = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    variables |= {**program.variables, "PORT": str(port), "RELAY_PORT": str(port)}
    log = folder / f"{program.name}-{port}.log"
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            program.command, cwd=folder, env=variables, stdout=output, stderr=output, start_new_session=True
        )
    try:
        if problem := _wait_for_response(program, process, port):
            last = (log.read_text("utf-8", "replace").strip().splitlines() or ["none"])[-1][:300]
            raise SetupError(
                [Diagnostic(program.name, f"does not start: it {problem}; last log line: {last}")]
            )
        yield Server(process, f"http://127.0.0.1:{port}{program.path}", time.perf_counter() - start)
    finally:
        _end(process)
        log.unlink()  # the log grows by a line for each request


def _wait_for_response(program: Program, process: subprocess.Popen[bytes], port: int) -> str:
    """Return what a program does instead of its first response, "" if it responds."""
    deadline = time.monotonic() + START_SECONDS
    headers = {"Authorization": f"Bearer {token()}"}
    returned: object = "nothing"
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", program.path, headers=headers)
            if (returned := connection.getresponse().status) == program.status:
                return ""
        time.sleep(0.005)
    return f"returns {returned}" if process.poll() is None else f"ended with exit code {process.returncode}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process group with SIGTERM, then SIGKILL, because a child may outlive the leader."""
    for sign, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
