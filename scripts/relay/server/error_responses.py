"""Converts any exception to an error response: the only place where errors are rendered."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.validation import media_types as media
from relay.validation.errors import ApiError, ResponseViolation
from relay.validation.http import ALWAYS, OPERATION, Response, is_field

from .errors import (
    OWN_CLIENT_ERRORS,
    ErrorReport,
    OperationNotImplemented,
    RenderOperationError,
    ReportedError,
    declared,
    phrase,
    report,
)
from .framework import HTTPException, ProblemException
from .observability import Observer
from .scope_keys import PROGRESS, RESPONSE

_log = logging.getLogger("relay")

_INTERNAL = ErrorReport(ApiError.status, ApiError.code, ApiError.message)
_EXPORT = "errors"  # the name of the package's export


@dataclass(frozen=True, slots=True)
class ErrorTranslator:
    """Returns the error that stands for an exception; an exception that declares its own status stands for itself."""

    reports: Mapping[type[Exception], ErrorReport]

    def __call__(self, exc: BaseException) -> BaseException:
        """Return the error of the most specific class that is mapped; the exception if there is none."""
        if isinstance(exc, ReportedError) or declared(type(exc)) is not None:
            return exc
        found = next((self.reports[kind] for kind in type(exc).__mro__ if kind in self.reports), None)
        error = ReportedError(found) if found is not None else _http_error(exc)
        if error is None:
            return exc
        error.__cause__ = exc
        return error


def read_errors(errors: Any) -> ErrorTranslator:
    """Return the translator for the `errors` of a package; raise SetupError for no mapping."""
    if not isinstance(errors, Mapping):
        message = f"must be a mapping of exception classes to errors, not {type(errors).__name__}"
        raise SetupError([Diagnostic(_EXPORT, message)])
    reports = {kind: _report(value) for kind, value in errors.items()}
    problems = [
        Diagnostic(_EXPORT, problem) for item in reports.items() if (problem := _problem(*item)) is not None
    ]
    if problems:
        raise SetupError(problems)
    return ErrorTranslator({kind: found for kind, found in reports.items() if found is not None})


def _problem(kind: Any, found: ErrorReport | None) -> str | None:
    name = getattr(kind, "__name__", repr(kind))
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        return f"{name} is not a class of exceptions"
    if declared(kind) is not None or issubclass(kind, NotImplementedError):
        return f"{name} has a status of its own, so it is not mapped; remove it"
    if found is None:
        return f"{name}: must be an error class, or (status, code, message) with a status of 400 to 599"
    return None


def _report(value: Any) -> ErrorReport | None:
    match value:
        case type():
            return declared(value)
        case (int(status), str(code), str(message)) if 400 <= status <= 599 and not isinstance(status, bool):
            return ErrorReport(status, code, message)
    return None


def _http_error(exc: BaseException) -> ReportedError | None:
    """Return the error for an HTTPException, also of Connexion; its detail and headers are public."""
    if not isinstance(exc, HTTPException) or not 400 <= exc.status_code <= 599:
        return None
    status, detail = exc.status_code, getattr(exc, "detail", None)
    members: dict[str, Any] = {}
    if isinstance(exc, ProblemException):  # it may set these itself
        own = {"type": exc.type, "title": exc.title, "instance": exc.instance}
        members = {name: value for name, value in own.items() if value is not None} | (exc.ext or {})
    code = HTTPStatus(status).name if status in set(HTTPStatus) else "ERROR"
    message = detail if isinstance(detail, str) and detail else phrase(status)
    return ReportedError(ErrorReport(status, code, message, members=members), dict(exc.headers or {}))


class RenderedError(NamedTuple):
    """An error response, and the body and media type that it was made of."""

    response: Response
    body: Any
    media_type: str


@dataclass(frozen=True, slots=True)
class ErrorResponses:
    """Records each error and renders it as the package does, or as the contract documents it."""

    _render_error: RenderOperationError
    _translate: ErrorTranslator
    observer: Observer

    def of(self, exc: BaseException, scope: Any) -> Response:
        """Return the response for an exception; a 500 without a body if the package's renderer fails."""
        operation, validation = scope.get(OPERATION), scope.get(RESPONSE)
        progress = scope[PROGRESS]
        if validation is not None and isinstance(exc, NotImplementedError):  # as a stub raises it
            exc = OperationNotImplemented().with_traceback(exc.__traceback__)
        else:
            exc = self._translate(exc)
        try:
            rendered = self._rendered(exc, operation)
            is_own = isinstance(exc, OWN_CLIENT_ERRORS)
            is_sent = not progress.status
            if validation is not None and rendered.response.status < 500 and is_sent and not is_own:
                try:
                    validation.check_error(rendered, getattr(exc, "headers", None), scope)
                except ResponseViolation as violation:
                    exc = violation
                    rendered = self._rendered(violation, operation)
        except Exception:  # noqa: BLE001 -- the client gets a response in any case
            _log.exception("the package's failure cannot be rendered")
            rendered = RenderedError(Response(500, list(ALWAYS), b""), None, "")
        if progress.status and not progress.is_complete:
            progress.failed = rendered.response.status
        self.observer.failed(exc, scope)
        return rendered.response

    def _rendered(self, exc: BaseException, operation: str | None) -> RenderedError:
        known = report(exc)
        found = known or _INTERNAL
        # The exception of another library may have the headers of an upstream response, such as cookies.
        own = getattr(exc, "headers", {}) if known else {}
        named = {name.lower(): value for name, value in own.items()}
        if not all(is_field(name, value) for name, value in named.items()):
            raise ValueError("the error has invalid headers")
        headers = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
        body, media_type = self._render_error(found, operation)
        is_text = isinstance(body, str) and media.essence(media_type).startswith("text/")
        written = body.encode() if is_text else orjson.dumps(body)
        lines = [(b"content-type", media_type.encode()), *headers, *ALWAYS]
        return RenderedError(Response(found.status, lines, written), body, media_type)
