"""A run of contract tests: phase after phase, and the report."""

# One module: the phases share the state of a run, and their order is what it is about.

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import display
from relay.contract.loading import load_contract
from relay.contract.model import Contract, Operation
from relay.project.import_path import make_importable
from relay.project.settings import Chosen, chosen

from .conformance import ConformanceChecker
from .contract_config import FILE, Config, find_config
from .coverage import Coverage, Report, State, check_names
from .har_files import Recorded, read_traffic
from .http_client import answers
from .identity_checks import check_identities
from .kept_failures import keep, replay
from .property_tests import Budget, check_properties
from .recorded_traffic import NOTHING, judge_traffic
from .redaction import Redactor
from .request_checks import can_fail, check_faults, check_routing, check_samples
from .results import (
    KEPT,
    OUT_OF_TIME,
    UNLIMITED,
    Acceptance,
    Failure,
    Phase,
    TimeLimit,
    is_cut,
    report_once,
)
from .sample_requests import UNREACHABLE, is_unreachable, model_requests
from .selection import Selection
from .service_start import connect, credentials_set, named_secrets, served
from .service_target import is_served_alone, unwritten_handlers
from .service_under_test import (
    UNMOCKABLE,
    ContractSettings,
    ServiceUnderTest,
    base_url,
    load_strict_contract,
)
from .session import Session
from .static_checks import check_drift, check_examples, check_lint, check_log


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
    """The state that the phases of a run share; `contract` has the selected operations, `whole` all of them.

    `written` is the contract without the stricter schemas of the configuration.
    """

    contract: Contract
    whole: Contract
    written: Contract
    options: Options
    progress: Progress
    coverage: Coverage
    acceptance: Acceptance
    limit: TimeLimit = UNLIMITED
    parts: list[Phase] = field(default_factory=list)
    unwritten: Mapping[str, str] = field(default_factory=dict)
    traffic: Mapping[Path, Recorded] = field(default_factory=dict)

    def add(self, name: str, check: Callable[[], Phase]) -> Phase:
        """Run a phase and measure its time; without time only one that sends no request."""
        self.progress.begin(name)
        before = time.monotonic()
        if self.limit.is_over and name not in _QUICK:
            part = Phase(name)
            part.skip(name, OUT_OF_TIME)
        else:
            part = check()
        part.seconds = time.monotonic() - before
        part.failures = self.acceptance.settle(part.failures)
        self.parts.append(part)
        self.progress.end(part)
        return part


def run(options: Options, progress: Progress) -> tuple[Report, Redactor]:
    """Run all phases; raise SetupError if they cannot run."""
    started, before = datetime.now(UTC), time.monotonic()
    target = chosen(options.spec, options.handlers)
    config = find_config(options.config, target.project)
    contract = load_strict_contract(target.spec, config, target.contract_root).named(target.names)
    whole = _planned(options, progress, contract, config, target)
    with ExitStack() as stack:
        subject = None
        if options.url is not None:
            subject = connect(options.url, contract, config)
        elif options.serve or not options.har:
            subject = stack.enter_context(served(target, contract, config))
        secrets = subject.secrets if subject else named_secrets(config, ContractSettings.load())
        judge, closed = _check(whole, subject, target, secrets)
    whole.add("coverage", lambda: _cover(whole, judge, closed))
    if is_cut(whole.parts) and not any(part.exchanges or not part.held for part in whole.parts):
        message = "the time was over before the first request; raise it"
        raise SetupError([Diagnostic("--max-time", message)])
    report = Report(
        title=contract.title,
        spec=display(target.spec),
        subject=subject.url if subject else None,
        seed=options.budget.seed if subject else None,
        started=started,
        parts=whole.parts,
        coverage=whole.coverage,
        min_coverage=options.min_coverage,
        reproduce=subject.reproduce if subject else (),
        seconds=time.monotonic() - before,
    )
    hidden = subject.shown_credentials if subject else credentials_set(config)
    redactor = Redactor(contract, [*secrets, *hidden])
    _settle(whole.parts, redactor, options.failures if subject else None)
    return report, redactor


