"""Describes the machine and the software of a run."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from relay import __version__

from .load import Generator

_PACKAGES = "connexion fastapi starlette litestar msgspec pydantic pyjwt orjson jsonschema-rs uvicorn uvloop httptools"
_LIST = (
    "import importlib.metadata as m, json; "
    "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in m.distributions()}))"
)


def machine(
    generator: Generator, pythons: Sequence[str], folder: Path, arguments: Sequence[str]
) -> dict[str, str]:
    """Describe the machine and the run, a line each; `pythons` are the interpreters of the peers."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    described = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Command": f"python -m bench {' '.join(arguments)}".strip(),
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{memory:.1f} GiB",
        "System": f"{_system()}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "Relay": f"{__version__}; {_distributions(sys.executable)}",
        "Load": generator.title,
    }
    for number, python in enumerate(dict.fromkeys(pythons)):
        described[f"In Python{f' ({number + 1})' if number else ''}"] = _distributions(python)
    if packages := _node_packages(folder):
        described["In Node.js"] = packages
    return described


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    with suppress(OSError):
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    return "unknown"


def _distributions(python: str) -> str:
    """Return the versions of the relevant packages of an interpreter."""
    done = subprocess.run([python, "-c", _LIST], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 -- an interpreter of ours
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return ", ".join(f"{name} {found[name]}" for name in _PACKAGES.split() if name in found) or "unknown"


def _node_packages(folder: Path) -> str:
    """Return the versions of Node.js and of the packages installed by npm in the folder or its subfolders."""
    versions: dict[str, str] = {}
    for file in (*folder.glob("package.json"), *folder.glob("*/package.json")):
        for name in json.loads(file.read_text("utf-8")).get("dependencies", {}):
            with suppress(OSError):
                package = file.parent / "node_modules" / name / "package.json"
                versions[name] = json.loads(package.read_text("utf-8"))["version"]
    node = shutil.which("node")
    if not versions or not node:
        return ""
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 -- as found
    return ", ".join(
        [f"node {printed.stdout.strip()}", *(f"{name} {versions[name]}" for name in sorted(versions))]
    )
