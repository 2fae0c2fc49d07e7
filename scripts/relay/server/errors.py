"""Errors of the server: exceptions of any class with `status`, `code` and `message`, which is public."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from relay.validation.errors import ApiError, Headers, InvalidRequest


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """The public part of an error.

    `details` lists the contract violations of a request: `in` (path, query, header, cookie or
    body), `path` (JSON pointer), `rule` (schema keyword) and `message`; never a value. `members` are those that
    the error adds to its body.
    """

    status: int
    code: str
    message: str
    details: tuple[Mapping[str, str], ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The message and, if there are details, the first of them: for an envelope without a place for all."""
        if not self.details:
            return self.message
        first = self.details[0]
        return f"{self.message}: {first['in']} {first['path']}".rstrip() + f": {first['message']}"


SAMPLE_DETAILS = ({"in": "query", "path": "/limit", "rule": "maximum", "message": "the value is too large"},)
"""The details of a made-up report."""

RenderError = Callable[[ErrorReport], tuple[Any, str]]
"""Makes the body and the media type of an error response; the body is for JSON, or a text of the media type `text/*`."""

RenderOperationError = Callable[[ErrorReport, str | None], tuple[Any, str]]
"""The same for an operation, by id; None for a request that matches none."""


class MalformedPath(ApiError):
    """The path is not percent-encoded UTF-8 (RFC 3986 section 2.1), or contains NUL."""

    status, code, message = 400, "MALFORMED_PATH", "The path is not percent-encoded text"


class AmbiguousHost(ApiError):
    """The Host header is missing, repeated or invalid (RFC 9112 section 3.2)."""

    status, code, message = 400, "AMBIGUOUS_HOST", "The request needs exactly one Host header, with a host"


class BodyIncomplete(ApiError):
    """The client disconnected before the end of the body (RFC 9112 section 8), so it does not receive this error."""

    status, code, message = 400, "BODY_INCOMPLETE", "The request body broke off"


class Unauthenticated(ApiError):
    """The credential is missing or invalid (RFC 6750 section 3); `reason` is a fixed word for logs."""

    status, code, message = 401, "UNAUTHENTICATED", "A valid credential is required"

    def __init__(self, headers: Headers | None = None, *, reason: str = "malformed") -> None:
        super().__init__(headers)
        self.reason = reason


class Forbidden(ApiError):
    """The credential is valid but lacks a scope (RFC 6750 section 3.1, insufficient_scope)."""

    status, code, message = 403, "FORBIDDEN", "The credential does not allow this operation"


class NotFound(ApiError):
    """The path is not in the contract."""

    status, code, message = 404, "NOT_FOUND", "There is no such path"


class MethodNotAllowed(ApiError):
    """The path does not have this method; has the complete `Allow` header (RFC 9110 section 15.5.6)."""

    status, code, message = 405, "METHOD_NOT_ALLOWED", "The path does not have this method"


class NotAcceptable(ApiError):
    """The client accepts no media type of the response (RFC 9110 section 15.5.7); only where 406 is documented."""

    status, code, message = 406, "NOT_ACCEPTABLE", "The operation has no response of an acceptable media type"


class BodyTooSlow(ApiError):
    """The body did not arrive in time (RFC 9110 section 15.5.9)."""

    status, code, message = 408, "BODY_TOO_SLOW", "The request body did not arrive in time"


class HeadersTooLarge(ApiError):
    """The headers are too many or too long (RFC 6585 section 5)."""

    status, code, message = 431, "HEADERS_TOO_LARGE", "The request headers are too large"


class BodyTooLarge(ApiError):
    """The body is larger than `RELAY_BODY_LIMIT`, `RELAY_FILE_LIMIT` or the operation's own limit."""

    status, code, message = 413, "BODY_TOO_LARGE", "The request body is too large"


class Overloaded(ApiError):
    """RELAY_MAX_IN_FLIGHT requests are in flight; has the header Retry-After."""

    status, code, message = 503, "OVERLOADED", "The service is busy; try again in a moment"


