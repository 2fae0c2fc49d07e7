"""`relay check`: whether the service could be served, here and now, with these settings."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relay.contract.diagnostics import Diagnostic, Severity

from .options import handlers_option, spec_option
from .output import is_quiet, say
from .report import EXIT_FINDINGS, format_option, report_findings, summary

if TYPE_CHECKING:
    from relay.contract.diagnostics import SetupError

EXAMPLES = """\b
Examples:
  relay check
  relay check --strict --timeout 30
  RELAY_ENVIRONMENT=production relay check --format json
A container's first step, so that the service is not started on what would fail:
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
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option(
    "--timeout",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="How long key sets, addresses and the package's collaborators are waited for, all together.",
)
@format_option
def check(*, spec: Path | None, handlers: str | None, form: str, seconds: float, strict: bool) -> None:
    """Tell whether the service can be served with these settings.

    They are read as `relay serve` reads them. What is looked at: contract and handlers, the keys of
    tokens (a key set is fetched), the addresses to listen at, and what the package opens, such as the
    store: whether it answers, and what a person should mend in it. Nothing is created or changed. With
    RELAY_ENVIRONMENT=production, weak settings are warnings.

    Exit code 0: all is well, though there may be warnings; 1: something is wrong; 2: the command was
    not understood.
    """
    from relay.contract.diagnostics import SetupError
    from relay.project.settings import unknown_names
    from relay.server.application import service_settings

    sys.dont_write_bytecode = True  # importing the package leaves nothing in its folder either
    try:
        project, settings = service_settings({"spec": spec, "handlers": handlers})
    except SetupError as exc:
        _conclude(_errors(exc), form)
        return
    from . import preflight as readiness

    logging.getLogger("relay").setLevel("DEBUG" if settings.log_level == "debug" else "CRITICAL")
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    found = [
        *unknown_names(project, type(settings)),
        *asyncio.run(readiness.examine(project, settings, seconds)),
    ]
    if strict:
        found = [
            replace(one, severity=Severity.ERROR) if one.severity is Severity.WARNING else one
            for one in found
        ]
    _conclude(found, form)


def _errors(exc: SetupError) -> list[Diagnostic]:
    return list(exc.problems)


def _conclude(found: Sequence[Diagnostic], form: str) -> None:
    """Print what was found, as text in the order in which it was looked at; exit with 1 for an error."""
    if form != "text":
        report_findings("check", found, form)
        return
    for one in found:
        if one.severity is Severity.ERROR or not is_quiet():
            click.echo(f"{_WORDS[one.severity]}: {one.where}: {one.message}")
    wanting = [one for one in found if one.severity is not Severity.INFO]
    say(f"relay check: {summary(wanting) or 'all is well'}")
    if any(one.severity is Severity.ERROR for one in wanting):
        raise SystemExit(EXIT_FINDINGS)
