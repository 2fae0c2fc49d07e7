"""Request bodies that are streams of items: `scripts/relay/server/item_bodies.py`."""

import asyncio
import io
import json
import threading

import pytest

from relay.server import logs
from support.hosting import assert_problem, calling, contract, operation, request_lines, unchanged_logs
from support.streaming import served, until
from support.wire import request

ROW = {
    "type": "object",
    "required": ["n"],
    "properties": {
        "n": {"type": "integer"},
        "unit": {"type": "string", "default": "kg"},
        "key": {"type": "string", "readOnly": True},
    },
}
EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "string", "contentMediaType": "application/json", "contentSchema": ROW}},
}
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "array", "items": ROW}},
        "application/jsonl": {"itemSchema": ROW},
        "application/json-seq": {"itemSchema": ROW},
        "text/event-stream": {"itemSchema": EVENT},
        "multipart/mixed": {"itemSchema": {}, "itemEncoding": {"contentType": "application/json, text/*"}},
    },
}
NAMES = ["take", "take_plain", "take_first", "take_slowly", "take_plain_slowly", "take_leniently"]
ROWS = {"200": {"description": "", "content": {"application/jsonl": {"itemSchema": {}}}}}
DOCUMENT = contract(
    {
        **{f"/{name}": {"post": operation(name, requestBody=BODY)} for name in NAMES},
        "/echo": {"post": operation("echo", requestBody=BODY, responses=ROWS)},
        "/echo_plain": {"post": operation("echo_plain", requestBody=BODY, responses=ROWS)},
        "/ended": {"get": operation("show_ended")},
    },
    openapi="3.2.0",
)
THINGS = """
    import asyncio
    import time

    ended = []
    seen = []

    def show_ended():
        return {"ended": ended, "seen": seen}

    async def take(body):
        return [item if not isinstance(item, bytes) else "bytes" async for item in body]

    def take_plain(body):
        return list(body)

    async def take_first(body):
        return [await anext(body)]

    async def take_slowly(body):
        try:
            async for item in body:
                seen.append(item)
                await asyncio.sleep(0.06)
        finally:
            ended.append("slowly")

    def take_plain_slowly(body):
        try:
            for item in body:
                seen.append(item)
        finally:
            ended.append("plain")

    async def take_leniently(body):
        found = []
        try:
            async for item in body:
                found.append(item)
        except Exception as exc:
            found.append(exc.code)
        return [*found, *[item async for item in body]]

    async def echo(body):
        async for item in body:
            yield item

    def echo_plain(body):
        yield from body
"""


def written(kind, items):
    """Items as a body of a media type."""
    texts = [json.dumps(item).encode() for item in items]
    match kind:
        case "text/event-stream":
            return b"".join(b"data: %s\n\n" % text for text in texts)
        case "application/json-seq":
            return b"".join(b"\x1e%s\n" % text for text in texts)
        case "multipart/mixed; boundary=b":
            head = b"--b\r\ncontent-type: application/json\r\n\r\n"
            return b"".join(b"%s%s\r\n" % (head, text) for text in texts) + b"--b--\r\n"
    return b"".join(b"%s\n" % text for text in texts)


async def post(client, path, body, kind="application/jsonl"):
    return await client.post(path, content=body, headers={"content-type": kind})


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["application/jsonl", "application/json-seq", "text/event-stream", "multipart/mixed; boundary=b"]
)
@pytest.mark.parametrize("path", ["/take", "/take_plain"])
async def test_a_handler_iterates_over_items(hosted, path, kind):
    items = [{"n": number, "unit": "g"} for number in range(200)]
    async with calling(hosted()) as client:
        response = await post(client, path, written(kind, items), kind)
    assert response.status_code == 200, response.text
    found = [json.loads(item["data"]) if kind.startswith("text") else item for item in response.json()]
    assert found == items


async def test_items_get_defaults_and_lose_read_only_properties(hosted):
    async with calling(hosted()) as client:
        response = await post(client, "/take", b'{"n": 1, "key": "a"}\n\n{"n": 2}')
    assert response.json() == [{"n": 1, "unit": "kg"}, {"n": 2, "unit": "kg"}]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/take", "/take_plain"])
