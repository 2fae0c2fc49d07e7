"""Bodies that are parts by position, through a whole service."""

import pytest

from support import sequences
from support.hosting import ask, assert_problem, calling, contract, operation
from support.parts import by_position, multipart

MIXED = "multipart/mixed"
SENT = {"Content-Type": f"{MIXED}; boundary=b"}
FILES = by_position({"type": "array", "prefixItems": [{"type": "string"}], "items": {}})
ANY = {"application/json": {"schema": {}}}


def answering(content):
    return {"200": {"description": "", "content": content}}


def taking(name, content, answer, **body):
    return {"post": operation(name, requestBody={"content": content, **body}, responses=answering(answer))}


GIVEN = {
    f"/{name}": {
        "get": operation(
            name, responses=answering({MIXED: {"itemSchema": {}} if name == "listed" else FILES})
        )
    }
    for name in ("iterated", "own", "listed", "wrong", "made")
}
DOCUMENT = contract({"/sizes": taking("sizes", {MIXED: FILES}, ANY), **GIVEN}, openapi="3.2.0")
THINGS = """
    import datetime

    import relay
    from starlette.responses import Response

    def sizes(body=()):
        return [one.size if isinstance(one, relay.Upload) else len(one) for one in body]

    def iterated():
        yield b"a"

    def own():
        body = b"--mine\\r\\n\\r\\na\\r\\n--mine--\\r\\n"
        return Response(body, media_type="multipart/mixed; boundary=mine")

    def listed():
        return [relay.Reply(b"a", headers={"X-A": "b"}, media_type="text/csv"), {"n": 1}]

    def wrong():
        return [5, relay.Reply(b"x", headers={"X-A": "b"})]

    def made():
        return relay.Reply([datetime.date(2026, 1, 2), b"x"], headers={"X-Whole": "y"})
"""


@pytest.fixture
async def client(hosting):
    """A client of a service with small limits."""
    limits = {"body_limit": 1000, "file_limit": 100_000}
    async with calling(hosting(DOCUMENT, settings=limits, things=THINGS)) as found:
        yield found


async def test_files_have_the_limit_of_files(client):
    large = await client.post("/sizes", content=multipart(("", b"a"), ("", b"x" * 90_000)), headers=SENT)
    long = await client.post("/sizes", content=multipart(("", b"a" * 2000), ("", b"x")), headers=SENT)
    both = await client.post("/sizes", content=multipart(("", b"a"), ("", b"x" * 100_001)), headers=SENT)
    assert large.json() == [1, 90_000]
    assert_problem(long, 413, "BODY_TOO_LARGE")
    assert_problem(both, 413, "BODY_TOO_LARGE")


async def test_a_body_is_optional_as_others_are(client):
    assert (await client.post("/sizes")).json() == []
    assert (await client.post("/sizes", content=multipart(), headers=SENT)).json() == []


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/own", [("text/plain", b"a")]),
        ("/listed", [("text/csv", b"a"), ("application/json", b'{"n":1}')]),
        ("/made", [("text/plain", b"2026-01-02"), ("application/octet-stream", b"x")]),
        ("/wrong", [("text/plain", b"5"), ("application/octet-stream", b"x")]),
    ],
)
async def test_values_are_sent_as_parts(hosting, path, parts):
    """Bytes with a boundary as they are, replies with their headers; a wrong list where it is only reported."""
    policy = "report" if path == "/wrong" else "enforce"
    sent = await ask(hosting(DOCUMENT, settings={"response_violations": policy}, things=THINGS), path)
    assert sequences.parts(sent.content, sent.headers["content-type"]) == parts
    assert (b"\r\nx-a: b\r\n" in sent.content) is (path in ("/listed", "/wrong"))
    assert sent.headers.get("x-whole") == ("y" if path == "/made" else None)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/iterated", "/wrong"])
async def test_what_cannot_be_written_as_parts_is_not_sent(client, path):
    """For an iterator, the schema describes the whole list, and the boundary is not known to who writes bytes."""
    assert_problem(await client.get(path), 500, "INTERNAL_ERROR")


PIECES = {
    "itemSchema": {},
    "prefixEncoding": [{"contentType": "application/json"}],
    "itemEncoding": {
        "contentType": "text/csv, image/*",
        "headers": {"X-N": {"required": True, "schema": {"type": "integer"}}},
    },
}
GIVE = {"itemSchema": {}, "itemEncoding": PIECES["itemEncoding"]}
PIECES_DOCUMENT = contract(
    {
        "/take": taking("take", {MIXED: PIECES}, ANY, required=True),
        "/give": taking("give", ANY, {MIXED: GIVE}, required=True),
        "/whole": {"get": operation("whole", responses=answering({MIXED: PIECES}))},
    },
    openapi="3.2.0",
)
PIECES_THINGS = """
    import relay
    from starlette.responses import Response

    def take(body):
        return [one if not isinstance(one, bytes) else "bytes" for one in body]

    def give(body):
        for one in body:
            if one is None:
                yield b"a"
            else:
                media_type, headers = one
                yield relay.Reply(b"a", headers=headers, media_type=media_type)

    def whole():
        body = b"--mine\\r\\nContent-Type: application/json\\r\\n\\r\\n1\\r\\n--mine\\r\\nContent-Type: text/csv\\r\\n\\r\\na\\r\\n--mine--\\r\\n"
        return Response(body, media_type="multipart/mixed; boundary=mine")
"""


@pytest.fixture
async def pieces(hosting):
    """A client of a service whose streams have parts with media types and headers."""
    async with calling(hosting(PIECES_DOCUMENT, things=PIECES_THINGS)) as found:
        yield found


FIRST = ("application/json", b"{}")


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        ("Content-Type: text/csv", "required"),
        ("Content-Type: text/csv\r\nX-N: one", "type"),
        ("Content-Type: text/html\r\nX-N: 1", "contentType"),
    ],
)
async def test_a_part_of_a_stream_is_refused_as_its_encoding_says(pieces, head, rule):
    right = multipart(FIRST, ("Content-Type: text/csv\r\nX-N: 1", b"a"))
    accepted = await pieces.post("/take", content=right, headers=SENT)
    refused = await pieces.post("/take", content=multipart(FIRST, (head, b"a")), headers=SENT)
    assert accepted.json() == [{}, "a"]
    assert refused.status_code == 400
    assert [(one["path"], one["rule"]) for one in refused.json()["errors"]] == [("/1", rule)]


@pytest.mark.parametrize(
    "wrong", [None, ["text/csv", {}], ["text/csv", {"X-N": "one"}], ["text/html", {"X-N": "1"}]]
)
async def test_a_part_of_a_stream_that_violates_its_encoding_is_not_sent(pieces, wrong):
    right = await pieces.post("/give", json=[["text/csv", {"X-N": "1"}], ["image/png", {"X-N": "2"}]])
    found = sequences.parts(right.content, right.headers["content-type"])
    assert [one for one, _ in found] == ["text/csv", "image/png"]
    assert_problem(await pieces.post("/give", json=[wrong]), 500, "INTERNAL_ERROR")


async def test_bytes_whose_parts_violate_their_encoding_are_not_sent(pieces):
    assert_problem(await pieces.get("/whole"), 500, "INTERNAL_ERROR")
