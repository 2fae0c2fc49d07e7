"""Mock responses made from the contract: `relay.mock`."""

import gzip
import io
import json
import tarfile
import wave
import zipfile
from functools import partial
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.loading import load_contract
from relay.mock import read_preferences, write_preferences
from relay.mock.files import file_of
from relay.project.settings import Settings
from relay.server.compilation import create
from relay.validation.media_types import read_accept
from relay.validation.schemas import SchemaCompiler
from support.hosting import SECRET, assert_problem, bearer, calling, contract, json_of, operation
from support.running import ROOT

GARAGE = ROOT / "tests/specs/garage/openapi.yaml"
BINARY = {"type": "string", "format": "binary"}
THING = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
EXAMPLES = {"small": {"value": {"name": "s"}}, "our größte": {"$ref": "#/components/examples/Big"}}
BIG = {"examples": {"Big": {"value": {"name": "b"}}}}


def showing(responses, **rest):
    return contract({"/thing": {"get": operation("show", responses=responses)}}, **rest)


@pytest.fixture
def mocked(hosting):
    return partial(hosting, settings={"missing": ("mock",)})


@pytest.fixture
def get(mocked):
    """Return a function that sends GET; the response has the warnings about the contract as an extension."""

    async def get(document, *prefer, **headers):
        application = mocked(document)
        async with calling(application) as client:
            sent = [*(("Prefer", value) for value in prefer), *headers.items()]
            response = await client.get("/thing", headers=sent)
        response.extensions["warnings"] = application.warnings
        return response

    return get


@pytest.mark.parametrize(
    ("media", "name"),
    [
        ({"example": {"name": "one"}}, "one"),
        ({"examples": EXAMPLES}, "s"),
        ({"examples": {"far": {"externalValue": "https://example.com/far.json"}}}, "schema's"),
    ],
)
async def test_responds_with_an_example_of_the_contract(get, media, name):
    """The response's example, the first of several, or the schema's; external examples are not fetched."""
    schema = {**THING, "example": {"name": "schema's"}}

    response = await get(showing({"200": json_of(schema, **media)}, components=BIG))

    assert response.status_code == 200
    assert response.json() == {"name": name}
    assert response.headers["x-mock"] == "true"
    assert response.headers["cache-control"] == "no-store"
    assert "preference-applied" not in response.headers


PREFERRED = {
    "200": json_of(THING, examples=EXAMPLES),
    "404": json_of({"type": "integer"}, examples={"none": {"value": 4}}),
    "5XX": json_of({"type": "integer", "default": 5}),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prefer", "status", "body", "applied"),
    [
        (["code=404"], 404, 4, "code=404"),
        (["code=503"], 503, 5, "code=503"),
        (["code=404, example=none"], 404, 4, "code=404, example=none"),
        (['EXAMPLE="our größte"; foo="a,b", wait=3'], 200, {"name": "b"}, 'example="our größte"'),
        (["respond-async", "code = 404;q=1"], 404, 4, "code=404"),
        (["code=404", "code=503"], 404, 4, "code=404"),
        (["code=418"], 200, {"name": "s"}, None),
        (["code=404, example=small"], 404, 4, "code=404"),
        (["example=none"], 200, {"name": "s"}, None),
        (["code=" + "4" * 5000], 200, {"name": "s"}, None),
        (["code=²00, example"], 200, {"name": "s"}, None),
        (['", code=404'], 200, {"name": "s"}, None),
    ],
)
async def test_responds_as_the_header_prefer_selects(get, prefer, status, body, applied):
    """RFC 7240: Preference-Applied lists the applied preferences; the others are ignored."""
    response = await get(showing(PREFERRED, components=BIG), *(value.encode() for value in prefer))
    assert (response.status_code, response.json()) == (status, body)
    reported = dict(response.headers.raw).get(b"preference-applied")
    assert reported == (applied.encode() if applied else None)


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        ({"404": json_of({}), "202": json_of({}), "201": json_of({})}, 201),
        ({"404": json_of({}), "2XX": json_of({})}, 200),
        ({"404": json_of({}), "default": json_of({})}, 200),
        ({"404": json_of({}), "302": {"description": "-"}}, 302),
        ({"101": {"description": "-"}, "204": {"description": "-"}}, 204),
    ],
)
async def test_responds_with_the_lowest_success_status(get, responses, status):
    """The lowest documented 2xx status; without one, the lowest final status."""
    response = await get(showing(responses))
    assert response.status_code == status
    assert response.headers["x-mock"] == "true"