def _settle(parts: Sequence[Phase], redactor: Redactor, folder: Path | None) -> None:
    """Redact all messages, report equal failures once, and keep those in `folder` that can be repeated."""
    for part in parts:  # a message may quote a property name or a media type
        part.failures = [replace(one, message=redactor.text(one.message)) for one in part.failures]
    report_once(parts)
    if folder is not None:
        again = [one for part in parts if part.name != "faults" for one in part.failures]
        keep([one for one in again if one.severity is Severity.ERROR], folder, redactor)


def _planned(
    options: Options, progress: Progress, contract: Contract, config: Config, target: Chosen
) -> _Run:
    if not contract.operations:
        message = "the contract has no operation; there is nothing to test"
        raise SetupError([Diagnostic(display(target.spec), message)])
    selected = options.selection.of(contract)
    check_names(contract, [*config.waivers, *config.accepted])
    traffic = {file: read_traffic(file) for file in options.har}
    coverage, acceptance = Coverage(selected, config.waivers), Acceptance(config.accepted, contract)
    written = contract
    if config.stricter:
        written = load_contract(target.spec, target.contract_root).named(contract.chosen_names)
    whole = _Run(selected, contract, written, options, progress, coverage, acceptance, traffic=traffic)
    is_served = options.url is None and (options.serve or not options.har)
    if is_served or options.handlers is not None:
        folder = target.project.folder
        make_importable(target.handlers, folder)
        if not is_served_alone(target, contract):
            whole.unwritten = unwritten_handlers(contract, target.handlers, folder)
    return whole


def _check(
    whole: _Run, subject: ServiceUnderTest | None, target: Chosen, secrets: tuple[str, ...]
) -> tuple[ConformanceChecker, frozenset[str] | None]:
    """Run the phases before the coverage; return their checker, and the operations that no identity can call."""
    whole.limit = TimeLimit(whole.options.budget.max_seconds)  # the service is ready
    if subject:
        return _check_service(whole, replace(subject, contract=whole.contract), target)
    judge = ConformanceChecker(whole.whole, whole.whole.base_path, secrets, whole.unwritten)
    _check_static(whole, target)
    _check_drift(whole, target)
    judged = _check_traffic(whole, judge)
    if not judged.cases and not is_cut([judged]):
        raise SetupError([Diagnostic(display(har), NOTHING) for har in whole.options.har])
    return judge, None


def _check_static(whole: _Run, target: Chosen) -> None:
    names = whole.contract.chosen_names
    whole.add("lint", lambda: check_lint(target.spec, target.contract_root, names))
    whole.add("examples", lambda: check_examples(whole.written))


def _check_drift(whole: _Run, target: Chosen) -> None:
    """Check drift of the package that is served; with --url only if --handlers names it."""
    is_elsewhere = whole.options.url is not None and whole.options.handlers is None
    code = None if is_elsewhere or is_served_alone(target, whole.whole) else target.handlers
    whole.add("drift", lambda: check_drift(target.spec, whole.written, code, target.project.folder))


def _check_traffic(whole: _Run, judge: ConformanceChecker, url: str | None = None) -> Phase:
    check = partial(judge_traffic, whole.traffic, judge, url, whole.contract, whole.limit)
    return whole.add("recorded traffic", check)


def _check_service(
    whole: _Run, subject: ServiceUnderTest, target: Chosen
) -> tuple[ConformanceChecker, frozenset[str]]:
    """Run every phase that uses the service; what is cheap comes first."""
    mocked = subject.mocked.operations
    judge = ConformanceChecker(whole.whole, subject.base_path, subject.secrets, whole.unwritten, mocked)
    session = Session(subject, judge, whole.limit)

    def faults() -> Phase:
        if subject.copy is None or not can_fail(subject):
            return check_faults(session, None, models)
        with subject.copy() as copy:
            return check_faults(session, base_url(copy.url, whole.contract), models)

    def properties() -> Phase:
        share = _seconds_of_properties(whole.limit.left, whole.contract)
        budget = replace(whole.options.budget, max_seconds=share)
        part = check_properties(session, budget, whole.progress.count)
        check_samples(part, session)
        part.notes += session.credentials.unset()
        return part

    whole.add(KEPT, lambda: replay(whole.options.failures, subject, session.signed_as, judge, whole.limit))
    _check_static(whole, target)
    if whole.traffic:
        _check_traffic(whole, judge, subject.url)
    whole.add("routing", lambda: check_routing(session))
    _check_drift(whole, target)
    generated = whole.add("properties", properties)
    models = model_requests(whole.contract, subject.url, judge, generated.exchanges)
    for name, check in (("identity", lambda: check_identities(session, models)), ("faults", faults)):
        whole.add(name, check if answers(subject.url) else partial(_not_answering, name, whole.contract))
    if subject.log is not None:
        whole.add("log", partial(check_log, subject.log, whole.contract, subject.secrets))
    return judge, frozenset(operation.id for operation in session.closed())


