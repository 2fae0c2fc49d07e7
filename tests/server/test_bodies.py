"""Bodies of requests, in memory and as files: `relay.server.bodies`."""

import asyncio
import errno
import os
import sys

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.tables import Limits
from relay.server import bodies
from relay.validation.spools import IN_MEMORY, Spools
from support.hosting import ask, assert_problem, calling, contract, logged, operation, post_messages, query

FILE = {"type": "string", "format": "binary"}
INTEGER = {"type": "integer"}
FORM = {
    "type": "object",
    "properties": {"file": FILE, "files": {"type": "array", "items": FILE}, "note": {"type": "string"}},
}
LARGE = os.urandom(3 * IN_MEMORY)
PARTS = "multipart/form-data; boundary=b"
FILE_PART = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'


def taking(content, **rest):
    """An operation `take` that takes bodies of these media types, by schema or Media Type Object."""
    documented = {
        name: one if {"schema", "encoding"} & one.keys() else {"schema": one} for name, one in content.items()
    }
    body = {"required": True, "content": documented}
    return contract({"/a": {"post": operation("take", requestBody=body, **rest)}})


def form(schema=FORM):
    return taking({"multipart/form-data": schema})


SIZES = """
    import relay

    kept = []

    def _size(value):
        kept.append(value)
        return len(value.read()) if isinstance(value, relay.Upload) else value

    def take(body):
        if not isinstance(body, dict):
            return _size(body)
        return {key: [_size(one) for one in value] if isinstance(value, list) else _size(value) for key, value in body.items()}
"""
NOTHING = "def take(body): return None\n"


@pytest.fixture
def hosted(hosting):
    return lambda document, things=SIZES, **settings: hosting(document, settings=settings, things=things)


@pytest.fixture
def spools(monkeypatch):
    """Count the temporary files that are open."""

    class Counted(Spools):
        opened, closed = 0, 0

        def open(self):
            file = super().open()
            self.opened += 1
            return file

        def close(self, file):
            super().close(file)
            self.closed += 1

    made = Counted(8)
    monkeypatch.setattr(bodies, "_SPOOLS", made)
    return made


async def post(application, content_type=None, **request):
    headers = {"Content-Type": content_type} if content_type else {}
    return await ask(application, method="POST", headers=headers, **request)


def refusal(response):
    """Path, rule and message of the only violation of a request."""
    (error,) = assert_problem(response, 400, "VALIDATION_ERROR")["errors"]
    assert error["in"] == "body"
    return error["path"], error["rule"], error["message"]


def kept():
    """The values that the handler of the last package has kept."""
    name = [one for one in sys.modules if one.startswith("package_") and one.endswith(".things")][-1]
    return sys.modules[name].kept


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
async def test_files_of_a_form_are_uploads_until_the_request_ends(hosted, spools, content):
    """In memory or in a file; a handler's thread that keeps one gets an error, not another file."""
    sent = [("file", ("a.png", content)), ("files", ("b", b"1")), ("files", ("c", b"23"))]
    response = await post(hosted(form()), files=sent, data={"note": "x"})
    assert response.json() == {"file": len(content), "files": [1, 2], "note": "x"}
    assert spools.opened == spools.closed == (1 if content is LARGE else 0)
    with pytest.raises(ValueError, match="the request has ended"):
        kept()[-1].head(1)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
async def test_a_file_may_be_described_through_all_of(hosted, version):
    """In 3.0, a `$ref` has siblings only so; each part of an `allOf` applies."""
    to_file = {"allOf": [{"$ref": "#/components/schemas/File"}]}
    null = {"nullable": True} if version == "3.0.3" else {}
    fields = {
        "file": to_file,
        "cover": {**to_file, **null, "description": "its front"},
        "files": {"type": "array", "items": {"allOf": [to_file]}},
    }
    document = form({"type": "object", "properties": fields})
    document |= {"openapi": version, "components": {"schemas": {"File": FILE}}}
    sent = [(name, (name, b"\xff\xfe")) for name in ("file", "cover", "files")]

    assert (await post(hosted(document), files=sent)).json() == {"file": 2, "cover": 2, "files": [2]}


