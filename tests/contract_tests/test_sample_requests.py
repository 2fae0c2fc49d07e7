"""Valid requests for operations: `relay.contract_tests.sample_requests`."""

import json
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.loading import load_contract
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.sample_requests import model_requests, without_credentials
from support.compiled import read
from support.hosting import contract, operation
from support.querying import Service
from support.running import ROOT

GARAGE = load_contract(ROOT / "tests/specs/garage/openapi.yaml")
HOST = "http://host"


def models(document, *exchanges):
    whole = read(document)
    return model_requests(whole, HOST, ConformanceChecker(whole, ""), exchanges)


def model(*parameters, path="/a", openapi="3.0.3", **rest):
    act = operation("act", parameters=parameters, **rest)
    return models(contract({path: {"post": act}}, openapi=openapi)).get("act")


def described(media_type, **media):
    return {"requestBody": {"required": True, "content": {media_type: media}}}


def body(media_type, schema, **more):
    return described(media_type, schema=schema, **more)


def record(**properties):
    return {"type": "object", "required": [*properties], "properties": properties}


def parameter(where, schema, **rest):
    return {"name": "p", "in": where, "required": True, "schema": schema, **rest}


def test_builds_one_for_every_operation_of_the_garage():
    """JSON, both kinds of forms, and text; the server accepts every request."""
    checker = ConformanceChecker(GARAGE, "/garage/v1")

    found = model_requests(GARAGE, f"{HOST}/garage/v1", checker, [])

    assert list(found) == [operation.id for operation in GARAGE.operations]
    assert all(checker.is_valid_request(found[operation.id], operation) for operation in GARAGE.operations)


def test_sends_write_only_properties_and_no_read_only_ones():
    code = {"type": "integer", "writeOnly": True, "minimum": 7}

    found = model(**body("application/json", record(id={"type": "integer", "readOnly": True}, code=code)))

    assert json.loads(found.body) == {"code": 7}


@pytest.mark.parametrize("more", [{"example": 5}, {"examples": {"a": {"value": 5}}}])
def test_prefers_examples(more):
    found = model(parameter("query", {"type": "integer"}, **more), **body("application/json", {}, **more))

    assert (found.url, found.body) == (f"{HOST}/a?p=5", b"5")


N = record(n={"type": "integer"})
ROW = record(n={"type": "integer", "minimum": 7})
EVENT = record(data={"type": "string", "contentMediaType": "application/json", "contentSchema": ROW})
BROKEN = {"dataValue": [{"n": "x"}]}


@pytest.mark.parametrize(
    ("media_type", "item", "more", "expected"),
    [
        ("application/jsonl", ROW, {}, b'{"n":7}\n{"n":7}\n'),
        ("application/jsonl", ROW, {"example": [{"n": 8}]}, b'{"n":8}\n'),
        ("application/jsonl", ROW, {"examples": {"a": {"value": [{"n": 8}]}}}, b'{"n":8}\n'),
        ("application/jsonl", ROW, {"examples": {"a": BROKEN, "b": {"dataValue": [{"n": 9}]}}}, b'{"n":9}\n'),
        ("application/jsonl", ROW, {"examples": {"a": BROKEN}}, b'{"n":7}\n{"n":7}\n'),
        ("application/jsonl", ROW, {"examples": {"a": {"serializedValue": '{"n": 8}'}}}, b'{"n":8}\n'),
        ("application/json-seq", ROW, {"example": [{"n": 8}]}, b'\x1e{"n":8}\n'),
        ("text/event-stream", EVENT, {"example": [{"data": {"n": 8}}]}, b'data: {"n":8}\n\n'),
        (
            "multipart/mixed",
            {},
            {"example": [{"n": 8}]},
            (
                b"--boundary-of-the-parts\r\ncontent-type: application/json\r\n\r\n"
                b'{"n":8}\r\n--boundary-of-the-parts--\r\n'
            ),
        ),
    ],
)
def test_sends_streams_of_items(media_type, item, more, expected):
    """Of a valid example, or else two that are made of the schema, as mocks send them."""
    found = model(openapi="3.2.0", **described(media_type, itemSchema=item, **more))

    assert found.body == expected
    assert dict(found.headers)["Content-Type"].startswith(media_type)


