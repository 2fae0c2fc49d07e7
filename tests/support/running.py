"""Run the `relay` command as a person would: a process of its own, a socket of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
COMMAND = [sys.executable, "-m", "relay"]


class Service(NamedTuple):
    """A running service: its process, its address, and the lines it has printed."""

    process: subprocess.Popen[str]
    url: str
    printed: list[str]


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
    """Run a command to its end, in `folder`; for a command of our service the folder becomes its project."""
    if arguments[:1] in (("load",), ("keys",), ("demo",)):
        as_project(folder)
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def errors(result: subprocess.CompletedProcess[str]) -> str:
    """What a command of our service printed on stderr, after the line that names its settings."""
    first, _, rest = result.stderr.partition("\n")
    return rest if first.startswith("settings: store ") else result.stderr


def logged(file: Path) -> str:
    """The lines of a service's log without ids, times, and the path, which is told as a client sent it.

    One that is being written may be there in part; it is not taken yet.
    """
    beside = {"path", "request_id", "timestamp", "ms"}
    lines = map(json.loads, file.read_text("utf-8").rpartition("\n")[0].splitlines())
    return "".join(
        f"{ {key: value for key, value in line.items() if key not in beside} }\n" for line in lines
    )


def end(process: subprocess.Popen[str], seconds: float) -> None:
    """End a process by SIGTERM, or by SIGKILL after a while."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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
    with (folder / "stderr.log").open("w") as log:
        process = subprocess.Popen(
            [*command, name, "--port", "0", *arguments],
            cwd=cwd or folder,
            env=environment(folder, **variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        printed: list[str] = []
        for line in process.stdout:
            printed.append(line.rstrip("\n"))
            if line.startswith(last):
                break
        found = re.search(r" at (http://\S+)", "\n".join(printed))
        assert found, (folder / "stderr.log").read_text("utf-8")
        yield Service(process, found[1], printed)
    finally:
        end(process, 30)
        process.stdout.close()
