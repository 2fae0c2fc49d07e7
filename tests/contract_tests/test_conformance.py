"""Check one exchange against the contract: `scripts/relay/contract_tests/conformance.py`.

Each rule fires where it should and stays silent where an exchange only looks alike.
"""

import json

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.exchanges import Exchange, Request
from support.compiled import read
from support.hosting import contract, operation, query
from support.running import ROOT

SECRET = "S3cret-Of-Nobody"
PROBLEM = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
FAILED = {
    "description": "no",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/E"}}},
}
PET = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def responses_of(**content):
    """A documented response; `_` stands for `/`, a range is called `any`."""
    written = {
        name.replace("_", "/", 1).replace("any", "*"): {"schema": one} for name, one in content.items()
    }
    return {"description": "ok", **({"content": written} if written else {})}


SHOWN = responses_of(application_json=PET, text_any={"type": "string", "maxLength": 5})
SHOW = {
    "200": {**SHOWN, "headers": {"X-Count": {"required": True, "schema": {"type": "integer"}}}},
    "204": responses_of(),
    "304": responses_of(application_json=PET),
    **dict.fromkeys(("401", "4XX", "default"), FAILED),
}
REMOVE = {"204": responses_of(), "404": FAILED, "409": responses_of()}
SENT_PET = {"required": True, "content": {"application/json": {"schema": PET}}}
DOCUMENT = contract(
    {
        "/pets/{id}": {
            "parameters": [query("id", {"type": "integer"}, "path", required=True)],
            "get": operation("show", responses=SHOW),
            "delete": operation("remove", responses=REMOVE),
        },
        "/pets": {
            "head": operation("peek", responses={"200": responses_of(application_json=PET)}),
            "post": operation("add", requestBody=SENT_PET, responses={"201": responses_of(), "400": FAILED}),
        },
        "/photo": {"get": operation("photo", responses={"200": responses_of(image_png={"type": "object"})})},
    },
    components={"schemas": {"E": PROBLEM}},
)
CONTRACT = read(DOCUMENT)
CHECKER = ConformanceChecker(CONTRACT, "/v1", [SECRET])
JSON = ("Content-Type", "application/json")
COUNT = ("X-Count", "1")


def exchange(method, path, status, body=b"", *headers, sent=b"", sending=()):
    """An exchange below `/v1`; a body that is not bytes is dumped as JSON."""
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method, f"http://host/v1{path}", tuple(sending), sent)
    return Exchange(request, status, headers, written, "test")


def rules(*arguments, by=CHECKER, **rest):
    return [failure.rule for failure in by.check(exchange(*arguments, **rest))]


def of_one(responses, **more):
    return ConformanceChecker(
        read(contract({"/a": {"get": operation("a", responses=responses)}}, **more)), "/v1"
    )


ERROR = {"error": "x"}
PNG, TEXT = ("Content-Type", "image/png"), ("Content-Type", "text/plain")
UTF16 = ("Content-Type", "text/plain; charset=utf-16")
MARKDOWN = ("Content-Type", "text/markdown")
ALLOW = ("Allow", "GET, DELETE")


