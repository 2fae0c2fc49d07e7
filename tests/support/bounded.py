"""Run a command of Relay on hostile files, with limits of time and memory."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.running import COMMAND, environment

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 20
MEGABYTES = 1024
_HANGS = 120  # seconds of the clock, on a machine that does other things, too


class Outcome(NamedTuple):
    """How a command ended: exit code, seconds of computing, megabytes, and what it printed."""

    code: int
    seconds: float
    megabytes: float
    output: str

    def faults(self) -> list[str]:
        """Return what is wrong with it: there must be a result, or a refusal in lines, within the limits."""
        return [
            *([f"exit code {self.code}"] if self.code not in (0, 1, 2) else []),
            *(["a traceback"] if "Traceback" in self.output else []),
            *(["no reason"] if self.code and not self.output.strip() else []),
            *([f"{self.seconds:.0f} seconds"] if self.seconds > SECONDS else []),
            *([f"{self.megabytes:.0f} MB"] if self.megabytes > MEGABYTES else []),
        ]


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def run(folder: Path, *arguments: str, **variables: str) -> Outcome:
    """Run a command in a folder. Both of its streams are one output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=folder,
            env=environment(folder, RELAY_JWT_SECRET="k3y-" * 10, RELAY_MISSING="mock", **variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_limit,  # noqa: PLW1509 -- the tests have no threads of their own
        )
        started = time.monotonic()
        pid = 0
        while not pid:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            time.sleep(0.01)
            if time.monotonic() - started > _HANGS:
                process.kill()
        process.returncode = code = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    return Outcome(code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text)


def _limit() -> None:
    """End what takes far too much before the machine suffers."""
    resource.setrlimit(resource.RLIMIT_DATA, (3 * MEGABYTES << 19,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS,) * 2)
