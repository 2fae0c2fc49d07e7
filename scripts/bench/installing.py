"""Installs the peers into a separate folder, from the registries configured for pip and npm."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import venv
from collections.abc import Callable, Collection
from pathlib import Path

import click

from relay.contract.diagnostics import Diagnostic, SetupError

from .peers import PROGRAMS, PYTHONS

Installer = Callable[[Path, Path], None]
"""Installs the packages of a requirements file into a folder."""

_SECONDS = 600
_STAMP = ".installed"


def install(folder: Path, needs: Collection[str]) -> None:
    """Install the packages of the peers, a folder each, unless up to date; raise SetupError on failure."""
    for python in PYTHONS & {*needs}:
        _once(folder / python, PROGRAMS / f"{python}.txt", _python)
    if "node" in needs:
        _once(folder / "node", PROGRAMS / "package.json", _node)
        for program in PROGRAMS.glob("*.mjs"):  # Node.js looks for packages next to a program
            shutil.copy(program, folder / "node")


def _once(folder: Path, requirements: Path, installer: Installer) -> None:
    """Install the requirements, unless the same requirements are already installed."""
    stamp, mark = folder / _STAMP, hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text("ascii") == mark:
        return
    click.echo(f"Installing {requirements.name} of the peers (once)", err=True)
    shutil.rmtree(folder, ignore_errors=True)
    installer(folder, requirements)
    stamp.write_text(mark, "ascii")


def _python(folder: Path, requirements: Path) -> None:
    venv.create(folder, with_pip=True)
    _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", str(requirements)], folder)


def _node(folder: Path, package: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(package, folder)
    _run(
        [
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            "--loglevel=error",
        ],
        folder,
    )


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603 -- pip and npm, with our own lists
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        output = (done.stderr.strip() or done.stdout.strip()).splitlines()
        failed = done.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as exc:
        output, failed = [type(exc).__name__], True
    if failed:
        name = Path(command[0]).name
        raise SetupError(
            [Diagnostic(str(folder), f"{name} cannot install the peers: {(output or [''])[-1][:300]}")]
        )