@pytest.mark.parametrize(
    ("path", "status", "body", "headers", "found"),
    [
        pytest.param(*case, id=id_)
        for id_, case in {
            "conforms": ("GET /pets/1", 200, {"id": 1}, [JSON, COUNT], []),
            # A status matches its code, or else its range, or else `default`; these have schemas, too.
            "a status of a range": ("GET /pets/1", 404, ERROR, [JSON], []),
            "a status of default": ("GET /pets/1", 500, ERROR, [JSON], []),
            "a redirect of default": ("GET /pets/1", 302, ERROR, [JSON], []),
            "a body of a range": ("GET /pets/1", 418, {}, [JSON], ["response-violation"]),
            "a body of default": ("GET /pets/1", 500, {}, [JSON], ["response-violation"]),
            **{
                f"the media type {name!r}": ("GET /pets/1", 200, {"id": 1},
                 [("Content-Type", name), COUNT], ["undocumented-media-type"])
                for name in ("application/xml", "application/problem+json", "", "image/png")
            },
            "parameters of a media type": ("GET /pets/1", 200, {"id": 1},
             [("content-type", "Application/JSON; charset=utf-8"), COUNT], []),
            "a text of a range": ("GET /pets/1", 200, b"short", [MARKDOWN, COUNT], []),
            "a wrong text of a range": ("GET /pets/1", 200, b"longer", [MARKDOWN, COUNT], ["response-violation"]),
            "a charset": ("GET /pets/1", 200, "short".encode("utf-16"), [UTF16, COUNT], []),
            "a wrong text in a charset": ("GET /pets/1", 200, "longer".encode("utf-16"), [UTF16, COUNT],
             ["response-violation"]),
            # OpenAPI has no schemas for a binary media type, even if the bytes are text.
            "a file": ("GET /photo", 200, b"\x89PNG", [PNG], []),
            "a file of text": ("GET /photo", 200, b"text by chance", [PNG], []),
            "a header that is missing": ("GET /pets/1", 200, {"id": 1}, [JSON], ["response-header"]),
            "a wrong header": ("GET /pets/1", 200, {"id": 1}, [JSON, ("X-Count", "many")], ["response-header"]),
            "other headers": ("GET /pets/1", 200, {"id": 1}, [JSON, ("x-count", "2"), ("Server", "x")], []),
            "a 401 without a challenge": ("GET /pets/1", 401, ERROR, [JSON], ["missing-challenge"]),
            "a 401": ("GET /pets/1", 401, ERROR, [JSON, ("www-authenticate", "Bearer")], []),
            "a 403": ("GET /pets/1", 403, ERROR, [JSON], []),
            # Order, case and number of lines are free; additional methods are allowed.
            "a 405 with one method": ("PUT /pets/1", 405, ERROR, [JSON, ("Allow", "GET")], ["incomplete-allow"]),
            "a 405 without methods": ("PUT /pets/1", 405, ERROR, [JSON], ["incomplete-allow"]),
            "a 405": ("PUT /pets/1", 405, ERROR, [JSON, ("Allow", "delete"), ("Allow", "HEAD, get")], []),
            **{
                f"an unknown {method}": (f"{method} /pets/1", 200, b"", [], ["undocumented-method"])
                for method in ("PUT", "PATCH", "TRACE")
            },
            # A server may support these for any resource.
            "HEAD": ("HEAD /pets/1", 200, b"", [], []),
            "OPTIONS": ("OPTIONS /pets/1", 200, b"", [], []),
            "a refused PUT": ("PUT /pets/1", 404, ERROR, [JSON], []),
            # Most contracts describe some errors without a body; one that has the shape of the others is no fault.
            "an error in words": ("DELETE /pets/1", 409, b"", [JSON], []),
            "an error in words with a body": ("DELETE /pets/1", 409, ERROR, [JSON], []),
            "an error in words with another": ("DELETE /pets/1", 409, {"text": "x"}, [JSON], ["error-shape"]),
            "a traceback": ("GET /pets/1", 500, {"error": "Traceback (most recent call last):"}, [JSON],
             ["leaked-traceback"]),
            "the word traceback": ("GET /pets/1", 500, {"error": "Traceback (most recent call first)"}, [JSON], []),
        }.items()
    ],
)  # fmt: skip
def test_an_exchange_violates_these_rules(path, status, body, headers, found):
    assert rules(*path.split(), status, body, *headers) == found


class TestStatus:
    """undocumented-status."""

    def test_an_undocumented_one_is_reported_with_the_documented_ones(self):
        [failure] = CHECKER.check(exchange("DELETE", "/pets/1", 200))

        assert failure.rule == "undocumented-status"
        assert failure.message == "DELETE /pets/{id} responded 200; the contract documents 204, 404, 409"
        assert failure.operation == "DELETE /pets/{id}"
        assert failure.where == CONTRACT.place(("paths", "/pets/{id}", "delete", "responses"))


