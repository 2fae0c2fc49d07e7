"""Run a command of Relay on hostile files, with limits of time and memory."""

import multiprocessing
import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from relay.cli.main import main
from support.running import environment

SECONDS = 20
MEGABYTES = 1024
_HANGS = 120  # seconds of the clock, on a machine that does other things, too
_USED = "used by the command: "
_FORKS = multiprocessing.get_context("forkserver")
_COMMANDS = "main lint check regenerate breaking import_ upgrade".split()
_PACKAGES = "server.compilation codegen importer upgrade diff lint".split()
_FORKS.set_forkserver_preload([*map("relay.cli.{}".format, _COMMANDS), *map("relay.{}".format, _PACKAGES)])


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
    """Run a command in a folder. Both of its streams are one output.

    Its process is forked from one that has imported what commands import, which takes most of their time.
    """
    variables = environment(folder, RELAY_JWT_SECRET="k3y-" * 10, RELAY_MISSING="mock", **variables)
    with tempfile.NamedTemporaryFile() as output:
        process = _FORKS.Process(target=_command, args=(folder, arguments, variables, output.name))
        process.start()
        process.join(_HANGS)
        process.kill()
        process.join()
        text = output.read().decode("utf-8", "replace")
    printed, was_ended, used = text.rpartition(_USED)
    if not was_ended:  # by a signal, which is a fault by itself
        return Outcome(process.exitcode, 0, 0, text)
    return Outcome(process.exitcode, *map(float, used.split()), printed)


def _command(folder: Path, arguments: list[str], variables: dict[str, str], output: str) -> None:
    """Run a command as this process, and write what it used at the end of its output."""
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, target in enumerate((nothing, descriptor, descriptor)):
        os.dup2(target, stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.path.insert(0, str(folder))
    _limit()
    try:
        main(arguments)
    except Exception as exc:
        traceback.print_exc()
        raise SystemExit(1) from exc
    finally:
        sys.stdout.flush()
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        os.write(descriptor, f"{_USED}{seconds} {megabytes}".encode())


def _limit() -> None:
    """End what takes far too much before the machine suffers."""
    resource.setrlimit(resource.RLIMIT_DATA, (3 * MEGABYTES << 19,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS,) * 2)