@pytest.mark.parametrize("media_type", ["multipart/mixed", "multipart/form-data"])
def test_sends_parts_by_position_and_parts_within_parts(media_type):
    """They are what the server takes, with the headers and the media types of their encoding."""
    night = {"type": "array", "prefixItems": [{"type": "integer"}, {}, {"type": "string"}], "minItems": 3}
    page = {"headers": {"X-Page": {"required": True, "schema": {"type": "integer", "minimum": 4}}}}
    parts = {"prefixEncoding": [page, {"contentType": "image/*"}, {}]}
    encoding = {"p": {"contentType": "multipart/related", **parts}}
    media = {
        "multipart/mixed": {"schema": night, **parts},
        "multipart/form-data": {"schema": record(p=night), "encoding": encoding},
    }[media_type]

    found = model(openapi="3.2.0", **described(media_type, **media))

    assert b"x-page: 4\r\n" in found.body
    assert b"content-type: image/png\r\n\r\n\x89PNG" in found.body


def test_sends_parts_as_their_encoding_says():
    """The server refuses other media types, and parts without a required header."""
    file = {"type": "string", "format": "binary"}
    schema = record(
        photo={**file, "example": "a"},
        files={"type": "array", "minItems": 1, "items": {**file, "example": "b"}},
        meta={"type": "object", "example": {"a": 1}},
        note={"type": "string", "example": "c"},
    )
    headers = {
        "X-Page": {"required": True, "schema": {"type": "integer"}, "example": 5},
        "X-Other": {"schema": {"type": "string"}},
        "Content-Type": {"schema": {"type": "string"}},
    }
    encoding = {
        "photo": {"contentType": "weird/*, image/png", "headers": headers},
        "meta": {"contentType": "application/json"},
    }

    found = model(**body("multipart/form-data", schema, encoding=encoding))

    boundary = dict(found.headers)["Content-Type"].partition("boundary=")[2]
    parts = [part.split("\r\n") for part in found.body.decode().split(f"--{boundary}")[1:-1]]
    assert [[line.removeprefix("Content-") for line in lines if line] for lines in parts] == [
        ['Disposition: form-data; name="photo"; filename="file"', "X-Page: 5", "Type: image/png", "a"],
        ['Disposition: form-data; name="files"; filename="file"', "Type: application/octet-stream", "b"],
        ['Disposition: form-data; name="meta"', "Type: application/json", '{"a":1}'],
        ['Disposition: form-data; name="note"', "c"],
    ]


def test_follows_references_to_the_parameter_and_its_example():
    examples = {"a": {"$ref": "#/components/examples/a"}}
    given = {"p": parameter("path", {"type": "string"}, examples=examples)}
    show = {"parameters": [{"$ref": "#/components/parameters/p"}], "get": operation("show")}
    components = {"parameters": given, "examples": {"a": {"value": "b/c"}}}

    assert models(contract({"/a/{p}": show}, components=components))["show"].url == f"{HOST}/a/b%2Fc"


LIST = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
OBJECT = record(a={"type": "integer", "minimum": 1}, b={"type": "string", "enum": ["x"]})
NESTED = record(list=LIST, lines={"type": "array", "items": OBJECT, "minItems": 2})


@pytest.mark.slow
@pytest.mark.parametrize("where", ["path", "query", "header", "cookie"])
@pytest.mark.parametrize("schema", [{"type": "integer"}, LIST, OBJECT, NESTED])
def test_sends_parameters_as_the_server_parses_them(where, schema):
    style = {"style": "deepObject"} if where == "query" and schema is NESTED else {"explode": False}
    path = "/a/{p}" if where == "path" else "/a"

    found = model(parameter(where, schema, **style), path=path)

    assert (found is None) is (schema is NESTED and where != "query")


@pytest.mark.slow
@pytest.mark.parametrize("style", ["form", "deepObject", "spaceDelimited", "pipeDelimited"])
@pytest.mark.parametrize("explode", [True, False])
def test_serializes_forms_in_the_styles_of_their_encoding(style, explode):
    is_deep = style == "deepObject"
    fields = {"list": LIST, "plain": LIST, "object": OBJECT} | ({"nested": NESTED} if is_deep else {})
    schema = {"type": "object", "required": [*fields], "properties": fields}
    styled = ("list", "nested") if is_deep else ("list",)
    encoding = {name: {"style": style, "explode": explode} for name in styled}

    found = model(**body("application/x-www-form-urlencoded", schema, encoding=encoding))

    assert found is not None


