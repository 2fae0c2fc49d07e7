"""Replies, cookies, and responses of Starlette and Connexion: `scripts/relay/server/reply.py` and `results.py`."""

from datetime import UTC, datetime
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relay
from support.hosting import assert_problem, calling, contract, logged, operation

SIZE = {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}}}
JSON = {"description": "", "content": {"application/json": {"schema": SIZE}}}
CSV = {**JSON["content"], "text/csv": {"schema": {"type": "string", "pattern": "^size"}}}
NOTHING = {"description": ""}
TEXT = {"schema": {"type": "string"}}
RESPONSES = {
    "replied": {"200": JSON, "201": {"description": "", "content": CSV}},
    "redirected": {"303": NOTHING},
    "html": {"200": {"description": "", "content": {"text/html": TEXT}}},
    "streamed": {"200": {"description": "", "content": {"text/csv": TEXT}}},
    "nothing": {"200": JSON, "204": NOTHING},
    "nothing_else": {"202": NOTHING},
    "empty": {"200": NOTHING},
    "undocumented": {"200": NOTHING},
    **{
        name: {"200": JSON}
        for name in (
            "baked json wrong_json wrong_empty connexion wrong_connexion streamed_connexion "
            "followed followed_async failing overwritten null"
        ).split()
    },
}
CSV_OR_NOT = {"200": {"description": "", "content": CSV}, "406": NOTHING}
DOCUMENT = contract(
    {
        **{f"/{name}": {"get": operation(name, responses=given)} for name, given in RESPONSES.items()},
        "/done": {"get": operation("show_done")},
        "/picky": {"get": operation("picky", responses=CSV_OR_NOT)},
        "/lenient": {"get": operation("lenient", responses={"200": CSV_OR_NOT["200"]})},
    }
)
THINGS = """
    import asyncio
    import json as standard_json

    from connexion import NoContent
    from connexion.lifecycle import ConnexionResponse
    from starlette.background import BackgroundTask
    from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

    import relay

    done = []

    def show_done():
        return done

    def picky():
        done.append("picky")
        return {"size": 1}

    lenient = picky

    def replied():
        return relay.Reply("size\\n1\\n", 201, {"X-A": ["b", 1]}, media_type="text/csv")

    def baked():
        cookies = [relay.Cookie("session", "a b"), relay.Cookie("theme", "dark", httponly=False, max_age=60)]
        return relay.Reply({"size": 1}, headers={"Set-Cookie": "old=1"}, cookies=cookies)

    def redirected():
        response = RedirectResponse("/login?next=/", 303)
        response.set_cookie("a", "b")
        response.delete_cookie("c")
        return response

    def html():
        return HTMLResponse("<p>", headers={"Content-Security-Policy": "default-src 'self'"})

    async def json():
        return JSONResponse({"size": 1}, background=BackgroundTask(done.append, "json"))

    def wrong_json():
        return JSONResponse({"size": "sk_canary"})

    def wrong_empty():
        return Response()

    def streamed():
        return StreamingResponse(iter(["size", "\\n1"]), media_type="text/csv", headers={"Content-Length": "6"})

    def connexion():
        return ConnexionResponse(200, "application/json", body='{ "size": 1 }', headers={"X-A": "b"})

    def wrong_connexion():
        return ConnexionResponse(content_type="application/json", body=b"{")

    def streamed_connexion():
        return ConnexionResponse(mimetype="application/json", body=iter(["{", "}"]), is_streamed=True)

    def nothing():
        return NoContent

    def nothing_else():
        return NoContent, 202

    def empty():
        return "", 200

    def followed():
        return relay.Reply({"size": 1}, background=lambda: done.append("plain"))

    async def followed_async():
        async def later():
            await asyncio.sleep(0.01)
            done.append("async")

        return relay.Reply({"size": 1}, background=later)

    def failing():
        def later():
            raise ValueError("sk_canary")

        return relay.Reply({"size": 1}, background=later)

    def overwritten():
        return {"size": 1}, {"Cache-Control": "max-age=60"}

    def undocumented():
        return {"size": 1}

    def null():
        return None
"""


async def test_a_reply_has_all_parts_of_a_response(get):
    """Its media type is the handler's choice, so that CSV can stand next to JSON."""
    response = await get("/replied")
    assert (response.status_code, response.text) == (201, "size\n1\n")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers.get_list("x-a") == ["b", "1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accept", "status"),
    [("text/csv", 200), ("text/*;q=0.1", 200), ("", 200), ("*/*", 200), ("text/html", 406), ("*/*;q=0", 406)],
)
async def test_nothing_acceptable_is_a_406_where_it_is_documented(hosted, accept, status):
    async with calling(hosted()) as client:
        response = await client.get("/picky", headers={"Accept": accept})
        done = (await client.get("/done")).json()
        lenient = await client.get("/lenient", headers={"Accept": accept})
    assert (response.status_code, lenient.status_code) == (status, 200)
    assert done == (["picky"] if status == 200 else [])


