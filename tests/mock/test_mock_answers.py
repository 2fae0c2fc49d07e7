"""Answers made from the contract: `handlers/_host/mocking/`, `canned.py` and `preferences.py`."""

from __future__ import annotations

import time

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from relay.mock.prefer import read_preferences, write_preferences
from relay.project.settings import Settings
from relay.server.app import create
from relay.validation.schemas import SchemaCompiler
from support.hosting import SECRET, assert_problem, bearer, calling, contract, host, operation
from support.running import ROOT

GARAGE = ROOT / "tests/specs/garage/openapi.yaml"
THING = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
EXAMPLES = {"small": {"value": {"name": "s"}}, "our größte": {"$ref": "#/components/examples/Big"}}
BIG = {"examples": {"Big": {"value": {"name": "b"}}}}


def json_of(schema, **media):
    """A response of JSON."""
    return {"description": "-", "content": {"application/json": {"schema": schema, **media}}}


def showing(responses, **rest):
    """A contract of one operation with these responses."""
    return contract({"/thing": {"get": operation("show", responses=responses)}}, **rest)


@pytest.fixture
def mocked(tmp_path, monkeypatch):
    """Host a contract with mocks for all that is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda document, **modules: host(tmp_path, document, settings={"missing": ("mock",)}, **modules)


@pytest.fixture
def get(mocked):
    """GET the mock of a contract's one operation."""

    async def get(document, *prefer, path="/thing"):
        async with calling(mocked(document)) as client:
            return await client.get(path, headers=[("Prefer", value) for value in prefer])

    return get


@pytest.fixture
def refused(mocked):
    """Return why a contract cannot be mocked."""

    def refused(document):
        with pytest.raises(SetupError) as raised:
            mocked(document)
        return raised.value.problems

    return refused


@pytest.mark.parametrize(
    ("media", "name"),
    [
        ({"example": {"name": "one"}}, "one"),
        ({"examples": EXAMPLES}, "s"),
        ({"examples": {"far": {"externalValue": "https://example.com/far.json"}}}, "schema's"),
    ],
)
async def test_answers_with_the_contracts_own_example(get, media, name):
    """That of the answer, the first of several, that of the schema; nothing is fetched."""
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
async def test_answers_as_the_client_prefers(mocked, prefer, status, body, applied):
    """RFC 7240: what was honoured is said, what cannot be is passed over."""
    application = mocked(showing(PREFERRED, components=BIG))
    headers = [(b"Prefer", value.encode()) for value in prefer]

    async with calling(application) as client:
        response = await client.get("/thing", headers=headers)

    assert (response.status_code, response.json()) == (status, body)
    told = dict(response.headers.raw).get(b"preference-applied")
    assert told == (applied.encode() if applied else None)


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
async def test_answers_with_what_a_handler_would_succeed_with(get, responses, status):
    """The lowest documented 2xx; without one, the lowest of all."""
    response = await get(showing(responses))

    assert response.status_code == status
    assert response.headers["x-mock"] == "true"


async def test_marks_its_answer_once(get):
    """Whatever value the contract has for the header: no client may take what is made up for a true answer."""
    required = {"required": True, "schema": {"type": "string", "enum": ["false"]}}
    headers = {"X-Mock": required, "Preference-Applied": required}

    response = await get(showing({"200": {**json_of({}), "headers": headers}}), "code=200")

    assert response.headers.get_list("x-mock") == ["true"]
    assert response.headers.get_list("preference-applied") == ["code=200"]


async def test_has_the_headers_that_the_contract_requires(get):
    """From their own examples or schemas, written in their style."""
    ids = {"type": "array", "items": {"type": "integer"}, "minItems": 2}
    headers = {
        "X-Total": {"required": True, "schema": {"type": "integer", "minimum": 3}},
        "Location": {"required": True, "schema": {"type": "string"}, "example": "/things/1"},
        "X-Ids": {"required": True, "schema": ids},
        "X-Json": {"required": True, "content": {"application/json": {"schema": {"type": "boolean"}}}},
        "X-Optional": {"schema": {"type": "string"}},
    }

    response = await get(showing({"201": {"description": "-", "headers": headers}}))

    got = [response.headers.get(name) for name in headers]
    assert got == ["3", "/things/1", "0,0", "true", None]


