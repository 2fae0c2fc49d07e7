"""`relay contract`: whether a running service keeps its contract, and what of it nobody has seen."""

from __future__ import annotations

import secrets
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .findings import Finding, Rule, conclude, format_option, rules_option
from .options import handlers_option, spec_option
from .output import setup_errors, tools_installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.status import Status

    from .verifying.report import Report
    from .verifying.results import Part

EXAMPLES = """\b
Examples:
  relay contract
  relay contract --spec api.yaml --handlers shop --min-coverage 100
  relay contract --url https://staging.example.com --spec api.yaml
  relay contract --spec api.yaml --har recorded.har
"""


MAX_ALIKE = 3
"""How many findings of one rule at one place are printed; the rest is counted."""


def _rules() -> Mapping[str, Rule]:
    from .verifying.rules import RULES

    return RULES


@click.command(epilog=EXAMPLES)
@click.option(
    "--url",
    metavar="URL",
    help="The service; without it one is started here, on a free port, with its demo data. It is sent "
    "everything that may change data: never point this at production.",
)
@spec_option
@handlers_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Who calls, what is promised beyond the contract, what need not be seen.  [default: .relay-contract.yaml, if there]",
)
@click.option(
    "--har",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Recorded traffic to judge, and to count as seen; can be repeated. No service is needed then.",
)
@click.option("--serve", is_flag=True, help="With --har, start and test the service all the same.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Of what is made up; printed by each run.")
@click.option(
    "--max-examples",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="How many requests are made up for an operation, in each phase.",
)
@click.option("--max-time", type=click.IntRange(1), metavar="SECONDS", help="How long requests are made up.")
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="How many of the documented answers have to be seen; what is waived does not count.",
)
@click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder for contract.html, contract.junit.xml, contract.json and contract.har.",
)
@click.option(
    "--failures",
    type=click.Path(path_type=Path),
    help="Folder of failures that come first until they are fixed.  [default: failures in --reports]",
)
@rules_option(_rules)
@format_option
def contract(
    *, form: str, reports: Path, failures: Path | None, seed: int | None, max_examples: int, **given: Any
) -> None:
    """Prove that a service keeps its contract, and tell which answers nobody has seen.

    Requests are made up from the contract by Schemathesis and signed in as everybody whom
    .relay-contract.yaml names; every forged credential has to get 401; handlers are made to fail; each
    answer is held against the contract. Lint, drift and the contract's examples are part of the verdict.

    Exit code 0: it holds; 1: something was found; 2: it could not be run.
    """
    with setup_errors(), tools_installed():
        from .files import check_writable
        from .verifying.properties import Budget
        from .verifying.reporting import write_reports
        from .verifying.running import Options, run
        from .verifying.traffic import write_har

        seed = secrets.randbelow(2**32) if seed is None else seed
        budget = Budget(max_examples, given.pop("max_time"), seed)
        options = Options(**given, budget=budget, failures=failures or reports / "failures")
        for folder in (reports, options.failures):
            check_writable(folder)
        click.echo(f"Seed: {seed}", err=True)
        signal.signal(
            signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
        )  # so that what was started ends
        try:
            report, redactor = run(options, Progress())
        except KeyboardInterrupt as exc:
            raise SystemExit(128 + signal.SIGINT) from exc
        write_reports(report, reports, redactor.redact)
        exchanges = [redactor.redact(exchange) for part in report.parts for exchange in part.exchanges]
        write_har(exchanges, reports / "contract.har")
        click.echo(_seen(report), err=True)
        click.echo(f"Report: {reports / 'contract.html'}", err=True)
        findings = [failure.finding for failure in report.failures]
        conclude("contract", brief(findings) if form == "text" else findings, form, "the contract is kept")


def brief(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out what would only repeat itself: more than MAX_ALIKE findings of one rule at one place."""
    alike: dict[tuple[str, object], list[Finding]] = {}
    for finding in dict.fromkeys(findings):
        alike.setdefault((finding.rule, finding.place), []).append(finding)
    for group in alike.values():
        yield from group[:MAX_ALIKE]
        if (more := len(group) - MAX_ALIKE) > 0:
            yield replace(group[0], message=f"{more} more like these; the report has them all")


def _seen(report: Report) -> str:
    """Sum up the coverage: `3 of 3 documented answers seen (100 %)`."""
    cells = report.coverage.cells
    counts = {state: sum(cell.state == state for cell in cells) for state in ("seen", "waived")}
    waived = f", {counts['waived']} waived" if counts["waived"] else ""
    return f"{counts['seen']} of {len(cells)} documented answers seen{waived} ({report.coverage.percent:g} %)"


class Progress:
    """Tells of a run on standard error: a line a part, and a running count on a terminal."""

    def __init__(self) -> None:
        self._name = ""
        self._status: Status | None = None

    def begin(self, name: str) -> None:
        """Show what runs now."""
        from rich.console import Console

        console = Console(stderr=True)
        self._name = name
        if console.is_terminal:
            self._status = console.status(name)
            self._status.start()

    def count(self, cases: int) -> None:
        """Show how far it has come."""
        if self._status:
            self._status.update(f"{self._name}: {cases} requests")

    def end(self, part: Part) -> None:
        """Leave a line that says what came of it."""
        if self._status:
            self._status.stop()
            self._status = None
        found = sum(failure.finding.severity == "error" for failure in part.failures)
        verdict = f"{found} found" if found else "not run" if part.not_run and not part.cases else "held"
        click.echo(f"  {part.name:16} {verdict:9} {part.unit}: {part.cases}, {part.seconds:.1f} s", err=True)
        for note in part.notes:
            click.echo(f"  {'':16} {note}", err=True)
        if part.not_run:
            click.echo(f"  {'':16} {len(part.not_run)} not run, see the report", err=True)