async def test_each_cookie_is_a_line(get):
    response = await get("/baked")

    assert response.json() == {"size": 1}
    assert response.headers.get_list("set-cookie") == [
        "old=1",
        'session="a b"; HttpOnly; Path=/; SameSite=Lax; Secure',
        "theme=dark; Max-Age=60; Path=/; SameSite=Lax; Secure",
    ]


async def test_a_redirect_of_starlette_is_sent(get):
    response = await get("/redirected")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=/")
    assert [line.partition("=")[0] for line in response.headers.get_list("set-cookie")] == ["a", "c"]


async def test_a_header_of_the_handler_replaces_the_default_one(get):
    """Two policies at once would both apply, so that a handler could not allow anything."""
    page = await get("/html")
    cached = await get("/overwritten")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert cached.headers.get_list("cache-control") == ["max-age=60"]
    assert cached.headers["x-content-type-options"] == "nosniff"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "status", "body", "headers"),
    [
        ("/json", 200, b'{"size":1}', {"content-type": "application/json", "content-length": "10"}),
        ("/connexion", 200, b'{ "size": 1 }', {"content-type": "application/json", "content-length": "13"}),
        ("/streamed", 200, b"size\n1", {"content-type": "text/csv; charset=utf-8", "content-length": None}),
        ("/streamed_connexion", 200, b"{}", {"content-type": "application/json", "content-length": None}),
        ("/nothing", 204, b"", {"content-type": None}),
        ("/nothing_else", 202, b"", {"content-type": None}),
        ("/empty", 200, b"", {"content-type": None}),
    ],
)
async def test_a_body_of_a_framework_is_sent_as_it_is(get, path, status, body, headers):
    """Streams are streams, and no content is no body."""
    response = await get(path)
    assert (response.status_code, response.content) == (status, body)
    assert {name: response.headers.get(name) for name in headers} == headers


@pytest.mark.parametrize(("path", "at"), [("/wrong_json", "/size"), ("/wrong_connexion", "/")])
async def test_responses_of_frameworks_are_validated(get, caplog, path, at):
    assert_problem(await get(path), 500, "INTERNAL_ERROR")
    [line] = logged(caplog, "response violation")
    assert (line.at, line.rule) == (at, "type")
    assert "sk_canary" not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "record"), [("/followed", "plain"), ("/followed_async", "async"), ("/json", "json")]
)
async def test_a_background_function_is_called_after_the_response(hosted, path, record):
    async with calling(hosted()) as client:
        assert (await client.get(path)).json() == {"size": 1}
        assert (await client.get("/done")).json() == [record]


async def test_a_background_function_that_fails_is_the_logs_affair(get, caplog):
    """The client has its response; the next request of its connection is answered."""
    response = await get("/failing")
    assert (response.status_code, response.json()) == (200, {"size": 1})
    [line] = logged(caplog, "a background function failed")
    assert line.exc_info[0] is ValueError


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/wrong_json", 200, b'{"size":"sk_canary"}'),
        ("/wrong_empty", 200, b""),
        ("/wrong_connexion", 200, b"{"),
        ("/undocumented", 200, b'{"size":1}'),
        ("/null", 204, b""),
    ],
)
async def test_violations_that_are_only_reported_are_sent(get, caplog, path, status, body):
    """RELAY_RESPONSE_VIOLATIONS=report; None without a status is a 204, as in Connexion."""
    response = await get(path, response_violations="report")
    assert (response.status_code, response.content) == (status, body)
    assert logged(caplog, "response violation")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "a b"}, "the name of a cookie must be a token"),
        ({"name": "a=b"}, "the name of a cookie must be a token"),
        ({"name": ""}, "the name of a cookie must be a token"),
        ({"path": "/; Domain=evil.test"}, "contains a semicolon"),
        ({"domain": "a\r\nb"}, "contains a semicolon or a control character"),
        ({"samesite": "Lax"}, "samesite must be"),
        ({"samesite": "none", "secure": False}, "must be secure"),
    ],
)
def test_a_cookie_that_could_say_more_than_it_should_is_refused(given, message):
    """Where it is made, so that the handler's line is in the log."""
    with pytest.raises(ValueError, match=message):
        relay.Cookie(**{"name": "a", "value": "b", **given})


def test_a_cookie_has_all_attributes():
    cookie = relay.Cookie(
        "a", "b", expires=datetime(2025, 1, 2, tzinfo=UTC), path="/x", domain="a.test", samesite="strict"
    )
    assert cookie.line == (
        "a=b; Domain=a.test; expires=Thu, 02 Jan 2025 00:00:00 GMT; HttpOnly; Path=/x; SameSite=Strict; Secure"
    )


@given(st.text())
def test_a_cookie_of_any_value_is_one_cookie(value):
    """Its value may be a client's; a client's library reads back what is Latin-1."""
    try:
        line = relay.Cookie("a", value).line
    except ValueError:
        return
    assert list(SimpleCookie(line)) == ["a"]
    assert not {*line} & {*"\r\n\0"}


def test_a_reply_without_arguments_is_no_body():
    reply = relay.Reply()
    assert (reply.body, reply.status, reply.background) == (None, None, None)
    assert (reply.headers, reply.cookies) == ({}, ())