async def test_marks_its_response_once(get):
    """The contract cannot override the marker, so a client can always recognise a mock."""
    required = {"required": True, "schema": {"type": "string", "enum": ["false"]}}
    headers = {"X-Mock": required, "Preference-Applied": required}
    response = await get(showing({"200": {**json_of({}), "headers": headers}}), "code=200")
    assert response.headers.get_list("x-mock") == ["true"]
    assert response.headers.get_list("preference-applied") == ["code=200"]


async def test_sends_headers_that_are_required_or_have_an_example(get):
    """Their values come from their examples or schemas, in their style; how a body is encoded is no example."""
    ids = {"type": "array", "items": {"type": "integer"}, "minItems": 2}
    headers = {
        "X-Total": {"required": True, "schema": {"type": "integer", "minimum": 2**70}},
        "Location": {"required": True, "schema": {"type": "string"}, "example": "/things/1"},
        "X-Ids": {"required": True, "schema": ids},
        "X-Json": {"required": True, "content": {"application/json": {"schema": {"type": "boolean"}}}},
        "X-Shown": {"schema": {"type": "string"}, "examples": {"a": {"value": 1}, "b": {"value": "b"}}},
        "X-Schema": {"schema": {"allOf": [{"type": "integer", "example": 9}]}},
        "X-Optional": {"schema": {"type": "string"}},
        "X-Wrong": {"schema": {"type": "integer"}, "example": "x"},
        "Content-Encoding": {"schema": {"type": "string"}, "example": "gzip"},
        "Content-Length": {"schema": {"type": "integer"}, "example": 5},
    }

    response = await get(json.dumps(showing({"201": {"description": "-", "headers": headers}})))

    got = [response.headers.get(name) for name in headers]
    assert got == [str(2**70), "/things/1", "0,0", "true", "b", "9", None, None, None, "0"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "media_type", "body"),
    [
        ({"text/plain": {"schema": {"type": "string"}}}, "text/plain; charset=utf-8", b"string"),
        ({"text/csv": {"example": "a,b"}}, "text/csv; charset=utf-8", b"a,b"),
        ({"image/png": {"example": "a picture"}}, "image/png", b"a picture"),
        ({"image/png": {"schema": {**BINARY, "example": "a picture"}}}, "image/png", file_of("image/png")),
        ({"application/octet-stream": {"schema": {**BINARY, "example": "a"}}}, "application/octet-stream", b"a"),
        ({"application/x-own": {"schema": {"type": "string"}}}, "application/x-own", b"string"),
        ({"application/x-own": {"schema": BINARY}}, "application/x-own", b"\0mock\xff"),
        ({"*": {"schema": BINARY}}, "application/octet-stream", b"\0mock\xff"),
        ({"*/*": {"schema": THING}, "application/json": {}}, "application/json", b'"string"'),
        ({"text/plain": {"schema": {"type": "number", "example": 1.5}}}, "text/plain; charset=utf-8", b"1.5"),
        ({"text/plain": {"schema": THING}}, "text/plain; charset=utf-8", b'{"name":"string"}'),
        ({"text/plain": {"schema": THING, "example": "n: s"}}, "text/plain; charset=utf-8", b"n: s"),
        ({"text/html": {"schema": {"enum": ["<p>"]}}}, "text/html; charset=utf-8", b"<p>"),
        ({"text/csv": {"schema": {"type": "array", "items": THING}}}, "text/csv; charset=utf-8", b"name\r\nstring\r\n"),
        ({"application/x-yaml": {"schema": {"type": "object"}}}, "application/x-yaml", b"{}"),
        ({"*/*": {"schema": THING}}, "application/json", b'{"name":"string"}'),
        ({"text/*": {}}, "text/plain; charset=utf-8", b"string"),
        ({"text/html": {}, "application/json": {"schema": THING}}, "application/json", b'{"name":"string"}'),
    ],
)  # fmt: skip
async def test_uses_a_documented_media_type(get, content, media_type, body):
    response = await get(showing({"200": {"description": "-", "content": content}}))
    assert response.headers["content-type"] == media_type
    assert response.content == body


