"""Prometheus metrics of the service; labels come from the code and the contract, never from a client."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from urllib.parse import urlsplit

import prometheus_client as prometheus
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
        registry = self._registry = prometheus.CollectorRegistry()
        self._answered = _Answered()
        registry.register(self._answered)
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
        registry.register(_DroppedLines())
        for collector in (prometheus.ProcessCollector, prometheus.PlatformCollector, prometheus.GCCollector):
            collector(registry=registry)

    def answered(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a response and record its duration in seconds."""
        self._answered.add((operation, method, str(status)), seconds)

    async def page(self) -> Response:
        """Return all metrics in Prometheus' text format."""
        head = [(b"content-type", prometheus.CONTENT_TYPE_LATEST.encode()), *ALWAYS]
        return Response(200, head, prometheus.generate_latest(self._registry))


class _Answered(Collector):
    """Counts in the event loop only, so without a lock; Prometheus' classes take four times as long."""

    _BOUNDS = prometheus.Histogram.DEFAULT_BUCKETS

    def __init__(self) -> None:
        self._responses: Counter[tuple[str, str, str]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def add(self, labels: tuple[str, str, str], seconds: float) -> None:
        self._responses[labels] += 1
        operation = labels[0]
        if operation not in self._buckets:
            self._buckets[operation], self._seconds[operation] = [0] * len(self._BOUNDS), 0.0
        self._buckets[operation][bisect_left(self._BOUNDS, seconds)] += 1
        self._seconds[operation] += seconds

    def collect(self) -> Iterator[Metric]:
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
    def collect(self) -> Iterator[CounterMetricFamily]:
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
