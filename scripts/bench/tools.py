"""`tox -e bench-tools`: measures the contract commands, and how their time grows with the contract's size."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from .contracts import public_style

COMMANDS = {
    "lint": ["lint", "spec.json"],
    "breaking": ["breaking", "old.json", "spec.json"],
    "regenerate, all new": ["regenerate", "--spec", "spec.json", "--handlers", "shop"],
    "regenerate --check": ["regenerate", "--spec", "spec.json", "--handlers", "shop", "--check"],
    "drift": ["drift", "--spec", "spec.json", "--handlers", "shop"],
}


def _run(folder: Path, arguments: list[str]) -> float:
    """Return the seconds that a command takes; its exit code must be 0 or 1."""
    started = time.perf_counter()
    finished = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "relay", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if finished.returncode not in (0, 1):
        raise SystemExit(f"relay {' '.join(arguments)}:\n{finished.stdout}{finished.stderr}")
    return time.perf_counter() - started


def _write(folder: Path, operations: int) -> None:
    """Write a contract with `operations` operations, and an older version with a different first operation."""
    document = public_style(operations)
    (folder / "spec.json").write_text(json.dumps(document), "utf-8")
    listing = document["paths"]["/resource0s"]["get"]
    listing["parameters"].append({"name": "state", "in": "query", "schema": {"type": "string"}})
    (folder / "old.json").write_text(json.dumps(document), "utf-8")


@click.command()
@click.option(
    "--operations", default="1,50,600", show_default=True, help="Numbers of operations, separated by commas."
)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20))
def main(operations: str, rounds: int) -> None:
    """Time every command at every size and print a Markdown table; growth is the exponent between the last two."""
    sizes = [int(size) for size in operations.split(",")]
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for size in sizes:
        rows: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as name:
                _write(Path(name), size)
                for command, arguments in COMMANDS.items():
                    rows[command].append(_run(Path(name), arguments))
        for command, seconds in rows.items():
            taken[command].append(statistics.median(seconds))
    click.echo(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, median of {rounds}, start-up included\n"
    )
    click.echo(f"| relay | {' | '.join(f'{size} operations, s' for size in sizes)} | growth |")
    click.echo("|---" * (len(sizes) + 2) + "|")
    for command, seconds in taken.items():
        growth = (
            math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2]) if len(sizes) > 1 else 0.0
        )
        click.echo(f"| {command} | {' | '.join(f'{one:.2f}' for one in seconds)} | {growth:.2f} |")


if __name__ == "__main__":
    main()
