"""Mock responses made from the contract: `relay.mock`."""

from __future__ import annotations

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
    """Return a documented JSON response."""
    return {"description": "-", "content": {"application/json": {"schema": schema, **media}}}


def showing(responses, **rest):
    """Return a contract of one operation with these responses."""
    return contract({"/thing": {"get": operation("show", responses=responses)}}, **rest)


@pytest.fixture
def mocked(tmp_path, monkeypatch):
    """Host a contract with a mock for every missing handler."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda document, **modules: host(tmp_path, document, settings={"missing": ("mock",)}, **modules)


@pytest.fixture
def get(mocked):
    """Send GET to the mocked operation of a contract."""

    async def get(document, *prefer, path="/thing"):
        async with calling(mocked(document)) as client:
            return await client.get(path, headers=[("Prefer", value) for value in prefer])

    return get


@pytest.fixture
def problems_of(mocked):
    """Return the reasons why a contract cannot be mocked."""

    def problems_of(document):
        with pytest.raises(SetupError) as raised:
            mocked(document)
        return raised.value.problems

    return problems_of


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
async def test_responds_as_the_header_prefer_selects(mocked, prefer, status, body, applied):
    """RFC 7240: Preference-Applied lists the applied preferences; the others are ignored."""
    application = mocked(showing(PREFERRED, components=BIG))
    headers = [(b"Prefer", value.encode()) for value in prefer]

    async with calling(application) as client:
        response = await client.get("/thing", headers=headers)

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


async def test_sends_the_required_headers(get):
    """Their values come from their examples or schemas, in their style."""
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
async def test_uses_a_documented_media_type(get, content, media_type, body):
    """JSON is preferred if there are several."""
    response = await get(showing({"200": {"description": "-", "content": content}}))

    assert response.headers["content-type"] == media_type
    assert response.content == body


async def test_authenticates_and_validates_like_a_real_operation(mocked):
    """A rejected request does not get a mock response."""
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
    ("response", "message"),
    [
        (json_of(THING, example={}), "the example violates its schema at '/name': the value is missing"),
        (
            json_of(THING, examples={"good": {"value": {"name": "a"}}, "bad": {"value": 1}}),
            "violates its schema",
        ),
        (
            json_of({"type": "integer", "example": "x"}),
            "the example violates its schema: the value is not",
        ),
        (
            json_of({"type": "string", "pattern": "^(?=b)a$"}),
            "no value was found: no string was found for the pattern or format; add an example",
        ),
        (
            {"description": "-", "content": {"application/xml": {"schema": THING}}},
            "GET /thing cannot be mocked for 200: no value was found: its types are contradictory; add an example",
        ),
        (
            {"description": "-", "content": {"image/*": {}}},
            "GET /thing cannot be mocked for 200: image/* is a range and cannot be sent; document a media type",
        ),
        (
            {
                "description": "-",
                "headers": {"X-A": {"required": True, "schema": {"type": "integer"}, "example": "x"}},
            },
            "GET /thing cannot be mocked for 200: ",
        ),
    ],
)
def test_does_not_start_without_a_valid_mock(problems_of, response, message):
    """The error has a location. Otherwise a client would get a response that violates the contract."""
    problems = problems_of(showing({"200": response}))

    assert len(problems) == 1
    assert message in problems[0].message
    assert problems[0].where.line == 1


def test_reports_the_location_of_an_invalid_example(problems_of):
    """Also of an example behind a reference."""
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

    problems = problems_of(document)

    assert [(one.where.line, one.where.column, one.rule) for one in problems] == [(16, 21, "example")]


def test_reports_a_response_that_cannot_be_sent(problems_of):
    """A body with a status that has none, and an operation without a final status."""
    assert (
        "a response with this status has no body; remove its content"
        in problems_of(showing({"204": json_of({})}))[0].message
    )
    assert "documents no final status" in problems_of(showing({"101": {"description": "-"}}))[0].message


async def test_mocks_every_documented_status_of_the_garage_contract(tmp_path, monkeypatch):
    """Each status of each operation of a larger contract has a valid body."""
    monkeypatch.chdir(tmp_path)
    given = {"spec": GARAGE, "missing": ("mock",), "jwt_secret": SECRET}
    application = create(Settings(**given))
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
