"""The load generators: wrk where it is installed, else autocannon, which npm installs.

A token is never among a command's arguments, which everybody on the machine can read, but in a file for
the owner alone. oha takes headers as arguments only, and is left out for that.
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
"""How long an answer may take, and a load generator beyond its time."""


class LoadFailed(Exception):
    """Not every request was answered as it should be; the text is one line that says how many were not."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is sent: a GET of `url` for so many seconds; the tokens in turn, from `first` on."""

    url: str
    tokens: Sequence[str]
    connections: int
    seconds: int
    status: int = 200
    first: int = 0


class Load(NamedTuple):
    """What came back: answers, the seconds it took, and milliseconds that half and 99 % of them took at most."""

    requests: int
    seconds: float
    p50: float
    p99: float


class Generator(Protocol):
    """A load generator, and how it is told a job."""

    @property
    def title(self) -> str:
        """Name and version."""

    def command(self, job: Job, folder: Path) -> list[str]:
        """Write the job to files in an empty folder, and return the words that run it."""


@dataclass(frozen=True, slots=True)
class Wrk:
    """wrk, with a script that holds the tokens."""

    program: str
    title: str

    def command(self, job: Job, folder: Path) -> list[str]:
        """Write the job to files in an empty folder, and return the words that run it."""
        tokens = _write(folder / "tokens", _in_turn(job))
        script = Path(__file__).with_name("load.lua").read_text("utf-8")
        return [
            *(self.program, "--threads", "1", "--connections", str(job.connections)),
            *("--duration", f"{job.seconds}s", "--timeout", f"{GRACE_SECONDS}s"),
            *("--script", str(_write(folder / "load.lua", f'TOKENS = "{tokens}"\n{script}')), job.url),
        ]


@dataclass(frozen=True, slots=True)
class Autocannon:
    """autocannon in node, from a folder that it is installed in."""

    program: str
    folder: Path
    title: str = f"autocannon {AUTOCANNON}, which tells whole milliseconds"

    def command(self, job: Job, folder: Path) -> list[str]:
        """Write the job to files in an empty folder, and return the words that run it."""
        told = {
            "url": job.url,
            "connections": job.connections,
            "duration": job.seconds,
            "timeout": GRACE_SECONDS,
            "tokens": str(_write(folder / "tokens", _in_turn(job))),
            "installed": f"{self.folder.resolve()}/",
        }
        script = Path(__file__).with_name("load.cjs")
        return [self.program, str(script), str(_write(folder / "job.json", json.dumps(told)))]


def find_generator(folder: Path) -> Generator:
    """Return wrk if it is installed, else autocannon, installed in `folder`; SetupError when neither can be had."""
    if wrk := shutil.which("wrk"):
        said = subprocess.run([wrk, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 -- as found
        version = re.search(r"wrk \S*?([0-9][\w.]*)", said.stdout + said.stderr)
        return Wrk(wrk, f"wrk {version[1]}" if version else "wrk")
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise SetupError([Diagnostic("load generator", "install wrk, or Node.js with npm for autocannon")])
    place = folder / f"autocannon-{AUTOCANNON}"
    if not (place / "node_modules" / "autocannon").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        wanted = f"autocannon@{AUTOCANNON}"
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(place), wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- as found; npm ends by itself
        if done.returncode:
            told = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
            raise SetupError([Diagnostic("load generator", f"npm could not install autocannon: {told}")])
    return Autocannon(node, place)


def run(generator: Generator, jobs: Mapping[str, Job], folder: Path) -> dict[str, Load]:
    """Do some jobs at once, and return what came back by the jobs' names; LoadFailed when not all is well."""
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
        overdue = max(job.seconds for job in jobs.values()) + GRACE_SECONDS
        return {
            name: parse(_output(process, overdue), jobs[name].status) for name, process in running.items()
        }


def parse(output: str, status: int = 200) -> Load:
    """Read what a load generator has said at its end; LoadFailed unless every answer had the status.

    wrk tells only how many statuses were 400 and more, so that a status below it is 200.
    """
    found = re.search(r"^RESULT (\{.*\})$", output, re.MULTILINE)
    if not found:
        told = (output.strip().splitlines() or ["nothing"])[-1]
        raise LoadFailed(f"the load generator did not come to a result; it said: {told[:300]}")
    result = json.loads(found[1])
    if result["errors"]:
        raise LoadFailed(f"{result['errors']} requests broke off or were not answered in time")
    if not result["requests"]:
        raise LoadFailed("not one request was answered in time; a longer --seconds may help")
    if (wrong := result["refused"] if status == 200 else result["requests"] - result["refused"]) != 0:
        raise LoadFailed(f"{wrong} of {result['requests']} answers were not {status}")
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
    """Write a file for its owner alone."""
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
    return path
