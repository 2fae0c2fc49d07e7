"""Run the `relay` command as a person would: a process of its own, a socket of its own."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from click.testing import CliRunner, Result

from relay.cli.main import main

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
COMMAND = [sys.executable, "-m", "relay"]
IMPORTS_NOTHING = "lint drift regenerate import upgrade breaking ci token init".split()
"""The commands that only read the source of a handlers package."""


class Service(NamedTuple):
    """A running service: its process, its address, and the lines it has printed."""

    process: subprocess.Popen[str]
    url: str
    printed: list[str]

    @property
    def token(self) -> str:
        """The token of the request that the demo has printed."""
        return self.printed[-1].partition("Bearer ")[2].partition("'")[0]


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """An environment without settings of the machine's own, whose data lies in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
    path = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])
    return {**kept, "XDG_DATA_HOME": str(folder), "PYTHONPATH": path, **variables}


def as_project(folder: Path) -> Path:
    """Make a folder a project with our contract and our handlers, and return it."""
    for name in ("handlers", "spec", "pyproject.toml"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def relay(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in `folder`; for a command of our service the folder becomes its project.

    A command that imports no handlers runs in this process, which takes a tenth of the time.
    """
    if arguments and arguments[0] in IMPORTS_NOTHING and not any(map(is_of_python, variables)):
        return relay_here(folder, *arguments, **variables)
    if arguments[:1] in (("load",), ("keys",), ("demo",)):
        as_project(folder)
    return ended([*COMMAND, *arguments], folder, env=environment(folder, **variables))


def ended(command: Sequence[str | Path], folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with its output as text and no settings of the machine's own, unless `options` differ."""
    given = {"env": environment(folder), "capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run(command, cwd=folder, check=False, **given)


def git(folder: Path, *arguments: str | Path) -> None:
    """Run git in a folder, as somebody who may commit."""
    who = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    done = ended(["git", *who, *arguments], folder)
    assert done.returncode == 0, done.stderr


def patched(values: dict[str, object]) -> list[str]:
    """Return the command with other values of names such as `relay.server.bodies.BODY_SECONDS`."""
    modules = ", ".join({name.rpartition(".")[0] for name in values})
    changes = "; ".join(f"{name} = {value!r}" for name, value in values.items())
    return [sys.executable, "-c", f"import {modules}; {changes}; from relay.cli.main import main; main()"]


def is_of_python(variable: str) -> bool:
    """Return True for a variable that the interpreter reads when it starts."""
    return variable.startswith(("PYTHON", "LC_"))


def relay_here(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as `relay` does, but in this process, which saves the second that a start takes."""
    with as_if_started(folder, **variables):
        result = invoke(*arguments)
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


@contextmanager
def as_if_started(folder: Path, **variables: str) -> Iterator[None]:
    """Let this process be one that was started in a folder; what commands change of it is restored."""
    handler = signal.getsignal(signal.SIGTERM)
    given = mock.patch.dict(os.environ, environment(folder, **variables), clear=True)
    # Commands make the project's package importable.
    kept = {
        "path": [*sys.path],
        "meta_path": [*sys.meta_path],
        "dont_write_bytecode": sys.dont_write_bytecode,
    }
    with given, chdir(folder), mock.patch.multiple(sys, **kept):
        yield
    if signal.getsignal(signal.SIGTERM) is not handler:
        signal.signal(signal.SIGTERM, handler)


def invoke(*arguments: str) -> Result:
    """Run a command in this process and return its result; raise what it did not turn into an exit code."""
    result = CliRunner().invoke(main, arguments)
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    return result


def errors(result: subprocess.CompletedProcess[str]) -> str:
    """Return what a command of our service printed on stderr, after the line that names its settings."""
    first, _, rest = result.stderr.partition("\n")
    return rest if first.startswith("settings: store ") else result.stderr


def logged(file: Path) -> str:
    """The lines of a service's log without ids, times, and the path, which is logged as a client sent it.

    One that is being written may be there in part; it is not taken yet.
    """
    varying = {"path", "request_id", "timestamp", "ms"}
    lines = map(json.loads, file.read_text("utf-8").rpartition("\n")[0].splitlines())
    return "".join(
        f"{ {key: value for key, value in line.items() if key not in varying} }\n" for line in lines
    )


def eventually(holds: Callable[[], object], seconds: float = 20.0) -> Any:
    """Wait until something is true and return it; for what happens where no event can be waited for."""
    overdue = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < overdue, "it did not happen in time"
        time.sleep(0.02)
    return found


async def eventually_async(holds: Callable[[], object], seconds: float = 20.0) -> Any:
    """Wait as `eventually` does, while the loop runs; `holds` may be an async function."""
    found = None
    async with asyncio.timeout(seconds):
        while not found:
            await asyncio.sleep(0.01)
            found = holds()
            found = await found if isawaitable(found) else found
    return found


@contextmanager
def started(
    command: Sequence[str | Path], folder: Path, seconds: float = 30.0, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Run a program until left, then end it by SIGTERM, and after `seconds` by SIGKILL.

    Its stdout is a pipe, its environment has no settings of the machine's own, unless `options` of Popen say otherwise.
    """
    given = {"env": environment(folder), "stdout": subprocess.PIPE, "text": True, **options}
    with subprocess.Popen(command, cwd=folder, **given) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()


def serving_demo(folder: Path, *arguments: str, **options: Any) -> AbstractContextManager[Service]:
    """Serve our own project's demo, with its data in `folder`."""
    return serving(folder, *arguments, name="demo", cwd=as_project(folder), **options)


@contextmanager
def serving(
    folder: Path,
    *arguments: str,
    name: str = "serve",
    cwd: Path | None = None,
    command: list[str] = COMMAND,
    **variables: str,
) -> Iterator[Service]:
    """Serve on a free port until left; the process is ended by SIGTERM, or SIGKILL after a while."""
    last = "  curl" if name == "demo" else ""
    command = [*command, name, "--port", "0", *arguments]
    variables = environment(folder, **variables)
    with (
        (folder / "stderr.log").open("w") as log,
        started(command, cwd or folder, env=variables, stderr=log) as process,
    ):
        printed: list[str] = []
        for line in process.stdout:
            printed.append(line.rstrip("\n"))
            if line.startswith(last):
                break
        found = re.search(r" at (http://\S+)", "\n".join(printed))
        assert found, (folder / "stderr.log").read_text("utf-8")
        yield Service(process, found[1], printed)
