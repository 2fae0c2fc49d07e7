"""Errors for exceptions of other libraries: those of a package's `errors`, and Starlette's and Connexion's own."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError

from .errors import ErrorReport, ReportedError, declared
from .framework import HTTPException, ProblemException

EXPORT = "errors"
"""The name of the package's export."""


class ErrorTranslator:
    """Returns the error that stands for an exception; an exception that declares its own status stands for itself."""

    def __init__(self, reports: Mapping[type[Exception], ErrorReport]) -> None:
        self._reports = reports

    def __call__(self, exc: BaseException) -> BaseException:
        """Return the error for an exception, with the exception as its cause; the exception if there is none.

        Of the classes of an exception, the most specific one that the package maps decides.
        """
        if isinstance(exc, ReportedError) or declared(type(exc)) is not None:
            return exc
        found = next((self._reports[kind] for kind in type(exc).__mro__ if kind in self._reports), None)
        error = ReportedError(found) if found is not None else _http_error(exc)
        if error is None:
            return exc
        error.__cause__ = exc
        return error


def read_errors(errors: Any) -> ErrorTranslator:
    """Return the translator for the `errors` that a package exports.

    Raises SetupError for what is no mapping of exception classes to errors.
    """
    if not isinstance(errors, Mapping):
        message = f"must be a mapping of exception classes to errors, not {type(errors).__name__}"
        raise SetupError([Diagnostic(EXPORT, message)])
    problems = [Diagnostic(EXPORT, problem) for item in errors.items() if (problem := _problem(*item))]
    if problems:
        raise SetupError(problems)
    return ErrorTranslator({kind: found for kind, value in errors.items() if (found := _report(value))})


def _problem(kind: Any, value: Any) -> str | None:
    """Return what is wrong with an exception class and its error; None if they are right."""
    name = getattr(kind, "__name__", repr(kind))
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        return f"{name} is not a class of exceptions"
    if declared(kind) is not None or issubclass(kind, NotImplementedError):
        return f"{name} has a status of its own, so it is not mapped; remove it"
    if _report(value) is None:
        return f"{name}: must be an error class, or (status, code, message) with a status of 400 to 599"
    return None


def _report(value: Any) -> ErrorReport | None:
    """Return the report of an error class or of (status, code, message); None for anything else."""
    if isinstance(value, type):
        return declared(value)
    match value:
        case (int(status), str(code), str(message)) if 400 <= status <= 599 and not isinstance(status, bool):
            return ErrorReport(status, code, message)
    return None


def _http_error(exc: BaseException) -> ReportedError | None:
    """Return the error for an HTTPException of Starlette, or a ProblemException of Connexion, which is one.

    Their detail is public in both libraries, and so are their headers.
    """
    if not isinstance(exc, HTTPException) or not 400 <= exc.status_code <= 599:
        return None
    detail = getattr(exc, "detail", None)
    message = detail if isinstance(detail, str) and detail else _phrase(exc.status_code)
    members = _members(exc) if isinstance(exc, ProblemException) else {}
    found = ErrorReport(exc.status_code, _code(exc.status_code), message, members=members)
    return ReportedError(found, dict(exc.headers or {}))


def _members(problem: Any) -> dict[str, Any]:
    """Return the members of a problem that it sets itself."""
    own = {name: getattr(problem, name) for name in ("type", "title", "instance")}
    return {name: value for name, value in own.items() if value is not None} | dict(problem.ext or {})


def _code(status: int) -> str:
    return HTTPStatus(status).name if status in _STATUSES else "ERROR"


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in _STATUSES else "Error"


_STATUSES = frozenset(HTTPStatus)
