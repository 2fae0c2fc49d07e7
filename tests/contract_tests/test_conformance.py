"""Check one exchange against the contract: `scripts/relay/contract_tests/conformance.py`.

Each rule fires where it should and stays silent where an exchange only looks alike.
"""

from __future__ import annotations

import json

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.exchanges import Exchange, Request
from support.compiled import read
from support.hosting import contract

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


DOCUMENT = contract(
    {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {
                "operationId": "show",
                "responses": {
                    "200": {
                        **responses_of(application_json=PET, text_any={"type": "string", "maxLength": 5}),
                        "headers": {"X-Count": {"required": True, "schema": {"type": "integer"}}},
                    },
                    "204": responses_of(),
                    "304": responses_of(application_json=PET),
                    "401": FAILED,
                    "4XX": FAILED,
                    "default": FAILED,
                },
            },
            "delete": {
                "operationId": "remove",
                "responses": {"204": responses_of(), "404": FAILED, "409": responses_of()},
            },
        },
        "/pets": {
            "head": {"operationId": "peek", "responses": {"200": responses_of(application_json=PET)}},
            "post": {
                "operationId": "add",
                "requestBody": {"required": True, "content": {"application/json": {"schema": PET}}},
                "responses": {"201": responses_of(), "400": FAILED},
            },
        },
        "/photo": {
            "get": {"operationId": "photo", "responses": {"200": responses_of(image_png={"type": "object"})}}
        },
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


def rules(*arguments):
    return [failure.rule for failure in CHECKER.check(exchange(*arguments))]


def test_a_conforming_exchange_has_no_failures():
    assert rules("GET", "/pets/1", 200, {"id": 1}, JSON, COUNT) == []


class TestStatus:
    """undocumented-status."""

    def test_an_undocumented_one_is_reported_with_the_documented_ones(self):
        [failure] = CHECKER.check(exchange("DELETE", "/pets/1", 200))

        assert failure.rule == "undocumented-status"
        assert failure.message == "DELETE /pets/{id} responded 200; the contract documents 204, 404, 409"
        assert failure.operation == "DELETE /pets/{id}"
        assert failure.where == CONTRACT.place(("paths", "/pets/{id}", "delete", "responses"))

    @pytest.mark.parametrize("status", [404, 500, 302])
    def test_is_covered_by_a_range_and_by_default(self, status):
        """A status matches its code, or else its range, or else `default`."""
        assert rules("GET", "/pets/1", status, {"error": "x"}, JSON) == []

    @pytest.mark.parametrize("status", [418, 500])
    def test_a_range_and_default_have_schemas_too(self, status):
        assert rules("GET", "/pets/1", status, {}, JSON) == ["response-violation"]


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
        """An empty body, an incomplete object, a duplicate key, NaN, and bytes that are not UTF-8 are invalid."""
        [failure] = CHECKER.check(exchange("GET", "/pets/1", 200, body, JSON, COUNT))

        assert failure.rule == "not-json"
        assert failure.message.startswith(
            "200 of GET /pets/{id} is not JSON that all parsers read the same: "
        )

    @pytest.mark.parametrize("name", ["application/xml", "application/problem+json", "", "image/png"])
    def test_has_a_documented_media_type(self, name):
        found = rules("GET", "/pets/1", 200, {"id": 1}, ("Content-Type", name), COUNT)

        assert found == ["undocumented-media-type"]

    def test_may_have_parameters_of_its_media_type_in_any_case(self):
        name = ("content-type", "Application/JSON; charset=utf-8")

        assert rules("GET", "/pets/1", 200, {"id": 1}, name, COUNT) == []

    @pytest.mark.parametrize(("text", "found"), [(b"short", []), (b"longer", ["response-violation"])])
    def test_may_match_a_range_of_media_types(self, text, found):
        assert rules("GET", "/pets/1", 200, text, ("Content-Type", "text/markdown"), COUNT) == found

    def test_is_decoded_by_its_charset(self):
        utf16 = ("Content-Type", "text/plain; charset=utf-16")

        assert rules("GET", "/pets/1", 200, "short".encode("utf-16"), utf16, COUNT) == []
        assert rules("GET", "/pets/1", 200, "longer".encode("utf-16"), utf16, COUNT) == ["response-violation"]

    @pytest.mark.parametrize("body", [b"\x89PNG", b"text by chance"])
    def test_of_a_binary_media_type_is_not_checked(self, body):
        """OpenAPI has no schemas for it, even if the bytes are text."""
        assert rules("GET", "/photo", 200, body, ("Content-Type", "image/png")) == []

    def test_must_be_absent_if_none_is_documented(self):
        assert rules("POST", "/pets", 400, {"error": "x"}, JSON) == []
        created = {"sent": b'{"id": 1}', "sending": [JSON]}
        empty = exchange("POST", "/pets", 201, b"", JSON, **created)
        full = exchange("POST", "/pets", 201, {"id": 1}, JSON, **created)

        assert CHECKER.check(empty) == []
        assert [one.rule for one in CHECKER.check(full)] == ["unexpected-body"]

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

        assert [
            one.rule
            for one in CHECKER.check(exchange("GET", "/photo", status, body, png, sending=[(asked, "x")]))
        ] == found

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
        part = exchange("GET", "/photo", 206, b"x", ("Content-Type", media_type), sending=[("Range", "x")])

        assert [one.rule for one in CHECKER.check(part)] == found

    def test_have_the_headers_of_the_whole_and_errors_their_envelope(self):
        asked = {"sending": [("Range", "bytes=0-")]}
        part = exchange("GET", "/pets/1", 206, b'{"i', JSON, **asked)
        error = exchange("GET", "/photo", 416, b"no", ("Content-Type", "text/plain"), **asked)

        assert [one.rule for one in CHECKER.check(part)] == ["response-header"]
        assert [one.rule for one in CHECKER.check(error)] == ["error-shape"]

    def test_are_not_the_answers_to_writes(self):
        asked = {"sent": b'{"id": 1}', "sending": [JSON, ("Range", "bytes=0-")]}

        assert [one.rule for one in CHECKER.check(exchange("POST", "/pets", 206, b"", **asked))] == [
            "undocumented-status"
        ]


class TestHeaders:
    """response-header, missing-challenge, incomplete-allow."""

    @pytest.mark.parametrize("headers", [(), (("X-Count", "many"),)])
    def test_a_documented_one_is_validated_against_its_schema(self, headers):
        assert rules("GET", "/pets/1", 200, {"id": 1}, JSON, *headers) == ["response-header"]

    def test_several_cookies_are_judged_one_by_one(self):
        cookies = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")]
        schema = {"type": "string", "pattern": "^[ab]=[0-9](; Path=/)?$"}
        documented = {"200": {"description": "", "headers": {"Set-Cookie": {"schema": schema}}}}
        checker = ConformanceChecker(
            read(contract({"/bake": {"get": {"operationId": "bake", "responses": documented}}})), ""
        )

        right = Exchange(Request("GET", "http://h/bake"), 200, tuple(cookies), b"", "")
        wrong = Exchange(Request("GET", "http://h/bake"), 200, (*cookies, ("set-cookie", "c=x")), b"", "")

        assert checker.check(right) == []
        assert [one.rule for one in checker.check(wrong)] == ["response-header"]

    def test_undocumented_ones_are_allowed(self):
        assert rules("GET", "/pets/1", 200, {"id": 1}, JSON, ("x-count", "2"), ("Server", "x")) == []

    def test_a_401_needs_www_authenticate(self):
        assert rules("GET", "/pets/1", 401, {"error": "x"}, JSON) == ["missing-challenge"]
        assert rules("GET", "/pets/1", 401, {"error": "x"}, JSON, ("www-authenticate", "Bearer")) == []
        assert rules("GET", "/pets/1", 403, {"error": "x"}, JSON) == []

    def test_a_405_lists_all_methods(self):
        """Order, case and number of lines are free; additional methods are allowed."""
        refused = ("PUT", "/pets/1", 405, {"error": "x"}, JSON)

        assert rules(*refused, ("Allow", "GET")) == ["incomplete-allow"]
        assert rules(*refused) == ["incomplete-allow"]
        assert rules(*refused, ("Allow", "delete"), ("Allow", "HEAD, get")) == []


class TestMethods:
    """undocumented-method."""

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
    def test_an_undocumented_one_that_succeeds_is_reported(self, method):
        assert rules(method, "/pets/1", 200) == ["undocumented-method"]

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_head_and_options_are_allowed(self, method):
        assert rules(method, "/pets/1", 200) == []

    def test_one_that_is_refused_is_not_reported(self):
        assert rules("PUT", "/pets/1", 404, {"error": "x"}, JSON) == []


class TestErrorShape:
    """error-shape: errors that the contract does not document."""

    @pytest.mark.parametrize(
        ("body", "headers"),
        [({}, [JSON]), (b"{", [JSON]), (b"no", [("Content-Type", "text/plain")]), (b"", [])],
    )
    def test_must_match_that_of_all_documented_errors(self, body, headers):
        """This holds for an unknown method and for an unknown path."""
        allow = ("Allow", "GET, DELETE")

        assert rules("PUT", "/pets/1", 405, body, *headers, allow) == ["error-shape"]
        [failure] = CHECKER.check_unknown_path(exchange("GET", "/nope", 404, body, *headers))
        assert failure.rule == "error-shape"
        assert failure.operation is None

    @pytest.mark.parametrize(
        ("body", "found"), [(b"", []), ({"error": "x"}, []), ({"text": "x"}, ["error-shape"])]
    )
    def test_is_that_of_an_error_that_is_documented_in_words_only(self, body, found):
        """Most contracts describe some errors without a body; one that has the shape of the others is no fault."""
        assert rules("DELETE", "/pets/1", 409, body, JSON) == found

    def test_a_conforming_error_is_not_reported(self):
        assert CHECKER.check_unknown_path(exchange("GET", "/nope", 404, {"error": "x"}, JSON)) == []
        assert CHECKER.check_unknown_path(exchange("HEAD", "/nope", 404)) == []

    def test_is_not_checked_if_documented_errors_differ(self):
        two = {"400": FAILED, "404": responses_of(text_plain={"type": "string"})}
        checker = ConformanceChecker(read(contract({"/a": {"get": {"responses": two}}}, **_components())), "")

        assert checker.check_unknown_path(exchange("GET", "/nope", 404, b"no")) == []

    @pytest.mark.parametrize(
        ("documented", "found"), [("*/*", []), ("application/*", []), ("text/plain", ["error-shape"])]
    )
    def test_may_have_any_media_type_of_a_range(self, documented, found):
        any_type = {"description": "no", "content": {documented: {"schema": PROBLEM}}}
        checker = ConformanceChecker(read(contract({"/a": {"get": {"responses": {"400": any_type}}}})), "")

        failures = checker.check_unknown_path(exchange("GET", "/nope", 404, {"error": "x"}, JSON))

        assert [failure.rule for failure in failures] == found
        assert checker.check_unknown_path(exchange("GET", "/nope", 404, b"no")) != []

    def test_is_not_checked_if_no_body_has_it(self):
        impossible = responses_of(application_json={"allOf": [PROBLEM, {"type": "string"}]})
        checker = ConformanceChecker(read(contract({"/a": {"get": {"responses": {"400": impossible}}}})), "")

        assert checker.check_unknown_path(exchange("GET", "/nope", 404, {}, JSON)) == []


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
    rows = {"get": {"operationId": "rows", "responses": {"200": responses_of(text_csv=schema)}}}
    checker = ConformanceChecker(read(contract({"/rows": rows})), "/v1")

    failures = checker.check(exchange("GET", "/rows", 200, b"name\r\nAda", ("Content-Type", "text/csv")))

    assert [failure.rule for failure in failures] == found


@pytest.mark.parametrize(
    ("mocked", "status", "found"),
    [(["rows"], 501, []), (["rows"], 500, ["undocumented-status"]), ([], 501, ["undocumented-status"])],
)
def test_a_mock_without_a_valid_response_answers_501(mocked, status, found):
    rows = {"get": {"operationId": "rows", "responses": {"200": responses_of()}}}
    checker = ConformanceChecker(read(contract({"/rows": rows})), "/v1", mocked=mocked)
    answered = exchange("GET", "/rows", status)

    assert [failure.rule for failure in checker.check(answered)] == found
    assert [one.id for one in checker.unmockable([answered])] == ([] if found else ["rows"])


def _components():
    return {"components": DOCUMENT["components"]}


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

    @pytest.mark.parametrize(
        "text", ["Traceback (most recent call last):", "Traceback (most recent call first)"]
    )
    def test_a_traceback_is_found(self, text):
        found = rules("GET", "/pets/1", 500, {"error": text}, JSON)

        assert found == (["leaked-traceback"] if "last" in text else [])


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
        """A body that violates its schema, a missing body, and another media type."""
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
        """A request is valid only for the operation that it matches."""
        show, remove, *_ = CONTRACT.operations
        request = Request("GET", "http://host/v1/pets/1")

        assert CHECKER.is_valid_request(request, show)
        assert not CHECKER.is_valid_request(request, remove)
        assert not CHECKER.is_valid_request(Request("GET", "http://host/v1/pets/x"), show)
        assert not CHECKER.is_valid_request(Request("GET", "http://host/pets/1"), show)


class TestWhere:
    """The path and operation of an exchange."""

    def test_is_found_below_the_base_path(self):
        """Path variables are decoded, and the query is ignored."""
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
    """It is reported with its location, before any request is sent."""
    broken = {"200": responses_of(application_json={"oneOf": []})}

    with pytest.raises(SetupError, match="the schema cannot be compiled"):
        ConformanceChecker(read(contract({"/a": {"get": {"responses": broken}}})), "")