def test_omits_operations_without_a_possible_request():
    """A body with a range of media types, and a schema without valid values."""
    assert model(**body("model/*", {})) is None
    assert model(parameter("query", {"type": "integer", "minimum": 2, "maximum": 1})) is None


SCALARS = st.sampled_from(
    [
        {"type": "integer"},
        {"type": "integer", "minimum": -3, "maximum": 3},
        {"type": "number", "multipleOf": 0.5},
        {"type": "boolean"},
        {"type": "string", "minLength": 3, "maxLength": 9},
        {"type": "string", "format": "date-time"},
        {"type": "string", "enum": ["ä&=;", " "]},
        {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"},
        {"type": "string", "nullable": True},
    ]
)
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items, "minItems": 1}, inner),
        st.builds(lambda parts: record(**parts), st.dictionaries(st.sampled_from("abc"), inner, min_size=1)),
        st.builds(lambda one, other: {"oneOf": [one, other]}, inner, inner),
    ),
    max_leaves=5,
)


@pytest.mark.slow
@given(SCALARS, SCALARS, SCHEMAS)
def test_builds_requests_for_any_contract(in_path, in_query, in_body):
    """Each is valid for the server's decoder, or its schema has no valid body."""
    parameters = [parameter("path", in_path), {**parameter("query", in_query), "name": "q"}]
    act = operation("act", parameters=parameters, **body("application/json", in_body))
    whole = read(contract({"/a/{p}": {"post": act}}))
    checker = ConformanceChecker(whole, "")

    found = model_requests(whole, HOST, checker, [])

    assert all(checker.is_valid_request(request, whole.operations[0]) for request in found.values())
    assert found or "oneOf" in str(in_body)


def test_takes_the_first_valid_example():
    examples = {"wrong": {"value": {"n": "1"}}, "right": {"value": {"n": 1}}}

    assert model(**body("application/json", N, examples=examples)).body == b'{"n":1}'


@pytest.mark.parametrize(("documented", "sent"), [("image/*", "image/png"), ("*/*", "application/json")])
def test_sends_a_media_type_of_a_range(documented, sent):
    assert dict(model(**body(documented, {"type": "string"})).headers)["Content-Type"] == sent


class TestSucceeded:
    """Requests that were sent."""

    DOCUMENT = contract(
        {"/a/{p}": {"get": operation("show", parameters=[parameter("path", {"type": "integer"})])}}
    )

    def sent(self, path, status):
        return Exchange(Request("GET", HOST + path), status, (), b"", "test")

    def test_takes_the_first_that_succeeded(self):
        found = models(self.DOCUMENT, self.sent("/a/3", 404), self.sent("/a/4", 200), self.sent("/a/5", 200))

        assert found["show"].url == f"{HOST}/a/4"

    def test_takes_no_invalid_request(self):
        found = models(self.DOCUMENT, self.sent("/a/x", 200))

        assert found["show"].url != f"{HOST}/a/x"


class TestWithoutCredentials:
    """`without_credentials`."""

    def test_removes_all_credentials_and_nothing_else(self):
        schemes = {
            "a": {"type": "http", "scheme": "bearer"},
            "b": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "c": {"type": "apiKey", "in": "query", "name": "key me"},
            "d": {"type": "apiKey", "in": "cookie", "name": "sid"},
            "e": {"type": "mutualTLS"},
        }
        whole = read(contract({}, components={"securitySchemes": schemes}, openapi="3.1.0"))
        secret = (("authorization", "Bearer x"), ("x-KEY", "x"), ("Cookie", "sid=x"), ("client-cert", "x"))
        headers = (*secret, ("X-Trace", "1"))
        request = Request("POST", f"{HOST}/a?key+me=1&x=1&key%20me=2&keyme=3", headers, b"body")

        found = without_credentials(request, whole)

        assert found == Request("POST", f"{HOST}/a?x=1&keyme=3", (("X-Trace", "1"),), b"body")

    def test_removes_an_empty_query(self):
        schemes = {"c": {"type": "apiKey", "in": "query", "name": "key"}}
        whole = read(contract({}, components={"securitySchemes": schemes}))

        assert urlsplit(without_credentials(Request("GET", f"{HOST}/a?key=1"), whole).url).query == ""
        assert without_credentials(Request("GET", f"{HOST}/a?key=1"), whole).url == f"{HOST}/a"


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "application/json"])
def test_a_query_that_is_one_value_is_sent_as_its_media_type_says(media_type):
    tags = {"type": "array", "items": {"type": "string"}, "minItems": 2}
    content = {media_type: {"schema": record(name={"type": "string"}, tags=tags)}}
    whole = {"name": "all", "in": "querystring", "required": True, "content": content}

    query = urlsplit(model(whole, openapi="3.2.0").url).query

    value = Service(whole, openapi="3.2.0").arguments(query)["all"]
    assert value.keys() == {"name", "tags"}


