"""Traces: `scripts/relay/server/tracing.py`."""

import socket
import sys
import time
from contextlib import contextmanager, suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from relay.server import tracing
from relay.server.tracing import Traced
from support.answering import PreparedResponse, answering
from support.hosting import contract, operation
from support.running import ROOT, serving_demo

CONFIG = "/api/calls/voice-ai/config"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
THINGS = """
    async def show(*, id): return "shown"
    async def fail(): raise RuntimeError("sk_canary")
    async def break_off():
        yield b"a"
        raise RuntimeError("sk_canary")
    def work(*, tracer):
        with tracer.start_as_current_span("child"):
            return "done"
"""
INIT = """
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def collaborators(settings):
        yield {"tracer": tracer}
"""
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
BYTES = {"200": {"description": "", "content": {"application/octet-stream": {}}}}
PATHS = {
    "/things/{id}": {"get": operation("show", parameters=[ID])},
    "/fail": {"get": operation("fail")},
    "/break_off": {"get": operation("break_off", responses=BYTES)},
    "/work": {"get": operation("work")},
}
OURS = load_contract(ROOT / "spec" / "openapi.yaml")


def tracer_into(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test")


class Collector:
    """The receiving end of OTLP over HTTP, which keeps what it was sent."""

    raw, url = b"", ""

    def answer(self, request):
        self.raw += request.body
        return PreparedResponse()

    def resources(self):
        """The resources that spans were sent of; messages of protobuf are joined by writing one behind the other."""
        return ExportTraceServiceRequest.FromString(self.raw).resource_spans

    def spans(self):
        return [span for found in self.resources() for scope in found.scope_spans for span in scope.spans]


@pytest.fixture
def collector():
    collector = Collector()
    with answering(collector.answer) as collector.url:
        yield collector


class Exporter(InMemorySpanExporter):
    """Spans in memory."""

    def only(self):
        (span,) = self.get_finished_spans()
        return span


@pytest.fixture
def exporter():
    return Exporter()


@pytest.fixture
async def client(hosting, exporter):
    tracer = tracer_into(exporter)
    application = hosting(contract(PATHS), init=INIT, things=THINGS)
    application.package.tracer = tracer
    transport = httpx.ASGITransport(Traced(application, application.contract, {"/livez", "/docs"}, tracer))
    opening = httpx.AsyncClient(transport=transport, base_url="http://test")
    async with application.running(), opening as client:
        yield client


def attributes(span):
    """The attributes of a span that came over the wire."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


@pytest.mark.slow
def test_a_collector_gets_the_request_of_a_live_service(tmp_path, collector):
    """Before the process is gone, though the batch had not been due; and nothing of what is secret."""
    with serving_demo(tmp_path, RELAY_TRACING="true", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as service:
        token = service.token
        headers = {"Authorization": f"Bearer {token}", **PARENT}
        httpx.get(f"{service.url}{CONFIG}?key=sk_canary", headers=headers)
        httpx.get(f"{service.url}/livez")

    (span,) = collector.spans()
    assert span.name == f"GET {CONFIG}"
    assert span.kind == SpanKind.SERVER.value + 1  # OTLP counts from "unspecified"
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, CALLER)
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": CONFIG,
        "relay.operation": "get_calls_voice_ai_config",
        "url.path": CONFIG,
        "url.scheme": "http",
    }
    assert attributes(collector.resources()[0].resource)["service.name"] == "relay"
    assert token.encode() not in collector.raw
    assert b"sk_canary" not in collector.raw


@contextmanager
def silent():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.slow
def test_a_collector_that_is_silent_holds_up_neither_requests_nor_the_end(tmp_path):
    """It has its seconds, and then the process ends."""
    with (
        silent() as url,
        serving_demo(tmp_path, RELAY_TRACING="true", OTEL_EXPORTER_OTLP_ENDPOINT=url) as service,
    ):
        with httpx.Client() as client:
            asked = time.monotonic()
            for _ in range(20):
                client.get(service.url + CONFIG)
            answered = time.monotonic()
        service.process.terminate()
        service.process.wait(tracing.FLUSH_SECONDS + 10)

    assert answered - asked < 5
    refusal = (tmp_path / "stderr.log").read_text("utf-8")
    assert "the last traces are lost" in refusal
    assert "Traceback" not in refusal
    assert url not in refusal


@pytest.mark.slow
def test_a_collector_that_is_away_is_logged_once(tmp_path):
    """In a line without its address, which may have a password."""
    with silent() as url:
        pass
    url = url.replace("//", "//me:sk_canary@")
    hurried = {"OTEL_EXPORTER_OTLP_TIMEOUT": "0.2", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with serving_demo(tmp_path, RELAY_TRACING="true", OTEL_EXPORTER_OTLP_ENDPOINT=url, **hurried) as service:
        for _ in range(3):
            httpx.get(service.url + CONFIG)
            time.sleep(0.3)

    refusal = (tmp_path / "stderr.log").read_text("utf-8")
    assert refusal.count("the collector does not take traces") == 1
    assert "sk_canary" not in refusal
    assert "Traceback" not in refusal


async def test_a_request_is_named_by_its_route(client, exporter):
    """Names that hold ids would be as many as there are things."""
    await client.get("/things/7")
    span = exporter.only()
    assert (span.name, span.status.status_code) == ("GET /things/{id}", StatusCode.UNSET)
    expected = {"http.route": "/things/{id}", "url.path": "/things/7", "relay.operation": "show"}
    assert span.attributes.items() >= expected.items()


async def test_what_names_no_operation_has_no_route(client, exporter):
    """A client that scans for paths does not fill the collector with names."""
    await client.get("/" + "x" * 5000)
    await client.request("BREW", "/things/7")

    scanned, brewed = exporter.get_finished_spans()
    assert (scanned.name, brewed.name) == ("GET", "HTTP")
    assert scanned.attributes["http.response.status_code"] == 404
    assert len(scanned.attributes["url.path"]) == 1024
    assert brewed.attributes["http.request.method"] == "_OTHER"
    for span in (scanned, brewed):
        assert not {"http.route", "relay.operation"} & {*span.attributes}


async def test_a_failure_is_an_error_without_its_text(client, exporter):
    """An exception may quote a secret."""
    await client.get("/fail")
    span = exporter.only()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert (span.attributes["error.type"], span.events) == ("500", ())
    assert "sk_canary" not in span.to_json()


async def test_a_stream_that_breaks_off_is_an_error(client, exporter):
    """Its status is that which was sent."""
    with suppress(AssertionError):  # of httpx, which expects an end
        await client.get("/break_off")
    span = exporter.only()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes["error.type"], span.attributes["http.response.status_code"]) == ("500", 200)


async def test_handlers_can_add_to_a_trace(client, exporter):
    """Also those that run in a thread."""
    await client.get("/work", headers=PARENT)
    child, request = exporter.get_finished_spans()
    assert child.parent.span_id == request.context.span_id
    assert child.context.trace_id == request.context.trace_id == int(TRACE, 16)


@pytest.mark.parametrize("path", ["/livez", "/docs", "/things/7"])
async def test_some_requests_are_not_traced(client, exporter, path):
    """Probes would be most of the traces; a caller that is not sampled is not sampled here: a trace is whole."""
    sampled = "01" if path != "/things/7" else "00"
    await client.get(path, headers={"traceparent": f"00-{TRACE}-{CALLER}-{sampled}"})
    assert exporter.get_finished_spans() == ()


async def test_two_parents_are_none(client, exporter):
    """It is not known which of them is meant."""
    await client.get("/things/7", headers=[("traceparent", PARENT["traceparent"])] * 2)
    assert exporter.only().parent is None


@given(parent=st.one_of(st.text(max_size=80), st.from_regex(r"\A[0-9a-f-]{50,60}\Z")))
async def test_whatever_a_caller_sends_as_its_parent_is_answered(parent):
    """It is a stranger's text."""
    exporter, sent = InMemorySpanExporter(), []

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message["status"])

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http"}
    scope["headers"] = [(b"traceparent", parent.encode("utf-8", "replace"))]

    await Traced(app, OURS, (), tracer_into(exporter))(scope, None, send)

    assert sent == [200]
    assert len(exporter.get_finished_spans()) <= 1


def test_keeps_to_the_variables_of_the_sdk(monkeypatch):
    """`OTEL_TRACES_SAMPLER` is no setting of ours, and our own name is only for who set none."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    provider = tracing._provider()
    assert provider.sampler.get_description() == "AlwaysOffSampler"
    assert provider.resource.attributes["service.name"] == "shop"
    provider.shutdown()


def test_says_what_to_install(hosting, monkeypatch):
    """Asked for and not there is a wrong set-up, found before a socket opens."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    document = contract({"/a": {"get": operation("show")}})
    missing = r"\(opentelemetry[.\w]*\)"  # the part that is imported first, by any test of this process
    refusal = (
        rf"RELAY_TRACING: OpenTelemetry is not installed {missing}: pip install 'tether-relay\[tracing\]', or"
    )
    with pytest.raises(SetupError, match=refusal):
        hosting(document, settings={"tracing": True}, things="async def show(): ...")


async def test_says_when_a_variable_of_opentelemetry_is_wrong(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    refusal = r"^OTEL_\*: OpenTelemetry rejects the value of one of these variables; check them$"
    with pytest.raises(SetupError, match=refusal):
        await tracing.exporting().__aenter__()