class TestBody:
    """response-violation, not-json, undocumented-media-type, unexpected-body."""

    def test_is_validated_against_its_schema(self):
        """The message has the location of the violation, but not the value."""
        [failure] = CHECKER.check(exchange("GET", "/pets/1", 200, {"id": "canary"}, JSON, COUNT))

        assert failure.rule == "response-violation"
        assert failure.message.startswith("200 of GET /pets/{id} violates its schema at /id: ")
        assert "canary" not in failure.message

    @pytest.mark.parametrize(
        "body", [b"", b"{", b'{"id": 1, "id": 2}', b'{"id": NaN}', b'{"id": 1, "a": "\xff"}']
    )
    def test_is_json_that_all_parsers_read_the_same(self, body):
        [failure] = CHECKER.check(exchange("GET", "/pets/1", 200, body, JSON, COUNT))

        assert failure.rule == "not-json"
        assert failure.message.startswith(
            "200 of GET /pets/{id} is not JSON that all parsers read the same: "
        )

    def test_must_be_absent_if_none_is_documented(self):
        assert rules("POST", "/pets", 400, {"error": "x"}, JSON) == []
        created = {"sent": b'{"id": 1}', "sending": [JSON]}

        assert rules("POST", "/pets", 201, b"", JSON, **created) == []
        assert rules("POST", "/pets", 201, {"id": 1}, JSON, **created) == ["unexpected-body"]

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("GET", "/pets/1", 304), ("GET", "/pets/1", 204), ("HEAD", "/pets", 200)],
    )
    def test_is_not_required_of_responses_that_never_have_one(self, method, path, status):
        """This holds even if a schema is documented; a body that is present is reported."""
        assert rules(method, path, status) == []
        assert rules(method, path, status, {"id": 1}, JSON) == ["unexpected-body"]


class TestParts:
    """A range or conditional request of a file gets a status that the contract need not document."""

    @pytest.mark.parametrize(
        ("status", "asked", "found"),
        [
            (206, "Range", []),
            (206, "If-Match", ["undocumented-status"]),
            (206, "X-Other", ["undocumented-status"]),
            (304, "If-None-Match", []),
            (304, "If-Modified-Since", []),
            (304, "Range", ["undocumented-status"]),
            (412, "If-Match", []),
            (412, "if-unmodified-since", []),
            (416, "range", []),
            (416, "X-Other", ["undocumented-status"]),
        ],
    )
    def test_are_answers_only_where_they_are_asked_for(self, status, asked, found):
        png = ("Content-Type", "image/png") if status == 206 else JSON
        body = b"\x89P" if status == 206 else b"" if status == 304 else {"error": "x"}

        assert rules("GET", "/photo", status, body, png, sending=[(asked, "x")]) == found

    @pytest.mark.parametrize(
        ("media_type", "found"),
        [
            ("multipart/byteranges; boundary=a", []),
            ("image/png", []),
            ("image/gif", ["undocumented-media-type"]),
        ],
    )
    def test_have_the_media_type_of_the_whole(self, media_type, found):
        """Several are a message of their own; the bytes are not validated, as they may end anywhere."""
        kind = ("Content-Type", media_type)

        assert rules("GET", "/photo", 206, b"x", kind, sending=[("Range", "x")]) == found

    def test_have_the_headers_of_the_whole_and_errors_their_envelope(self):
        asked = {"sending": [("Range", "bytes=0-")]}

        assert rules("GET", "/pets/1", 206, b'{"i', JSON, **asked) == ["response-header"]
        assert rules("GET", "/photo", 416, b"no", TEXT, **asked) == ["error-shape"]

    def test_are_not_the_answers_to_writes(self):
        asked = {"sent": b'{"id": 1}', "sending": [JSON, ("Range", "bytes=0-")]}

        assert rules("POST", "/pets", 206, b"", **asked) == ["undocumented-status"]


def test_several_cookies_are_judged_one_by_one():
    cookies = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")]
    schema = {"type": "string", "pattern": "^[ab]=[0-9](; Path=/)?$"}
    checker = of_one({"200": {"description": "", "headers": {"Set-Cookie": {"schema": schema}}}})

    assert rules("GET", "/a", 200, b"", *cookies, by=checker) == []
    assert rules("GET", "/a", 200, b"", *cookies, ("set-cookie", "c=x"), by=checker) == ["response-header"]


