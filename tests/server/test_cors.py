"""Requests of pages with another origin: `scripts/relay/server/cors.py`."""

import json

import pytest

from relay import SetupError
from support.answering import PreparedResponse, answering
from support.browsing import browsing
from support.hosting import ask, assert_problem, calling, contract, json_of, operation
from support.running import serving

TRACE = {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}
LINK = {"Link": {"schema": {"type": "string"}}}
ANSWER = {"200": {"description": "ok", "headers": LINK, "content": {"application/json": {"schema": {}}}}}
DOCUMENT = contract(
    {
        "/order": {
            "get": operation("show", parameters=[TRACE], responses=ANSWER),
            "delete": operation("drop", security=[{"key": []}]),
        },
        "/own": {"options": operation("own")},
    },
    components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
)
THINGS = "async def show(x_trace=None): return 1\nasync def drop(): ...\nasync def own(): return 2\n"
INIT = "async def verify(key):\n    return {'sub': key}\nverifiers = {'key': verify}\n"
PAGE = "https://app.example"


def listed(response, name):
    """The items of a header, in lower case."""
    return {item.strip().lower() for item in response.headers[name].split(",")}


async def preflight(client, path="/order", method="DELETE", **headers):
    """Ask as a browser does before a request that a form could not send."""
    return await client.options(path, headers={"Access-Control-Request-Method": method, **headers})


async def test_a_preflight_is_answered_from_the_contract(hosted):
    """Methods of the path, headers of its operations and of the credentials; an operation for OPTIONS is called."""
    async with calling(hosted(cors_origins=(PAGE,)), Origin=PAGE) as client:
        answer = await preflight(client)
        assert (await preflight(client, "/own")).json() == 2

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert listed(answer, "access-control-allow-methods") == {"get", "delete"}
    assert {"x-trace", "x-key", "authorization", "content-type"} <= listed(
        answer, "access-control-allow-headers"
    )
    assert "Origin" in answer.headers["vary"]


async def test_responses_and_errors_may_be_read_by_the_page(hosted):
    """With the documented headers, which browsers hide; a hidden 401, 404, 405 or 431 looks like a network failure."""
    async with calling(hosted(cors_origins=(PAGE,)), Origin=PAGE) as client:
        answers = [
            await client.get("/order"),
            await client.delete("/order"),
            await client.get("/none"),
            await client.put("/order"),
            await client.get("/order", headers={"X-Long": "x" * 40_000}),
        ]

    assert [one.status_code for one in answers] == [200, 401, 404, 405, 431]
    assert {one.headers["access-control-allow-origin"] for one in answers} == {PAGE}
    assert {"link", "x-request-id", "etag"} <= listed(answers[0], "access-control-expose-headers")


@pytest.mark.slow
@pytest.mark.parametrize(
    "origin", ["https://other.example", "https://app.example.evil", "null", PAGE + ":444"]
)
async def test_other_origins_get_no_permission(hosted, origin):
    """Origins are compared as they are written; caches keep the answers apart."""
    async with calling(hosted(cors_origins=(PAGE,)), Origin=origin) as client:
        answer, asked = await client.get("/order"), await preflight(client)

    assert answer.status_code == 200
    assert "Origin" in answer.headers["vary"]
    assert_problem(asked, 405, "METHOD_NOT_ALLOWED")
    for one in (answer, asked):
        assert "access-control-allow-origin" not in one.headers


async def test_every_origin_is_allowed_without_credentials(hosted):
    """Browsers refuse `*` together with credentials (Fetch Standard, "CORS protocol and credentials")."""
    answer = await ask(hosted(cors_origins=("*",)), "/order", headers={"Origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_it_is_off_by_default(hosted):
    """No header, and a preflight is a method that the path does not have."""
    async with calling(hosted(), Origin="http://localhost:3000") as client:
        answer, asked = await client.get("/order"), await preflight(client)
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert_problem(asked, 405, "METHOD_NOT_ALLOWED")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost:3000", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:8080", True),
        ("http://localhost.evil.example", False),
        (PAGE, False),
    ],
)
async def test_mocks_allow_the_pages_of_this_machine(hosted, origin, is_allowed):
    """A front end is developed against them, on a port of its own."""
    answer = await ask(hosted(missing=("mock",)), "/order", headers={"Origin": origin})
    assert (answer.headers.get("access-control-allow-origin") == origin) is is_allowed


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        *(((one,), "is not an origin") for one in ("app.example", f"{PAGE}/", "https://APP.example", "https://")),
        (("*", PAGE), "remove the others"),
    ],
)  # fmt: skip
def test_what_cannot_match_is_reported_before_the_start(hosted, origins, expected):
    """Single origins would have credentials, `*` has none."""
    with pytest.raises(SetupError, match=expected):
        hosted(cors_origins=origins)


ORDER = json_of(
    {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "example": 7}}}
)
REPLACE = operation("replace", requestBody={"required": True, **ORDER}, responses={"200": ORDER})
REPLACING = contract({"/order": {"put": REPLACE}})
CALL = """
    fetch("%s/order", {method: "PUT", headers: {"Content-Type": "application/json"}, body: '%s'})
        .then(async response => [response.status, response.headers.get("x-mock"), (await response.json()).id ?? null])
        .catch(error => String(error))
"""


EMPTY_PAGE = PreparedResponse(body=b"<!doctype html><title>page</title>", media_type="text/html")


@pytest.mark.slow
def test_a_page_on_another_port_calls_the_mock(tmp_path):
    """With a method and a media type that need a preflight; it reads results, errors and headers."""
    spec = tmp_path / "api.json"
    spec.write_text(json.dumps(REPLACING), "utf-8")
    (tmp_path / "browser").mkdir()
    with (
        answering(lambda _request: EMPTY_PAGE) as address,
        serving(tmp_path, "--spec", str(spec), "--missing", "mock", cwd=tmp_path) as service,
        browsing(tmp_path / "browser") as browser,
    ):
        browser.open(address)

        assert browser.evaluate(CALL % (service.url, '{"id": 1}')) == [200, "true", 7]
        assert browser.evaluate(CALL % (service.url, "{}")) == [400, None, None]
