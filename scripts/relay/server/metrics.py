"""Prometheus metrics of the service.

Label values come from the code and the contract, never from a client.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterator
from itertools import accumulate
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
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.validation.http import ALWAYS, Response

from .logs import REQUESTS

BIND = "RELAY_METRICS_BIND"


class Metrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._answered = _Answered()
        registry.register(self._answered)
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
        registry.register(_DroppedLines())
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)

    def answered(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a response and record its duration in seconds."""
        self._answered.add((operation, method, str(status)), seconds)

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


class _Answered(Collector):
    """Counts responses and their durations; a Counter and a Histogram would take four times as long for each.

    Requests are counted in the event loop only, so no lock is needed.
    """

    _BOUNDS = Histogram.DEFAULT_BUCKETS

    def __init__(self) -> None:
        self._responses: Counts[tuple[str, str, str]] = Counts()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def add(self, labels: tuple[str, str, str], seconds: float) -> None:
        """Count a response by operation, method and status."""
        self._responses[labels] += 1
        operation = labels[0]
        if operation not in self._buckets:
            self._buckets[operation], self._seconds[operation] = [0] * len(self._BOUNDS), 0.0
        self._buckets[operation][bisect_left(self._BOUNDS, seconds)] += 1
        self._seconds[operation] += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield both metrics."""
        responses = CounterMetricFamily(
            "relay_requests", "Responses sent.", labels=["operation", "method", "status"]
        )
        for labels, count in self._responses.items():
            responses.add_metric(labels, count)
        durations = HistogramMetricFamily(
            "relay_request_seconds", "Seconds from a request's head to its response.", labels=["operation"]
        )
        for operation, counts in self._buckets.items():
            bounds = map(floatToGoString, self._BOUNDS)
            buckets = [*zip(bounds, map(float, accumulate(counts)), strict=True)]
            durations.add_metric([operation], buckets, self._seconds[operation])
        yield from (responses, durations)


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
