"""A service of OpenAPI 3.2: `tests/specs/observatory`."""

import base64
import hashlib

import pytest

from relay.project.settings import Settings
from relay.server.compilation import create
from specs.observatory import SESSION
from support import sequences
from support.hosting import assert_problem, calling
from support.parts import multipart
from support.running import ROOT

SPEC = ROOT / "tests/specs/observatory/openapi.yaml"
VEGA = {"name": "vega-1", "magnitude": 0.03, "kind": "single"}


@pytest.fixture
async def client():
    """A client with a session."""
    application = create(Settings(spec=SPEC, handlers="specs.observatory"))
    async with calling(application, **{"X-Session": SESSION}) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        {"json": {"names": ["vega-1"]}},
        {"data": {"names": "vega-1|deneb-1"}},
        {"json": {"names": ["vega-1"], "brighter": None}},
    ],
)
async def test_a_query_finds_stars(client, asked):
    found = await client.request("QUERY", "/v1/stars", **asked)
    assert (found.status_code, found.json()) == (200, [VEGA])


async def test_a_star_is_copied(client):
    copied = await client.request("COPY", "/v1/stars/vega-1/entry", json={"to": "altair-1"})
    assert copied.json() == {**VEGA, "name": "altair-1"}


async def test_pictures_are_files(client):
    parts = [
        ("image", ("a.png", b"\x89PNG", "image/png")),
        ("calibration", ("b", b"\0")),
        ("key", (None, b"-_8-")),
    ]
    filed = await client.post("/v1/pictures", files=parts)
    digest = base64.b64encode(hashlib.sha256(b"\x89PNG").digest()).decode()
    assert (filed.status_code, filed.json()) == (201, {"size": 4, "digest": digest})


async def test_a_night_is_filed_by_position(client):
    parts = [("", b'{"celsius": 4.5}'), ("", b"7"), ("image/jpeg", b"\xff")]
    sent = {"Content-Type": "multipart/mixed; boundary=b"}
    filed = await client.post("/v1/nights/vega-1", content=multipart(*parts), headers=sent)
    wrong = await client.post(
        "/v1/nights/vega-1", content=multipart(parts[0], ("", b"-7"), ("image/gif", b"")), headers=sent
    )
    assert (filed.status_code, filed.json()) == (201, {"celsius": 4.5, "parts": 3})
    errors = assert_problem(wrong, 400, "VALIDATION_ERROR")["errors"]
    assert [(one["path"], one["rule"]) for one in errors] == [("/2", "contentType")]


async def test_a_night_is_filed_as_parts_of_a_form(client):
    readings = multipart(("application/json", b'{"celsius": 2}'), ("", b"clear"), boundary="r")
    form = [
        ("readings", (None, readings, "multipart/mixed; boundary=r")),
        ("about", (None, b"seen=12", "application/x-www-form-urlencoded")),
    ]
    filed = await client.post("/v1/nights/vega-1", files=form)
    wrong = await client.post("/v1/nights/vega-1", files=[form[0], ("about", (None, b"seen=-1"))])
    assert (filed.status_code, filed.json()) == (201, {"celsius": 2, "parts": 2})
    assert assert_problem(wrong, 400, "VALIDATION_ERROR")["errors"][0]["path"] == "/about/seen"


async def test_a_night_is_sent_part_by_part(client):
    night = await client.get("/v1/nights/vega-1")
    reading, remark, earlier, picture = sequences.parts(night.content, night.headers["content-type"])
    assert (reading, remark) == (
        ("application/json", b'{"celsius":4.5}'),
        ("text/plain", b"vega-1 was bright"),
    )
    assert picture == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert earlier == ("multipart/mixed", [("application/json", b'{"celsius":%d}' % one) for one in (4, 3)])
    assert b"\r\ncontent-location: pictures/vega-1.png\r\n" in night.content
