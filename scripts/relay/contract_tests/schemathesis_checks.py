"""Checks of Schemathesis that failed, in our words, beside what our own judge says of the same exchange."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.model import Operation

from .conformance import ConformanceChecker
from .results import Failure
from .schemathesis_events import FailedCheck, SentCase


class _Check(NamedTuple):
    """What a check means: our words, the statuses that would be right, the rules that say the same with more."""

    words: str
    expected: tuple[int, ...] = ()
    better: frozenset[str] = frozenset()


# A resource's checks depend on requests before, so that one status alone would not be right.
CHECKS = {
    "not_a_server_error": _Check(
        "a request from outside must not make it fail inside; find the cause in its log",
        tuple(range(200, 500)),
    ),
    "status_code_conformance": _Check(
        "a status that the contract does not document", better=frozenset({"undocumented-status"})
    ),
    "content_type_conformance": _Check(
        "a media type that the contract does not document",
        better=frozenset({"undocumented-media-type", "unexpected-body"}),
    ),
    "response_headers_conformance": _Check(
        "headers that break the contract", better=frozenset({"response-header"})
    ),
    "response_schema_conformance": _Check(
        "a body that breaks its schema",
        better=frozenset({"response-violation", "not-json", "undocumented-media-type"}),
    ),
    "allow_header_conformance": _Check(
        "an Allow that does not list the contract's methods; list them all and no others",
        better=frozenset({"incomplete-allow"}),
    ),
    "negative_data_rejection": _Check(
        "data that breaks the contract was accepted; refuse it",
        (400, 401, 403, 404, 405, 406, 409, 415, 422, 428),
        frozenset({"request-accepted", "ignored-auth"}),
    ),
    "positive_data_acceptance": _Check(
        "data that the contract allows was refused; accept it, or say in the contract what is wrong with it",
        tuple(range(200, 300)),
    ),
    "missing_required_header": _Check(
        "a request without a required header was not refused; refuse it",
        (400, 401, 403, 406, 415, 422),
        frozenset({"request-accepted", "ignored-auth"}),
    ),
    "unsupported_method": _Check(
        "the contract has no such method; answer 405, with an Allow that lists those it has",
        (405,),
        frozenset({"undocumented-method", "incomplete-allow"}),
    ),
    "ignored_auth": _Check("the request carried no valid credential; answer 401", (401, 403)),
    "use_after_free": _Check("what was deleted before is still there; answer 404"),
    "ensure_resource_availability": _Check(
        "what was just created is not there; show it as soon as its creation is answered"
    ),
    "object_level_authorization": _Check(
        "what belongs to one caller was shown to another; answer 403 or 404"
    ),
}


class SchemathesisChecks:
    """Tells failed checks as failures, at the places of one contract."""

    def __init__(self, judge: ConformanceChecker) -> None:
        self._contract = contract = judge.contract
        self._judge = judge
        self._operations = {str(operation): operation for operation in contract.operations}
        self._schemes = {"authorization"} | {
            scheme["name"].lower() for scheme in contract.security_schemes.values() if "name" in scheme
        }

    def failures(self, sent: SentCase, ours: Collection[str]) -> list[Failure]:
        """Return what the failed checks of a case say beyond `ours`, the rules that our judge found broken."""
        told = {*ours, *(_rule(check) for check in sent.failed)}
        return [
            self._failure(sent, check)
            for check in sent.failed
            if not check.crashed and not _check(check).better & told
        ]

    def _failure(self, sent: SentCase, check: FailedCheck) -> Failure:
        where = self._judge.where(sent.exchange) if sent.exchange else None
        operation = where.operation if where else self._operations.get(sent.operation)
        if operation is not None:
            pointer = operation.pointer
        else:
            pointer = ("paths", where.path) if where else ("paths",)
        told = f"{_subject(sent, where.path if where else None)}: {_check(check).words}"
        message = f"{told}{self._detail(check, self._operations.get(sent.operation))}"
        found = Diagnostic(self._contract.place(pointer), message, _rule(check), Severity.ERROR)
        about = str(operation) if operation else None
        return Failure(found, about, sent.exchange, _check(check).expected)

    def _detail(self, check: FailedCheck, operation: Operation | None) -> str:
        """Say what was wrong with the data: only names that the contract has, and words of a fixed list."""
        known = {parameter.name for parameter in operation.parameters} if operation else set()
        is_known = check.parameter in known or check.parameter.lower() in self._schemes
        name = f"'{check.parameter}'" if is_known and check.location != "body" else ""
        place = " ".join(filter(None, [check.location, name]))
        is_about_data = check.name in ("negative_data_rejection", "missing_required_header")
        told = ": ".join(filter(None, [place, check.scenario.replace("_", " ")])) if is_about_data else ""
        return f" ({told})" if told else ""


def _rule(check: FailedCheck) -> str:
    return check.name.replace("_", "-")


def _check(check: FailedCheck) -> _Check:
    return CHECKS.get(check.name) or _Check(check.title)


def _subject(sent: SentCase, path: str | None) -> str:
    """Say which answer it is about: `200 of GET /pets`."""
    if sent.exchange is None:
        return sent.operation
    about = f"{sent.exchange.request.method} {path}" if path else sent.operation
    return f"{sent.exchange.status} of {about}"