@pytest.mark.parametrize(
    ("body", "kind", "place"),
    [
        (b'{"n": 1}\n{"n": "sk_canary"}\n', "application/jsonl", ("/1/n", "type")),
        (b'{"n": 1}\n{"n": sk_canary}\n', "application/jsonl", ("/1", "format")),
        (b'{"n": 1}', "application/json-seq", ("/0", "format")),
        (b'\x1e{"n": 1}\n\x1e1', "application/json-seq", ("/1", "format")),
        (b'data: {"n": "sk_canary"}\n\n', "text/event-stream", ("/0/data/n", "type")),
        (b"data: \xff\n\n", "text/event-stream", ("/0", "format")),
        (b"--b\r\n\r\na\r\n--b\r\ncontent-type: image/png\r\n\r\na\r\n--b--", "multipart/mixed; boundary=b", ("/1", "contentType")),
        (b"--b\r\n\r\na\r\n--b", "multipart/mixed; boundary=b", ("/0", "format")),
        (b"--b\r\n\r\na\r\n--b--", "multipart/mixed", ("", "format")),
    ],
)  # fmt: skip
async def test_a_broken_item_is_an_error_of_the_request(hosted, caplog, path, body, kind, place):
    """It need not be documented, as no error of validation; the path begins with the number of the item."""
    async with calling(hosted()) as client:
        problem = assert_problem(await post(client, path, body, kind), 400, "VALIDATION_ERROR")
    assert [(one["in"], one["path"], one["rule"]) for one in problem["errors"]] == [("body", *place)]
    assert "canary" not in json.dumps(problem) + caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/echo_plain"])
