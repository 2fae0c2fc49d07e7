"""Prometheus metrics of the service.

Label values come from the code and the contract, never from a client.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from urllib.parse import urlsplit

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.validation.http import ALWAYS, Response

from .logs import REQUESTS

BIND = "RELAY_METRICS_BIND"


class Metrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "relay_requests", "Responses sent.", ["operation", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "relay_request_seconds",
            "Seconds from a request's head to its response.",
            ["operation"],
            registry=registry,
        )
        self.in_flight = Gauge("relay_requests_in_flight", "Requests in flight.", registry=registry)
        self._failures = Counter(
            "relay_failures",
            "Server errors (5xx), by code and exception class.",
            ["operation", "code", "cause"],
            registry=registry,
        )
        self._refusals = Counter(
            "relay_authentication_failures",
            "Requests rejected with 401, by reason.",
            ["operation", "reason"],
            registry=registry,
        )
        self._violations = Counter(
            "relay_response_violations",
            "Contract violations in responses, by schema rule.",
            ["operation", "rule"],
            registry=registry,
        )
        self._labelled = functools.cache(
            lambda operation, method, status: (
                self._requests.labels(operation, method, status),
                self._seconds.labels(operation),
            )
        )
        registry.register(_DroppedLines())
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)

    def answered(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a response and record its duration in seconds."""
        requests, durations = self._labelled(operation, method, status)
        requests.inc()
        durations.observe(seconds)

    def failed(self, operation: str, code: str, cause: str) -> None:
        """Count a server error (5xx)."""
        self._failures.labels(operation, code, cause).inc()

    def refused(self, operation: str, reason: str) -> None:
        """Count a request rejected with 401."""
        self._refusals.labels(operation, reason).inc()

    def violated(self, operation: str, rule: str) -> None:
        """Count a contract violation in a response."""
        self._violations.labels(operation, rule).inc()

    async def page(self) -> Response:
        """Return all metrics in Prometheus' text format."""
        head = [(b"content-type", CONTENT_TYPE_LATEST.encode()), *ALWAYS]
        return Response(200, head, generate_latest(self._registry))


class _DroppedLines(Collector):
    """Counts the lines of the log that were dropped."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter."""
        yield CounterMetricFamily(
            "relay_log_lines_dropped", "Log lines dropped because stderr was not read.", REQUESTS.dropped
        )


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