async def test_a_file_name_makes_a_file_where_the_schema_says_nothing(hosted):
    """A free form takes what an HTML form sends."""
    sent = {"a": ("a.bin", b"\xff\xfe"), "b": (None, b"text")}
    assert (await post(hosted(form({"type": "object"})), files=sent)).json() == {"a": 2, "b": "text"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("annotation", "is_upload"),
    [
        ("", False),
        (": bytes", False),
        (": relay.Upload", True),
        (": 'Upload'", True),
        (": 'relay.Upload | None'", True),
        (": dict | relay.Upload", True),
        (": 'Uploaded'", False),
    ],
)
@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
async def test_a_binary_body_is_an_upload_where_the_handler_says_so(
    hosted, spools, annotation, is_upload, content
):
    things = f"""
        import relay

        def take(body{annotation}):
            if isinstance(body, bytes):
                return ["bytes", len(body)]
            return [body.media_type, body.size, body.name]
    """
    application = hosted(taking({"image/*": FILE, "application/json": {}}), things)

    response = await post(application, "image/png", content=content)

    assert response.json() == (["image/png", len(content), ""] if is_upload else ["bytes", len(content)])
    assert spools.opened == spools.closed == (1 if content is LARGE else 0)


SIZED = {**FILE, "minLength": 2, "maxLength": 3}


@pytest.mark.parametrize("annotation", ["", ": relay.Upload"])
@pytest.mark.parametrize(("media_type", "schema"), [("image/png", SIZED), ("*/*", {"allOf": [SIZED]})])
async def test_the_bytes_of_a_binary_body_are_counted(hosted, annotation, media_type, schema):
    """As those of a file in a form; no other keyword says anything about them."""
    things = f"import relay\n\ndef take(body{annotation}):\n    return True\n"
    async with calling(
        hosted(taking({media_type: schema}), things), **{"Content-Type": "image/png"}
    ) as client:
        found = [await client.post("/a", content=b"\xff" * size) for size in (1, 2, 3, 4)]

    assert [one.status_code for one in found] == [400, 200, 200, 400]
    assert [refusal(one)[1] for one in (found[0], found[3])] == ["minLength", "maxLength"]


async def test_a_large_file_is_counted_through_all_of(hosted):
    sized = {"allOf": [{**FILE, "maxLength": len(LARGE) - 1}]}
    application = hosted(form({"type": "object", "properties": {"file": sized}}))
    assert refusal(await post(application, files={"file": ("a", LARGE)}))[1] == "maxLength"


async def test_json_next_to_a_binary_body_is_json(hosted):
    """The message's own media type decides."""
    things = "import relay\n\ndef take(body: dict | relay.Upload):\n    return body\n"
    application = hosted(taking({"image/*": FILE, "application/json": {}}), things)
    assert (await post(application, json={"a": 1})).json() == {"a": 1}


PAGE = {"X-Page": {"required": True, "schema": INTEGER}, "Content-Type": {"required": True}}
META = {"contentType": "application/json"}
ENCODED = {
    "schema": {"type": "object", "properties": {"file": FILE, "meta": {"type": "array", "items": INTEGER}}},
    "encoding": {"file": {"contentType": "image/png, image/svg+*, audio/*", "headers": PAGE}, "meta": META},
}


def meta(*texts):
    return {"files": [("meta", (None, text, "application/json")) for text in texts]}


def a_file(media_type, **headers):
    return {"files": {"file": ("a", b"12", media_type, headers)}}


def with_page(media_type):
    return a_file(media_type, **{"X-Page": "1"})


NAMELESS = FILE_PART[:-2].replace(b'"file"', b'"file"; filename="a"') + b"X-Page: 1\r\n\r\nGIF\r\n--b--\r\n"
OTHER_TYPE = ("/file", "contentType", "the part's media type is not one of image/png, image/svg+*, audio/*")
NOT_JSON = "not JSON: line 1, column 2"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        *((with_page(one), {"file": 2}) for one in ("image/png", "IMAGE/PNG; q=1", "audio/ogg")),
        *((with_page(one), OTHER_TYPE) for one in ("image/gif", "text/plain", "image")),
        # A part that declares no media type is text (RFC 7578 section 4.4).
        ({"content_type": PARTS, "content": NAMELESS}, OTHER_TYPE),
        (a_file("image/png"), ("/file", "required", "header X-Page: ")),
        (a_file("image/png", **{"X-Page": "one"}), ("/file", "type", "header X-Page: ")),
        (meta("{1"), ("/meta", "format", NOT_JSON)),
        (meta("1", "{1"), ("/meta/1", "format", NOT_JSON)),
        (meta("[1, 2]"), {"meta": [1, 2]}),
        (meta("1", "2"), {"meta": [1, 2]}),
    ],
)  # fmt: skip
async def test_a_part_is_read_as_its_encoding_object_says(hosted, sent, expected):
    response = await post(hosted(form(ENCODED)), **sent)
    if isinstance(expected, dict):
        assert response.json() == expected
    else:
        *where, message = refusal(response)
        assert (*where, message[: len(expected[-1])]) == expected


