"""`relay contract`: whether a running service keeps its contract, and which responses were not observed."""

# One module: most of it is the options with their help.

from __future__ import annotations

import logging
import secrets
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relay.contract.diagnostics import Diagnostic, SetupError, errors

from .options import handlers_option, spec_option
from .output import echo, emit, is_quiet, say, tools_installed
from .report import EXIT_FINDINGS, coloured, format_option, report_findings, rules_option, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.status import Status

    from relay.contract_tests.coverage import Report
    from relay.contract_tests.results import Failure, Phase

EXAMPLES = """\b
Examples:
  relay contract
  relay contract --spec api.yaml --handlers shop --min-coverage 100
  relay contract --operation list_pets --operation 'GET /pets/{id}'
  relay contract --url https://staging.example.com --spec api.yaml
  relay contract --spec api.yaml --har recorded.har
"""


TRAFFIC = "contract.har"
QUIET_SECONDS = 10.0  # how often progress is printed where there is no terminal, in seconds
MAX_ALIKE = 3  # how many findings of one rule at one place are printed; the others are counted


@click.command(epilog=EXAMPLES)
@click.option(
    "--url",
    metavar="URL",
    help="Address of the service; without it the project's service is started on a free port, with the data "
    "that its package prepares for tests. Requests may change data: never use this with a service in "
    "production. SSL_CERT_FILE names a private CA.",
)
@spec_option
@handlers_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="YAML file with identities, stricter schemas, waivers, accepted findings.  [default: [tool.relay.contract]]",
)
@click.option(
    "--har",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Recorded traffic to check and to count as observed; can be repeated. It needs no service.",
)
@click.option("--serve", is_flag=True, help="With --har, start and test the service as well.")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of the generated requests; each run prints it."
)
@click.option(
    "--max-examples",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="How many requests are generated for an operation, in each phase.",
)
@click.option(
    "--max-time",
    type=click.IntRange(1),
    metavar="SECONDS",
    help="End the run after this time, with what was found; what was not tested is reported.",
)
@click.option(
    "--operation",
    "operations",
    multiple=True,
    metavar="OPERATION",
    help="Test only this operation, an operationId or 'GET /path'; can be repeated.",
)
@click.option(
    "--tag", "tags", multiple=True, help="Test only operations whose first tag this is; can be repeated."
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="METHOD",
    help="Test only operations with this method; can be repeated.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Share of the documented responses that must be observed; waived ones do not count.",
)
@click.option(
    "--reports",
    type=click.Path(path_type=Path),
    help="Folder for contract.html, contract.junit.xml, contract.json and contract.har.  [default: reports, in the project]",
)
@click.option(
    "--failures",
    type=click.Path(path_type=Path),
    help="Folder of failures that one request reproduces; they run first until they are fixed.  [default: failures in --reports]",
)
@rules_option("relay.contract_tests.contract_rules")
@format_option
def contract(
    *,
    form: str,
    reports: Path | None,
    failures: Path | None,
    seed: int | None,
    max_examples: int,
    **given: Any,
) -> None:
    """Test that a running service keeps its contract.

    Schemathesis generates requests from the contract, signed in as the first identity of
    [tool.relay.contract] that may call the operation; each secured operation is called as every identity; every forged credential
    must get 401; handlers of a service that is started here are made to fail; each response is checked
    against the contract. Lint, drift and the contract's examples are part of the result, and so are the
    documented responses that were not observed.

    Exit code 0: no violation was found, also in a run that --max-time ended; 1: a violation; 2: the tests
    could not run.
    """
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # malformed requests are what is tested
    with _interruptible(), tools_installed():
        from relay.contract.documents import display
        from relay.contract_tests.har_files import write_har
        from relay.contract_tests.property_tests import Budget
        from relay.contract_tests.reports import write_reports
        from relay.contract_tests.run import Options, run
        from relay.contract_tests.selection import Selection
        from relay.project.files import check_writable
        from relay.project.project import current_project

        reports = reports or current_project(given["spec"]).folder / "reports"
        seed = secrets.randbelow(2**32) if seed is None else seed
        budget = Budget(max_examples, given.pop("max_time"), seed)
        selection = Selection(*(given.pop(name) for name in ("operations", "tags", "methods")))
        options = Options(
            **given, selection=selection, budget=budget, failures=failures or reports / "failures"
        )
        for folder in (reports, options.failures):
            check_writable(folder)
        if any(file.resolve() == (reports / TRAFFIC).resolve() for file in options.har):
            message = "this run would overwrite it; copy it, or choose other --reports"
            raise SetupError([Diagnostic(str(reports / TRAFFIC), message)])
        report, redactor = run(options, Progress(seed))
        write_reports(report, reports, redactor.redact)
        if report.subject:
            exchanges = [exchange for part in report.parts for exchange in part.exchanges]
            write_har(map(redactor.redact, exchanges), reports / TRAFFIC)
    if report.is_cut:
        say(_cut(report), err=True)
    say(_seen(report), f"Report: {display(reports / 'contract.html')}", err=True)
    _conclude(report, form)


