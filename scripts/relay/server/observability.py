"""Logs and counts each request, with the path as it was sent; never its query, headers or body."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime
from typing import Any

from relay.validation.errors import ApiError, ResponseViolation
from relay.validation.http import OPERATION

from .errors import OWN_CLIENT_ERRORS, ErrorReport, Overloaded, Unauthenticated, report
from .logs import REQUEST_ID, REQUESTS, Event, timestamp
from .metrics import Metrics
from .pages import PROBES
from .scope_keys import PROGRESS

_log = logging.getLogger("relay")

UNMATCHED = "unmatched"  # the operation label of a request that matches no operation
_WORD = re.compile("[a-z][a-z-]{0,31}")
_MAX_PLACE = 200  # characters: names of properties may come from the client
_OUTCOME = "relay.outcome"  # key of the ASGI scope with extra fields of the log line


class Observer:
    """Updates the log and the metrics; `scope` is the ASGI scope of the request after routing."""

    def __init__(self, metrics: Metrics | None) -> None:
        self.metrics = metrics
        self._answered: list[tuple[Any, int, float, str]] = []

    def answered(self, scope: Any, status: int, seconds: float) -> None:
        """Record a response; its log line is written at the next turn of the event loop."""
        self._answered.append((scope, status, seconds, REQUEST_ID.get()))
        if len(self._answered) == 1:
            asyncio.get_running_loop().call_soon(self._write_answered)

    def _write_answered(self) -> None:
        """Record all responses of one turn of the event loop together, which takes half the time."""
        answered, self._answered = self._answered, []
        now = timestamp(datetime.now(UTC))
        events: list[Event] = []
        for scope, status, seconds, request_id in answered:
            operation, method = scope.get(OPERATION, UNMATCHED), scope["method"]
            if self.metrics is not None:
                self.metrics.answered(operation, method, status, seconds)
            level = "debug" if operation in PROBES else "info"
            if REQUESTS.has(level):
                events.append(
                    {
                        "event": "request",
                        "timestamp": now,
                        "level": level,
                        "logger": "relay.requests",
                        "request_id": request_id,
                        "method": method,
                        "path": scope["path"],
                        "operation": operation,
                        "status": status,
                        "ms": round(seconds * 1000, 2),
                        **scope.get(_OUTCOME, {}),
                    }
                )
        if events:
            REQUESTS.write(events)

    def failed(self, exc: BaseException, scope: Any) -> None:
        """Record an exception, with the details that the client does not get."""
        operation, progress = scope.get(OPERATION, UNMATCHED), scope[PROGRESS]
        found = report(exc)
        code = found.code if found else ApiError.code
        scope[_OUTCOME] = {"code": code}
        if progress.failed:
            scope[_OUTCOME]["sent"] = progress.status
        if isinstance(exc, ResponseViolation):
            self.violated(exc, scope)
            self._count_failure(operation, code, exc)
            return
        if found is not None and found.status == Unauthenticated.status:
            self._refused(exc, operation, scope)
        if found is not None and found.status < 500:
            if progress.failed:
                self._unsent(exc, found, scope)
            return
        cause = exc.__cause__ or exc
        self._count_failure(operation, code, cause)
        if isinstance(exc, Overloaded):
            return  # a log line for each would add load to an overloaded service
        extra = _where(scope) | {"operation": operation, "code": code, "cause": type(cause).__name__}
        _log.error("failed" if found else "unexpected failure", extra=extra, exc_info=None if found else exc)

    def _count_failure(self, operation: str, code: str, cause: BaseException) -> None:
        if self.metrics is not None:
            self.metrics.failures.labels(operation, code, type(cause).__name__).inc()

    def _refused(self, exc: BaseException, operation: str, scope: Any) -> None:
        reason = getattr(exc, "reason", "")
        if not isinstance(reason, str) or not _WORD.fullmatch(reason):
            reason = "refused"  # a package's error may have any reason, a label must be a fixed word
        scope[_OUTCOME]["reason"] = reason
        if self.metrics is not None:
            self.metrics.refusals.labels(operation, reason).inc()

    def _unsent(self, exc: BaseException, found: ErrorReport, scope: Any) -> None:
        """Record a client error that the client does not get, since the response had begun."""
        if not isinstance(exc, OWN_CLIENT_ERRORS):  # the handler's own; the others are what clients do
            operation = scope.get(OPERATION, UNMATCHED)
            extra = {"operation": operation, "code": found.code, "cause": type(exc.__cause__ or exc).__name__}
            message = "an error after the response began, which its client does not get"
            _log.warning(message, extra=_where(scope) | extra)
        elif found.details:
            first = found.details[0]
            scope[_OUTCOME] |= {"at": first["path"][:_MAX_PLACE] or "/", "rule": first["rule"]}

    def violated(self, violation: ResponseViolation, scope: Any) -> None:
        """Record where a response violates the contract, and which rule; never the value."""
        operation = scope.get(OPERATION, UNMATCHED)
        for one in violation.violations:
            if self.metrics is not None:
                self.metrics.violations.labels(operation, one.rule).inc()
            extra = {"operation": operation, "at": one.path or "/", "rule": one.rule, "problem": one.message}
            _log.error("response violation", extra=_where(scope) | extra)


def _where(scope: Any) -> dict[str, Any]:
    return {"request_id": REQUEST_ID.get(), "method": scope["method"], "path": scope["path"]}
