"""Documents of OpenAPI 3.1 and 3.2: schemes by URI, client certificates, values of examples, contracts without paths."""

import pytest

from relay import SetupError
from relay.lint import lint_contract
from relay.validation.schemas import SchemaCompiler
from support.compiled import read
from support.hosting import STRING, ask, calling, contract, operation, ref

CERTIFICATE = ":MIIB:"
SECURED = contract(
    {"/a": {"get": operation("show", security=[{"client": []}])}},
    openapi="3.1.1",
    components={"securitySchemes": {"client": {"type": "mutualTLS"}}},
)
THINGS = "async def show(caller):\n    return caller\n"
PACKAGE = """
def of_certificate(certificate):
    return {"sub": certificate} if certificate == "MIIB" else None
verifiers = {"client": of_certificate}
async def identify(claims):
    return claims["sub"]
"""
HEADER = {"Client-Cert": CERTIFICATE}


@pytest.fixture
def secured(hosting):
    """Compile the service with client certificates, behind some proxies; the test is 127.0.0.1."""
    package = {"init": PACKAGE, "things": THINGS}
    return lambda *proxies: hosting(SECURED, settings={"trusted_proxies": proxies}, **package)


async def test_a_trusted_proxy_passes_the_certificate_of_a_client_on(secured):
    """Its verifier gets the base64 of RFC 9440."""
    async with calling(secured("127.0.0.1")) as client:
        known = await client.get("/a", headers=HEADER)
        unknown = await client.get("/a", headers={"Client-Cert": ":AAAA:"})
        none = await client.get("/a")
        other = await client.get("/a", headers={"Client-Cert": "MIIB"})
    assert (known.status_code, known.json()) == (200, "MIIB")
    assert [one.status_code for one in (unknown, none, other)] == [401, 401, 401]
    assert none.headers["www-authenticate"].startswith("MutualTLS ")


async def test_no_other_client_can_send_a_certificate(secured):
    """Any client can write a header, and certificates are public."""
    assert (await ask(secured("10.0.0.0/8"), headers=HEADER)).status_code == 401


def test_without_a_trusted_proxy_the_service_does_not_start(secured):
    """Every request would be a 401, so the setting that is missing is named."""
    with pytest.raises(SetupError) as raised:
        secured()
    (problem,) = raised.value.problems
    assert problem.where == "RELAY_TRUSTED_PROXIES"
    assert "security scheme client is mutual TLS" in problem.message


@pytest.mark.parametrize(
    "uri", ["#/components/securitySchemes/key", "https://example.com/a#/components/securitySchemes/key"]
)
def test_a_requirement_may_name_a_scheme_by_its_uri(uri):
    scheme = {"type": "apiKey", "in": "cookie", "name": "k", "deprecated": True}
    paths = {"/a": {"get": operation("show", security=[{uri: []}])}}
    parts = {"components": {"securitySchemes": {"key": scheme}}, "$self": "https://example.com/a"}
    found = read(contract(paths, openapi="3.2.0", **parts))
    older = read(contract(paths, openapi="3.1.1", **parts))

    assert [one.security for one in found.operations] == [({"key": []},)]
    assert [one.rule for one in older.faults if one.rule == "undefined-security-scheme"]
    assert not older.operations


def test_flows_and_metadata_of_openapi_3_2_are_no_faults():
    """Devices get their tokens elsewhere; a token is verified like any other."""
    urls = {"deviceAuthorizationUrl": "https://e.com/d", "tokenUrl": "https://e.com/t"}
    flows = {"deviceAuthorization": {**urls, "scopes": {"read": ""}}}
    scheme = {"type": "oauth2", "oauth2MetadataUrl": "https://e.com/m", "flows": flows}
    paths = {"/a": {"get": operation("show", security=[{"device": ["read"]}])}}
    found = read(contract(paths, openapi="3.2.0", components={"securitySchemes": {"device": scheme}}))
    assert not found.faults
    assert not [one for one in lint_contract(found) if one.rule == "undefined-scope"]


ANSWERS = {
    "application/json": {
        "schema": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
        "examples": {
            "both": {"dataValue": {"x": 1}, "serializedValue": '{"x":2}'},
            "text": {"serializedValue": '{"x": 3}'},
            "broken": {"dataValue": {"x": 4}, "serializedValue": "{"},
        },
    },
    "application/jsonl": {
        "itemSchema": {},
        "examples": {"both": {"dataValue": [{"x": 1}], "serializedValue": '{"x": 2}\n'}},
    },
    "text/csv": {"examples": {"rows": {"dataValue": [[1, 2]], "serializedValue": "1,2\r\n"}}},
}