def _conclude(report: Report, form: str) -> None:
    """Print the findings and exit with 1 for an error; as text, only as much as a person reads."""
    findings = report.failures
    if form != "text":
        report_findings("contract", findings, form, _clean(report))
        return
    for one in brief(report.failures):
        emit(coloured(one))
    if not (is_quiet() and report.held):
        echo(f"relay contract: {summary(findings) or _clean(report)}")
    if not report.held:
        raise SystemExit(EXIT_FINDINGS)


@contextmanager
def _interruptible() -> Iterator[None]:
    """End what was started on Ctrl-C and SIGTERM, with the exit codes that shells give them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except KeyboardInterrupt as exc:
        echo("interrupted; no report was written", err=True)
        raise SystemExit(128 + signal.SIGINT) from exc


def brief(failures: Iterable[Failure]) -> Iterator[Diagnostic]:
    """Yield the finding of each failure; beyond MAX_ALIKE of one rule at one place, one for the rest."""
    alike: dict[tuple[str, object], list[Failure]] = {}
    for failure in failures:
        alike.setdefault((failure.rule, failure.where), []).append(failure)
    for group in alike.values():
        yield from group[:MAX_ALIKE]
        if more := group[MAX_ALIKE:]:
            names = dict.fromkeys(one.exchange.credential for one in more if one.exchange)
            who = f": {', '.join(filter(None, names))}" if any(names) else ", see the report"
            yield replace(group[0], message=f"and {len(more)} more like these{who}")


def _seen(report: Report) -> str:
    cells = report.coverage.cells
    counts = {state: sum(cell.state == state for cell in cells) for state in ("seen", "waived")}
    waived = f", {counts['waived']} waived" if counts["waived"] else ""
    return f"{counts['seen']} of {len(cells)} documented responses observed{waived} ({report.coverage.percent:g} %)"


def _cut(report: Report) -> str:
    from relay.contract_tests.results import OUT_OF_TIME

    counts = {part.name: sum(one.reason == OUT_OF_TIME for one in part.not_run) for part in report.parts}
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items() if count)
    return f"Cut by --max-time after {report.seconds:.0f} s; not run: {listed}, see the report"


def _clean(report: Report) -> str:
    """Return the summary without findings: it claims no more than was tested."""
    if report.is_cut:
        return "no violation found before --max-time ended the run"
    if count := sum(len(part.not_run) for part in report.parts):
        return f"the contract is kept, as far as it was tested; {count} not run, see the report"
    return "the contract is kept"


class Progress:
    """Prints the progress of a run on standard error: a line for each phase."""

    def __init__(self, seed: int) -> None:
        self._seed: int | None = seed
        self._name, self._told = "", 0.0
        self._status: Status | None = None

    def begin(self, name: str) -> None:
        """Show the phase that runs now."""
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
        """Show how many requests it has sent."""
        if self._status:
            self._status.update(f"{self._name}: {cases} requests")
        elif time.monotonic() - self._told >= QUIET_SECONDS:
            say(f"  {self._name:16} running   requests: {cases}", err=True)
            self._told = time.monotonic()

    def end(self, part: Phase) -> None:
        """Print the result of a phase."""
        if self._status:
            self._status.stop()
            self._status = None
        found = len(errors(part.failures))
        empty = "not run" if part.not_run else "nothing"
        verdict = f"{found} found" if found else "passed" if part.cases else empty
        say(f"  {part.name:16} {verdict:9} {part.unit}: {part.cases}, {part.seconds:.1f} s", err=True)
        for note in part.notes:
            say(f"  {'':16} {note}", err=True)
        if part.not_run:
            say(f"  {'':16} {len(part.not_run)} not run, see the report", err=True)
