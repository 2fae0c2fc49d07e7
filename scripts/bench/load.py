"""The load generators: wrk if it is installed, else autocannon, which npm installs.

Tokens are passed in files for the owner only, never as arguments, which all users of the machine can read.
oha is not used because it accepts headers only as arguments.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from relay.contract.diagnostics import Diagnostic, SetupError

AUTOCANNON = "8.0.0"
GRACE_SECONDS = 60
"""Timeout in seconds of a response, and of a load generator after its duration."""


class LoadFailed(Exception):
    """Some responses were incorrect or missing; the text is one line with their number."""


@dataclass(frozen=True, slots=True)
class Job:
    """A load: GET requests of `url` for `seconds`, with the tokens in turn, starting at index `first`."""

    url: str
    tokens: Sequence[str]
    connections: int
    seconds: int
    status: int = 200
    first: int = 0


class Load(NamedTuple):
    """The result of a load: number of responses, duration in seconds, median and p99 latency in ms."""

    requests: int
    seconds: float
    p50: float
    p99: float


class Generator(Protocol):
    """A load generator."""

    @property
    def title(self) -> str:
        """Name and version."""

    def command(self, job: Job, folder: Path) -> list[str]:
        """Write the job to files in an empty folder; return the command that runs it."""


@dataclass(frozen=True, slots=True)
class Wrk:
    """wrk, with a script that reads the tokens."""

    program: str
    title: str

    def command(self, job: Job, folder: Path) -> list[str]:
        """Write the job to files in an empty folder; return the command that runs it."""
        tokens = _write(folder / "tokens", _in_turn(job))
        script = Path(__file__).with_name("load.lua").read_text("utf-8")
        return [
            *(self.program, "--threads", "1", "--connections", str(job.connections)),
            *("--duration", f"{job.seconds}s", "--timeout", f"{GRACE_SECONDS}s"),
            *("--script", str(_write(folder / "load.lua", f'TOKENS = "{tokens}"\n{script}')), job.url),
        ]


@dataclass(frozen=True, slots=True)
class Autocannon:
    """autocannon in Node.js, from its installation folder."""

    program: str
    folder: Path
    title: str = f"autocannon {AUTOCANNON}, which reports whole milliseconds"

    def command(self, job: Job, folder: Path) -> list[str]:
        """Write the job to files in an empty folder; return the command that runs it."""
        parameters = {
            "url": job.url,
            "connections": job.connections,
            "duration": job.seconds,
            "timeout": GRACE_SECONDS,
            "tokens": str(_write(folder / "tokens", _in_turn(job))),
            "installed": f"{self.folder.resolve()}/",
        }
        script = Path(__file__).with_name("load.cjs")
        return [self.program, str(script), str(_write(folder / "job.json", json.dumps(parameters)))]


def find_generator(folder: Path) -> Generator:
    """Return wrk if it is installed, else autocannon, installed in `folder`; raise SetupError if neither is available."""
    if wrk := shutil.which("wrk"):
        printed = subprocess.run([wrk, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 -- as found
        version = re.search(r"wrk \S*?([0-9][\w.]*)", printed.stdout + printed.stderr)
        return Wrk(wrk, f"wrk {version[1]}" if version else "wrk")
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise SetupError([Diagnostic("load generator", "install wrk, or Node.js with npm for autocannon")])
    place = folder / f"autocannon-{AUTOCANNON}"
    if not (place / "node_modules" / "autocannon").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        package = f"autocannon@{AUTOCANNON}"
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(place), package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- as found; npm ends by itself
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no error message"])[-1]
            raise SetupError([Diagnostic("load generator", f"npm could not install autocannon: {reason}")])
    return Autocannon(node, place)


def run(generator: Generator, jobs: Mapping[str, Job], folder: Path) -> dict[str, Load]:
    """Run jobs at the same time; return their results by name. Raises LoadFailed on incorrect responses."""
    running: dict[str, subprocess.Popen[str]] = {}
    with ExitStack() as stack:
        for number, (name, job) in enumerate(jobs.items()):
            place = folder / f"load-{number}"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(mode=0o700)
            running[name] = subprocess.Popen(  # noqa: S603 -- a load generator
                generator.command(job, place), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            stack.callback(running[name].communicate)
            stack.callback(running[name].kill)
        timeout = max(job.seconds for job in jobs.values()) + GRACE_SECONDS
        return {
            name: parse(_output(process, timeout), jobs[name].status) for name, process in running.items()
        }


def parse(output: str, status: int = 200) -> Load:
    """Parse the result line of a load generator; raise LoadFailed unless every response had the status.

    wrk reports only the number of statuses from 400, so lower statuses count as 200.
    """
    found = re.search(r"^RESULT (\{.*\})$", output, re.MULTILINE)
    if not found:
        last = (output.strip().splitlines() or ["nothing"])[-1]
        raise LoadFailed(f"the load generator printed no result; its last line: {last[:300]}")
    result = json.loads(found[1])
    if result["errors"]:
        raise LoadFailed(f"{result['errors']} requests failed or were not answered in time")
    if not result["requests"]:
        raise LoadFailed("no request was answered in time; try a longer --seconds")
    if (wrong := result["refused"] if status == 200 else result["requests"] - result["refused"]) != 0:
        raise LoadFailed(f"{wrong} of {result['requests']} responses were not {status}")
    return Load(result["requests"], result["microseconds"] / 1e6, result["p50"] / 1000, result["p99"] / 1000)


def _output(process: subprocess.Popen[str], seconds: float) -> str:
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"the load generator did not end within {seconds:.0f} s") from None


def _in_turn(job: Job) -> str:
    at = job.first % len(job.tokens)
    return "".join(f"{token}\n" for token in [*job.tokens[at:], *job.tokens[:at]])


def _write(path: Path, text: str) -> Path:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
    return path