@pytest.mark.parametrize(
    ("accept", "name", "expected"),
    [
        ("application/json", "both", '{"x":2}'),
        ("application/json", "text", '{"x":3}'),
        ("application/json", "broken", '{"x":4}'),
        ("application/jsonl", "both", '{"x":2}\n'),
        ("text/csv", "rows", "1,2\r\n"),
    ],
)
async def test_a_mock_answers_with_the_values_of_examples(hosting, accept, name, expected):
    """`serializedValue`, the text as it is sent, counts before `dataValue` for every media type."""
    answer = {"200": {"summary": "Stars", "description": "ok", "content": ANSWERS}}
    document = contract({"/a": {"get": operation("show", responses=answer)}}, openapi="3.2.0")
    async with calling(hosting(document, settings={"missing": "mock"})) as client:
        found = await client.get("/a", headers={"Accept": accept, "Prefer": f"example={name}"})
    assert (found.status_code, found.text) == (200, expected)


def having(name, **properties):
    return {"type": "object", "properties": properties, "required": [name]}


MAPPED = {"propertyName": "kind", "mapping": {"cat": "Cat"}, "defaultMapping": "Other"}
PETS = {
    "Pet": {"oneOf": [ref("Cat"), ref("Other")], "discriminator": MAPPED},
    "Cat": having("lives", kind={"const": "cat"}, lives={"type": "integer"}),
    "Other": having("legs", kind=STRING, legs={"type": "integer"}),
}


@pytest.mark.parametrize("kind", [{}, {"kind": "dog"}])
def test_the_default_of_a_discriminator_explains_a_value_that_names_no_schema(kind):
    whole = read(contract({}, openapi="3.2.0", components={"schemas": PETS}))
    validator = SchemaCompiler(whole).compile(ref("Pet"), "request", ())
    assert validator.accepts({**kind, "legs": 3})
    for value, expected in (
        ({**kind, "legs": "x", "lives": "y"}, ("/legs", "type")),
        ({"kind": "cat"}, ("/lives", "required")),
    ):
        assert [(one.path, one.rule) for one in validator.violations(value)] == [expected]


STAR = {"requestBody": {"$ref": "#/components/requestBodies/Star"}}
HOOKS = {
    "openapi": "3.1.1",
    "info": {"title": "Hooks", "version": "1"},
    "webhooks": {"star": {"post": operation("found", **STAR)}},
    "components": {
        "requestBodies": {"Star": {"content": {"application/json": {"schema": ref("Star")}}}},
        "schemas": {"Star": {"type": "object"}},
    },
}


@pytest.mark.parametrize("document", [HOOKS, {key: HOOKS[key] for key in ("openapi", "info", "components")}])
async def test_a_contract_without_paths_is_served(hosting, document):
    """Webhooks are requests to others: nothing is routed, but the pages of a service are there."""
    async with calling(hosting(document)) as client:
        found = [await client.get(path) for path in ("/livez", "/docs", "/star", "/openapi.json")]
        published = found[-1].json()
    assert [one.status_code for one in found] == [200, 200, 404, 200]
    assert published == document


async def test_callbacks_are_not_routed(hosting):
    callback = {"{$request.body#/url}": {"post": operation("called")}}
    document = contract({"/a": {"get": operation("show", callbacks={"done": callback})}}, openapi="3.1.1")
    assert (await ask(hosting(document, things="async def show():\n    return 1\n"))).json() == 1


async def test_media_types_of_components_are_those_of_parameters_and_headers_too(hosting):
    """A reference in `content` means the same everywhere (OpenAPI 3.2, "Components Object", `mediaTypes`)."""
    content = {"content": {"application/json": {"$ref": "#/components/mediaTypes/Point"}}}
    answer = {"200": {"description": "ok", "headers": {"X-At": content}, **content}}
    parameters = [{"name": "at", "in": "query", "required": True, **content}]
    paths = {"/a": {"get": operation("show", parameters=parameters, responses=answer)}}
    point = {"schema": having("x", x={"type": "integer"})}
    document = contract(paths, openapi="3.2.0", components={"mediaTypes": {"Point": point}})
    things = "async def show(at):\n    return at, 200, {'X-At': '{\"x\": 1}'}\n"
    async with calling(hosting(document, things=things)) as client:
        good = await client.get("/a", params={"at": '{"x":1}'})
        bad = await client.get("/a", params={"at": "{}"})
    assert (good.status_code, good.json(), bad.status_code) == (200, {"x": 1}, 400)