@pytest.mark.parametrize(
    ("rest", "logged"),
    [
        (b'{"n": "sk_canary"}\n', {"status": 400, "code": "VALIDATION_ERROR", "at": "/1/n", "rule": "type"}),
        (b'{"n": sk_canary}\n', {"status": 400, "code": "VALIDATION_ERROR", "at": "/1", "rule": "format"}),
        (b'{"n": 1, "unit": "%s"}\n' % (b"a" * 2000), {"status": 413, "code": "BODY_TOO_LARGE"}),
    ],
)
async def test_a_broken_item_is_no_failure_of_the_service_when_the_response_has_begun(
    hosted, unused_tcp_port, path, rest, logged
):
    """Else every client could raise an alert; the response has no end, and the line of the request says why."""
    log = io.StringIO()
    with unchanged_logs():
        async with served(hosted(body_limit=1000), unused_tcp_port) as client:
            logs.configure("info", "json", log)
            reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
            writer.write(HEAD.replace(b"/take_slowly", path.encode()) + chunk(b'{"n": 1}\n'))
            await reader.readuntil(b'kg"}\n\r\n')
            writer.write(chunk(rest) + b"0\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            metrics = (await client.get("/metrics")).text

    [line] = [one for one in request_lines(log.getvalue()) if one["path"] == path]
    assert {"sent": 200, "level": "info", **logged}.items() <= line.items()
    assert "relay_failures_total{" not in metrics
    assert "canary" not in log.getvalue()
    assert "error" not in {json.loads(one)["level"] for one in log.getvalue().splitlines()}


async def test_a_handler_may_catch_the_error_and_has_the_items_before_it(hosted):
    async with calling(hosted()) as client:
        response = await post(client, "/take_leniently", b'{"n": 1}\n{}\n{"n": 2}\n')
    assert response.json() == [{"n": 1, "unit": "kg"}, "VALIDATION_ERROR"]


@pytest.mark.parametrize("kind", ["application/jsonl", "text/event-stream"])
async def test_a_body_of_no_bytes_has_no_items(hosted, kind):
    async with calling(hosted()) as client:
        empty = await post(client, "/take", b"", kind)
        missing = await client.post("/take", content=b"")
    assert empty.json() == []
    assert_problem(missing, 400, "VALIDATION_ERROR")


async def test_other_media_types_are_read_as_ever(hosted):
    async with calling(hosted()) as client:
        missing = await client.post("/take_plain")
        whole = await post(client, "/take_plain", b'[{"n": 1}]', "application/json")
        other = await post(client, "/take_plain", b"n", "text/csv")

    assert_problem(missing, 400, "VALIDATION_ERROR")
    assert whole.json() == [{"n": 1, "unit": "kg"}]
    assert_problem(other, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_an_item_has_the_limit_of_a_body_and_the_stream_that_of_files(hosted):
    """The whole is not in memory, an item is."""
    row = b'{"n": 1, "unit": "%s"}\n' % (b"a" * 900)
    async with calling(hosted(body_limit=1000, file_limit=10_000)) as client:
        fits = await post(client, "/take", row * 10)
        too_long = await post(client, "/take", b'{"n": 1, "unit": "%s"}\n' % (b"a" * 2000))
        too_many = await post(client, "/take", row * 12)

    assert len(fits.json()) == 10
    assert_problem(too_long, 413, "BODY_TOO_LARGE")
    assert_problem(too_many, 413, "BODY_TOO_LARGE")


@pytest.mark.slow
@pytest.mark.parametrize(("times", "status"), [(10, 200), (12, 413)])
async def test_a_body_limit_above_that_of_files_is_for_the_stream(hosted, times, status):
    """As for other bodies: an item may be so long."""
    row = b'{"n": 1, "unit": "%s"}\n' % (b"a" * 900)
    async with calling(hosted(body_limit=10_000, file_limit=1000)) as client:
        assert (await post(client, "/take", row * times)).status_code == status


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


HEAD = request(
    "POST", "/take_slowly", None, ("Content-Type", "application/jsonl"), ("Transfer-Encoding", "chunked")
)


@pytest.mark.slow
async def test_items_are_read_as_they_come(hosted, unused_tcp_port):
    """The handler has an item before the next one is sent, and can answer before the end."""
    async with served(hosted(handler_seconds=0.3), unused_tcp_port):
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(HEAD.replace(b"take_slowly", b"echo"))
        for number in range(8):  # longer than the time of a handler, in all
            writer.write(chunk(b'{"n": %d}\n' % number))
            assert b'{"n":%d' % number in (await reader.readuntil(b'kg"}\n\r\n'))
            await asyncio.sleep(0.06)
        writer.write(b"0\r\n\r\n")
        assert await reader.readuntil(b"0\r\n\r\n")
        writer.close()


@pytest.mark.slow
@pytest.mark.parametrize("path", ["take_slowly", "take_plain_slowly"])
async def test_the_time_of_a_handler_is_for_each_item(hosted, unused_tcp_port, path):
    """Neither many items nor a client that pauses ends it."""
    async with served(hosted(handler_seconds=0.2), unused_tcp_port) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(HEAD.replace(b"take_slowly", path.encode()) + chunk(b'{"n": 1}\n' * 8))
        await asyncio.sleep(0.5)
        writer.write(chunk(b'{"n": 2}\n') + b"0\r\n\r\n")
        assert b" 200 " in await reader.readline()
        seen = await until(client, "seen", bool)
        writer.close()

    assert [one["n"] for one in seen] == [1] * 8 + [2]


@pytest.mark.parametrize("path", ["take_slowly", "take_plain_slowly"])
async def test_a_client_that_leaves_ends_the_iterator(hosted, unused_tcp_port, path):
    """A truncated body must not look complete; no thread is left waiting."""
    before = threading.active_count()
    async with served(hosted(), unused_tcp_port) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(HEAD.replace(b"take_slowly", path.encode()) + chunk(b'{"n": 1}\n'))
        await until(client, "seen", bool)
        writer.transport.abort()
        assert len(await until(client, "ended", bool)) == 1

    assert threading.active_count() <= before + 5


@pytest.mark.slow
async def test_a_handler_need_not_read_all(hosted, unused_tcp_port):
    async with served(hosted(), unused_tcp_port) as client:
        response = await post(client, "/take_first", b'{"n": 1}\n' * 50_000)
    assert response.json() == [{"n": 1, "unit": "kg"}]
