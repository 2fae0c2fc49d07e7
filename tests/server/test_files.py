"""Files as results: `scripts/relay/server/reply.py` and `file_response.py`."""

import email
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relay
from relay.server.file_response import FileTruncated, open_source, plan, stream_of
from relay.server.reply import content_disposition, guessed_type
from support.hosting import ask, assert_problem, calling, contract, logged, operation

CONTENT = bytes(range(256)) * 1000
BINARY = {"schema": {"type": "string", "format": "binary"}}


def documented(*media_types, status="200"):
    return {status: {"description": "", "content": dict.fromkeys(media_types, BINARY)}}


OCTETS = documented("application/octet-stream")
RESPONSES = {
    **dict.fromkeys(["path", "open", "upload", "tagged", "missing"], OCTETS),
    "bytes": documented("text/csv", "application/pdf"),
    "range": documented("image/*"),
    "wrong": documented("image/png"),
    "starlette": documented("text/plain"),
    "other": documented("application/octet-stream", status="202"),
}
DOCUMENT = contract(
    {f"/{name}": {"get": operation(f"of_{name}", responses=answer)} for name, answer in RESPONSES.items()}
)
DOCUMENT["paths"]["/path"]["post"] = operation("post_path", responses=OCTETS)
THINGS = """
    import io
    from pathlib import Path
    from types import SimpleNamespace

    from starlette.responses import FileResponse

    import relay

    FOLDER = Path(__file__).parent
    opened = []

    def of_path():
        return relay.File(str(FOLDER / "content.bin"))

    post_path = of_path

    async def of_bytes():
        return relay.File(b"a,b", name="Größe.csv")

    def of_open():
        opened.append(io.BytesIO(b"0123456789"))
        return relay.File(opened[-1], name="a.pdf", inline=True)

    def of_upload():
        return relay.File(SimpleNamespace(file=io.BytesIO(b"up"), filename="../x.html", content_type="text/html"))

    def of_tagged():
        file = relay.File(io.BytesIO(b"0123456789"))
        return file, 200, {"ETag": '"v1"', "Cache-Control": "private, no-cache", "X-A": "b"}

    def of_range():
        return relay.File(b"GIF", name="a.gif", inline=True)

    def of_wrong():
        return relay.File(b"GIF", media_type="image/gif")

    def of_starlette():
        return FileResponse(FOLDER / "content.bin", media_type="text/plain", filename="a.txt")

    def of_missing():
        return relay.File(FOLDER / "missing.bin")

    def of_other():
        return relay.File(b"0123456789")
"""


@pytest.fixture
def hosted(hosting, tmp_path):
    def hosted(**given):
        application = hosting(DOCUMENT, settings=given, things=THINGS)
        (tmp_path / application.settings.handlers / "content.bin").write_bytes(CONTENT)
        return application

    return hosted


@pytest.fixture
async def client(hosted):
    async with calling(hosted()) as client:
        yield client


async def test_a_file_has_a_length_a_name_and_validators(client):
    """A client can show its progress, save it, and ask again later."""
    response = await client.get("/path")

    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["content-length"] == str(len(CONTENT))
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == 'attachment; filename="content.bin"'
    assert response.headers["accept-ranges"] == "bytes"
    assert {"etag", "last-modified"} < response.headers.keys()


@pytest.mark.parametrize(
    ("asked", "content", "where"),
    [
        ("bytes=1000-100999", CONTENT[1000:101000], "bytes 1000-100999/256000"),
        ("bytes=-10", CONTENT[-10:], "bytes 255990-255999/256000"),
        ("bytes=256000-", None, "bytes */256000"),
    ],
)
async def test_a_range_is_a_part_with_its_place(client, asked, content, where):
    """RFC 9110 section 14: one range, the end, and none that exists."""
    response = await client.get("/path", headers={"Range": asked})

    assert response.headers["content-range"] == where
    if content is None:
        assert_problem(response, 416, "RANGE_NOT_SATISFIABLE")
    else:
        assert (response.status_code, response.content) == (206, content)
        assert response.headers["content-length"] == str(len(content))