async def test_says_which_field_cannot_be_read(hosted):
    document = taking({"application/x-www-form-urlencoded": {**ENCODED, "encoding": {"meta": META}}})
    assert refusal(await post(hosted(document), data={"meta": "{1"})) == ("/meta", "json", NOT_JSON)


@pytest.mark.parametrize(
    ("size", "rule"), [(2, "minLength"), (3, None), (200_000, None), (200_001, "maxLength")]
)
async def test_the_length_of_a_file_is_its_number_of_bytes(hosted, size, rule):
    schema = {"type": "object", "properties": {"file": {**FILE, "minLength": 3, "maxLength": 200_000}}}
    response = await post(hosted(form(schema)), files={"file": b"\xff" * size})
    if rule is None:
        assert response.json() == {"file": size}
    else:
        assert refusal(response)[:2] == ("/file", rule)


async def chunks(size, piece=1000):
    for start in range(0, size, piece):
        yield b"a" * min(piece, size - start)


class TestLimits:
    """How large a body may be."""

    @pytest.mark.parametrize(
        ("media_type", "most"),
        [
            *((name, 10) for name in ("application/json", "text/plain", "application/xml")),
            *((name, 20) for name in ("image/png", "video/ogg")),
        ],
    )
    async def test_binary_bodies_have_a_limit_of_their_own(self, hosted, media_type, most):
        names = ("application/json", "text/plain", "application/xml", "image/*", "video/ogg")
        application = hosted(taking({name: {} for name in names}), NOTHING, body_limit=10, file_limit=20)
        async with calling(application, **{"Content-Type": media_type}) as client:
            assert (await client.post("/a", content=b"1" * most)).status_code == 200
            assert_problem(await client.post("/a", content=b"1" * (most + 1)), 413, "BODY_TOO_LARGE")
            assert_problem(await client.post("/a", content=chunks(most + 1)), 413, "BODY_TOO_LARGE")

    @pytest.mark.parametrize(
        ("schema", "is_large"),
        [(FORM, True), ({"type": "object"}, True), ({"properties": {"note": {}}}, False)],
    )
    async def test_forms_with_files_have_that_of_files(self, hosted, schema, is_large):
        application = hosted(form(schema), body_limit=300, file_limit=2000)
        response = await post(application, files={"file": b"1" * 1000})
        assert (response.status_code == 200) is is_large

    async def test_the_values_of_a_form_have_that_of_json_together(self, hosted):
        application = hosted(form(), body_limit=300, file_limit=20_000)
        response = await post(application, files={"file": b"1" * 1000}, data={"note": ["1" * 200, "2" * 200]})
        assert_problem(response, 413, "BODY_TOO_LARGE")

    async def test_a_body_limit_above_that_of_files_is_for_both(self, hosted):
        application = hosted(taking({"image/png": FILE}), body_limit=30, file_limit=20)
        assert (await post(application, "image/png", content=b"1" * 30)).json()

    @pytest.mark.parametrize("key", ["take", "POST /a"])
    async def test_an_operation_has_its_own_by_media_type(self, hosted, key):
        limits = Limits({key: {"image/*": 50, "application/json": 5}})
        document = taking({"image/png": FILE, "application/json": {}, "text/plain": {}})
        application = hosted(document, NOTHING, limits=limits, body_limit=10, file_limit=20)

        async with calling(application) as client:
            for media_type, most in {"image/png": 50, "application/json": 5, "text/plain": 10}.items():
                headers = {"Content-Type": media_type}
                assert (await client.post("/a", content=b"1" * most, headers=headers)).status_code == 200
                response = await client.post("/a", content=b"1" * (most + 1), headers=headers)
                assert_problem(response, 413, "BODY_TOO_LARGE")

    def test_an_operation_that_is_not_there_is_an_error(self, hosted):
        """A misspelt name would leave the limit as it is; `tests/project/test_tables.py` has the messages."""
        with pytest.raises(SetupError, match=r"^here\.tak: 'tak' is none of the contract's operations"):
            hosted(taking({"image/png": FILE}), limits=Limits({"tak": {"*/*": 1}}, "here"))


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        (errno.ENOSPC, (507, "INSUFFICIENT_STORAGE")),
        (errno.EDQUOT, (507, "INSUFFICIENT_STORAGE")),
        (errno.EACCES, (500, "STORAGE_FAILED")),
        (errno.ENOENT, (500, "STORAGE_FAILED")),
    ],
)
async def test_a_disk_that_takes_no_more_is_one_line_in_the_log(
    hosted, spools, monkeypatch, caplog, number, answer
):
    """No traceback: it is not a defect of the service."""

    def fail():
        raise OSError(number, "-")

    monkeypatch.setattr(spools, "open", fail)

    assert_problem(await post(hosted(form()), files={"file": LARGE}), *answer)
    (record,) = logged(caplog, "failed")
    cause = type(OSError(number, "-")).__name__
    assert (record.code, record.cause, record.exc_info) == (answer[1], cause, None)


