"""One exchange held against the contract: `scripts/relay/contract_tests/conformance.py`.

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


def answers(**content):
    """A documented answer; `_` stands for `/`, a range is called `any`."""
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
                        **answers(application_json=PET, text_any={"type": "string", "maxLength": 5}),
                        "headers": {"X-Count": {"required": True, "schema": {"type": "integer"}}},
                    },
                    "204": answers(),
                    "304": answers(application_json=PET),
                    "401": FAILED,
                    "4XX": FAILED,
                    "default": FAILED,
                },
            },
            "delete": {"operationId": "remove", "responses": {"204": answers(), "404": FAILED}},
        },
        "/pets": {
            "head": {"operationId": "peek", "responses": {"200": answers(application_json=PET)}},
            "post": {
                "operationId": "add",
                "requestBody": {"required": True, "content": {"application/json": {"schema": PET}}},
                "responses": {"201": answers(), "400": FAILED},
            },
        },
        "/photo": {
            "get": {"operationId": "photo", "responses": {"200": answers(image_png={"type": "object"})}}
        },
    },
    components={"schemas": {"E": PROBLEM}},
)
CONTRACT = read(DOCUMENT)
JUDGE = ConformanceChecker(CONTRACT, "/v1", [SECRET])
JSON = ("Content-Type", "application/json")
COUNT = ("X-Count", "1")


def exchange(method, path, status, body=b"", *headers, sent=b"", sending=()):
    """An exchange below `/v1`; a body that is not bytes is written as JSON."""
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method, f"http://host/v1{path}", tuple(sending), sent)
    return Exchange(request, status, headers, written, "test")


def rules(*told):
    """The rules that an exchange breaks."""
    return [failure.finding.rule for failure in JUDGE.judge(exchange(*told))]


def test_an_exchange_that_keeps_the_contract_is_no_failure():
    """The near miss of every rule."""
    assert rules("GET", "/pets/1", 200, {"id": 1}, JSON, COUNT) == []


class TestStatus:
    """undocumented-status."""

    def test_is_told_with_what_is_documented(self):
        """At the place of the responses."""
        [failure] = JUDGE.judge(exchange("DELETE", "/pets/1", 200))

        assert failure.finding.rule == "undocumented-status"
        assert failure.finding.message == "DELETE /pets/{id} answered 200; the contract documents 204, 404"
        assert failure.operation == "DELETE /pets/{id}"
        assert failure.finding.where == CONTRACT.place(("paths", "/pets/{id}", "delete", "responses"))

    @pytest.mark.parametrize("status", [404, 500, 302])
    def test_is_covered_by_a_range_and_by_default(self, status):
        """As a client reads them: the code, else its range, else `default`."""
        assert rules("GET", "/pets/1", status, {"error": "x"}, JSON) == []

    @pytest.mark.parametrize("status", [418, 500])
    def test_a_range_and_default_have_schemas_too(self, status):
        """They are no excuse for any body."""
        assert rules("GET", "/pets/1", status, {}, JSON) == ["response-violation"]


class TestBody:
    """response-violation, not-json, undocumented-media-type, unexpected-body."""

    def test_is_held_against_its_schema(self):
        """Where it breaks is told, never the value."""
        [failure] = JUDGE.judge(exchange("GET", "/pets/1", 200, {"id": "canary"}, JSON, COUNT))

        assert failure.finding.rule == "response-violation"
        assert failure.finding.message.startswith("200 of GET /pets/{id} breaks its schema at /id: ")
        assert "canary" not in failure.finding.message

    @pytest.mark.parametrize(
        "body", [b"", b"{", b'{"id": 1, "id": 2}', b'{"id": NaN}', b'{"id": 1, "a": "\xff"}']
    )
    def test_is_json_that_all_parsers_read_alike(self, body):
        """Nothing, half an object, a key that stands twice, a number that is none, bytes that are no text."""
        [failure] = JUDGE.judge(exchange("GET", "/pets/1", 200, body, JSON, COUNT))

        assert failure.finding.rule == "not-json"
        assert failure.finding.message.startswith(
            "200 of GET /pets/{id} is not JSON that all parsers read alike: "
        )

    @pytest.mark.parametrize("name", ["application/xml", "application/problem+json", "", "image/png"])
    def test_is_of_a_documented_media_type(self, name):
        """One that is only similar, or none, is not."""
        found = rules("GET", "/pets/1", 200, {"id": 1}, ("Content-Type", name), COUNT)

        assert found == ["undocumented-media-type"]

    def test_may_say_parameters_of_its_media_type_in_any_case(self):
        """They are no part of its name."""
        name = ("content-type", "Application/JSON; charset=utf-8")

        assert rules("GET", "/pets/1", 200, {"id": 1}, name, COUNT) == []

    @pytest.mark.parametrize(("text", "found"), [(b"short", []), (b"longer", ["response-violation"])])
    def test_may_be_of_a_range_of_media_types(self, text, found):
        """Whose schema holds for it."""
        assert rules("GET", "/pets/1", 200, text, ("Content-Type", "text/markdown"), COUNT) == found

    def test_is_read_by_its_charset(self):
        """Five characters are five, however many bytes they take."""
        utf16 = ("Content-Type", "text/plain; charset=utf-16")

        assert rules("GET", "/pets/1", 200, "short".encode("utf-16"), utf16, COUNT) == []
        assert rules("GET", "/pets/1", 200, "longer".encode("utf-16"), utf16, COUNT) == ["response-violation"]

    @pytest.mark.parametrize("body", [b"\x89PNG", b"text by chance"])
    def test_that_no_schema_can_describe_is_not_looked_at(self, body):
        """Whether the bytes could be text is chance."""
        assert rules("GET", "/photo", 200, body, ("Content-Type", "image/png")) == []

    def test_is_not_expected_where_none_is_documented(self):
        """An empty one is none, whatever its media type."""
        assert rules("POST", "/pets", 400, {"error": "x"}, JSON) == []
        created = {"sent": b'{"id": 1}', "sending": [JSON]}
        empty = exchange("POST", "/pets", 201, b"", JSON, **created)
        full = exchange("POST", "/pets", 201, {"id": 1}, JSON, **created)

        assert JUDGE.judge(empty) == []
        assert [one.finding.rule for one in JUDGE.judge(full)] == ["unexpected-body"]

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("GET", "/pets/1", 304), ("GET", "/pets/1", 204), ("HEAD", "/pets", 200)],
    )
    def test_is_not_asked_of_answers_that_never_have_one(self, method, path, status):
        """Though a schema may be documented; one that is there all the same is told."""
        assert rules(method, path, status) == []
        assert rules(method, path, status, {"id": 1}, JSON) == ["unexpected-body"]


class TestHeaders:
    """response-header, missing-challenge, incomplete-allow."""

    @pytest.mark.parametrize("headers", [(), (("X-Count", "many"),)])
    def test_a_documented_one_is_held_against_its_schema(self, headers):
        """And has to be there if it is required."""
        assert rules("GET", "/pets/1", 200, {"id": 1}, JSON, *headers) == ["response-header"]

    def test_one_that_is_not_documented_may_be_there(self):
        """Servers add what HTTP has."""
        assert rules("GET", "/pets/1", 200, {"id": 1}, JSON, ("x-count", "2"), ("Server", "x")) == []

    def test_a_401_says_how_to_sign_in(self):
        """Other refusals do not."""
        assert rules("GET", "/pets/1", 401, {"error": "x"}, JSON) == ["missing-challenge"]
        assert rules("GET", "/pets/1", 401, {"error": "x"}, JSON, ("www-authenticate", "Bearer")) == []
        assert rules("GET", "/pets/1", 403, {"error": "x"}, JSON) == []

    def test_a_405_lists_all_methods(self):
        """In any order, case and number of lines; more than those is no failure."""
        refused = ("PUT", "/pets/1", 405, {"error": "x"}, JSON)

        assert rules(*refused, ("Allow", "GET")) == ["incomplete-allow"]
        assert rules(*refused) == ["incomplete-allow"]
        assert rules(*refused, ("Allow", "delete"), ("Allow", "HEAD, get")) == []


class TestMethods:
    """undocumented-method."""

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
    def test_one_that_is_answered_is_told(self, method):
        """Whatever answers it is not in the contract."""
        assert rules(method, "/pets/1", 200) == ["undocumented-method"]

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_a_server_may_answer_some_by_itself(self, method):
        """HTTP has them for any resource."""
        assert rules(method, "/pets/1", 200) == []

    def test_one_that_is_refused_is_not(self):
        """By whatever means."""
        assert rules("PUT", "/pets/1", 404, {"error": "x"}, JSON) == []


class TestErrorShape:
    """error-shape: failures that the contract does not name."""

    @pytest.mark.parametrize(
        ("body", "headers"),
        [({}, [JSON]), (b"{", [JSON]), (b"no", [("Content-Type", "text/plain")]), (b"", [])],
    )
    def test_is_the_one_of_all_documented_failures(self, body, headers):
        """On a path without the method as on one that is unknown."""
        allow = ("Allow", "GET, DELETE")

        assert rules("PUT", "/pets/1", 405, body, *headers, allow) == ["error-shape"]
        [failure] = JUDGE.judge_outside(exchange("GET", "/nope", 404, body, *headers))
        assert failure.finding.rule == "error-shape"
        assert failure.operation is None

    def test_is_kept(self):
        """The near miss; HEAD has no body to show it."""
        assert JUDGE.judge_outside(exchange("GET", "/nope", 404, {"error": "x"}, JSON)) == []
        assert JUDGE.judge_outside(exchange("HEAD", "/nope", 404)) == []

    def test_nothing_is_asked_where_failures_differ(self):
        """The contract has no one shape then."""
        two = {"400": FAILED, "404": answers(text_plain={"type": "string"})}
        judge = ConformanceChecker(read(contract({"/a": {"get": {"responses": two}}}, **_components())), "")

        assert judge.judge_outside(exchange("GET", "/nope", 404, b"no")) == []


def _components():
    return {"components": DOCUMENT["components"]}


class TestLeaks:
    """leaked-secret, leaked-traceback."""

    @pytest.mark.parametrize(
        ("body", "headers"),
        [(f"({SECRET})".encode(), ()), (b"", (("X-Debug", SECRET),)), (b"", ((SECRET, "x"),))],
    )
    def test_a_secret_is_found_in_body_and_headers(self, body, headers):
        """Outside of the contract, too; and it does not come out of the report instead."""
        [failure] = JUDGE.judge(exchange("GET", "/elsewhere", 200, body, *headers))

        assert failure.finding.rule == "leaked-secret"
        assert SECRET not in failure.finding.line

    @pytest.mark.parametrize(
        "text", ["Traceback (most recent call last):", "Traceback (most recent call first)"]
    )
    def test_a_traceback_is_found(self, text):
        """The word alone is innocent."""
        found = rules("GET", "/pets/1", 500, {"error": text}, JSON)

        assert found == (["leaked-traceback"] if "last" in text else [])


class TestRequests:
    """request-accepted."""

    @pytest.mark.parametrize(
        ("sent", "sending", "told"),
        [
            (b'{"id": "x"}', [JSON], "whose body breaks the contract at /id: "),
            (b"", [], "whose body breaks the contract at /: the body is missing; refuse it"),
            (b'{"id": 1}', [("Content-Type", "text/plain")], "that the contract refuses: "),
        ],
    )
    def test_a_wrong_one_that_succeeds_is_told(self, sent, sending, told):
        """A body that breaks its schema, none at all, one of another media type."""
        [failure] = JUDGE.judge(exchange("POST", "/pets", 201, sent=sent, sending=sending))

        assert failure.finding.rule == "request-accepted"
        assert failure.finding.message.startswith(f"POST /pets let a request in {told}")

    def test_a_wrong_one_that_is_refused_is_not(self):
        """That is what is to happen to it."""
        refused = exchange("POST", "/pets", 400, {"error": "x"}, JSON, sent=b"{", sending=[JSON])

        assert JUDGE.judge(refused) == []

    def test_variables_of_the_path_are_looked_at(self):
        """They are parameters like all others."""
        [failure] = JUDGE.judge(exchange("DELETE", "/pets/x", 204))

        assert "whose path breaks the contract at /id: " in failure.finding.message

    def test_is_sound(self):
        """Only for the operation that it leads to."""
        show, remove, *_ = CONTRACT.operations
        request = Request("GET", "http://host/v1/pets/1")

        assert JUDGE.is_sound(request, show)
        assert not JUDGE.is_sound(request, remove)
        assert not JUDGE.is_sound(Request("GET", "http://host/v1/pets/x"), show)
        assert not JUDGE.is_sound(Request("GET", "http://host/pets/1"), show)


class TestWhere:
    """What an exchange is about."""

    def test_is_found_below_the_base_path(self):
        """With variables decoded, and the query left aside."""
        where = JUDGE.where(exchange("GET", "/pets/a%2Fb?x=1", 200))

        assert where is not None
        assert (where.path, where.variables) == ("/pets/{id}", {"id": "a/b"})
        assert str(where.operation) == "GET /pets/{id}"

    @pytest.mark.parametrize(
        "url", ["http://host/pets/1", "http://host/v11/pets", "http://host/v1/pets/%ff", "http://h"]
    )
    def test_is_nothing_outside_of_it(self, url):
        """What only begins alike, or cannot be read, is no path of the contract's."""
        assert JUDGE.where(Exchange(Request("GET", url), 200, (), b"", "test")) is None


def test_a_schema_that_cannot_be_compiled_is_told_at_once():
    """With its place, before anything is sent."""
    broken = {"200": answers(application_json={"type": "string", "pattern": r"\p{Nope}"})}

    with pytest.raises(SetupError, match="the schema cannot be compiled"):
        ConformanceChecker(read(contract({"/a": {"get": {"responses": broken}}})), "")