async def test_several_ranges_are_a_multipart_message(client):
    """Section 14.6; each part says where it is."""
    response = await client.get("/path", headers={"Range": "bytes=5-6,-3,0-1"})

    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + response.content).get_payload()
    assert response.status_code == 206
    assert response.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert response.headers["content-length"] == str(len(response.content))
    assert "content-range" not in response.headers
    assert [(part["Content-Range"], part["Content-Type"]) for part in parts] == [
        (f"bytes {place}/256000", "application/octet-stream") for place in ("5-6", "255997-255999", "0-1")
    ]
    assert [part.get_payload(decode=True) for part in parts] == [CONTENT[5:7], CONTENT[-3:], CONTENT[:2]]


async def test_a_client_that_has_the_file_gets_it_only_if_it_changed(hosted, tmp_path):
    """Section 13: 304, or 412 for a condition that fails; a part of another version is not sent."""
    application = hosted()
    async with calling(application) as client:
        first = await client.get("/path")
        tag, date = first.headers["etag"], first.headers["last-modified"]
        same = await client.get("/path", headers={"If-None-Match": tag})
        since = await client.get("/path", headers={"If-Modified-Since": date})
        resumed = await client.get("/path", headers={"If-Range": tag, "Range": "bytes=5-"})
        (tmp_path / application.settings.handlers / "content.bin").write_bytes(b"other")
        os.utime(tmp_path / application.settings.handlers / "content.bin", (1, 1))
        changed = await client.get("/path", headers={"If-None-Match": tag})
        failed = await client.get("/path", headers={"If-Match": tag})
        restarted = await client.get("/path", headers={"If-Range": tag, "Range": "bytes=2-"})

    assert [one.status_code for one in (same, since, resumed)] == [304, 304, 206]
    assert same.content == b""
    assert same.headers["etag"] == tag
    unwanted = {"content-length", "content-type", "content-disposition", "last-modified"}
    assert not same.headers.keys() & unwanted
    assert (changed.status_code, changed.content) == (200, b"other")
    assert changed.headers["etag"] != tag
    assert_problem(failed, 412, "PRECONDITION_FAILED")
    assert (restarted.status_code, restarted.content) == (200, b"other")


async def test_only_a_get_has_conditions(client):
    """A POST has done its work before its file is sent, and ranges are defined for GET only."""
    headers = {"If-None-Match": "*", "If-Match": '"x"', "Range": "bytes=0-1"}
    posted = await client.post("/path", headers=headers)
    other = await client.get("/other", headers=headers)
    assert (posted.status_code, posted.content) == (200, CONTENT)
    assert (other.status_code, other.content) == (202, b"0123456789")


UMLAUT = "attachment; filename=\"Groe.csv\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.csv"


@pytest.mark.parametrize(
    ("path", "media_type", "disposition"),
    [
        ("/bytes", "text/csv; charset=utf-8", UMLAUT),
        ("/open", "application/octet-stream", 'inline; filename="a.pdf"'),
        ("/upload", "application/octet-stream", 'attachment; filename="x.html"'),
        ("/range", "image/gif", 'inline; filename="a.gif"'),
    ],
)
async def test_the_name_says_the_media_type_where_the_contract_has_it(client, path, media_type, disposition):
    """Otherwise it is the documented one: the name may be a client's."""
    headers = (await client.get(path)).headers
    assert (headers["content-type"], headers["content-disposition"]) == (media_type, disposition)


@pytest.mark.parametrize("policy", ["enforce", "report"])
async def test_the_media_type_of_a_file_is_validated(hosted, caplog, policy):
    response = await ask(hosted(response_violations=policy), "/wrong")

    [line] = logged(caplog, "response violation")
    assert line.problem == "the contract documents no body of image/gif"
    if policy == "report":
        assert (response.status_code, response.content) == (200, b"GIF")
        assert response.headers["content-type"] == "image/gif"
    else:
        assert_problem(response, 500, "INTERNAL_ERROR")