@pytest.mark.slow
@pytest.mark.parametrize(
    ("media_type", "start"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n"),
        ("image/*", b"\x89PNG\r\n\x1a\n"),
        ("image/jpeg", b"\xff\xd8\xff"),
        ("image/gif", b"GIF87a"),
        ("image/webp", b"RIFF"),
        ("image/bmp", b"BM"),
        ("image/svg+xml", b"<svg "),
        ("audio/*", b"RIFF"),
        ("audio/mpeg", b"\xff\xfb"),
        ("video/*", b"\0\0\0\x18ftyp"),
        ("application/pdf", b"%PDF-1.4"),
        ("application/zip", b"PK\3\4"),
        ("application/gzip", b"\x1f\x8b"),
        ("text/html", b"<!DOCTYPE html>"),
        ("text/calendar", b"BEGIN:VCALENDAR"),
    ],
)
async def test_sends_a_small_file_of_the_media_type(mocked, media_type, start):
    """A client can show or open it, whatever the schema says: publishers write any schema for a file."""
    is_text = media_type.startswith("text/") or media_type == "image/svg+xml"
    schemas = [{}, BINARY, {"type": "string"}, *([] if is_text else [{"type": "object"}])]
    content = [{media_type: {"schema": schema}} for schema in schemas]
    responses = {str(404 + at): {"description": "-", "content": one} for at, one in enumerate(content)}

    async with calling(mocked(showing(responses))) as client:
        for status in responses:
            response = await client.get("/thing", headers={"Prefer": f"code={status}"})

            assert response.status_code == int(status)
            assert "*" not in response.headers["content-type"]
            assert response.content.startswith(start)


def test_knows_only_valid_archives_sounds_and_documents():
    """Read by the standard library; a PDF's cross-reference table has the offsets of its objects."""
    pdf = file_of("application/pdf")
    offsets = [int(line[:10]) for line in pdf.splitlines() if line.endswith(b" n ")]

    assert zipfile.ZipFile(io.BytesIO(file_of("application/zip"))).namelist() == ["mock.txt"]
    with tarfile.open(fileobj=io.BytesIO(file_of("application/x-tar"))) as archive:
        assert archive.getnames() == ["mock.txt"]
    assert gzip.decompress(file_of("application/x-gzip")) == b"mock\n"
    with wave.open(io.BytesIO(file_of("audio/wav"))) as sound:
        assert sound.getnframes() == 8
    assert ET.fromstring(file_of("image/svg+xml")).tag.endswith("svg")  # noqa: S314 -- our own
    assert [pdf[at:].split()[0] for at in offsets] == [b"1", b"2", b"3"]
    assert pdf[int(pdf.split()[-2]) :].startswith(b"xref")


async def test_writes_objects_as_xml(get):
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "example": "a < b"},
            "no 1": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            "gone": {"nullable": True, "enum": [None]},
        },
    }
    content = {"application/xml": {"schema": {"$ref": "#/components/schemas/Thing"}}}

    response = await get(
        showing({"200": {"description": "-", "content": content}}, components={"schemas": {"Thing": schema}})
    )

    root = ET.fromstring(response.text)  # noqa: S314 -- our own
    assert [(one.tag, one.text) for one in root] == [
        ("name", "a < b"), ("no_1", "0"), ("no_1", "0"), ("gone", None)
    ]  # fmt: skip
    assert root.tag == "Thing"


CHOICE = {
    "application/json": {"schema": THING, "examples": {"small": {"value": {"name": "s"}}}},
    "text/csv": {"examples": {"big": {"value": "b"}, "small": {"value": "s"}}},
    "image/png": {},
    "text/*": {"schema": {"type": "string"}},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accept", "prefer", "media_type", "applied"),
    [
        (None, "", "application/json", None),
        ("", "", "application/json", None),
        ("*/*", "", "application/json", None),
        ("text/csv", "", "text/csv", None),
        ("Text/CSV;header=present", "", "text/csv", None),
        ("application/json;q=0.5, text/csv;q=0.8", "", "text/csv", None),
        ("text/*, application/json;q=0.9, text/csv;q=0", "", "text/plain", None),
        ("image/*;q=.2, */*;q=.1", "", "image/png", None),
        ("text/html, application/xhtml+xml, */*;q=0.8", "", "application/json", None),
        ("application/xml", "", "application/json", None),
        ("application/json;q=0, */*", "", "text/csv", None),
        ("*", "", "application/json", None),
        ("application/json;q=2, text/csv;q=0.9", "", "application/json", None),
        ("*/*", "example=big", "text/csv", "example=big"),
        ("application/json", "example=big", "application/json", None),
        ("text/csv", "example=small", "text/csv", "example=small"),
        ("text/csv", "code=200, example=big", "text/csv", "code=200, example=big"),
    ],
)
async def test_chooses_the_media_type_by_accept(mocked, accept, prefer, media_type, applied):
    """By weight, then the one with the preferred example, then JSON; without an acceptable one the default."""
    application = mocked(showing({"200": {"description": "-", "content": CHOICE}}))
    headers = {"Prefer": prefer} | ({} if accept is None else {"Accept": accept})

    async with calling(application) as client:
        if accept is None:
            del client.headers["accept"]
        response = await client.get("/thing", headers=headers)

    assert response.headers["content-type"].partition(";")[0] == media_type
    assert response.headers.get("preference-applied") == applied


