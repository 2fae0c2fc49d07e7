"""`relay contract`: whether a running service keeps its contract, and what of it nobody has seen."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relay.contract.diagnostics import Rule

from .options import handlers_option, spec_option
from .output import is_quiet, say, setup_errors, tools_installed
from .report import EXIT_FINDINGS, coloured, format_option, report_findings, rules_option, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.status import Status

    from relay.contract_tests.results import Failure, Phase
    from relay.contract_tests.run_report import Report

EXAMPLES = """\b
Examples:
  relay contract
  relay contract --spec api.yaml --handlers shop --min-coverage 100
  relay contract --url https://staging.example.com --spec api.yaml
  relay contract --spec api.yaml --har recorded.har
"""


TRAFFIC = "contract.har"
QUIET_SECONDS = 10.0
"""How long nothing is said of a part that runs, where there is no terminal to count on."""
MAX_ALIKE = 3
"""How many findings of one rule at one place are printed; the rest is counted."""


def _rules() -> Mapping[str, Rule]:
    from relay.contract_tests.contract_rules import RULES

    return RULES


@click.command(epilog=EXAMPLES)
@click.option(
    "--url",
    metavar="URL",
    help="The service; without it one is started here, on a free port: ours with demo data, a package of your "
    "own with its settings. It is sent everything that may change data: never let this reach production. "
    "A CA of one's own is named in SSL_CERT_FILE.",
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
    help="Folder of failures that one request shows again; they come first until they are fixed.  [default: failures in --reports]",
)
@rules_option(_rules)
@format_option
def contract(
    *, form: str, reports: Path, failures: Path | None, seed: int | None, max_examples: int, **given: Any
) -> None:
    """Prove that a service keeps its contract, and tell which answers nobody has seen.

    Requests are made up from the contract by Schemathesis, signed in as the first whom
    .relay-contract.yaml names; each secured operation is called as everybody there; every forged
    credential has to get 401; handlers of a service that is started here are made to fail; each answer is
    held against the contract. Lint, drift and the contract's examples are part of the verdict.

    Exit code 0: it holds; 1: something was found; 2: it could not be run.
    """
    with _interruptible(), setup_errors(), tools_installed():
        from relay.contract_tests.har_files import write_har
        from relay.contract_tests.property_tests import Budget
        from relay.contract_tests.reports import write_reports
        from relay.contract_tests.run import Options, run
        from relay.project.files import check_writable

        seed = secrets.randbelow(2**32) if seed is None else seed
        budget = Budget(max_examples, given.pop("max_time"), seed)
        options = Options(**given, budget=budget, failures=failures or reports / "failures")
        for folder in (reports, options.failures):
            check_writable(folder)
        _check_kept(options.har, reports / TRAFFIC)
        report, redactor = run(options, Progress(seed))
        write_reports(report, reports, redactor.redact)
        if report.subject:
            exchanges = [exchange for part in report.parts for exchange in part.exchanges]
            write_har(map(redactor.redact, exchanges), reports / TRAFFIC)
    say(f"{_seen(report)}\nReport: {reports / 'contract.html'}", err=True)
    _conclude(report, form)


def _conclude(report: Report, form: str) -> None:
    """Print what was found, and exit with 1 where it is wrong; on a terminal only as much as a person reads."""
    findings = [failure.finding for failure in report.failures]
    if form != "text":
        report_findings("contract", findings, form, _clean(report))
        return
    for line in brief(report.failures):
        click.echo(line)
    if not (is_quiet() and report.held):
        click.echo(f"relay contract: {summary(findings) or _clean(report)}")
    if not report.held:
        raise SystemExit(EXIT_FINDINGS)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end what was started, too, with the exit codes that shells give them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except KeyboardInterrupt as exc:
        click.echo("interrupted; no report was written", err=True)
        raise SystemExit(128 + signal.SIGINT) from exc


def _check_kept(har: Iterable[Path], written: Path) -> None:
    """Raise SetupError for recorded traffic that this run would write over."""
    from relay.contract.diagnostics import Diagnostic, SetupError

    if any(file.resolve() == written.resolve() for file in har):
        raise SetupError([Diagnostic(str(written), "a run writes it; copy it, or choose other --reports")])


def brief(failures: Iterable[Failure]) -> Iterator[str]:
    """Tell failures a line each; of more than MAX_ALIKE of one rule at one place the rest in one line."""
    alike: dict[tuple[str, object], list[Failure]] = {}
    for failure in failures:
        alike.setdefault((failure.finding.rule, failure.finding.where), []).append(failure)
    for group in alike.values():
        yield from (coloured(failure.finding) for failure in group[:MAX_ALIKE])
        if more := group[MAX_ALIKE:]:
            names = dict.fromkeys(one.exchange.credential for one in more if one.exchange)
            who = f": {', '.join(filter(None, names))}" if any(names) else ", which the report has"
            yield replace(group[0].finding, message=f"and {len(more)} more like these{who}").line


def _seen(report: Report) -> str:
    """Sum up the coverage: `3 of 3 documented answers seen (100 %)`."""
    cells = report.coverage.cells
    counts = {state: sum(cell.state == state for cell in cells) for state in ("seen", "waived")}
    waived = f", {counts['waived']} waived" if counts["waived"] else ""
    return f"{counts['seen']} of {len(cells)} documented answers seen{waived} ({report.coverage.percent:g} %)"


def _clean(report: Report) -> str:
    """Return what is said where nothing was found: no more than was tested."""
    if count := sum(len(part.not_run) for part in report.parts):
        return f"the contract is kept, as far as it was tested; {count} not run, see the report"
    return "the contract is kept"


class Progress:
    """Tells of a run on standard error: a line a part, and how far a long one has come."""

    def __init__(self, seed: int) -> None:
        self._seed: int | None = seed
        self._name, self._told = "", 0.0
        self._status: Status | None = None

    def begin(self, name: str) -> None:
        """Show what runs now."""
        from rich.console import Console

        if self._seed is not None:
            say(f"Seed: {self._seed}", err=True)
            self._seed = None
        console = Console(stderr=True)
        self._name, self._told = name, time.monotonic()
        if console.is_terminal and not is_quiet():
            self._status = console.status(name)
            self._status.start()

    def count(self, cases: int) -> None:
        """Show how far it has come."""
        if self._status:
            self._status.update(f"{self._name}: {cases} requests")
        elif time.monotonic() - self._told >= QUIET_SECONDS:
            say(f"  {self._name:16} running   requests: {cases}", err=True)
            self._told = time.monotonic()

    def end(self, part: Phase) -> None:
        """Leave a line that says what came of it."""
        if self._status:
            self._status.stop()
            self._status = None
        found = sum(failure.finding.severity == "error" for failure in part.failures)
        empty = "not run" if part.not_run else "nothing"
        verdict = f"{found} found" if found else "held" if part.cases else empty
        say(f"  {part.name:16} {verdict:9} {part.unit}: {part.cases}, {part.seconds:.1f} s", err=True)
        for note in part.notes:
            say(f"  {'':16} {note}", err=True)
        if part.not_run:
            say(f"  {'':16} {len(part.not_run)} not run, see the report", err=True)
