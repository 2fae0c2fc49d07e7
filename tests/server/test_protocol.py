"""The protocol, before the application is asked: `scripts/relay/server/transport/protocol.py`."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import uvicorn
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.server.transport import protocol
from relay.server.transport.buffered_transport import GATHERED, BufferedTransport
from relay.server.transport.capacity import Capacity
from support.wire import answers, request

CHUNKED = ("Transfer-Encoding", "chunked")
EARLY = request("POST", "/early", b"1\r\na\r\n", CHUNKED, close=False)
LARGE = 20_000_000  # bytes, more than any socket holds


async def echo(scope, receive, send):
    """Answer the names of the request's headers, once its body is there; `/slow` takes a while.

    `/echo` answers the body. `/early` does not wait for the body, `/stalled` has a head, and then nothing for a while.
    """
    received, path = b"", scope["path"]
    while path != "/early":
        message = await receive()
        received += message.get("body", b"")
        if not message.get("more_body"):
            break
    if path == "/slow":
        await asyncio.sleep(0.4)
    names = b",".join(name for name, _ in scope["headers"])
    body = {"/echo": received, "/early": b"early", "/large": b"x" * LARGE}.get(path, names)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if path == "/stalled":
        await asyncio.sleep(0.4)
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(capacity: Capacity | None = None) -> AsyncIterator[tuple[str, int]]:
    config = uvicorn.Config(echo, ws="none", lifespan="off", log_config=None, timeout_keep_alive=5)
    config.load()
    state = uvicorn.Server(config).server_state
    shared = capacity or Capacity(100)
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol.Protocol(config=config, server_state=state, app_state={}, capacity=shared),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        await asyncio.gather(*state.tasks)


@asynccontextmanager
async def connected(
    address: tuple[str, int] | None = None, *, sent: bytes = b"", patience: float = 5.0
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a server of this protocol, by default one for this connection, and send some bytes."""
    async with AsyncExitStack() as stack:
        where = address or await stack.enter_async_context(serving())
        reader, writer = await asyncio.open_connection(*where)
        writer.write(sent)
        try:
            async with asyncio.timeout(patience):
                yield reader, writer
        finally:
            writer.close()


async def only_answer(reader):
    ((answer,), rest) = answers(await reader.read())
    assert rest == b""
    return answer


async def answer_to(sent):
    """Send some bytes on a connection of their own, and return the one answer to them."""
    async with connected(sent=sent) as (reader, _):
        return await only_answer(reader)


async def written(writer, data, *, times):
    """Write some bytes so often, as fast as they are taken."""
    for _ in range(times):
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0)


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)


@pytest.mark.parametrize(
    ("sent", "bodies"),
    [
        # Whatever looked at the headers before the body came, a proxy perhaps, did not see a trailer.
        (
            [request("POST", "/", b"1\r\na\r\n0\r\nAuthorization: Bearer x\r\nHost: evil\r\n\r\n", CHUNKED)],
            [b"host,transfer-encoding,connection"],
        ),
        (
            [
                request("POST", "/", b"0\r\nX-Trailer: a\r\n\r\n", CHUNKED, close=False),
                request("GET", "/", None, ("X-Next", "b")),
            ],
            [b"host,transfer-encoding", b"host,x-next,connection"],
        ),
        # What is read together is not counted together.
        (
            [request("POST", "/", b"a" * 2 * protocol.MAX_HEAD, close=False), request("GET", "/")],
            [b"host,content-length", b"host,connection"],
        ),
    ],
    ids=["a trailer", "a head after trailers", "a large body"],
)
async def test_a_head_has_its_own_fields(sent, bodies):
    async with connected(sent=b"".join(sent)) as (reader, _):
        found, _ = answers(await reader.read())
    assert [answer.body for answer in found] == bodies