async def test_too_many_files_are_an_overload(hosted, monkeypatch):
    """Descriptors are needed for connections."""
    monkeypatch.setattr(bodies, "_SPOOLS", Spools(0))
    response = await post(hosted(form()), files={"file": LARGE})
    assert_problem(response, 503, "OVERLOADED")
    assert response.headers["retry-after"] == "1"


class TestArriving:
    """Bodies that take their time."""

    @pytest.mark.slow
    async def test_a_body_that_keeps_arriving_may_take_any_time(self, hosted, monkeypatch):
        """The deadline is for progress, not for the whole."""
        monkeypatch.setattr(bodies, "BODY_SECONDS", 0.4)

        async def slowly():
            for _ in range(8):
                await asyncio.sleep(0.1)
                yield b"a" * bodies.BODY_BYTES

        application = hosted(taking({"image/png": FILE}), "def take(body): return len(body)\n")

        assert (await post(application, "image/png", content=slowly())).json() == 8 * bodies.BODY_BYTES

    @pytest.mark.slow
    @pytest.mark.parametrize("media_type", ["image/png", PARTS, "text/plain"])
    async def test_one_that_trickles_is_refused(self, hosted, monkeypatch, spools, media_type):
        monkeypatch.setattr(bodies, "BODY_SECONDS", 0.4)

        async def slowly():
            yield FILE_PART + LARGE
            while True:
                await asyncio.sleep(0.05)
                yield b"a"

        document = taking({"image/png": FILE, "multipart/form-data": FORM, "text/plain": {}})
        async with asyncio.timeout(10):
            response = await post(hosted(document, body_limit=1_000_000), media_type, content=slowly())

        assert_problem(response, 408, "BODY_TOO_SLOW")
        assert spools.opened == spools.closed == (0 if media_type == "text/plain" else 1)

    async def test_a_client_that_leaves_leaves_no_file(self, hosted, spools):
        application = hosted(form())
        messages = iter([{"type": "http.request", "body": FILE_PART + LARGE, "more_body": True}])

        async def receive():
            return next(messages, {"type": "http.disconnect"})

        async with application.running():
            first, *_ = await post_messages(application, receive, PARTS)

        assert first["status"] == 400
        assert spools.opened == spools.closed == 1

    async def test_an_invalid_request_leaves_no_file(self, hosted, spools):
        """Its body has arrived before its parameters are checked."""
        document = taking({"multipart/form-data": FORM}, parameters=[query("q", {}, required=True)])
        response = await post(hosted(document, "def take(body, q): ...\n"), files={"file": LARGE})
        assert_problem(response, 400, "VALIDATION_ERROR")
        assert spools.opened == spools.closed == 1

    async def test_a_malformed_form_is_not_read_to_its_end(self, hosted):
        pieces = []

        async def endless():
            yield FILE_PART + b"\r\n--b\r\nX\r\n"
            for number in range(100):
                pieces.append(number)
                yield b"a" * 1000

        assert refusal(await post(hosted(form()), PARTS, content=endless()))[:2] == ("", "format")
        assert len(pieces) < 5


async def test_the_file_of_a_form_that_the_client_calls_text_is_not_read_into_memory(hosted, spools):
    """The schema decides, whatever the part declares."""
    response = await post(hosted(form()), files={"file": (None, LARGE, "text/plain")})
    assert response.json() == {"file": len(LARGE)}
    assert spools.opened == 1


@pytest.mark.parametrize("annotation", ["relay.Upload", "bytes"])
async def test_an_empty_body_is_no_body(hosted, annotation):
    """A required one is missing then, whatever its media type."""
    things = f"import relay\n\ndef take(body: {annotation}):\n    return 'taken'\n"
    application = hosted(taking({"application/octet-stream": FILE}), things)
    async with calling(application, **{"Content-Type": "application/octet-stream"}) as client:
        assert_problem(await client.post("/a", content=b""), 400, "VALIDATION_ERROR")
        assert (await client.post("/a", content=b"1")).json() == "taken"