VERSIONS = {
    f"application/json; version={number}": {"schema": {"type": "string", "enum": [str(number)]}}
    for number in (1, 2)
}


@pytest.mark.parametrize(
    ("accept", "number"),
    [
        ("application/json; version=2", "2"),
        ('application/json;q=0.5;Version="2", application/json;version=1;q=0.1', "2"),
        ("application/json", "1"),
        ("application/json; version=3", "1"),
    ],
)
async def test_chooses_among_media_types_that_differ_by_parameters(get, accept, number):
    response = await get(showing({"200": {"description": "-", "content": VERSIONS}}), Accept=accept)
    assert response.json() == number
    assert response.headers["content-type"] == f"application/json; version={number}"


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["a/b", "*/*", ";q=", "0.5", ",", "q=1", '"', " "])).map("".join)
)
def test_reads_any_accept(header):
    assert all(0 <= weight <= 1 for weight in read_accept(header).values())


WRONG = {"examples": {"wrong": {"value": 1}, "good": {"value": {"name": "a"}}}}


@pytest.mark.parametrize(
    ("response", "body", "message"),
    [
        (json_of(THING, example={}), {"name": "string"}, "the example violates its schema at /name: the value is missing; it is not used"),
        (json_of(THING, **WRONG), {"name": "a"}, "the example violates its schema: "),
        (json_of({"type": "integer", "example": "x"}), 0, "the example violates its schema: "),
        (json_of({"type": "integer", "default": "x"}), 0, None),
        (
            {
                **json_of({"type": "integer"}),
                "headers": {"X-A": {"required": True, "schema": {"type": "integer"}, "example": "x"}},
            },
            0,
            "the example violates its schema: ",
        ),
    ],
)  # fmt: skip
async def test_works_around_an_example_that_violates_its_schema(get, response, body, message):
    """It responds with the next valid example, else from the schema; the warning has the example's place."""
    got = await get(showing({"200": response}))
    assert (got.status_code, got.json()) == (200, body)
    warnings = [one for one in got.extensions["warnings"] if one.rule == "invalid-example"]
    assert [one.message.startswith(message) for one in warnings] == ([True] if message else [])


def test_reports_the_location_of_an_invalid_example(mocked):
    """Also of an example behind a reference, and once for all operations that share it."""
    shared = {"responses": {"200": {"$ref": "#/components/responses/A"}}}
    wrong = json_of({"type": "integer"}, examples={"wrong": {"value": "x"}})
    document = contract({"/a": {"get": shared, "put": shared}}, components={"responses": {"A": wrong}})

    application = mocked(document)

    (warning,) = application.warnings
    media = ("components", "responses", "A", "content", "application/json")
    assert warning.where == application.contract.place((*media, "examples", "wrong", "value"))
    assert (warning.rule, warning.severity) == ("invalid-example", "warning")


IMPOSSIBLE = {"allOf": [{"type": "integer"}, {"type": "string"}]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            json_of(IMPOSSIBLE),
            "GET /thing answers 501 instead of 200: no value was found: its types are contradictory; add a valid example",
        ),
        (
            {"description": "-", "content": {"multipart/*": {}}},
            "GET /thing answers 501 instead of 200: multipart/* is a range for which no body is known; document a media type",
        ),
        (
            {"description": "-", "headers": {"X-A": {"required": True, "schema": IMPOSSIBLE}}},
            "GET /thing answers 501 instead of 200: no value was found for the header X-A; add a valid example",
        ),
    ],
)
async def test_answers_501_for_a_status_without_a_value(get, response, message):
    document = showing({"200": response, "404": json_of({"type": "integer"})})

    usual, other = await get(document), await get(document, "code=404")

    assert_problem(usual, 501, "NOT_IMPLEMENTED")
    assert "x-mock" not in usual.headers
    assert (other.status_code, other.json()) == (404, 0)
    assert [(one.message, one.rule) for one in usual.extensions["warnings"]] == [(message, "mock")]


