"""Mocked streams of items: `scripts/relay/mock/bodies.py`."""

import json

import pytest

from relay.project.settings import Settings
from relay.server.compilation import create
from support import sequences
from support.hosting import ask, assert_problem, calling, contract, operation
from support.parts import multipart
from support.running import ROOT

SPEC = ROOT / "tests/specs/streams/openapi.yaml"


@pytest.fixture
def application():
    return create(Settings(spec=SPEC, missing=["mock"]))


@pytest.fixture
def sending(hosting):
    """Mock an operation that responds with a media type."""

    def sending(media_type, content):
        response = {"description": "", "content": {media_type: content}}
        document = contract({"/a": {"get": operation("show", responses={"200": response})}}, openapi="3.2.0")
        return hosting(document, settings={"missing": ["mock"]})

    return sending


async def test_a_mocked_stream_has_a_few_items(application):
    async with calling(application) as client:
        events = await client.get("/measurements", headers={"Accept": "text/event-stream"})
        lines = await client.get("/measurements", headers={"Accept": "application/jsonl"})
        texts = await client.get("/measurements", headers={"Accept": "application/json-seq"})
        parts = await client.get("/pictures")

    measured = [json.loads(one["data"]) for one in sequences.events(events.content)]
    assert len(measured) == 2
    assert measured == sequences.lines(lines.content) == sequences.texts(texts.content)
    assert measured[0]["station"] == "roof"
    kinds = [kind for kind, _ in sequences.parts(parts.content, parts.headers["content-type"])]
    assert kinds == ["text/plain", "image/png"]


async def test_a_mock_validates_the_items_of_a_request(application):
    """It reads them all, as no handler does."""
    good, sent = b'{"at": "2026-01-01T00:00:00Z", "celsius": null}\n', {"Content-Type": "application/jsonl"}
    async with calling(application) as client:
        fine = await client.post("/measurements", content=good, headers=sent)
        wrong = await client.post("/measurements", content=good + b"{}\n", headers=sent)

    assert fine.status_code == 200
    assert assert_problem(wrong, 400, "VALIDATION_ERROR")["errors"][0]["path"] == "/1/at"


ROW = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 7}}}


@pytest.mark.parametrize(
    ("examples", "expected"),
    [
        ({"a": {"dataValue": [{"n": 1}]}, "b": {"dataValue": [{"n": 8}]}}, [{"n": 8}]),
        ({"a": {"dataValue": [{"n": 1}]}}, [{"n": 7}, {"n": 7}]),
        ({"a": {"serializedValue": '{"n": 8}\n{"n": 9}\n'}}, [{"n": 8}, {"n": 9}]),
        ({"a": {"serializedValue": "{"}}, [{"n": 7}, {"n": 7}]),
        ({"a": {"dataValue": {"n": 8}}}, [{"n": 7}, {"n": 7}]),
    ],
)
async def test_a_mock_sends_the_next_example_for_an_invalid_one(sending, examples, expected):
    """Else what is made of the schema; 501 would hide a valid response."""
    application = sending("application/jsonl", {"itemSchema": ROW, "examples": examples})
    response = await ask(application)
    assert sequences.lines(response.content) == expected
    is_invalid = any(one.rule == "invalid-example" for one in application.warnings)
    assert is_invalid == (len(examples) > 1 or expected[0] == {"n": 7})


async def test_mocked_parts_have_the_files_and_the_headers_of_their_encoding():
    observatory = create(Settings(spec=ROOT / "tests/specs/observatory/openapi.yaml", missing=["mock"]))
    body = multipart(("", b'{"celsius": 1}'), ("", b"one"))
    async with calling(observatory) as client:
        night = await client.get("/v1/nights/vega-1", headers={"X-Session": "x"})
        wrong = await client.post(
            "/v1/nights/vega-1",
            content=body,
            headers={"X-Session": "x", "Content-Type": "multipart/mixed; boundary=b"},
        )

    kinds = [kind for kind, _ in sequences.parts(night.content, night.headers["content-type"])]
    assert kinds[:3] == ["application/json", "text/plain", "multipart/mixed"]
    assert set(kinds[3:]) <= {"image/png"}
    assert assert_problem(wrong, 400, "VALIDATION_ERROR")["errors"][0]["path"] == "/1"


async def test_mocked_parts_of_a_stream_have_the_headers_and_media_types_of_their_encoding(sending):
    headers = {"X-N": {"required": True, "schema": {"type": "integer"}, "example": 7}}
    encoding = {"contentType": "image/*", "headers": headers}
    response = await ask(sending("multipart/mixed", {"itemSchema": {}, "itemEncoding": encoding}))

    assert [kind for kind, _ in sequences.parts(response.content, response.headers["content-type"])] == [
        "image/png"
    ]
    assert b"\r\nx-n: 7\r\n" in response.content
