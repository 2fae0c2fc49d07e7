"""Results that are iterators: `scripts/relay/server/sending.py`."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from relay.server.deadline import TICK
from support.hosting import ask, assert_problem, calling, contract, logged, operation
from support.streaming import served, until
from support.wire import request

TEXT = {
    "200": {"description": "", "content": {"text/plain": {"schema": {"type": "string"}}}},
    "404": {"description": ""},
}
NAMES = (
    "a_few plain mixed wrong late absent gone gone_plain broken down unfinished endless blocking stalled hasty headed large large_file"
).split()
DOCUMENT = contract(
    {
        **{f"/{name}": {"get": operation(name, responses=TEXT)} for name in NAMES},
        "/ended": {"get": operation("show_ended")},
        "/undocumented": {"get": operation("undocumented", responses={"200": {"description": ""}})},
    }
)
THINGS = """
    import asyncio
    import time

    import relay

    ended = []
    made = [0]

    def show_ended():
        return {"ended": ended, "made": made[0]}

    async def a_few():
        yield "é"
        yield b"b"

    def plain():
        return iter(["a", "b"])

    async def mixed():
        yield ""
        yield bytearray(b"a" * 200_000)
        yield memoryview(b"b")

    async def wrong():
        try:
            yield {"a": "sk_canary"}
        finally:
            ended.append("wrong")

    async def late():
        yield "a"
        await asyncio.sleep(0.01)
        try:
            yield 1
        finally:
            ended.append("late")

    class Absent(relay.ApiError):
        status, code, message = 404, "ABSENT", "There is no such thing"

    def absent():
        raise Absent
        yield "never"

    async def gone():
        yield "a"
        raise Absent

    def gone_plain():
        yield "a"
        raise Absent

    async def broken():
        yield "a"
        raise OSError("sk_canary")

    class Down(relay.ApiError):
        status, code, message = 503, "DB_UNAVAILABLE", "The database is not available"

    async def down():
        yield "a"
        raise Down

    async def unfinished():
        raise NotImplementedError
        yield "never"

    async def endless():
        try:
            while True:
                made[0] += 1
                yield b"a" * 10_000
        finally:
            await asyncio.sleep(0)
            ended.append("endless")

    def blocking():
        try:
            while True:
                time.sleep(0.02)
                yield b"a"
        finally:
            time.sleep(0.01)
            ended.append("blocking")

    async def stalled():
        try:
            yield "a"
            await asyncio.sleep(5)
        finally:
            ended.append("stalled")

    async def hasty():
        for _ in range(8):
            await asyncio.sleep(0.02)
            yield "a"

    async def headed():
        return a_few(), 200, {"X-A": "b", "Content-Type": "text/plain; charset=utf-8"}

    def large():
        return "a" * 30_000_000

    def large_file():
        return relay.File(b"a" * 30_000_000)

    def undocumented():
        return plain()
"""


@asynccontextmanager
async def connected(port, path):
    """Ask for a path, and yield the connection's reader and writer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**16)
    writer.write(request("GET", path))
    yield reader, writer
    writer.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body"),
    [("/a_few", "éb".encode()), ("/plain", b"ab"), ("/mixed", b"a" * 200_000 + b"b"), ("/hasty", b"a" * 8)],
)
async def test_an_iterator_is_sent_in_pieces(hosted, unused_tcp_port, path, body):
    """Of text or bytes, async or not, with the documented media type, and whatever time it takes in all."""
    async with served(hosted(handler_seconds=0.1), unused_tcp_port) as client:
        response = await client.get(path)
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.headers["cache-control"] == "no-store"


async def test_a_stream_may_have_status_and_headers(hosted):
    response = await ask(hosted(), "/headed")
    assert (response.headers["x-a"], response.text) == ("b", "éb")


async def test_what_a_stream_raises_first_is_an_error_of_its_handler(hosted):
    """All code of a generator runs when its first piece is asked for: the client gets a status, not half a body."""
    async with calling(hosted()) as client:
        assert_problem(await client.get("/absent"), 404, "ABSENT")
        assert_problem(await client.get("/unfinished"), 501, "NOT_IMPLEMENTED")


async def test_a_stream_of_other_values_is_a_violation(hosted, caplog):
    async with calling(hosted()) as client:
        assert_problem(await client.get("/wrong"), 500, "INTERNAL_ERROR")
        assert await until(client, "ended", bool) == ["wrong"]
    [line] = logged(caplog, "response violation")
    assert line.problem == "a stream must be made of bytes or text, not of dict"
    assert "sk_canary" not in caplog.text


