"""Responses that are streams of items: `scripts/relay/server/sending.py`, `scripts/relay/validation/items.py`."""

import json

import httpx
import pytest

from relay.testing import client, items
from support import sequences
from support.hosting import ask, assert_problem, calling, contract, logged, operation
from support.streaming import served, until

ROW = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "integer"}, "secret": {"type": "string", "writeOnly": True}},
}
EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "event": {"enum": ["row", "note"]},
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": ROW},
    },
}


def responses(content, **others):
    return {"200": {"description": "", "content": content}, **others}


def of(name, item, media_type, **more):
    """An operation whose response is a stream of these items."""
    return {"get": operation(name, responses=responses({media_type: {"itemSchema": item, **more}}))}


SEQUENCES = {
    "events": "text/event-stream",
    "jsonl": "application/jsonl",
    "ndjson": "application/x-ndjson",
    "seq": "application/json-seq",
    "mixed": "multipart/mixed",
}
JSON_ROWS = {"application/json": {"schema": {"type": "array", "items": ROW}}}
SEVERAL = {
    "either": {"application/jsonl": {"itemSchema": ROW}, "application/json-seq": {"itemSchema": ROW}},
    "both": {"text/event-stream": {"itemSchema": EVENT}},
}
PATHS = {
    **{
        f"/{start}{name}": of(f"{start}{name}", EVENT if name == "events" else ROW, kind)
        for start in ("", "bad_")
        for name, kind in SEQUENCES.items()
    },
    **{
        f"/{name}": {"get": operation(name, responses=responses({**JSON_ROWS, **streams}))}
        for name, streams in SEVERAL.items()
    },
    "/parts": of("parts", {}, "multipart/mixed", prefixEncoding=[{"contentType": "application/json"}]),
    "/first": of("first", ROW, "application/jsonl"),
    "/whole": of("whole", ROW, "application/jsonl", schema={"type": "array", "maxItems": 2}),
    "/tuple": of("with_status", ROW, "application/jsonl"),
    "/unknown": of("unknown", ROW, "application/vnd.rows"),
    "/ended": {"get": operation("show_ended")},
}
PATHS["/either"]["get"]["parameters"] = [{"name": "kind", "in": "query", "schema": {"type": "string"}}]
DOCUMENT = contract(PATHS, openapi="3.2.0")
THINGS = """
    import asyncio
    import dataclasses
    import decimal

    import relay

    ended = []

    def show_ended():
        return {"ended": ended}

    @dataclasses.dataclass
    class Row:
        n: int

    async def events():
        yield relay.Event(comment="hello")
        yield relay.Event(Row(1), event="row", id="a")
        yield {"data": {"n": 2}, "event": "note"}
        yield relay.Event('{"n": 3}', retry=1500, comment="two\\nlines")

    def rows():
        try:
            yield {"n": 1}
            yield Row(2)
            yield {"n": decimal.Decimal(3)}
        finally:
            ended.append("rows")

    jsonl = ndjson = rows

    async def seq():
        for row in rows():
            yield row

    async def mixed():
        for row in rows():
            yield row

    def bad(items):
        try:
            yield from items
        finally:
            ended.append("bad")

    def bad_events():
        return bad([relay.Event({"n": 1}), {"data": {"n": "sk_canary"}}, relay.Event({"n": 2})])

    def bad_jsonl():
        return bad([{"n": 1}, {"n": 1, "secret": "sk_canary"}, {"n": 2}])

    bad_ndjson = bad_seq = bad_mixed = bad_jsonl

    async def parts():
        yield {"n": 1}
        yield "text é"
        yield b"bytes"
        yield relay.Reply(b"<a/>", headers={"X-A": "b"}, media_type="application/xml")

    def first():
        return bad([{"n": "sk_canary"}])

    def whole():
        return [{"n": 1}, {"n": 2}, {"n": 3}]

    def with_status():
        return iter([]), 200, {"X-A": "b"}

    async def unknown():
        yield "a"

    def either(kind="list"):
        return rows() if kind == "stream" else [{"n": 1}]

    def both():
        return [{"n": 1}]
"""


def read(response):
    """The items of a response, read by another reader than Relay's."""
    kind, body = response.headers["content-type"], response.content
    if kind.startswith("text/event-stream"):
        return [json.loads(one["data"]) for one in sequences.events(body)]
    if kind.startswith("multipart/"):
        return [json.loads(content) for _, content in sequences.parts(body, kind)]
    return (sequences.texts if kind.endswith("seq") else sequences.lines)(body)


async def receive(client, path, received):
    """Add what comes of a body; raise if its end is missing."""
    async with client.stream("GET", path) as response:
        async for piece in response.aiter_raw():
            received += piece


