"""Logs and counts each request; no label comes from a client, and nothing from query, headers or body."""

from __future__ import annotations

import asyncio
import logging
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from urllib.parse import urlsplit

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.validation.errors import ApiError, ResponseViolation
from relay.validation.http import ALWAYS, OPERATION, Response

from .errors import OWN_CLIENT_ERRORS, ErrorReport, Overloaded, Unauthenticated, report
from .logs import REQUEST_ID, REQUESTS, Event, timestamp
from .pages import PROBES
from .scope_keys import PROGRESS

_log = logging.getLogger("relay")

BIND = "RELAY_METRICS_BIND"
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
            reason = getattr(exc, "reason", "")
            if not isinstance(reason, str) or not _WORD.fullmatch(reason):
                reason = "refused"  # a package's error may have any reason, a label must be a fixed word
            scope[_OUTCOME]["reason"] = reason
            if self.metrics is not None:
                self.metrics.refusals.labels(operation, reason).inc()
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


class Metrics(Collector):
    """The metrics of one service.

    Responses are counted in the event loop only, so without a lock; Prometheus' classes take four times as long.
    """

    _BOUNDS = prometheus.Histogram.DEFAULT_BUCKETS

    def __init__(self) -> None:
        registry = self._registry = prometheus.CollectorRegistry()
        self._responses: Counter[tuple[str, str, str]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        registry.register(self)
        self.in_flight = prometheus.Gauge(
            "relay_requests_in_flight", "Requests in flight.", registry=registry
        )
        self.failures, self.refusals, self.violations = (
            prometheus.Counter(f"relay_{name}", text, ["operation", *labels], registry=registry)
            for name, text, *labels in (
                ("failures", "Server errors (5xx), by code and exception class.", "code", "cause"),
                ("authentication_failures", "Requests rejected with 401, by reason.", "reason"),
                ("response_violations", "Contract violations in responses, by schema rule.", "rule"),
            )
        )
        for collector in (prometheus.ProcessCollector, prometheus.PlatformCollector, prometheus.GCCollector):
            collector(registry=registry)

    def answered(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a response and record its duration in seconds."""
        self._responses[operation, method, str(status)] += 1
        if operation not in self._buckets:
            self._buckets[operation], self._seconds[operation] = [0] * len(self._BOUNDS), 0.0
        self._buckets[operation][bisect_left(self._BOUNDS, seconds)] += 1
        self._seconds[operation] += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield what is not counted by classes of Prometheus."""
        responses = CounterMetricFamily(
            "relay_requests", "Responses sent.", labels=["operation", "method", "status"]
        )
        for labels, count in self._responses.items():
            responses.add_metric(labels, count)
        durations = HistogramMetricFamily(
            "relay_request_seconds", "Seconds from a request's head to its response.", labels=["operation"]
        )
        bounds = [*map(floatToGoString, self._BOUNDS)]
        for operation, counts in self._buckets.items():
            buckets = [*zip(bounds, map(float, accumulate(counts)), strict=True)]
            durations.add_metric([operation], buckets, self._seconds[operation])
        yield from (responses, durations)
        dropped = "Log lines dropped because stderr was not read."
        yield CounterMetricFamily("relay_log_lines_dropped", dropped, REQUESTS.dropped)

    async def page(self) -> Response:
        """Return all metrics in Prometheus' text format."""
        head = [(b"content-type", prometheus.CONTENT_TYPE_LATEST.encode()), *ALWAYS]
        return Response(200, head, prometheus.generate_latest(self._registry))


def bind_address(bind: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[::1]:port`; raise SetupError for anything else."""
    try:
        parts = urlsplit(f"//{bind}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or parts.netloc != bind or parts.username is not None:
        raise SetupError([Diagnostic(BIND, "must be an address and a port, such as 127.0.0.1:9464")])
    return host, port