TRAILERS = request("POST", "/", b"1\r\na\r\n0\r\n", CHUNKED)


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nX-A: ",
        b"GET / HTTP/1.1\r\nX-A",
        b"GET / HTTP/1.1\r\n",
        b"\r\n",
        TRAILERS,
        TRAILERS + b"X-A: ",
        TRAILERS + b"X-A",
        request("POST", "/", b"0", CHUNKED),
        request("POST", "/", b"1;a=", CHUNKED),
    ],
)
async def test_heads_chunk_sizes_and_trailers_have_an_end(endless):
    """Be it one line or many; otherwise a client chooses how much memory the service takes."""
    more = {b"\r\n": b"\r\n" * 4000, b"0": b"0" * 8000}.get(endless[-2:], b"a" * 8000)
    if endless.endswith(b"\n") and endless != b"\r\n":
        more = b"X-A: b\r\n" * 1000
    async with connected() as (_, writer):
        writer.write(endless)
        with pytest.raises(ConnectionError):
            await written(writer, more, times=1000)


async def test_says_that_a_head_is_too_large():
    """To a client that listens."""
    async with connected() as (reader, writer):
        await written(writer, b"GET / HTTP/1.1\r\nX-A: ", times=1)
        await asyncio.sleep(0.05)
        await written(writer, b"a" * (protocol.MAX_HEAD + 1), times=1)
        assert (await only_answer(reader)).status == 431


