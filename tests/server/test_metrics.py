"""Metrics: `scripts/relay/server/observability.py`."""

import asyncio
import socket
from contextlib import AsyncExitStack

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from relay.contract.diagnostics import SetupError
from relay.server.app import METRICS_CONNECTIONS
from relay.server.logs import REQUESTS
from relay.server.observability import Metrics, bind_address
from support.hosting import STRING, ask, bearer, calling, contract, json_of, operation

SECURE = {"components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}}
OK = {"200": json_of({"type": "object", "properties": {"name": STRING}})}
SECURITY = {"show_to_some": {"security": [{"token": []}]}}
NAMES = ("show", "break_promise", "fail", "ask_database", "show_to_some")
DOCUMENT = contract(
    {f"/{name}": {"get": operation(name, responses=OK, **SECURITY.get(name, {}))} for name in NAMES}, **SECURE
)
THINGS = """
    async def show():
        return {"name": "a"}

    async def break_promise():
        return {"name": 1}

    async def fail():
        raise ConnectionError("sk_canary")

    class Down(Exception):
        status, code, message = 500, "DB_UNAVAILABLE", "The database is not available"

    async def ask_database():
        try:
            raise TimeoutError
        except TimeoutError as exc:
            raise Down from exc

    async def show_to_some():
        return {"name": "a"}
"""


def counted(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("relay_") and sample.value and not sample.name.endswith("_created")
    }


async def scraped(application, *paths, headers=None):
    async with calling(application) as client:
        for path in paths:
            await client.get(path, headers=headers)
        return counted((await client.get("/metrics")).text)


@given(st.lists(st.floats(0, 20) | st.sampled_from(Histogram.DEFAULT_BUCKETS), max_size=30))
async def test_durations_are_those_of_a_histogram(durations):
    """They are counted in a way of their own, which is faster."""
    registry, metrics = CollectorRegistry(), Metrics()
    expected = Histogram("relay_request_seconds", "x", ["operation"], registry=registry)
    for seconds in durations:
        expected.labels("show").observe(seconds)
        metrics.answered("show", "GET", 200, seconds)

    found = counted((await metrics.page()).body.decode())

    durations_found = {
        key: value for key, value in found.items() if key[0].startswith("relay_request_seconds")
    }
    assert durations_found == pytest.approx(counted(generate_latest(registry).decode()))


async def test_counts_requests_by_operation_and_status(hosted):
    """Paths that are not served have one label, however many of them are tried."""
    found = await scraped(hosted(), "/show", "/show", "/nope", "/wp-admin")

    requests = {key: value for key, value in found.items() if key[0] == "relay_requests_total"}
    assert requests == {
        ("relay_requests_total", ("method", "GET"), ("operation", "show"), ("status", "200")): 2,
        ("relay_requests_total", ("method", "GET"), ("operation", "unmatched"), ("status", "404")): 2,
    }
    assert found["relay_request_seconds_count", ("operation", "show")] == 2


async def test_counts_failures_by_what_caused_them(hosted):
    """A database that is down is counted apart from a defect."""
    found = await scraped(hosted(), "/fail", "/ask_database")
    failures = {key[1:]: value for key, value in found.items() if key[0] == "relay_failures_total"}
    assert failures == {
        (("cause", "ConnectionError"), ("code", "INTERNAL_ERROR"), ("operation", "fail")): 1,
        (("cause", "TimeoutError"), ("code", "DB_UNAVAILABLE"), ("operation", "ask_database")): 1,
    }


async def test_counts_who_was_not_let_in_and_why(hosted):
    """Someone who tries keys looks different from somebody whose token ran out."""
    application = hosted()
    expired = await scraped(application, "/show_to_some", headers=bearer({"sub": "a", "exp": 1}))
    found = await scraped(application, "/show_to_some")
    name = "relay_authentication_failures_total"
    assert expired[name, ("operation", "show_to_some"), ("reason", "expired")] == 1
    assert found[name, ("operation", "show_to_some"), ("reason", "missing")] == 1


async def test_counts_response_violations_by_rule(hosted, monkeypatch):
    """Each is a failure with a code, too, as every other 500, in the metric and in the line of the request."""
    events = []
    monkeypatch.setattr(REQUESTS, "has", lambda _level: True)
    monkeypatch.setattr(REQUESTS, "write", events.extend)

    found = await scraped(hosted(), "/break_promise")

    assert found["relay_response_violations_total", ("operation", "break_promise"), ("rule", "type")] == 1
    labels = ("cause", "ResponseViolation"), ("code", "INTERNAL_ERROR"), ("operation", "break_promise")
    assert found["relay_failures_total", *labels] == 1
    assert events[0]["code"] == "INTERNAL_ERROR"


async def test_has_the_processs_own_figures(hosted):
    response = await ask(hosted(), "/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "process_resident_memory_bytes" in response.text
    assert "process_open_fds" in response.text


async def test_can_be_switched_off(hosted):
    assert (await ask(hosted(metrics=False), "/metrics")).status_code == 404


@pytest.fixture
def bind():
    """An address that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.slow
async def test_listens_at_an_address_of_its_own(hosted, bind):
    """Operators may get metrics at another address than clients get the service."""
    async with calling(hosted(metrics_bind=bind)) as client:
        await client.get("/show")
        async with httpx.AsyncClient() as operator:
            found = counted((await operator.get(f"http://{bind}/metrics")).text)
        public = await client.get("/metrics")

    assert found["relay_request_seconds_count", ("operation", "show")] == 1
    assert public.status_code == 404
    with socket.socket() as gone:
        assert gone.connect_ex(bind_address(bind))


@pytest.mark.slow
async def test_its_own_address_has_the_limits_of_the_service(hosted, bind):
    """Connections that are only kept open there would take the descriptors that the service needs."""
    async with calling(hosted(metrics_bind=bind)), AsyncExitStack() as stack:
        for _ in range(3 * METRICS_CONNECTIONS):
            _, writer = await asyncio.open_connection(*bind_address(bind))
            stack.callback(writer.close)
            writer.write(b"GET /metrics HTTP/1.1\r\nX-A: ")
        async with httpx.AsyncClient(base_url=f"http://{bind}") as operator:
            answers = [await operator.get(path) for path in ("/metrics", "/show", "/livez")]
            posted = await operator.post("/metrics")

    assert [answer.status_code for answer in (*answers, posted)] == [200, 404, 404, 405]


async def test_says_when_nothing_can_listen_there(hosted, bind):
    """Before a request is taken."""
    with (
        socket.create_server(bind_address(bind)),
        pytest.raises(SetupError, match="RELAY_METRICS_BIND: cannot listen on"),
    ):
        async with hosted(metrics_bind=bind).running():
            pytest.fail("it started")


@pytest.mark.parametrize(
    "wrong", ["", "9464", "localhost", ":9464", "a:b", "a:99999", "u@a:1", "a:1/x", "[::1"]
)
def test_wants_an_address_and_a_port(wrong):
    """An address that was half understood would listen somewhere else."""
    with pytest.raises(SetupError, match=r"127\.0\.0\.1:9464"):
        bind_address(wrong)


def test_takes_addresses_of_both_kinds():
    assert bind_address("127.0.0.1:9464") == ("127.0.0.1", 9464)
    assert bind_address("[::1]:0") == ("::1", 0)
