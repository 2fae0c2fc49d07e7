"""Operations with other methods than those of OpenAPI 3.0: QUERY (RFC 10008) and `additionalOperations`."""

import pytest

from relay.contract.methods import CARRIED
from support.hosting import assert_problem, calling, contract, operation

BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object", "properties": {"x": {"type": "integer"}}}}},
}
DOCUMENT = contract(
    {
        "/stars": {
            "query": operation("find_stars", requestBody=BODY),
            "additionalOperations": {
                "COPY": operation("copy_stars", requestBody=BODY),
                "M-SEARCH": operation("search_stars"),
                "Copy": operation("typo"),
                "FROBNICATE": operation("unheard_of"),
            },
        }
    },
    openapi="3.2.0",
)
THINGS = """
async def find_stars(body):
    return body
async def copy_stars(body):
    return body
async def search_stars():
    return "found"
"""


async def test_a_query_is_validated_like_any_request_with_a_body(hosted):
    async with calling(hosted()) as client:
        found = await client.request("QUERY", "/stars", json={"x": 1})
        wrong = await client.request("QUERY", "/stars", json={"x": "one"})
        assert (found.status_code, found.json()) == (200, {"x": 1})
        assert_problem(wrong, 400, "VALIDATION_ERROR")


async def test_a_query_of_another_media_type_learns_which_ones_are_accepted(hosted):
    """`Accept-Query` names the query formats of a resource (RFC 10008); it is a list of structured fields."""
    async with calling(hosted()) as client:
        refused = await client.request("QUERY", "/stars", content="x", headers={"Content-Type": "text/sql"})
        copied = await client.request("COPY", "/stars", content="x", headers={"Content-Type": "text/sql"})
        assert_problem(refused, 415, "UNSUPPORTED_MEDIA_TYPE")
        assert refused.headers["accept-query"] == "application/json"
        assert "accept-query" not in copied.headers


async def test_methods_of_other_names_are_routed_and_allowed(hosted):
    async with calling(hosted()) as client:
        copied = await client.request("COPY", "/stars", json={"x": 2})
        found = await client.request("M-SEARCH", "/stars")
        refused = await client.get("/stars")
        assert (copied.json(), found.json()) == ({"x": 2}, "found")
        assert refused.status_code == 405
        assert {"COPY", "M-SEARCH", "QUERY"} <= set(refused.headers["allow"].split(", "))


async def test_a_preflight_lists_them(hosted):
    """A browser sends QUERY only after a preflight, for it is not on the list of safe methods."""
    async with calling(hosted(cors_origins=["https://app.example"])) as client:
        asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "QUERY"}
        answer = await client.options("/stars", headers=asked)
        assert answer.headers["access-control-allow-methods"] == "COPY, M-SEARCH, QUERY"


def test_every_method_that_is_served_is_read(tmp_path):
    httptools = pytest.importorskip("httptools")

    class Seen:
        """Takes no events."""

    for method in sorted(CARRIED):
        parser = httptools.HttpRequestParser(Seen())
        parser.feed_data(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert parser.get_method() == method.encode()
