"""Sends a span of each request to an OpenTelemetry collector, without its query, headers or body."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.methods import in_request
from relay.contract.model import Contract
from relay.validation.http import OPERATION

from .scope_keys import PROGRESS

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Span, Tracer

FLUSH_SECONDS = 3.0  # how long a stopping service waits until its last spans are sent
_SERVICE = "relay"  # default of OTEL_SERVICE_NAME
_METHODS = frozenset("CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE".split())
_MAX_PATH = 1024  # characters; a client may send a path of 64 KiB

_log = logging.getLogger("relay.tracing")


def check_installed() -> None:
    """Raise SetupError if OpenTelemetry is not installed."""
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401 -- only whether they can be imported
    except ModuleNotFoundError as exc:
        message = (
            f"OpenTelemetry is not installed ({exc.name}): pip install 'tether-relay[tracing]', or unset it"
        )
        raise SetupError([Diagnostic("RELAY_TRACING", message)]) from exc


class Traced:
    """Makes a request's span the current one, so that handlers add to it; none for `untraced` paths."""

    def __init__(
        self, app: Any, contract: Contract, untraced: Collection[str], tracer: Tracer | None = None
    ) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._app = app
        self._tracer = tracer or trace.get_tracer(_SERVICE)
        self._propagator = TraceContextTextMapPropagator()
        self._routes = {one.id: contract.base_path + one.path for one in contract.operations}
        self._methods = _METHODS.union(in_request(operation.method) for operation in contract.operations)
        self._untraced = frozenset(untraced) - {*self._routes.values()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http" or scope["path"] in self._untraced:
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, use_span

        status: int | None = None

        async def send_recording_status(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in self._methods else "_OTHER"
        attributes = {
            "http.request.method": method,
            "url.path": scope["path"][:_MAX_PATH],
            "url.scheme": scope["scheme"],
        }
        name = method if method in self._methods else "HTTP"
        # The caller's span (W3C Trace Context), if there is exactly one header.
        parents = [value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"]
        parent = self._propagator.extract({"traceparent": parents[0]}) if len(parents) == 1 else None
        span = self._tracer.start_span(name, parent, kind=SpanKind.SERVER, attributes=attributes)
        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                await self._app(scope, receive, send_recording_status)
        finally:
            progress = scope.get(PROGRESS)
            self._set_outcome(span, name, scope.get(OPERATION), status, progress.failed if progress else 0)
            span.end()

    def _set_outcome(
        self, span: Span, name: str, operation: str | None, status: int | None, failed: int
    ) -> None:
        """Set route and status; `failed` is the status of the error that broke the response off."""
        from opentelemetry.trace import StatusCode

        if operation is not None:
            route = self._routes[operation]
            span.update_name(f"{name} {route}")
            span.set_attributes({"http.route": route, OPERATION: operation})
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        if (worst := max(status or 0, failed)) >= 500:
            span.set_attribute("error.type", str(worst))
            span.set_status(StatusCode.ERROR)


@asynccontextmanager
async def exporting() -> AsyncIterator[None]:
    """Export the process's spans, in a thread, to the collector that the OTEL_* variables configure.

    OpenTelemetry is configured once per process; an existing configuration is kept. On exit, pending spans
    are sent, for FLUSH_SECONDS at most. Raises SetupError if OpenTelemetry's variables are invalid.
    """
    from opentelemetry import trace

    try:
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            trace.set_tracer_provider(_provider())
    except ValueError as exc:
        message = "OpenTelemetry rejects the value of one of these variables; check them"
        raise SetupError([Diagnostic("OTEL_*", message)]) from exc
    try:
        yield
    finally:
        await _flush(trace.get_tracer_provider())


def _provider() -> TracerProvider:
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = _exporter()
    for logger in ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # they log URLs, a line for each attempt
    resource = Resource.create({"service.name": _SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # it could delay the exit
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    class Exporter(OTLPSpanExporter):
        """Logs once when spans are lost, and once when they are accepted again."""

        is_failing = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = super().export(spans)
            is_failing = result is not SpanExportResult.SUCCESS
            if is_failing and not self.is_failing:
                _log.warning("the collector does not take traces; see OTEL_EXPORTER_OTLP_ENDPOINT")
            elif self.is_failing and not is_failing:
                _log.warning("the collector takes traces again")
            self.is_failing = is_failing
            return result

    return Exporter()


async def _flush(provider: Any) -> None:
    """Send pending spans within FLUSH_SECONDS, in a daemon thread that does not delay the exit."""
    if not hasattr(provider, "force_flush"):
        return
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def flush() -> None:
        provider.force_flush()
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=flush, name="relay-traces", daemon=True).start()
    try:
        async with asyncio.timeout(FLUSH_SECONDS):
            await done.wait()
    except TimeoutError:
        _log.warning("the last traces are lost: the collector did not take them in time")
