"""Turn failed checks of Schemathesis into failures, unless our own checker reports the same in more detail."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from relay.contract.methods import ADDITIONAL
from relay.contract.model import Operation
from relay.contract.path_templates import requested

from .conformance import ConformanceChecker
from .exchanges import Exchange, carrier
from .results import Failure, NotRun
from .schemathesis_events import ADDED_HEADERS, FailedCheck, SentCase
from .service_under_test import NOTHING_MOCKED, Mocked


class _Check(NamedTuple):
    """A check: its message, the correct statuses, and the rules that report the same in more detail."""

    message: str
    expected: tuple[int, ...] = ()
    covered_by: tuple[str, ...] = ()


# The checks of resources depend on earlier requests, so they have no single correct status.
CHECKS = {
    "not_a_server_error": _Check(
        "a request must not cause an internal error; see the service's log for the cause",
        tuple(range(200, 500)),
    ),
    "status_code_conformance": _Check(
        "a status that the contract does not document", covered_by=("undocumented-status",)
    ),
    "content_type_conformance": _Check(
        "a media type that the contract does not document",
        covered_by=("undocumented-media-type", "unexpected-body"),
    ),
    "response_headers_conformance": _Check(
        "headers that violate the contract", covered_by=("response-header",)
    ),
    "response_schema_conformance": _Check(
        "a body that violates its schema",
        covered_by=("response-violation", "not-json", "undocumented-media-type"),
    ),
    "allow_header_conformance": _Check(
        "an Allow header that does not match the contract's methods; list exactly these",
        covered_by=("incomplete-allow",),
    ),
    "negative_data_rejection": _Check(
        "invalid data was accepted; refuse it",
        (400, 401, 403, 404, 405, 406, 409, 415, 422, 428),
        ("request-accepted", "ignored-auth"),
    ),
    "positive_data_acceptance": _Check(
        "valid data was refused; accept it, or exclude it in the contract", tuple(range(200, 300))
    ),
    "missing_required_header": _Check(
        "a request without a required header was accepted; refuse it",
        (400, 401, 403, 406, 415, 422),
        ("request-accepted", "ignored-auth"),
    ),
    "unsupported_method": _Check(
        "the contract has no such method; respond with 405 and an Allow header with the contract's methods",
        (405,),
        ("undocumented-method", "incomplete-allow"),
    ),
    "ignored_auth": _Check("the request had no valid credential; respond with 401", (401, 403)),
    "use_after_free": _Check("a deleted resource is still served; respond with 404"),
    "ensure_resource_availability": _Check(
        "a created resource is not available; make it available before the response to its creation"
    ),
    "object_level_authorization": _Check(
        "a resource of one caller was returned to another; respond with 403 or 404"
    ),
}


_ABOUT_METHODS = frozenset(["allow_header_conformance", "unsupported_method"])
_OF_RESPONSES = frozenset(
    ["content_type_conformance", "response_headers_conformance", "response_schema_conformance"]
)

_OF_DATA = frozenset(["use_after_free", "ensure_resource_availability", "object_level_authorization"])
"""Checks that need a service with data, which a mock does not have."""


class SchemathesisChecks:
    """Turns failed checks into failures, located in one contract."""

    def __init__(self, checker: ConformanceChecker, mocked: Mocked = NOTHING_MOCKED) -> None:
        self._mocked = mocked
        self._contract = contract = checker.contract
        self._checker = checker
        self._operations = {str(operation): operation for operation in contract.operations}
        carriers = map(carrier, contract.security_schemes.values())
        self._schemes = {"authorization"}.union(name.lower() for _, name in carriers)

    def failures(self, sent: SentCase, ours: Collection[str]) -> list[Failure]:
        """Return failures for the failed checks of a case that `ours`, the rules of our own findings, do not cover."""
        if sent.exchange is not None and self._checker.is_excused(sent.exchange):
            return []
        reported = {*ours, *(_rule(check) for check in sent.failed)}
        return [
            self._failure(sent, check)
            for check in sent.failed
            if not check.crashed
            and reported.isdisjoint(_check(check).covered_by)
            and (check.name not in _ABOUT_METHODS or self._knows_methods(sent))
            and not self._is_false(sent, check)
        ]

    def _knows_methods(self, sent: SentCase) -> bool:
        """Return False if a request has other methods than Schemathesis knows.

        It does not know `additionalOperations`, nor operations that are left out, does not join paths that match the
        same requests, and sends a path without its fragment.
        """
        operation = self._operations.get(sent.operation)
        if operation is None or sent.exchange is None:
            return True
        where = self._checker.where(sent.exchange.request)
        if where is None:
            return requested(operation.path) == operation.path
        known = {
            one.method.upper()
            for one in self._contract.operations
            if one.path == operation.path and ADDITIONAL not in one.pointer[2:3]
        }
        return where.operation is None and not where.left_out and known == where.methods.keys()

    def _is_false(self, sent: SentCase, check: FailedCheck) -> bool:
        """Return True for a check of another operation, or one that proves nothing here."""
        operation = self._operations.get(sent.operation)
        if operation is None or sent.exchange is None:
            return False
        return (
            self._is_another(sent.exchange, operation)
            or self._is_beyond_a_mock(check, operation)
            or self._is_accepted(check, operation, sent.exchange)
        )

    def _is_beyond_a_mock(self, check: FailedCheck, operation: Operation) -> bool:
        if check.name == "ignored_auth":
            return any(requirement.keys() & self._mocked.schemes for requirement in operation.security)
        is_error = check.name == "not_a_server_error" and not _documents(operation, "1234")
        return operation.id in self._mocked.operations and (check.name in _OF_DATA or is_error)

    def _is_accepted(self, check: FailedCheck, operation: Operation, exchange: Exchange) -> bool:
        """Return True for a check of what our own checker accepts, or of what was sent after all.

        Where a contract can be read in several ways, a service is judged by the reading that our checker and the
        server share.
        """
        if check.name in _OF_RESPONSES:
            return self._checker.judges_response(exchange)
        is_valid = self._checker.is_valid_request(exchange.request, operation)
        match check.name:
            case "positive_data_acceptance":
                return not is_valid or not _documents(operation, "23")
            case "missing_required_header":
                return is_valid or check.parameter.lower() in ADDED_HEADERS
        return is_valid and check.name == "negative_data_rejection"

    def _is_another(self, exchange: Exchange, operation: Operation) -> bool:
        """Return True if the path of a request leads to another operation: `/pets/{id}` to `/pets/new`.

        HTTP libraries send one slash for several.
        """
        where = self._checker.where(exchange.request)
        if where is None:
            return "//" in operation.path
        return exchange.request.method.lower() == operation.method and where.operation is not operation

    def disputes(self, sent: SentCase) -> Iterator[NotRun]:
        """Yield what only Schemathesis takes for valid or invalid: examples and `oneOf` may mislead it."""
        operation = self._operations.get(sent.operation)
        if operation is None or sent.exchange is None:
            return
        names = {check.name for check in sent.failed if not check.crashed}
        if "positive_data_acceptance" in names:
            violation = self._checker.request_violation(sent.exchange.request, operation)
            if violation is not None:
                yield NotRun(sent.operation, f"Schemathesis takes a request for valid {violation}")
        if (
            "response_schema_conformance" in names
            and sent.exchange.body
            and not self._is_another(sent.exchange, operation)
            and self._checker.judges_response(sent.exchange)
            and not self._checker.check(sent.exchange)
        ):
            reason = f"Schemathesis takes a valid body of a {sent.exchange.status} for invalid"
            yield NotRun(sent.operation, reason)

    def _failure(self, sent: SentCase, check: FailedCheck) -> Failure:
        where = self._checker.where(sent.exchange.request) if sent.exchange else None
        operation = where.operation if where else self._operations.get(sent.operation)
        pointer = ("paths", where.path) if where else ("paths",)
        known = _check(check)
        detail = self._data_detail(check, self._operations.get(sent.operation))
        about = sent.operation
        if sent.exchange:  # `200 of GET /pets`
            named = f"{sent.exchange.request.method} {where.path}" if where else about
            about = f"{sent.exchange.status} of {named}"
        return Failure(
            self._contract.place(operation.pointer if operation else pointer),
            f"{about}: {known.message}{detail}",
            _rule(check),
            operation=str(operation) if operation else None,
            exchange=sent.exchange,
            expected=known.expected,
        )

    def _data_detail(self, check: FailedCheck, operation: Operation | None) -> str:
        """Return what was wrong with the data; only names from the contract and fixed texts are used."""
        known = {parameter.name for parameter in operation.parameters} if operation else set()
        is_known = check.parameter in known or check.parameter.lower() in self._schemes
        name = f"'{check.parameter}'" if is_known and check.location != "body" else ""
        place = " ".join(filter(None, [check.location, name]))
        is_about_data = check.name in ("negative_data_rejection", "missing_required_header")
        detail = ": ".join(filter(None, [place, check.scenario.replace("_", " ")])) if is_about_data else ""
        return f" ({detail})" if detail else ""


def _documents(operation: Operation, classes: str) -> bool:
    """Return True if an operation documents a status that begins with one of some digits, or `default`."""
    return any(status.startswith((*classes, "default")) for status in operation.responses)


def _rule(check: FailedCheck) -> str:
    return check.name.replace("_", "-")


def _check(check: FailedCheck) -> _Check:
    return CHECKS.get(check.name) or _Check(check.title)
