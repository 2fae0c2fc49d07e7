"""Handlers that take too long, and clients that do not wait: `scripts/relay/server/deadline.py`."""

import asyncio
import gc
import weakref
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.server import deadline
from relay.server.deadline import Deadline
from relay.server.errors import ClientDisconnected, HandlerTimeout
from relay.server.transport.protocol import Protocol
from support.hosting import ask, assert_problem, bearer, calling, contract, operation
from support.running import eventually_async
from support.streaming import served
from support.wire import request

NAMES = {
    "/async": "wait",
    "/thread": "block",
    "/shielded": "shield",
    "/stubborn": "insist",
    "/ended": "count",
}
DOCUMENT = contract(
    {
        **{path: {"get": operation(name)} for path, name in NAMES.items()},
        "/secure": {"get": operation("enter", security=[{"token": []}])},
    },
    components={"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
)
THINGS = """
    import asyncio
    import time

    ended = []

    async def wait():
        try:
            await asyncio.sleep(5)
        finally:
            ended.append("wait")

    def block():
        time.sleep(0.5)
        return "late"

    async def write():
        await asyncio.sleep(0.2)
        ended.append("written")

    async def shield():
        await asyncio.shield(asyncio.create_task(write()))

    async def insist():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return "anyway"

    async def count():
        return ended

    async def enter():
        return "in"
"""
INIT = """
    import asyncio

    async def identify(claims):
        await asyncio.sleep(5)
"""


@pytest.fixture
def hurried(hosted):
    return hosted(handler_seconds=0.05)


async def has_ended(client, names):
    return (await client.get("/ended")).json() == names


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/async", "/thread", "/shielded"])
async def test_a_handler_has_a_deadline(hurried, path):
    """And the failure is counted; a thread cannot be ended, but its client is answered."""
    async with calling(hurried) as client:
        assert_problem(await client.get(path), 503, "HANDLER_TIMEOUT")
        metrics = (await client.get("/metrics")).text
    assert f'cause="HandlerTimeout",code="HANDLER_TIMEOUT",operation="{NAMES[path]}"}} 1.0' in metrics


async def test_a_handler_that_is_cancelled_cleans_up(hurried):
    async with calling(hurried) as client:
        await client.get("/async")
        assert (await client.get("/ended")).json() == ["wait"]


@pytest.mark.slow
async def test_what_a_handler_shields_is_done(hurried):
    """A write that must not be cut off, even if no client waits for it."""
    async with calling(hurried) as client:
        await client.get("/shielded")
        await eventually_async(partial(has_ended, client, ["written"]))


async def test_a_handler_may_answer_when_it_is_cancelled(hurried):
    """It is its own decision; what it returns is validated and sent."""
    assert (await ask(hurried, "/stubborn")).json() == "anyway"


async def test_who_calls_is_found_out_within_the_deadline(hurried):
    """A directory that hangs holds a place as a handler does."""
    assert_problem(await ask(hurried, "/secure", headers=bearer({"sub": "u"})), 503, "HANDLER_TIMEOUT")


@pytest.mark.slow
async def test_without_a_deadline_a_handler_takes_its_time(hosted):
    assert (await ask(hosted(handler_seconds=0), "/thread")).json() == "late"


@pytest.mark.slow
async def test_clients_that_hang_up_hold_no_places(hosted, unused_tcp_port, logged_requests):
    """Each handler is cancelled; the log and the metrics say how many clients were gone."""
    async with served(hosted(max_in_flight=4), unused_tcp_port) as client:
        for path in ("/async", "/async", "/async", "/secure"):
            _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
            writer.write(request("GET", path, None, *bearer({"sub": "u"}).items()))
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.close()

        await eventually_async(partial(has_ended, client, ["wait"] * 3))
        await asyncio.sleep(2 * deadline.TICK)
        metrics = (await client.get("/metrics")).text

    assert 'relay_requests_total{method="GET",operation="wait",status="499"} 3.0' in metrics
    statuses = [line["status"] for line in logged_requests() if line["operation"] in ("wait", "enter")]
    assert statuses == [499] * 4


@pytest.mark.slow
async def test_a_request_behind_it_keeps_no_handler_alive(hosted, unused_tcp_port, logged_requests):
    """Nor does it stay in memory itself, when the client has left."""
    connections = weakref.WeakSet()
    async with served(hosted(), unused_tcp_port):
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
            writer.write(request("GET", "/async", close=False))
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(request("POST", "/async", b"a" * 40_000, ("Content-Length", "60000")))
            await writer.drain()
            await asyncio.sleep(0.3)
            connections |= {one for one in gc.get_objects() if type(one) is Protocol}
            writer.transport.abort()
        await asyncio.sleep(5 * deadline.TICK)
        gc.collect()

    assert [line["status"] for line in logged_requests()] == [499] * 3
    assert len(connections) == 0


TIMES = st.sampled_from([0.0, 0.001, 0.002, 0.003, 0.004, 0.005])


@pytest.mark.slow
@given(takes=TIMES, seconds=TIMES, leaves=TIMES, stubborn=st.booleans())
@settings(max_examples=60, deadline=None)
async def test_whatever_happens_first_the_task_goes_on(monkeypatch_watch, takes, seconds, leaves, stubborn):
    """The result, or the reason why there is none; and no cancellation is left for what follows."""

    async def work():
        try:
            await asyncio.sleep(takes)
        except asyncio.CancelledError:
            if not stubborn:
                raise
        return "done"

    async def receive():
        await asyncio.sleep(leaves)
        return {"type": "http.disconnect"}

    try:
        assert await Deadline(seconds).run(work(), receive) == "done"
    except (HandlerTimeout, ClientDisconnected):
        assert not stubborn
    await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0


@pytest.fixture(scope="module")
def monkeypatch_watch():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadline, "TICK", 0.001)
        yield


def test_an_application_may_outlive_an_event_loop():
    """Tests have a loop each, and one application."""
    short = Deadline(0.1)
    asyncio.run(short.run(asyncio.sleep(0)))
    with pytest.raises(HandlerTimeout):
        asyncio.run(short.run(asyncio.sleep(5)))


@pytest.mark.slow
async def test_a_server_that_cannot_be_asked_keeps_the_deadline():
    """Of a middleware that fails, for example."""

    async def receive():
        raise RuntimeError

    with pytest.raises(HandlerTimeout):
        await Deadline(0.2).run(asyncio.sleep(5), receive)


async def test_a_request_that_is_cancelled_from_outside_is_cancelled():
    """The server ends it; no response is made of that."""
    task = asyncio.create_task(Deadline(5).run(asyncio.sleep(5)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
