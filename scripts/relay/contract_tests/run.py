"""A run of contract tests: phase after phase, and the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import display
from relay.contract.loading import load_contract
from relay.contract.model import Contract, Operation
from relay.project.import_path import make_importable
from relay.project.settings import chosen

from .accepted_findings import Acceptance
from .callers import Callers
from .conformance import ConformanceChecker
from .contract_config import FILE, find_config
from .contract_rules import RULES, finding
from .coverage import Coverage, check_names
from .credential_matrix import credentials_by_case
from .credentials import Credentials, signed_in
from .exchanges import Exchange, Request
from .har_files import Recorded, read_traffic
from .identity_checks import check_identities
from .kept_failures import keep, replay
from .mocked import UNMOCKABLE
from .property_tests import Budget, check_properties
from .provoked_faults import can_fail, check_faults
from .recorded_traffic import NOTHING, judge_traffic
from .redaction import Redactor
from .results import KEPT, Failure, NotRun, Phase, report_once
from .routing_checks import check_routing
from .run_report import Report, is_cut
from .sample_checks import check_samples
from .sample_requests import UNREACHABLE, is_unreachable, model_requests
from .secret_spellings import Spellings
from .selection import Selection
from .service_start import ServiceTarget, Tested, credentials_set, found, named_secrets, served
from .service_under_test import ServiceUnderTest, answers, load_strict_contract
from .static_checks import check_drift, check_examples, check_lint
from .time_limit import OUT_OF_TIME, UNLIMITED, TimeLimit
from .unwritten_operations import notes, unwritten_handlers, waive


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run; None for an option that was not given.

    With recorded traffic in `har` no service is needed: one is tested only at `url`, or started if
    `serve` says so. `failures` is the folder where failures are kept until they are fixed.
    """

    url: str | None
    spec: Path | None
    handlers: str | None
    config: Path | None
    har: tuple[Path, ...]
    serve: bool
    selection: Selection
    budget: Budget
    min_coverage: float | None
    failures: Path


_QUICK = frozenset(["recorded traffic", "log", "coverage"])
"""Phases that run although the time is over: they only report what was seen."""


class Progress(Protocol):
    """Receives the progress of a run."""

    def begin(self, name: str) -> None:
        """A phase begins."""

    def count(self, cases: int) -> None:
        """The phase has sent so many requests."""

    def end(self, part: Phase) -> None:
        """The phase has ended."""


