"""Peers are installed into a folder of their own, from the registries that pip and npm are set up for."""

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
"""Makes an installation in a folder, of a list of what is wanted."""

_SECONDS = 600
_STAMP = ".installed"


def install(folder: Path, needs: Collection[str]) -> None:
    """Install what peers need, a folder each, unless that was done; SetupError when it cannot be."""
    for python in PYTHONS & {*needs}:
        _once(folder / python, PROGRAMS / f"{python}.txt", _python)
    if "node" in needs:
        _once(folder / "node", PROGRAMS / "package.json", _node)
        for program in PROGRAMS.glob("*.mjs"):  # Node.js looks for packages beside a program
            shutil.copy(program, folder / "node")


def _once(folder: Path, wanted: Path, make: Installer) -> None:
    """Make an installation, or make it anew where something else is wanted now."""
    stamp, mark = folder / _STAMP, hashlib.sha256(wanted.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text("ascii") == mark:
        return
    click.echo(f"Installing {wanted.name} of the peers (once)", err=True)
    shutil.rmtree(folder, ignore_errors=True)
    make(folder, wanted)
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
        told = (done.stderr.strip() or done.stdout.strip()).splitlines()
        failed = done.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as exc:
        told, failed = [type(exc).__name__], True
    if failed:
        name = Path(command[0]).name
        raise SetupError(
            [Diagnostic(str(folder), f"{name} cannot install the peers: {(told or [''])[-1][:300]}")]
        )