@pytest.mark.slow
@pytest.mark.parametrize("name", SEQUENCES)
async def test_items_are_written_as_their_media_type_says(get, name):
    response = await get(f"/{name}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(SEQUENCES[name])
    assert read(response) == [{"n": 1}, {"n": 2}, {"n": 3}]


async def test_tests_of_a_team_read_items(get):
    assert items(await get("/events"))[0] == {"event": "row", "id": "a", "data": '{"n":1}'}
    assert items(await get("/jsonl")) == [{"n": 1}, {"n": 2}, {"n": 3}]
    with pytest.raises(ValueError, match="application/json is not known to consist of items"):
        items(await get("/ended"))


async def test_an_event_has_its_fields_and_comments(get):
    """A comment is a line that clients ignore; it keeps a connection open."""
    assert (await get("/events")).text == (
        ": hello\n\n"
        'event: row\nid: a\ndata: {"n":1}\n\n'
        'event: note\ndata: {"n":2}\n\n'
        ': two\n: lines\nretry: 1500\ndata: {"n": 3}\n\n'
    )


async def test_a_part_has_a_media_type_of_its_own(get):
    """That of its encoding, else of its value, else of a Reply, which may have headers, too."""
    response = await get("/parts")
    assert sequences.parts(response.content, response.headers["content-type"]) == [
        ("application/json", b'{"n":1}'),
        ("text/plain", "text é".encode()),
        ("application/octet-stream", b"bytes"),
        ("application/xml", b"<a/>"),
    ]
    assert b"\r\nx-a: b\r\n" in response.content


@pytest.mark.slow
@pytest.mark.parametrize("name", SEQUENCES)
async def test_an_item_that_breaks_the_contract_ends_the_stream(hosted, unused_tcp_port, caplog, name):
    """It is not sent, nor anything after it; the message has no end, by which clients notice (RFC 9112 section 8)."""
    received = bytearray()
    async with served(hosted(), unused_tcp_port) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await receive(client, f"/bad_{name}", received)
        assert await until(client, "ended", bool) == ["bad"]
        metrics = (await client.get("/metrics")).text

    assert received.count(b'"n":') == 1
    assert b"canary" not in bytes(received) + caplog.text.encode()
    [line] = logged(caplog, "response violation")
    assert (line.operation, line.at) == (f"bad_{name}", "/1/data/n" if name == "events" else "/1/secret")
    assert f'relay_response_violations_total{{operation="bad_{name}",rule="{line.rule}"}} 1.0' in metrics
    assert f'relay_requests_total{{method="GET",operation="bad_{name}",status="500"}} 1.0' in metrics


@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_stream_that_breaks_off_is_a_named_error_in_tests(hosted, tmp_path, is_recorded):
    record = tmp_path / "traffic.har" if is_recorded else None
    message = "the response to GET /bad_jsonl broke off after 8 bytes: the service's log says why"
    with client(hosted(), record=record) as api, pytest.raises(httpx.RemoteProtocolError) as caught:
        api.get("/bad_jsonl")
    assert str(caught.value) == message
    assert caught.value.request.url.path == "/bad_jsonl"


async def test_a_wrong_first_item_is_an_error_response(hosted, caplog):
    async with calling(hosted()) as client:
        assert_problem(await client.get("/first"), 500, "INTERNAL_ERROR")
        assert await until(client, "ended", bool) == ["bad"]
    assert [line.at for line in logged(caplog, "response violation")] == ["/0/n"]


async def test_violations_of_items_may_only_be_reported(hosted, caplog):
    async with calling(hosted(response_violations="report")) as client:
        first, later, whole = [await client.get(path) for path in ("/first", "/bad_jsonl", "/whole")]
    assert first.text == '{"n":"sk_canary"}\n'
    assert sequences.lines(later.content) == [{"n": 1}, {"n": 1, "secret": "sk_canary"}, {"n": 2}]
    assert len(sequences.lines(whole.content)) == 3
    assert [line.at for line in logged(caplog, "response violation")] == ["/0/n", "/1/secret", "/"]


async def test_a_list_is_written_item_by_item(get, caplog):
    """It is in memory, so that `schema`, which describes all items, is asserted, too."""
    assert_problem(await get("/whole"), 500, "INTERNAL_ERROR")
    [line] = logged(caplog, "response violation")
    assert (line.at, line.rule) == ("/", "maxItems")


async def test_a_stream_of_items_may_have_status_and_headers_and_no_item(get):
    response = await get("/tuple")
    assert (response.status_code, response.headers["x-a"], response.content) == (200, "b", b"")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accept", "expected", "of_list"),
    [
        ("*/*", "application/jsonl", "application/json"),
        ("application/json-seq", "application/json-seq", "application/json-seq"),
        ("application/json-seq;q=0.5, application/jsonl", "application/jsonl", "application/jsonl"),
        ("application/jsonl;q=0.5, application/json", "application/jsonl", "application/json"),
        ("application/json", "application/jsonl", "application/json"),
        ("text/csv", "application/jsonl", "application/json"),
    ],
)
async def test_accept_chooses_among_streams(hosted, accept, expected, of_list):
    """An iterator is never sent as JSON where a sequence is documented; a list is, if the client wants JSON."""
    async with calling(hosted(), accept=accept) as client:
        stream = await client.get("/either?kind=stream")
        whole = await client.get("/either")

    assert stream.headers["content-type"] == expected
    assert len(read(stream)) == 3
    assert whole.headers["content-type"] == of_list
    assert (whole.json() if of_list == "application/json" else read(whole)) == [{"n": 1}]
    assert (stream.headers["vary"], whole.headers["vary"]) == ("Accept", "Accept")


async def test_accept_chooses_no_stream_that_a_list_is_invalid_as(hosted):
    """It is valid as JSON, which may be what the handler means."""
    response = await ask(hosted(), "/both", headers={"accept": "text/event-stream"})
    assert (response.headers["content-type"], response.json()) == ("application/json", [{"n": 1}])


async def test_items_of_an_unknown_media_type_are_bytes(hosted):
    application = hosted()
    assert (await ask(application, "/unknown")).content == b"a"
    assert any(one.rule == "unvalidated-items" for one in application.warnings)