@dataclass(slots=True)
class _Run:
    """What the phases of a run share; `contract` has the selected operations, `whole` all of them."""

    contract: Contract
    whole: Contract
    options: Options
    progress: Progress
    coverage: Coverage
    acceptance: Acceptance
    limit: TimeLimit = UNLIMITED
    parts: list[Phase] = field(default_factory=list)
    unwritten: Mapping[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Start the clock of the time limit: the service is ready."""
        self.limit = TimeLimit(self.options.budget.max_seconds)

    def add(self, name: str, check: Callable[[], Phase]) -> Phase:
        """Run a phase and measure its time; without time only one that sends no request."""
        self.progress.begin(name)
        before = time.monotonic()
        is_late = self.limit.is_over and name not in _QUICK
        part = Phase(name, not_run=[NotRun(name, OUT_OF_TIME)]) if is_late else check()
        part.seconds = time.monotonic() - before
        part.failures = self.acceptance.settle(part.failures)
        self.parts.append(part)
        self.progress.end(part)
        return part

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges so far."""
        return [exchange for part in self.parts for exchange in part.exchanges]


def run(options: Options, progress: Progress) -> tuple[Report, Redactor]:
    """Run all phases; raise SetupError if they cannot run."""
    started, before = datetime.now(UTC), time.monotonic()
    project, path, package, root, names = chosen(options.spec, options.handlers)
    place = ServiceTarget(project, path, package, root)
    config = find_config(options.config, project)
    contract = load_strict_contract(path, config, root).named(names)
    if not contract.operations:
        raise SetupError(
            [Diagnostic(display(path), "the contract has no operation; there is nothing to test")]
        )
    selected = options.selection.of(contract)
    check_names(contract, [*config.waivers, *config.accepted])
    traffic = {file: read_traffic(file) for file in options.har}
    acceptance = Acceptance(config.accepted, contract)
    is_served = options.url is None and (options.serve or not options.har)
    unwritten = _unwritten(place, contract) if is_served or options.handlers is not None else {}
    coverage = Coverage(selected, config.waivers)
    whole = _Run(selected, contract, options, progress, coverage, acceptance, unwritten=unwritten)

    tested: Tested | None = None
    live: _Live | None = None
    if options.url is not None:
        with found(options.url, contract, config, place) as tested:
            live = _live(whole, tested, place, traffic)
    elif is_served:
        with served(place, contract, config) as tested:
            live = _live(whole, tested, place, traffic)
    else:
        whole.begin()
        _static(whole, place)
        whole.add("drift", lambda: _drift(whole, place))
    secrets = tested.subject.secrets if tested else named_secrets(config, place.settings())
    judge = live.judge if live else ConformanceChecker(contract, contract.base_path, secrets, unwritten)
    if tested is None:
        judged = _judge_traffic(whole, traffic, judge)
        if not judged.cases and not is_cut([judged]):
            raise SetupError([Diagnostic(display(har), NOTHING) for har in options.har])
    whole.add("coverage", lambda: _cover(whole, judge, live))
    if not whole.exchanges and is_cut(whole.parts) and all(part.held for part in whole.parts):
        message = "the time was over before the first request; raise it"
        raise SetupError([Diagnostic("--max-time", message)])

    report = Report(
        title=contract.title,
        spec=display(path),
        subject=tested.subject.url if tested else None,
        seed=options.budget.seed if tested else None,
        started=started,
        parts=whole.parts,
        coverage=whole.coverage,
        min_coverage=options.min_coverage,
        reproduce=tested.reproduce if tested else (),
        seconds=time.monotonic() - before,
    )
    redactor = Redactor(contract, [*secrets, *(tested.credentials if tested else credentials_set(config))])
    for part in whole.parts:
        part.failures = [_redacted(failure, redactor) for failure in part.failures]
    report_once(whole.parts)
    if tested:
        again = [
            failure
            for part in whole.parts
            for failure in part.failures
            if part.name != "faults" and failure.finding.severity is Severity.ERROR
        ]
        keep(again, options.failures, redactor)
    return report, redactor


def _judge_traffic(
    whole: _Run, traffic: Mapping[Path, Recorded], judge: ConformanceChecker, url: str | None = None
) -> Phase:
    return whole.add(
        "recorded traffic", lambda: judge_traffic(traffic, judge, url, whole.contract, whole.limit)
    )


def _unwritten(place: ServiceTarget, contract: Contract) -> Mapping[str, str]:
    """Return the operations whose handler is a stub, with the place of each handler."""
    make_importable(place.package, place.project.folder)
    return (
        {} if place.is_unused(contract) else unwritten_handlers(contract, place.package, place.project.folder)
    )


def _redacted(failure: Failure, redactor: Redactor) -> Failure:
    """Return a failure without secrets in its message, which may quote a property name or a media type."""
    return replace(failure, finding=replace(failure.finding, message=redactor.text(failure.finding.message)))


def _static(whole: _Run, place: ServiceTarget) -> None:
    """Check the contract as written, without the stricter schemas."""
    names = whole.contract.chosen_names
    whole.add("lint", lambda: check_lint(place.path, place.root, names))
    contract = load_contract(place.path, place.root).named(names)
    whole.add("examples", lambda: check_examples(contract))


def _drift(whole: _Run, place: ServiceTarget) -> Phase:
    """Check drift of the package that is served; with --url only if --handlers names it."""
    is_elsewhere = whole.options.url is not None and whole.options.handlers is None
    code = None if is_elsewhere or place.is_unused(whole.whole) else place.package
    contract = load_contract(place.path, place.root).named(whole.contract.chosen_names)
    return check_drift(place.path, contract, code, place.project.folder)


class _Live(NamedTuple):
    """The checker of the phases that use a service, and the operations that no identity can call."""

    judge: ConformanceChecker
    closed: frozenset[str]


def _live(whole: _Run, tested: Tested, place: ServiceTarget, traffic: Mapping[Path, Recorded]) -> _Live:
    """Run every phase that uses the service; what is cheap comes first."""
    whole.begin()
    limit = whole.limit
    subject = replace(tested.subject, contract=whole.contract)
    judge = ConformanceChecker(
        whole.whole, subject.base_path, subject.secrets, whole.unwritten, subject.mocked.operations
    )
    credentials = Credentials(subject)
    callers = Callers(whole.contract, credentials)
    sign = partial(_signed, subject, credentials, callers)

    def faults() -> Phase:
        if tested.copy is None or not can_fail(subject):
            return check_faults(subject, None, callers, models, judge, limit)
        with tested.copy() as url:
            return check_faults(subject, url, callers, models, judge, limit)

    def properties() -> Phase:
        share = _seconds_of_properties(limit.left, whole.contract)
        budget = replace(whole.options.budget, max_seconds=share)
        part = check_properties(subject, callers, judge, budget, whole.progress.count)
        check_samples(part, subject, callers, judge, limit)
        part.notes += credentials.unset()
        return part

    whole.add(KEPT, lambda: replay(whole.options.failures, subject, sign, judge, limit))
    _static(whole, place)
    if traffic:
        _judge_traffic(whole, traffic, judge, subject.url)
    whole.add("routing", lambda: check_routing(subject, judge, limit))
    whole.add("drift", lambda: _drift(whole, place))
    generated = whole.add("properties", properties)
    models = model_requests(whole.contract, subject.url, judge, generated.exchanges)
    for name, check in (
        ("identity", lambda: check_identities(subject, credentials, models, judge, limit)),
        ("faults", faults),
    ):
        gone = partial(_not_answering, name, whole.contract)
        whole.add(name, check if answers(subject.url) else gone)
    if subject.log is not None:
        log = subject.log
        whole.add("log", lambda: _check_log(log, whole.contract, subject.secrets))
    return _Live(judge, frozenset(operation.id for operation in callers.closed()))


def _signed(
    subject: ServiceUnderTest,
    credentials: Credentials,
    callers: Callers,
    operation: Operation,
    request: Request,
    name: str | None,
) -> Request | None:
    """Return a request with the credential of a name; None if there is none."""
    if name is None:
        return request
    caller = callers.of(operation)
    known = {identity.name: credentials.of(identity) for identity in credentials.identities}
    known[caller.name] = dict(caller.values)
    if name in known:
        return signed_in(request, operation, subject.contract, known[name])
    made = credentials_by_case(operation, request, subject, credentials).get(name)
    return made.request if made else None


_SECONDS_OF_FAULTS = 5.0
_SECONDS_OF_AN_OPERATION = 0.25


def _seconds_of_properties(left: float, contract: Contract) -> float:
    """Return how long requests are generated, so that time is left for what comes after: at least half of it."""
    secured = sum(any(operation.security) for operation in contract.operations)
    kept = _SECONDS_OF_FAULTS + _SECONDS_OF_AN_OPERATION * secured
    return max(left - kept, left / 2)


def _not_answering(name: str, contract: Contract) -> Phase:
    """Return a phase that was not run because the service stopped answering, which is a failure."""
    found = finding(contract, "no-answer", (), "the service stopped answering; find why in its log")
    reason = "the service stopped answering"
    return Phase(name, failures=[Failure(found)], not_run=[NotRun(name, reason)])


def _check_log(path: Path, contract: Contract, secrets: tuple[str, ...]) -> Phase:
    """Search the service's log for secrets."""
    logged = path.read_bytes()
    part = Phase("log", "lines", logged.count(b"\n"))
    if Spellings(secrets).are_in(logged):
        message = "the service's log contains a secret; find where it is logged and remove it"
        part.failures.append(Failure(finding(contract, "leaked-secret", (), message)))
    return part


def _cover(whole: _Run, judge: ConformanceChecker, live: _Live | None) -> Phase:
    """Report the coverage of the documented responses."""
    coverage, least = whole.coverage, whole.options.min_coverage
    coverage.add(whole.exchanges, judge)
    part = Phase("coverage", "answers", len(coverage.cells))
    unwritten = {id_: handler for id_, handler in whole.unwritten.items() if not coverage.has_succeeded(id_)}
    waive(coverage, unwritten)
    part.failures += notes(whole.contract, unwritten)
    was_cut = is_cut(whole.parts)
    unmockable = {one.id for one in judge.unmockable(whole.exchanges)}
    for operation in coverage.never_succeeded() if live else ():
        if was_cut:
            part.not_run.append(NotRun(f"a success of {operation}", OUT_OF_TIME))
        elif is_unreachable(operation):
            part.not_run.append(NotRun(f"a success of {operation}", UNREACHABLE))
        elif operation.id in unmockable:
            part.not_run.append(NotRun(f"a success of {operation}", UNMOCKABLE))
        elif live and operation.id in live.closed:
            reason = f"no identity in {FILE} has a credential for it"
            part.not_run.append(NotRun(f"a success of {operation}", reason))
        else:
            message = f"{operation} sent no documented success response"
            found = finding(whole.contract, "never-succeeded", operation.pointer, message)
            part.failures.append(Failure(found, str(operation)))
    unseen = [cell for cell in coverage.cells if cell.state == "not seen"]
    if least is not None and coverage.percent < least:
        rule = RULES["low-coverage"]
        for cell in unseen:
            message = f"{cell} was not observed; {coverage.percent:g} % of the responses were observed, {least:g} % are required"
            found = Diagnostic(cell.place, message, rule.id, rule.severity)
            part.failures.append(Failure(found, str(cell.operation)))
    else:
        part.not_run += [NotRun(str(cell), "it was not observed") for cell in unseen]
    if not was_cut and len(whole.contract.operations) == len(whole.whole.operations):
        unused = [*coverage.unused_waivers(), *whole.acceptance.unused()]
        part.failures += [Failure(one) for one in unused]
    return part