@pytest.mark.parametrize(("policy", "status"), [("enforce", 500), ("report", 200)])
async def test_the_head_of_a_stream_is_validated(hosted, caplog, policy, status):
    response = await ask(hosted(response_violations=policy), "/undocumented")
    [line] = logged(caplog, "response violation")
    assert (line.at, line.problem) == ("/", "the contract documents no body")
    assert response.status_code == status
    assert policy == "enforce" or response.content == b"ab"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("late", 500, "INTERNAL_ERROR"),
        ("broken", 500, "INTERNAL_ERROR"),
        ("down", 503, "DB_UNAVAILABLE"),
        ("gone", 404, "ABSENT"),
    ],
)
async def test_a_stream_that_breaks_off_has_the_status_of_its_error(
    hosted, unused_tcp_port, logged_requests, name, status, code
):
    """As 200 it would count as a success; the line of the request also has what the client got."""
    async with served(hosted(), unused_tcp_port) as client:
        with pytest.raises(httpx.RemoteProtocolError):  # a client must not take half a body for a whole one
            await client.get(f"/{name}")
        assert name != "late" or await until(client, "ended", bool) == ["late"]
        await client.get("/a_few")
        metrics = (await client.get("/metrics")).text

    [line] = [one for one in logged_requests() if one["operation"] == name]
    assert {"status": status, "sent": 200, "code": code}.items() <= line.items()
    assert f'relay_requests_total{{method="GET",operation="{name}",status="{status}"}} 1.0' in metrics
    assert 'relay_requests_total{method="GET",operation="a_few",status="200"} 1.0' in metrics
    assert "canary" not in str(line)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gone", "gone_plain"])
async def test_a_handlers_client_error_in_the_middle_is_no_failure_of_the_service(
    hosted, unused_tcp_port, caplog, name
):
    """It cannot be sent, and need not be documented then; a warning says that the client does not get it."""
    async with served(hosted(), unused_tcp_port) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"/{name}")
        metrics = (await client.get("/metrics")).text

    [line] = [one for one in caplog.records if one.name == "relay" and one.levelname != "INFO"]
    assert line.levelname == "WARNING"
    assert line.getMessage() == "an error after the response began, which its client does not get"
    assert (line.operation, line.code, line.cause) == (name, "ABSENT", "Absent")
    assert "relay_failures_total{" not in metrics


@pytest.mark.slow
async def test_a_stream_that_stands_still_is_ended(hosted, unused_tcp_port, caplog):
    """RELAY_HANDLER_SECONDS is the time for a piece."""
    async with served(hosted(handler_seconds=0.1), unused_tcp_port) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/stalled")
        assert await until(client, "ended", bool) == ["stalled"]
    [line] = logged(caplog, "failed")
    assert (line.code, line.cause) == ("HANDLER_TIMEOUT", "HandlerTimeout")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["endless", "blocking", "stalled"])
async def test_a_client_that_leaves_closes_the_stream(hosted, unused_tcp_port, logged_requests, name):
    """The generator's `finally` runs, in its thread for a plain one; the log says that the client left."""
    async with served(hosted(), unused_tcp_port) as client:
        async with connected(unused_tcp_port, f"/{name}") as (reader, writer):
            await reader.readuntil(b"a")
            writer.transport.abort()
        assert await until(client, "ended", bool) == [name]
        await asyncio.sleep(2 * TICK)

    assert [line["status"] for line in logged_requests() if line["operation"] == name] == [499]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["large", "large_file"])
async def test_a_client_that_leaves_a_large_body_is_in_the_log(
    hosted, unused_tcp_port, logged_requests, name
):
    """The body is larger than the buffers of both sockets, so its end was not sent."""
    async with served(hosted(), unused_tcp_port) as client:
        async with connected(unused_tcp_port, f"/{name}") as (reader, writer):
            await reader.readuntil(b"a")
            await asyncio.sleep(0.1)
            writer.transport.abort()
        while not (found := [line for line in logged_requests() if line["operation"] == name]):
            await asyncio.sleep(0.02)
            await client.get("/ended")

    assert [line["status"] for line in found] == [499]


@pytest.mark.slow
async def test_a_slow_client_stops_the_stream(hosted, unused_tcp_port):
    """Pieces that it does not take are not made, so they need no memory; other requests are answered."""
    async with (
        served(hosted(max_in_flight=1), unused_tcp_port) as client,
        connected(unused_tcp_port, "/endless") as (reader, _),
    ):
        await reader.readuntil(b"a")
        before, now = 0, 1
        while now > before:
            await asyncio.sleep(0.1)
            before, now = now, await until(client, "made", bool)

        assert now * 10_000 < 20 << 20  # the buffers of both sockets
        for _ in range(400):
            await reader.readexactly(65536)
        assert await until(client, "made", lambda made: made > now) > now


@pytest.mark.slow
async def test_an_open_stream_is_no_request_in_progress(hosted, unused_tcp_port):
    """It waits most of the time; RELAY_MAX_IN_FLIGHT is for what is processed."""
    async with (
        served(hosted(max_in_flight=1), unused_tcp_port) as client,
        connected(unused_tcp_port, "/stalled") as (first, _),
        connected(unused_tcp_port, "/stalled") as (second, _),
    ):
        await first.readuntil(b"1\r\na\r\n")
        await second.readuntil(b"1\r\na\r\n")
        response = await client.get("/plain")
        metrics = (await client.get("/metrics")).text

    assert (response.status_code, response.text) == (200, "ab")
    assert "\nrelay_requests_in_flight 0.0\n" in metrics


@pytest.mark.slow
async def test_head_closes_a_stream(hosted, unused_tcp_port):
    """Nothing of it is wanted but the first piece, which decides about the status."""
    async with served(hosted(), unused_tcp_port) as client:
        response = await client.head("/endless")
        made = await until(client, "made", bool)
        ended = await until(client, "ended", bool)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert (made, ended) == (1, ["endless"])