class StorageFull(ApiError):
    """There is no space for a file of the request (RFC 4918 section 11.5)."""

    status, code, message = 507, "INSUFFICIENT_STORAGE", "The service has no space for this request"


class StorageFailed(ApiError):
    """A file of the request cannot be stored: the folder of temporary files is not writable."""

    status, code, message = 500, "STORAGE_FAILED", "The service cannot store this request"


class FileConditionError(ApiError):
    """A request has a condition or a range that does not fit a file; need not be documented where the file is."""


class PreconditionFailed(FileConditionError):
    """If-Match or If-Unmodified-Since names another version of the file (RFC 9110 section 15.5.13)."""

    status, code, message = 412, "PRECONDITION_FAILED", "The file has changed"


class RangeNotSatisfiable(FileConditionError):
    """No requested range is in the file; has the header Content-Range (RFC 9110 section 15.5.17)."""

    status, code, message = 416, "RANGE_NOT_SATISFIABLE", "The file is shorter than the requested range"


OWN_CLIENT_ERRORS = (FileConditionError, InvalidRequest, BodyTooLarge, BodyTooSlow, BodyIncomplete)
"""Client errors that Relay raises while a handler answers, for a file or for a stream of items; they need not be documented."""


class HandlerTimeout(ApiError):
    """A function of the handlers package took more than `RELAY_HANDLER_SECONDS` and was cancelled."""

    status, code, message = 503, "HANDLER_TIMEOUT", "The operation took too long"


class ClientDisconnected(Exception):
    """The client disconnected before the handler returned; no response is sent."""

    status = 499
    """The status in log and metrics; not an HTTP status (RFC 9110 section 15), but widely used for this."""


class OperationNotImplemented(ApiError):
    """The operation's handler raises NotImplementedError, as a stub does, or the contract cannot be followed."""

    status, code, message = 501, "NOT_IMPLEMENTED", "This operation is not implemented yet"


class ReportedError(ApiError):
    """An error whose public part does not belong to its class; its cause is an exception of another library."""

    def __init__(self, report: ErrorReport, headers: Headers | None = None) -> None:
        super().__init__(headers)
        self.report = report


def report(exc: BaseException) -> ErrorReport | None:
    """Return the public part of an exception; None if the exception does not declare one."""
    if isinstance(exc, ReportedError):
        return exc.report
    found = declared(type(exc))
    if found is None:
        return None
    details = tuple(
        {"in": one.location, "path": one.path, "rule": one.rule, "message": one.message}
        for one in getattr(exc, "failures", ())
    )
    members = exc.members if isinstance(exc, ApiError) else {}
    return replace(found, details=details, members=members) if details or members else found


def declared(kind: type) -> ErrorReport | None:
    """Return the public part that a class of exceptions declares; None if it is not an error of this service."""
    status, code, message = (getattr(kind, name, None) for name in ("status", "code", "message"))
    if not (
        isinstance(status, int)
        and 400 <= status <= 599
        and isinstance(code, str)
        and isinstance(message, str)
    ):
        return None
    members = kind.members if issubclass(kind, ApiError) else {}
    return ErrorReport(status, code, message, members=members)


_STATUSES = frozenset(HTTPStatus)


def phrase(status: int) -> str:
    """Return the words of a status, such as `Not Found`; `Error` for one without."""
    return HTTPStatus(status).phrase if status in _STATUSES else "Error"


def problem_details(report: ErrorReport) -> tuple[Any, str]:
    """Render an error as RFC 9457 problem details; its members may replace all but `status` and `code`."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase(report.status),
        "status": report.status,
        "detail": report.message,
        "code": report.code,
    }
    body |= {name: value for name, value in report.members.items() if name not in ("status", "code")}
    if report.details:
        body["errors"] = list(report.details)
    return body, "application/problem+json"
