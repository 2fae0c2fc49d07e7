"""`relay bench`: Relay and what else could be picked, side by side on this machine."""

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
  relay bench --quick
  relay bench --peers relay,fastapi,connexion --numbers 100 --rounds 9
  relay bench --growth --output reports/bench
With MongoDB, whose address may hold a password and then is not for a command line; databases whose names
begin with relay_bench_ are made and left there:
  RELAY_BENCH_MONGODB=mongodb://127.0.0.1:27017 relay bench --sources memory,sqlite,mongodb
"""

QUICK = {"numbers": "1,100", "sources": "memory", "workers": "1", "rounds": 2, "seconds": 1}
"""Defaults of a quick run; what is given goes before."""


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
        raise click.BadParameter("whole numbers from 1 on, with commas")
    return tuple(dict.fromkeys(counts))


@click.command(epilog=EXAMPLES)
@click.option(
    "--peers", metavar="NAME,…", callback=_words, help="Which; Relay is always there.  [default: all]"
)
@click.option(
    "--numbers",
    default="1,100,5000",
    show_default=True,
    callback=_counts,
    help="How many numbers the organization has.",
)
@click.option(
    "--sources",
    default="memory,sqlite",
    show_default=True,
    callback=_words,
    help="Where the settings come from: memory, sqlite, mongodb.",
)
@click.option(
    "--workers",
    default="1,2",
    show_default=True,
    callback=_counts,
    help="Processes of each, a port each; more than the first count only with the first source.",
)
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1, 100))
@click.option("--seconds", default=2, show_default=True, type=click.IntRange(1, 60), help="Of each round.")
@click.option(
    "--connections",
    default=32,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Kept alive; an eighth of them from 1,000 numbers on.",
)
@click.option(
    "--mongodb",
    metavar="URI",
    envvar="RELAY_BENCH_MONGODB",
    show_envvar=True,
    help="A MongoDB for the source mongodb.",
)
@click.option(
    "--access-log",
    is_flag=True,
    help="Have the others on uvicorn log each request, too, as Relay always does.",
)
@click.option("--growth", is_flag=True, help="Measure, too, how Relay's costs grow.")
@click.option(
    "--quick",
    is_flag=True,
    is_eager=True,
    callback=_quick,
    help="1 and 100 numbers from memory, one worker, 2 rounds of 1 s, unless said otherwise; neither "
    "contracts of many operations nor 10,000 numbers.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where peers are installed.  [default: bench in the platform's cache folder]",
)
@click.option(
    "--output",
    default="reports/bench",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the report goes: bench.md, bench.json, bench.svg.",
)
def bench(*, folder: Path | None, output: Path, **given: Any) -> None:
    """Measure Relay beside other servers that do the same work, and hold the figures to its goals.

    Each verifies a token, finds the user and answers an organization's settings and numbers. The others
    are installed first (Python packages, and npm's where Node.js is there). Each is shown to answer and to
    refuse; then all are up at once and are loaded in turn, round by round, by wrk or autocannon, so that
    what disturbs one disturbs all. Ratios are of paired rounds. It takes Linux, two cores, and with the
    defaults about half an hour in which the machine should have nothing else to do.

    Exit code 0: measured, goals met or not; 1: an answer was not as it should be, and the report ends
    there; 2: nothing could be measured.
    """
    listen(signal.default_int_handler)  # what was started is ended in any case
    with setup_errors():
        from .running import Wanted, run, write

        report = run(Wanted(**given), folder)
        click.echo(report.text)
        write(report, output)
    if report.failure is not None:
        click.echo(f"error: {report.failure}", err=True)
        sys.exit(1)
