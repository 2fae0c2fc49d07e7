"""`python -m bench`: benchmarks Relay and other servers on this machine."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import click

from relay.cli.output import setup_errors
from relay.server.transport.signals import listen

EXAMPLES = """\b
Examples:
  python -m bench --quick
  python -m bench --peers relay,fastapi,connexion --numbers 100 --rounds 9
  python -m bench --growth --output reports/bench
With MongoDB (use the variable if the URL has a password; databases named relay_bench_… are created and not
removed):
  RELAY_BENCH_MONGODB=mongodb://127.0.0.1:27017 python -m bench --sources memory,sqlite,mongodb
"""

QUICK = {"numbers": "1,100", "sources": "memory", "workers": "1", "rounds": 2, "seconds": 1}
"""Defaults of --quick; other options override them."""


def _quick(context: click.Context, _option: click.Parameter, asked: bool) -> bool:  # noqa: FBT001 -- click's call
    if asked:
        context.default_map = QUICK
    return asked


def _words(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[str, ...] | None:
    return tuple(word.strip() for word in given.split(",")) if given is not None else None


def _counts(_context: click.Context, _option: click.Parameter, given: str) -> tuple[int, ...]:
    try:
        counts = tuple(map(int, given.split(",")))
    except ValueError:
        counts = (0,)
    if min(counts) < 1:
        raise click.BadParameter("use whole numbers from 1, separated by commas")
    return tuple(dict.fromkeys(counts))


@click.command(epilog=EXAMPLES)
@click.option(
    "--peers",
    metavar="NAME,…",
    callback=_words,
    help="The servers to measure, besides Relay.  [default: all]",
)
@click.option(
    "--numbers",
    default="1,100,5000",
    show_default=True,
    callback=_counts,
    help="Number of phone numbers in the organization.",
)
@click.option(
    "--sources",
    default="memory,sqlite",
    show_default=True,
    callback=_words,
    help="Sources of the settings: memory, sqlite, mongodb.",
)
@click.option(
    "--workers",
    default="1,2",
    show_default=True,
    callback=_counts,
    help="Processes of each server, each with its own port; counts after the first apply only to the first source.",
)
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1, 100))
@click.option(
    "--seconds", default=2, show_default=True, type=click.IntRange(1, 60), help="Duration of each round."
)
@click.option(
    "--connections",
    default=32,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Keep-alive connections; an eighth of them from 1,000 numbers.",
)
@click.option(
    "--mongodb",
    metavar="URI",
    envvar="RELAY_BENCH_MONGODB",
    show_envvar=True,
    help="URL of a MongoDB server for the source mongodb.",
)
@click.option(
    "--access-log",
    is_flag=True,
    help="Make the other servers on uvicorn log each request, as Relay always does.",
)
@click.option("--growth", is_flag=True, help="Also measure how Relay's costs grow.")
@click.option(
    "--quick",
    is_flag=True,
    is_eager=True,
    callback=_quick,
    help="Use 1 and 100 numbers from memory, one worker, 2 rounds of 1 s, unless other options override this; "
    "skip large contracts and 10,000 numbers.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for installing the servers.  [default: bench in the platform's cache folder]",
)
@click.option(
    "--output",
    default="reports/bench",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the report: bench.md, bench.json, bench.svg.",
)
def bench(*, folder: Path | None, output: Path, **given: Any) -> None:
    """Compare Relay with other servers that do the same work, and check the results against its goals.

    Each server verifies a token, finds the user and returns an organization's settings and numbers. The
    other servers are installed first (Python packages, and npm packages if Node.js is installed). Each is
    first checked for correct responses and rejections. Then all run at the same time, and wrk or autocannon
    loads them in turn, round by round, so that a disturbance affects all. Ratios are of paired rounds. The
    benchmark needs Linux and two cores, and takes about half an hour with the defaults; the machine should
    be idle otherwise.

    Exit code 0: measured, whether or not the goals are met; 1: a response was incorrect, and the report
    ends there; 2: nothing could be measured.
    """
    listen(signal.default_int_handler)  # so that started processes are ended on SIGTERM, too
    with setup_errors():
        from .running import BenchOptions, run, write

        report = run(BenchOptions(**given), folder)
        click.echo(report.text)
        write(report, output)
    if report.failure is not None:
        click.echo(f"error: {report.failure}", err=True)
        sys.exit(1)