class TestErrorShape:
    """error-shape: errors that the contract does not document."""

    @pytest.mark.parametrize(
        ("body", "headers"),
        [({}, [JSON]), (b"{", [JSON]), (b"no", [("Content-Type", "text/plain")]), (b"", [])],
    )
    def test_must_match_that_of_all_documented_errors(self, body, headers):
        allow = ("Allow", "GET, DELETE")

        assert rules("PUT", "/pets/1", 405, body, *headers, allow) == ["error-shape"]
        [failure] = CHECKER.check_unknown_path(exchange("GET", "/nope", 404, body, *headers))
        assert failure.rule == "error-shape"
        assert failure.operation is None

    def test_a_conforming_error_is_not_reported(self):
        assert CHECKER.check_unknown_path(exchange("GET", "/nope", 404, {"error": "x"}, JSON)) == []
        assert CHECKER.check_unknown_path(exchange("HEAD", "/nope", 404)) == []

    @pytest.mark.parametrize(
        "responses",
        [
            {"400": FAILED, "404": responses_of(text_plain={"type": "string"})},
            # A service cannot send what the schemas exclude.
            {"400": responses_of(application_json={"allOf": [PROBLEM, {"type": "string"}]})},
        ],
        ids=["errors differ", "no body has it"],
    )
    def test_is_not_checked_without_a_common_one(self, responses):
        checker = of_one(responses, components=DOCUMENT["components"])

        assert checker.check_unknown_path(exchange("GET", "/nope", 404, {}, JSON)) == []

    @pytest.mark.parametrize(
        ("documented", "found"), [("*/*", []), ("application/*", []), ("text/plain", ["error-shape"])]
    )
    def test_may_have_any_media_type_of_a_range(self, documented, found):
        checker = of_one({"400": {"description": "no", "content": {documented: {"schema": PROBLEM}}}})

        failures = checker.check_unknown_path(exchange("GET", "/nope", 404, ERROR, JSON))

        assert [failure.rule for failure in failures] == found
        assert checker.check_unknown_path(exchange("GET", "/nope", 404, b"no")) != []


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"type": "string", "maxLength": 3}, ["response-violation"]),
        ({"maxLength": 3}, ["response-violation"]),
        ({"maxLength": 3, "nullable": True}, ["response-violation"]),
        ({"type": "array", "items": {"type": "object"}}, []),
        ({"anyOf": [{"type": "array"}, {"type": "object"}]}, []),
    ],
)
def test_a_text_is_checked_by_a_schema_of_texts(schema, found):
    """Other schemas describe what a text stands for, such as the rows of a table."""
    checker = of_one({"200": responses_of(text_csv=schema)})

    assert rules("GET", "/a", 200, b"name\r\nAda", ("Content-Type", "text/csv"), by=checker) == found


@pytest.mark.parametrize(
    ("given", "status", "body", "found"),
    [
        ({"mocked": ["rows"]}, 501, b"", []),
        ({"mocked": ["rows"]}, 500, b"", ["undocumented-status"]),
        # A written handler that answers 501 breaks the contract, and so does a stub that fails otherwise.
        ({"unwritten": ["rows"]}, 501, b"", []),
        ({"unwritten": ["rows"]}, 500, b"", ["undocumented-status"]),
        ({"unwritten": ["rows"]}, 501, SECRET.encode(), ["leaked-secret"]),
        ({}, 501, b"", ["undocumented-status"]),
    ],
)
def test_a_stub_and_a_mock_without_a_valid_response_answer_501(given, status, body, found):
    rows = {"get": {"operationId": "rows", "responses": {"200": responses_of()}}}
    checker = ConformanceChecker(read(contract({"/rows": rows})), "/v1", [SECRET], **given)
    answered = exchange("GET", "/rows", status, body)

    assert [failure.rule for failure in checker.check(answered)] == found
    assert [one.id for one in checker.unmockable([answered])] == ["rows"] * ("mocked" in given and not found)


class TestLeaks:
    """leaked-secret, leaked-traceback."""

    @pytest.mark.parametrize(
        ("body", "headers"),
        [(f"({SECRET})".encode(), ()), (b"", (("X-Debug", SECRET),)), (b"", ((SECRET, "x"),))],
    )
    def test_a_secret_is_found_in_body_and_headers(self, body, headers):
        """This holds for undocumented paths, too; the message does not contain the secret."""
        [failure] = CHECKER.check(exchange("GET", "/elsewhere", 200, body, *headers))

        assert failure.rule == "leaked-secret"
        assert SECRET not in failure.line


class TestRequests:
    """request-accepted."""

    @pytest.mark.parametrize(
        ("sent", "sending", "problem"),
        [
            (b'{"id": "x"}', [JSON], "whose body violates the contract at /id: "),
            (b"", [], "whose body violates the contract at /: the body is missing; refuse it"),
            (b'{"id": 1}', [("Content-Type", "text/plain")], "that violates the contract: "),
        ],
    )
    def test_an_invalid_one_that_succeeds_is_reported(self, sent, sending, problem):
        [failure] = CHECKER.check(exchange("POST", "/pets", 201, sent=sent, sending=sending))

        assert failure.rule == "request-accepted"
        assert failure.message.startswith(f"POST /pets accepted a request {problem}")

    def test_an_invalid_one_that_is_refused_is_not_reported(self):
        refused = exchange("POST", "/pets", 400, {"error": "x"}, JSON, sent=b"{", sending=[JSON])

        assert CHECKER.check(refused) == []

    def test_path_parameters_are_checked(self):
        [failure] = CHECKER.check(exchange("DELETE", "/pets/x", 204))

        assert "whose path violates the contract at /id: " in failure.message

    def test_is_valid_request(self):
        show, remove, *_ = CONTRACT.operations
        request = Request("GET", "http://host/v1/pets/1")

        assert CHECKER.is_valid_request(request, show)
        assert not CHECKER.is_valid_request(request, remove)
        assert not CHECKER.is_valid_request(Request("GET", "http://host/v1/pets/x"), show)
        assert not CHECKER.is_valid_request(Request("GET", "http://host/pets/1"), show)