_SECONDS_OF_FAULTS = 5.0
_SECONDS_OF_AN_OPERATION = 0.25


def _seconds_of_properties(left: float, contract: Contract) -> float:
    """Return how long requests are generated, so that time is left for what comes after: at least half of it."""
    secured = sum(any(operation.security) for operation in contract.operations)
    kept = _SECONDS_OF_FAULTS + _SECONDS_OF_AN_OPERATION * secured
    return max(left - kept, left / 2)


def _not_answering(name: str, contract: Contract) -> Phase:
    reason = "the service stopped answering"
    part = Phase(name, failures=[Failure(contract.place(()), f"{reason}; find why in its log", "no-answer")])
    part.skip(name, reason)
    return part


def _cover(whole: _Run, judge: ConformanceChecker, closed: Collection[str] | None) -> Phase:
    """Report the coverage of the documented responses; `closed` are operations without a caller, None without a service."""
    coverage, exchanges = whole.coverage, [one for part in whole.parts for one in part.exchanges]
    coverage.add(exchanges, judge)
    part = Phase("coverage", "answers", len(coverage.cells))
    unwritten = {id_: handler for id_, handler in whole.unwritten.items() if not coverage.has_succeeded(id_)}
    coverage.waive_unwritten(unwritten)
    part.failures += [
        Failure(
            whole.contract.place(one.pointer),
            f"not written yet: {one} ({unwritten[one.id]})",
            "not-written-yet",
            Severity.INFO,
            operation=str(one),
        )
        for one in whole.contract.operations
        if one.id in unwritten
    ]
    was_cut = is_cut(whole.parts)
    unmockable = {one.id for one in judge.unmockable(exchanges)}
    for operation in coverage.never_succeeded() if closed is not None else ():
        reason = OUT_OF_TIME if was_cut else _why_unsuccessful(operation, unmockable, closed or ())
        if reason is not None:
            part.skip(f"a success of {operation}", reason)
        else:
            message = f"{operation} sent no documented success response"
            place = whole.contract.place(operation.pointer)
            part.failures.append(Failure(place, message, "never-succeeded", operation=str(operation)))
    _report_unseen(part, coverage, whole.options.min_coverage)
    if not was_cut and len(whole.contract.operations) == len(whole.whole.operations):
        part.failures += map(Failure.of, [*coverage.unused_waivers(), *whole.acceptance.unused()])
    return part


def _why_unsuccessful(
    operation: Operation, unmockable: Collection[str], closed: Collection[str]
) -> str | None:
    """Return why no success of an operation can be expected; None if one can be."""
    if is_unreachable(operation):
        return UNREACHABLE
    if operation.id in unmockable:
        return UNMOCKABLE
    return f"no identity in {FILE} has a credential for it" if operation.id in closed else None


def _report_unseen(part: Phase, coverage: Coverage, least: float | None) -> None:
    for cell in coverage.cells:
        if cell.state is not State.NOT_SEEN:
            continue
        if least is not None and coverage.percent < least:
            message = f"{cell} was not observed; {coverage.percent:g} % of the responses were observed, {least:g} % are required"
            part.failures.append(Failure(cell.place, message, "low-coverage", operation=str(cell.operation)))
        else:
            part.skip(cell, "it was not observed")