@pytest.mark.parametrize("style", ["form", "spaceDelimited", "pipeDelimited", "deepObject"])
def test_parts_have_the_styles_of_their_encoding(style):
    field = record(a={"type": "integer", "minimum": 5})
    if style != "deepObject":
        field = {"type": "array", "items": {"type": "string"}, "minItems": 2}
    content = {
        "schema": record(p=field),
        "encoding": {"p": {"style": style, "explode": style == "deepObject"}},
    }
    body = {"required": True, "content": {"multipart/form-data": content}}
    document = contract({"/a": {"post": operation("act", requestBody=body)}}, openapi="3.1.1")

    (request,) = models(document).values()

    whole = read(document)
    assert ConformanceChecker(whole, "").is_valid_request(request, whole.operations[0])


@pytest.mark.parametrize("style", ["form", "cookie"])
def test_exploded_cookies_are_sent_with_all_their_values(style):
    """In one header, as RFC 6265 section 5.4 demands: all but the last were lost."""
    color = {"type": "object", "properties": {"R": {"type": "integer"}, "G": {"type": "integer"}}}
    taken = {"in": "cookie", "style": style, "explode": True, "required": True}
    parameters = [
        {"name": "color", "schema": color, "example": {"R": 1, "G": 2}, **taken},
        {"name": "a", "schema": {"type": "array", "items": {"type": "integer"}}, "example": [3, 4], **taken},
    ]

    assert model(*parameters, openapi="3.2.0").headers == (("Cookie", "R=1; G=2; a=3; a=4"),)


INTEGERS = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameter", "text", "sent"),
    [
        ({"in": "query", "schema": INTEGERS}, "p=7&p=8", "/a?p=7&p=8"),
        ({"in": "query", "schema": {"type": "string"}}, "p=a%20b", "/a?p=a%20b"),
        ({"in": "header", "schema": INTEGERS}, "7,8", "7,8"),
        ({"in": "cookie", "style": "cookie", "schema": {"type": "string"}}, "p=a", "p=a"),
        ({"in": "path", "schema": {"type": "string"}}, "a%20b", "/a/a%20b"),
        ({"in": "querystring", "content": {"application/x-www-form-urlencoded": {"schema": N}}}, "n=77", "/a?n=77"),
        ({"in": "querystring", "content": {"application/jsonpath": {"schema": {"type": "string"}}}}, "%24.a%5B1%5D", "/a?%24.a%5B1%5D"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", [{}, {"dataValue": "another"}])
def test_the_text_of_an_example_is_sent(parameter, text, sent, more):
    """It is the value as it is sent, so it is read before it is written: it was left out, or encoded twice."""
    examples = {"examples": {"a": {"serializedValue": text, **more}}}
    content = {name: {**one, **examples} for name, one in parameter.get("content", {}).items()}
    given = {"content": content} if content else examples
    path = "/a/{p}" if parameter["in"] == "path" else "/a"

    request = model({"name": "p", "required": True, **parameter, **given}, path=path, openapi="3.2.0")

    assert sent in (request.url.removeprefix(HOST), *(value for _, value in request.headers))


def test_the_text_of_an_example_of_a_form_is_sent():
    example = {"a": {"dataValue": {"n": 1}, "serializedValue": "n=77"}}

    found = model(openapi="3.2.0", **body("application/x-www-form-urlencoded", N, examples=example))
    assert found.body == b"n=77"