@pytest.mark.slow
@pytest.mark.parametrize("start", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\n"])
@pytest.mark.usefixtures("hurried")
async def test_a_head_comes_in_time(start):
    """Otherwise silence holds a connection for ever."""
    async with connected(sent=start) as (reader, _):
        assert await reader.read() == b""


@pytest.mark.slow
@pytest.mark.parametrize("drop", [b"X-A: b\r\n", b"\r\n"])
@pytest.mark.usefixtures("hurried")
async def test_dripping_does_not_put_it_off(drop):
    """A byte now and then; empty lines after an answer, too."""
    start = request("GET", "/", close=False) if drop == b"\r\n" else b"GET / HTTP/1.1\r\n"
    async with connected(sent=start) as (reader, writer):
        while not reader.at_eof():
            writer.write(drop)
            await asyncio.sleep(0.05)
            reader._buffer.clear()


@pytest.mark.slow
@pytest.mark.parametrize("behind", [b"GET /", b"\0\1garbage\r\n\r\n" + b"a" * 100_000])
@pytest.mark.usefixtures("hurried")
async def test_a_client_that_waits_for_an_answer_gets_it(behind):
    """Half a second head does not cost the first request its answer, nor does a text that is not HTTP."""
    assert (await answer_to(request("GET", "/slow", close=False) + behind)).status == 200


@pytest.mark.parametrize("offered", ["websocket", "h2c"])
async def test_an_upgrade_is_ignored(caplog, offered):
    """RFC 9110 section 7.8; and a client does not fill the log with it."""
    headers = [("Upgrade", offered), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", "a")]
    async with connected(sent=request("GET", "/", None, *headers, close=False)) as (reader, _):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 ")
    assert caplog.text == ""


SMUGGLED = b"GET /smuggled HTTP/1.1\r\n\r\n."
FRAMED = [
    [b"POST /echo HTTP/1.1", b"Content-Length: 27", b"", SMUGGLED],
    [b"POST /echo HTTP/1.1", b"Transfer-Encoding: chunked", b"", b"1B\r\n" + SMUGGLED + b"\r\n0\r\n\r\n"],
    [b"GET /echo HTTP/1.1", b""],
]


@pytest.mark.slow
@pytest.mark.parametrize("framed", FRAMED)
@pytest.mark.parametrize("offered", ["websocket", "h2c", "TLS/1.0, foo/2"])
@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_ignored_upgrade_changes_nothing(framed, offered, data):
    """Neither what is in the same packet is lost, nor is a body read as a request, however it is cut."""
    start, *rest = framed
    fields = [b"Host: a", b"Connection: Upgrade", b"Upgrade: " + offered.encode()]
    tail = request("GET", "/next")
    sent = b"\r\n".join([start, *fields, *rest]) + (b"\r\n" if len(framed) == 2 else b"") + tail
    cuts = sorted(data.draw(st.lists(st.integers(1, len(sent) - 1), max_size=3)))
    async with connected() as (reader, writer):
        for begin, end in itertools.pairwise([0, *cuts, len(sent)]):
            writer.write(sent[begin:end])
            await writer.drain()
            await asyncio.sleep(0.002)

        found, left = answers(await reader.read())

    body = SMUGGLED if len(framed) > 2 else b""
    assert ([answer.body for answer in found], left) == ([body, b"host,connection"], b"")


async def test_what_follows_connect_is_no_request():
    """There is no tunnel, and what was meant for it ends with the connection."""
    await answer_to(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" + request("GET", "/smuggled"))


async def test_only_so_many_fields_of_a_head_are_kept():
    """A field of two bytes takes a hundred times that in memory; the guard refuses them."""
    answer = await answer_to(request("GET", "/", None, *[("a", "")] * 10 * protocol.MAX_FIELDS))
    assert answer.body.count(b"a") <= protocol.MAX_FIELDS


async def test_a_connection_that_waits_gives_way_to_a_new_one():
    """Otherwise a client that holds all descriptors keeps every other one out."""
    async with (
        serving(Capacity(2)) as address,
        connected(address) as (first, _),
        connected(address) as second,
        connected(address) as third,
    ):
        with suppress(ConnectionError):
            assert await first.read() == b""
        for reader, writer in (third, second):
            writer.write(request("GET", "/"))
            assert (await only_answer(reader)).status == 200


@pytest.mark.slow
@pytest.mark.parametrize("sent", [request("POST", "/", b"1\r\na\r\n", CHUNKED), request("GET", "/large")])
async def test_a_request_that_waits_for_its_client_gives_way_to_a_new_one(sent):
    """For the rest of a body, or for an answer to be read."""
    async with (
        serving(Capacity(2)) as address,
        connected(address) as (_, first),
        connected(address) as (_, second),
    ):
        for writer in (first, second):
            writer.write(sent)
            await asyncio.sleep(0.2)
        for _ in range(3):
            async with connected(address, sent=request("GET", "/")) as (reader, writer):
                assert (await only_answer(reader)).status == 200


@pytest.mark.slow
async def test_a_connection_that_is_busy_does_not_give_way():
    async with serving(Capacity(1)) as address, connected(address) as (reader, writer):
        writer.write(request("GET", "/slow"))
        await asyncio.sleep(0.1)
        async with connected(address) as (refused, _):
            with suppress(ConnectionError):
                assert await refused.read() == b""

        assert (await only_answer(reader)).status == 200


@pytest.mark.slow
async def test_half_heads_share_what_they_may_take():
    """A thousand of them, each within its own limit, would take what none of them may."""
    half = b"GET / HTTP/1.1\r\nX-A: " + b"a" * 40_000
    rest = b"\r\nHost: a\r\nConnection: close\r\n\r\n"
    async with serving(Capacity(100, held=70_000)) as address:
        for _ in range(3):  # the memory of the first is free again
            async with connected(address) as first, connected(address) as second, connected(address) as third:
                for _, writer in (first, second, third):
                    writer.write(half)
                    await writer.drain()
                    await asyncio.sleep(0.05)

                with suppress(ConnectionError):
                    assert await first[0].read() == b""
                for reader, writer in (second, third):
                    writer.write(rest)
                    assert (await only_answer(reader)).status == 200


@pytest.mark.slow
async def test_an_answer_waits_only_so_long_to_be_taken(monkeypatch):
    """The answer to a client that asks for much, and takes nothing of it, stays in the service's memory."""
    monkeypatch.setattr(protocol, "TAKE_SECONDS", 0.2)
    async with connected(sent=request("GET", "/large")) as (reader, _):
        await asyncio.sleep(1)
        received = b""
        with suppress(ConnectionError):
            received = await reader.read(-1)

    assert len(received) < LARGE


@pytest.mark.slow
async def test_a_slow_client_gets_all_of_a_large_answer(monkeypatch):
    """As long as it goes on taking."""
    monkeypatch.setattr(protocol, "TAKE_SECONDS", 0.5)
    received = 0
    async with connected(patience=20, sent=request("GET", "/large")) as (reader, _):
        while chunk := await reader.read(1_000_000):
            received += len(chunk)
            await asyncio.sleep(0.03)

    assert received > LARGE


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
async def test_a_body_that_was_answered_has_an_end():
    """A refusal does not wait for the body; a client that never ends it would keep the connection for ever."""
    async with connected(sent=EARLY) as (reader, writer):
        await reader.readuntil(b"early")
        writer.write(b"1\r\na\r\n")
        assert await reader.read() == b""


async def test_a_body_that_was_answered_may_come_late():
    """The next request of the connection comes after it."""
    async with connected(sent=EARLY) as (reader, writer):
        await reader.readuntil(b"early")
        writer.write(b"1\r\na\r\n0\r\n\r\n" + request("GET", "/next"))
        assert (await only_answer(reader)).status == 200


@pytest.mark.slow
@pytest.mark.parametrize("allowed", [True, False])
async def test_only_so_many_requests_wait_on_a_connection(allowed):
    """Each costs a hundred times its bytes, and is read before the first is answered, in turn (RFC 9112 section 9.3.2)."""
    behind = protocol.MAX_PIPELINED - 1 if allowed else protocol.MAX_PIPELINED + 1
    sent = (
        request("GET", "/slow", close=False) + request("GET", "/", close=False) * behind + request("GET", "/")
    )
    async with connected(sent=sent) as (reader, _):
        received = b""
        with suppress(ConnectionError):
            received = await reader.read()
    assert len(answers(received)[0]) == (protocol.MAX_PIPELINED + 1 if allowed else 0)


async def test_a_head_and_its_body_are_one_packet():
    """As two they would be two calls of the system, and wake the client twice."""
    async with connected(sent=request("GET", "/", close=False)) as (reader, _):
        ((answer,), rest) = answers(await reader.read(65536))
    assert (answer.body, rest) == (b"host", b"")


def test_what_is_written_to_a_lost_connection_is_dropped():
    """A client that leaves a fast stream is no failure of the service; uvloop raises where asyncio is silent."""
    failures: list[dict[str, object]] = []

    async def write_to_lost() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        async with serving() as address:
            transport, _ = await loop.create_connection(asyncio.Protocol, *address)
            buffered = BufferedTransport(transport, loop)
            transport.abort()
            await asyncio.sleep(0)
            buffered.write(b"a")
            await asyncio.sleep(0)
            buffered.write(b"a" * (GATHERED + 1))

    uvloop.run(write_to_lost())
    assert failures == []


@pytest.mark.slow
async def test_a_head_does_not_wait_for_a_body_that_takes_long():
    async with connected(sent=request("GET", "/stalled")) as (reader, _):
        assert (await reader.read(65536)).endswith(b"\r\n\r\n")


@pytest.mark.parametrize("close", [False, True])
async def test_an_answer_without_a_body_is_whole(close):
    async with connected(sent=request("HEAD", "/", close=close)) as (reader, _):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert not close or await reader.read() == b""


async def test_a_client_that_waits_for_100_gets_it():
    """RFC 9110 section 10.1.1."""
    waiting = request("POST", "/", b"", ("Content-Length", "1"), ("Expect", "100-continue"))
    async with connected(sent=waiting) as (reader, writer):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"a")
        assert (await only_answer(reader)).status == 200