async def test_a_handler_may_name_the_version_and_how_long_it_is_kept(client):
    """An open file has neither a date nor a tag of its own."""
    first = await client.get("/tagged", headers={"Range": "bytes=2-3", "If-Range": '"v1"'})
    same = await client.get("/tagged", headers={"If-None-Match": '"v1"'})
    assert (first.status_code, first.content) == (206, b"23")
    assert same.status_code == 304
    found = [same.headers.get_list(name) for name in ("etag", "cache-control", "x-a")]
    assert found == [['"v1"'], ["private, no-cache"], ["b"]]


async def test_a_file_response_of_starlette_is_a_file(client):
    """Its ranges and conditions are ours; it answers 400 to a malformed range, and 416 if one of two is missing."""
    whole = await client.get("/starlette", headers={"Range": "bytes=1"})
    part = await client.get("/starlette", headers={"Range": "bytes=1-2,999999-"})
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert whole.headers["content-disposition"] == 'attachment; filename="a.txt"'
    assert whole.headers.get_list("content-length") == ["256000"]
    assert (part.status_code, part.content) == (206, CONTENT[1:3])


async def test_a_file_that_is_missing_is_a_failure_of_the_service(client, caplog):
    response = await client.get("/missing")
    assert_problem(response, 500, "INTERNAL_ERROR")
    assert "missing.bin" not in response.text
    [line] = logged(caplog, "unexpected failure")
    assert line.exc_info


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_only_a_regular_file_is_sent(tmp_path, kind):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)

    with pytest.raises(OSError, match="is not a regular file"):
        open_source(path)


@pytest.mark.parametrize("source", [None, 1, iter([]), object(), {}])
def test_a_file_is_made_of_something_that_has_bytes(source):
    with pytest.raises(TypeError, match="a File is made of a path, bytes, an upload or a binary file"):
        relay.File(source)


async def test_head_has_the_headers_of_get_without_ranges(client):
    """RFC 9110 section 14.2: a Range is ignored where it is not a GET; the file is not read."""
    response = await client.head("/path", headers={"Range": "bytes=0-1"})
    same = await client.head("/path", headers={"If-None-Match": response.headers["etag"]})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(CONTENT))
    assert same.status_code == 304


async def test_a_file_that_becomes_shorter_breaks_the_connection(tmp_path):
    """The length is sent already; what is missing must not be made up."""
    path = tmp_path / "log"
    path.write_bytes(b"a" * 200_000)
    source = open_source(path)
    stream = await stream_of(source, plan(200, [], source, [], "GET"))
    await stream.next()
    os.truncate(path, 70_000)

    with pytest.raises(FileTruncated):
        await stream.next()
    await stream.close()
    await stream.close()


def test_an_open_file_is_closed():
    opened = io.BytesIO(b"a")
    open_source(opened).close()
    assert opened.closed


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("/etc/passwd", 'attachment; filename="passwd"'),
        ("..\\a.txt", 'attachment; filename="a.txt"'),
        ("a/", "attachment"),
        (".profile", 'attachment; filename=".profile"'),
        ('a"b%', "attachment; filename=\"a_b_\"; filename*=UTF-8''a%22b%25"),
        ("日本.txt", "attachment; filename=\"file.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt"),
        ("a\r\nb: c", "attachment; filename=\"a__b: c\"; filename*=UTF-8''a%0D%0Ab%3A%20c"),
        ("", "attachment"),
    ],
)
def test_a_name_is_written_for_every_client(name, written):
    """RFC 6266 section 4.3, and appendix D: quotes, percent signs and paths are not left to clients."""
    assert content_disposition(name, "attachment") == written


@given(st.text())
def test_no_name_breaks_out_of_its_header(name):
    written = content_disposition(name, "inline")
    assert written.isascii()
    assert written.isprintable()
    assert written.count('"') in (0, 2)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.tar.gz", "application/gzip"),
        ("a.unknown", "application/octet-stream"),
        ("http://a.test/b.csv", "text/csv"),
        ("data:text/html,a", "application/octet-stream"),
    ],
)
def test_a_media_type_is_guessed_from_the_end_of_a_name(name, media_type):
    """A name is not a URL, whatever it looks like."""
    assert guessed_type(name) == media_type