class TestWhere:
    """The path and operation of an exchange."""

    def test_is_found_below_the_base_path(self):
        where = CHECKER.where(Request("GET", "http://host/v1/pets/a%2Fb?x=1"))

        assert where is not None
        assert (where.path, where.variables) == ("/pets/{id}", {"id": "a/b"})
        assert str(where.operation) == "GET /pets/{id}"

    @pytest.mark.parametrize(
        "url", ["http://host/pets/1", "http://host/v11/pets", "http://host/v1/pets/%ff", "http://h"]
    )
    def test_is_none_outside_of_the_base_path(self, url):
        """Paths with a similar prefix, and malformed paths, are not paths of the contract."""
        assert CHECKER.where(Request("GET", url)) is None


def test_a_schema_that_cannot_be_compiled_is_reported_first():
    with pytest.raises(SetupError, match="the schema cannot be compiled"):
        of_one({"200": responses_of(application_json={"oneOf": []})})


STREAMS = ConformanceChecker(load_contract(ROOT / "tests/specs/streams/openapi.yaml"), "")
GOOD = b'{"at": "2026-01-01T00:00:00Z", "celsius": 1}'


@pytest.mark.parametrize(
    ("media_type", "body", "at"),
    [
        ("application/jsonl", GOOD + b"\n" + GOOD + b"\n", None),
        ("application/jsonl", GOOD + b"\n{}\n", " at /*/at"),
        ("application/jsonl", b"no", ""),
        ("application/json-seq", b"\x1e" + GOOD + b"\n", None),
        ("application/json-seq", (b"\x1e" + GOOD + b"\n") * 101, ""),
        ("text/event-stream", b": hi\n\nevent: calm\ndata: " + GOOD + b"\n\n", None),
        ("text/event-stream", b"data: " + GOOD + b"\n\n", " at /*/event"),
        ("text/event-stream", b"event: calm\ndata: {}\n\n", " at /*/data"),
    ],
)
def test_each_item_of_a_response_is_compared(media_type, body, at):
    """Also those of another server, and all of them with the schema of the whole."""
    request = Request("GET", "http://test/measurements", (), None)
    found = STREAMS.check(Exchange(request, 200, (("Content-Type", media_type),), body, "test"))

    messages = [one.message for one in found]
    assert bool(messages) is (at is not None)
    assert at is None or any(f"its schema{at}" in message for message in messages)


@pytest.mark.parametrize(("body", "is_valid"), [(GOOD + b"\n" + GOOD, True), (GOOD + b"\n{}", False)])
def test_each_item_of_a_request_is_compared(body, is_valid):
    request = Request("POST", "http://test/measurements", (("Content-Type", "application/jsonl"),), body)
    add = next(one for one in STREAMS.contract.operations if one.method == "post")

    assert STREAMS.is_valid_request(request, add) is is_valid


ITEMS = {media_type: {"itemSchema": {}} for media_type in ("application/jsonl", "text/event-stream")}
STREAMED = operation("add", requestBody={"required": True, "content": ITEMS})


@pytest.mark.parametrize(
    ("media_type", "is_valid"),
    [
        ("application/jsonl", True),
        ("text/event-stream; charset=utf-8", True),
        ("", False),
        ("text/csv", False),
    ],
)
def test_a_stream_without_an_item_is_no_missing_body(media_type, is_valid):
    contract_ = read({**contract({"/rows": {"post": STREAMED}}), "openapi": "3.2.0"})
    headers = (("Content-Type", media_type),) if media_type else ()
    request = Request("POST", "http://test/rows", headers, b"")

    checker = ConformanceChecker(contract_, "")
    assert checker.is_valid_request(request, contract_.operations[0]) is is_valid