async def test_uses_another_media_type_if_one_has_no_value(get):
    content = {"application/json": {"schema": IMPOSSIBLE}, "text/plain": {"schema": {"type": "string"}}}

    response = await get(
        showing({"200": {"description": "-", "content": content}}), Accept="application/json"
    )

    assert (response.status_code, response.text) == (200, "string")
    assert len(response.extensions["warnings"]) == 1


@pytest.mark.parametrize("responses", [{"101": {"description": "-"}}, {"1XX": {"description": "-"}}])
async def test_answers_501_for_an_operation_without_a_final_status(get, responses):
    """An interim response cannot be the answer (RFC 9110 section 15.2)."""
    response = await get(showing(responses))
    assert_problem(response, 501, "NOT_IMPLEMENTED")
    assert "documents no final status" in response.extensions["warnings"][0].message


@pytest.mark.parametrize(
    ("responses", "prefer", "warnings"),
    [
        ({"204": json_of({})}, "", 1),
        ({"304": json_of({}), "200": json_of({})}, "code=304", 1),
        ({"2XX": json_of({})}, "code=204", 0),
        ({"default": json_of({})}, "code=304", 0),
    ],
)
async def test_sends_no_body_with_a_status_that_has_none(get, responses, prefer, warnings):
    """RFC 9110 sections 15.3.5 and 15.4.5; many contracts document one."""
    headers = {"X-A": {"schema": {"type": "integer"}, "example": 7}}

    response = await get(
        showing({status: {**one, "headers": headers} for status, one in responses.items()}), prefer
    )

    assert response.status_code in (204, 304)
    assert response.content == b""
    assert "content-type" not in response.headers
    assert (response.headers["x-a"], response.headers["x-mock"]) == ("7", "true")
    found = [one for one in response.extensions["warnings"] if one.rule != "error-body"]
    assert len(found) == warnings


@pytest.mark.slow
async def test_mocks_every_documented_status_of_the_garage_contract(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    application = create(Settings(spec=GARAGE, missing=("mock",), jwt_secret=SECRET))
    read = load_contract(GARAGE)
    compiler = SchemaCompiler(read)
    credentials = {**bearer({"sub": "astrid"}), "X-Storeroom-Key": "any"}
    bodies = {
        "registerVehicle": {"json": VEHICLE},
        "replaceVehicle": {"json": VEHICLE},
        "order-work": {"data": {"title": "brakes", "hours": "2"}},
        "write-note": {"content": "a note", "headers": {"Content-Type": "text/plain"}},
        "add-photo": {"files": {"photo": b"png"}, "data": {"position": "1"}},
        "change_stock": {"json": {"change": 1}},
    }
    answered = 0

    async with calling(application, **credentials) as client:
        for one in read.operations:
            path = read.base_path + one.path.format(
                vehicle_id="8c5a2f4e-4a0d-4a51-9d83-2c3f7c0e9f11", number=1, position=1, reference=1
            )
            for key, documented in one.responses.items():
                status = int(key.replace("XX", "18").replace("default", "503"))
                rest = {**bodies.get(one.id, {})}
                headers = {"Prefer": f"code={status}", **rest.pop("headers", {})}
                response = await client.request(one.method, path, headers=headers, **rest)

                assert (response.status_code, response.headers["x-mock"]) == (status, "true"), response.text
                for media_type, schema in documented.content.items():
                    if "json" in media_type:
                        assert compiler.compile(schema, "response", ()).accepts(response.json())
                answered += 1

    assert answered == sum(len(one.responses) for one in read.operations) > 40


VEHICLE = {"plate": "S-1971", "make": "Saab", "built": 1971, "engine": {"battery": 1}, "unlockCode": "0420"}


@pytest.mark.parametrize(
    ("header", "preferences"),
    [
        ("", {}),
        ("a", {"a": ""}),
        ('a=1, B="x, \\"y\\"; z" ; p=1', {"a": "1", "b": 'x, "y"; z'}),
        ("a=, b=1", {"a": "", "b": "1"}),
        ("a=b c, d=1", {"d": "1"}),
        ('a="open, b=1', {}),
    ],
)
def test_reads_preferences(header, preferences):
    """RFC 7240 section 2; only malformed elements are skipped."""
    assert read_preferences(header) == preferences


def test_writes_preferences_in_the_format_it_reads():
    """RFC 7240 section 3."""
    applied = {"code": "404", "example": 'a "b" \\'}
    assert read_preferences(write_preferences(applied)) == applied