@pytest.mark.parametrize(
    ("content", "media_type", "body"),
    [
        ({"text/plain": {"schema": {"type": "string"}}}, "text/plain; charset=utf-8", b"string"),
        ({"text/csv": {"example": "a,b"}}, "text/csv; charset=utf-8", b"a,b"),
        ({"image/png": {"schema": {"type": "string", "format": "binary"}}}, "image/png", b"string"),
        ({"*/*": {"schema": THING}}, "application/json", b'{"name":"string"}'),
        ({"text/*": {}}, "text/plain; charset=utf-8", b"string"),
        ({"text/html": {}, "application/json": {"schema": THING}}, "application/json", b'{"name":"string"}'),
    ],
)
async def test_speaks_the_media_type_of_the_contract(get, content, media_type, body):
    """JSON where it can choose."""
    response = await get(showing({"200": {"description": "-", "content": content}}))

    assert response.headers["content-type"] == media_type
    assert response.content == body


async def test_is_behind_authentication_and_validation(mocked):
    """What is refused for real is no mock."""
    shown = operation("show", security=[{"token": []}], parameters=[
        {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    ])  # fmt: skip
    schemes = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
    application = mocked(contract({"/thing": {"get": shown}}, components=schemes))

    async with calling(application) as client:
        unknown = await client.get("/thing")
        invalid = await client.get("/thing?limit=x", headers=bearer({"sub": "u1"}))
        valid = await client.get("/thing?limit=1", headers=bearer({"sub": "u1"}))

    assert_problem(unknown, 401, "UNAUTHENTICATED")
    assert_problem(invalid, 400, "VALIDATION_ERROR")
    assert "x-mock" not in unknown.headers
    assert (valid.status_code, valid.headers["x-mock"]) == (200, "true")


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (json_of(THING, example={}), "the example breaks its schema at '/name': the value is missing"),
        (
            json_of(THING, examples={"good": {"value": {"name": "a"}}, "bad": {"value": 1}}),
            "breaks its schema",
        ),
        (
            json_of({"type": "integer", "example": "x"}),
            "the example breaks its schema: the value is not",
        ),
        (
            json_of({"type": "string", "pattern": "^(?=b)a$"}),
            "no value was found, as no text was found for its pattern or format; write an example",
        ),
        (
            {"description": "-", "content": {"application/xml": {"schema": THING}}},
            "GET /thing has no mock for 200: no value was found, as its types contradict each other; write an example",
        ),
        (
            {"description": "-", "content": {"image/*": {}}},
            "GET /thing has no mock for 200: image/* is no media type that could be sent; name one",
        ),
        (
            {
                "description": "-",
                "headers": {"X-A": {"required": True, "schema": {"type": "integer"}, "example": "x"}},
            },
            "GET /thing has no mock for 200: ",
        ),
    ],
)
def test_refuses_to_start_without_a_conforming_mock(refused, response, told):
    """At its place; a client would otherwise be told what no service may say."""
    problems = refused(showing({"200": response}))

    assert len(problems) == 1
    assert told in problems[0].message
    assert problems[0].where.line == 1


def test_points_at_the_example_that_is_wrong(refused):
    """Behind a reference, too."""
    document = """\
openapi: 3.0.3
info: {title: Test, version: '1'}
paths:
  /a:
    get:
      responses:
        '200': {$ref: '#/components/responses/A'}
components:
  responses:
    A:
      description: ok
      content:
        application/json:
          schema: {type: integer}
          examples:
            wrong: {value: x}
"""

    problems = refused(document)

    assert [(one.where.line, one.where.column, one.rule) for one in problems] == [(16, 21, "example")]


def test_refuses_an_answer_that_can_have_no_body(refused):
    """Nor one that no status is left for."""
    assert (
        "such an answer has no body; take its content out"
        in refused(showing({"204": json_of({})}))[0].message
    )
    assert "documents no final status" in refused(showing({"101": {"description": "-"}}))[0].message


async def test_the_garage_answers_every_documented_status_without_a_package(tmp_path, monkeypatch):
    """A contract of some size, mocked whole: each status of each operation, with a conforming body."""
    monkeypatch.chdir(tmp_path)
    given = {"spec": GARAGE, "missing": ("mock",), "jwt_secret": SECRET}
    application = create("handlers", Settings(**given))
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
    """RFC 7240 section 2; what is malformed is left out alone."""
    assert read_preferences(header) == preferences


def test_writes_what_was_applied_as_it_is_read():
    """RFC 7240 section 3."""
    applied = {"code": "404", "example": 'a "b" \\'}

    assert read_preferences(write_preferences(applied)) == applied


@pytest.mark.parametrize("header", ['"\\' * 16_000, '"' * 32_000, "a=" + '"\\"' * 10_000, "; " * 16_000])
def test_reads_any_header_in_no_time(header):
    """A header may have 32 KiB."""
    started = time.process_time()

    read_preferences(header)

    assert time.process_time() - started < 0.2
