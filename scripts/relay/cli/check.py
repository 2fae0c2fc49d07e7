"""`relay check`: whether the service can be served with the current settings."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.printable import terminal_line

from .options import handlers_option, missing_option, setting_warnings, spec_option
from .output import emit, is_quiet, say
from .report import EXIT_FINDINGS, format_option, report_findings, summary

EXAMPLES = """\b
Examples:
  relay check
  relay check --strict --timeout 30
  relay check --missing stub
  RELAY_ENVIRONMENT=production relay check --format json
First step of a container, so that a service that would fail is not started:
  relay check && exec relay serve
"""

_WORDS = {
    Severity.INFO: click.style("ok", fg="green"),
    Severity.WARNING: click.style("warning", fg="yellow"),
    Severity.ERROR: click.style("error", fg="red"),
}


@click.command(epilog=EXAMPLES)
@spec_option
@handlers_option
@missing_option
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option(
    "--timeout",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="How long the checks may take in total, the import of the package included.",
)
@format_option
def check(*, form: str, seconds: float, strict: bool, **given: Any) -> None:
    """Check whether the service can be served with the current settings.

    Settings are read as `relay serve` reads them. Checked are contract and handlers, the keys of tokens
    (a key set is fetched), the addresses to listen on, and what the package opens, such as a store.
    Nothing is created or changed. Unknown names of settings are warnings; with
    RELAY_ENVIRONMENT=production, weak settings are, too.

    Exit code 0: no error, though there may be warnings; 1: an error; 2: a wrong call of the command.
    """
    sys.dont_write_bytecode = True  # importing the package leaves nothing in its folder either
    found: list[Diagnostic] = []
    timer = threading.Timer(seconds, _give_up, [found, form, seconds, click.get_current_context()])
    timer.daemon = True
    timer.start()  # the main thread may wait for a package for ever
    try:
        _examine(given, found)
    except SetupError as exc:
        found = [*exc.problems]
    finally:
        timer.cancel()
    raised = {Severity.WARNING: Severity.ERROR} if strict else {}
    _conclude([replace(one, severity=raised.get(one.severity, one.severity)) for one in found], form)


def _examine(given: Mapping[str, Any], found: list[Diagnostic]) -> None:
    """Add what is found, one by one; raise SetupError for settings that cannot be read."""
    from relay.server.application import service_settings

    from .preflight import examine

    project, settings = service_settings(given)
    logging.getLogger("relay").setLevel("DEBUG" if settings.log_level == "debug" else "CRITICAL")
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    found += setting_warnings(project, settings)

    async def add() -> None:
        async for one in examine(project, settings):
            found.append(one)

    asyncio.run(add())


def _give_up(found: Sequence[Diagnostic], form: str, seconds: float, context: click.Context) -> None:
    """Print what was found, and end the process, though threads of the package may still wait."""
    late = f"the checks took longer than {seconds:g} s; the next one did not finish"
    try:
        with context.scope(cleanup=False):
            _conclude([*found, Diagnostic("--timeout", late)], form)
    finally:
        sys.stdout.flush()
        os._exit(EXIT_FINDINGS)


def _conclude(found: Sequence[Diagnostic], form: str) -> None:
    if form != "text":
        report_findings("check", found, form)
        return
    for one in found:
        if one.severity is Severity.ERROR or not is_quiet():
            emit(f"{_WORDS[one.severity]}: {terminal_line(str(one))}")
    wanting = [one for one in found if one.severity is not Severity.INFO]
    say(f"relay check: {summary(wanting) or 'all is well'}")
    if any(one.severity is Severity.ERROR for one in wanting):
        raise SystemExit(EXIT_FINDINGS)
