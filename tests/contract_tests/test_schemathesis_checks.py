"""Which failures of Schemathesis are failures of the service: `relay.contract_tests.schemathesis_checks`."""

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.credentials import carrying
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.schemathesis_checks import SchemathesisChecks
from relay.contract_tests.schemathesis_events import WRONG_CREDENTIAL, FailedCheck, Labels, SentCase
from relay.contract_tests.service_under_test import NOTHING_MOCKED, Mocked
from support.compiled import read
from support.hosting import contract, operation

VARIABLE = {"in": "path", "required": True, "schema": {"type": "string"}}
PATHS = {
    "/plain": {"get": operation("plain")},
    "/x/{id}": {"get": operation("one", parameters=[{"name": "id", **VARIABLE}])},
    "/x/{key}": {"put": operation("two", parameters=[{"name": "key", **VARIABLE}])},
    "/list#a": {"get": operation("three")},
    "/list#b": {"put": operation("four")},
    "/many#a": {"get": operation("five")},
    "/many#b": {"get": operation("six")},
    "//twice": {"get": operation("seven")},
}
CHECKER = ConformanceChecker(read(contract(PATHS)), "")


@pytest.mark.parametrize(
    ("about", "method", "path", "status", "is_reported"),
    [
        ("GET /plain", "PUT", "/plain", 404, True),
        ("GET /x/{id}", "PUT", "/x/7", 200, False),
        ("GET /x/{id}", "OPTIONS", "/x/7", 405, False),
        ("GET /list#a", "PUT", "/list", 200, False),
        ("GET /many#a", "PUT", "/many", 404, False),
        ("GET //twice", "PUT", "/twice", 404, False),
        ("GET //twice", "PUT", "//twice", 404, True),
    ],
)
@pytest.mark.parametrize("check", ["unsupported_method", "allow_header_conformance"])
def test_methods_are_judged_by_paths_that_match_the_same_requests(
    check, about, method, path, status, is_reported
):
    """Schemathesis takes `/x/{id}` and `/x/{key}` for two paths, and sends `/list#a` without its fragment."""
    request = Request(method, f"http://x{path}")
    exchange = Exchange(request, status, (("Allow", "GET, PUT"),), b"", "property tests")
    sent = SentCase(about, exchange, (FailedCheck(check),))

    failures = SchemathesisChecks(CHECKER).failures(sent, ())

    assert bool(failures) is is_reported


MISSING = {**operation("missing"), "requestBody": {"$ref": "#/components/requestBodies/Missing"}}
TRAMS = {
    "/trams": {"get": operation("list"), "put": MISSING},
    "/depots": {"get": {**MISSING, "operationId": "depots"}},
}
PARTIAL = ConformanceChecker(read(contract(TRAMS)), "")


@pytest.mark.parametrize(
    ("method", "path", "status", "checks"),
    [
        ("PUT", "/trams", 501, ["not_a_server_error", "unsupported_method"]),
        ("OPTIONS", "/trams", 405, ["allow_header_conformance", "unsupported_method"]),
        ("GET", "/depots", 501, ["not_a_server_error"]),
    ],
)
def test_nothing_is_expected_of_an_operation_that_is_left_out(method, path, status, checks):
    """Its errors are in the contract, so it is answered with 501; Schemathesis believes that it does not exist."""
    exchange = Exchange(
        Request(method, f"http://x{path}"), status, (("Allow", "GET, PUT"),), b"", "properties"
    )
    sent = SentCase("GET /trams", exchange, tuple(map(FailedCheck, checks)))

    assert PARTIAL.contract.left_out
    assert PARTIAL.check(exchange) == []
    assert SchemathesisChecks(PARTIAL).failures(sent, ()) == []


@pytest.mark.parametrize("path", ["/trams", "/depots"])
def test_an_undocumented_method_of_a_path_with_an_operation_that_is_left_out_is_reported(path):
    exchange = Exchange(Request("DELETE", f"http://x{path}"), 200, (), b"", "properties")

    assert [failure.rule for failure in PARTIAL.check(exchange)] == ["undocumented-method"]


def get(name, *statuses, **rest):
    """An operation that documents some statuses without a body, or else a 200 with one."""
    documented = {"responses": {status: {"description": "-"} for status in statuses}} if statuses else {}
    return {"get": operation(name, **documented, **rest)}


IMAGE = {"200": {"description": "ok", "content": {"image/png": {}}}}
NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
FORM = "application/x-www-form-urlencoded"
ADD = {"post": {**operation("x"), "requestBody": {"content": {FORM: {"schema": NAMED}}}}}
AGENT = {"name": "User-Agent", "in": "header", "required": True, "schema": {"type": "string"}}
TWO = {"/x/{id}": get("show", parameters=[{"name": "id", **VARIABLE}]), "/x/new": get("show_new")}
ALL_MOCKED = Mocked(frozenset(["x"]))
UNEXPECTED = FailedCheck("negative_data_rejection", "", "object_unexpected_properties", "", "header")
NO_AGENT = FailedCheck("missing_required_header", parameter="User-Agent", location="header")


def asked(method="GET", path="/x", headers=(), body=b""):
    return Request(method, f"http://h{path}", headers, body)


@pytest.mark.parametrize(
    ("paths", "about", "sent", "check", "mocked", "is_reported"),
    [
        pytest.param(item, about, (request, status), check, mocked, is_reported, id=id_)
        for id_, item, about, request, status, check, mocked, is_reported in [
            # Our checker compares only JSON and text with a schema.
            ("a file", {"/x": {"get": operation("x", responses=IMAGE)}}, "GET /x", asked(), 200,
             "response_schema_conformance", None, True),
            ("a mock without a success", {"/x": get("x", "500")}, "GET /x", asked(), 500,
             "not_a_server_error", ALL_MOCKED, False),
            ("a service without a success", {"/x": get("x", "500")}, "GET /x", asked(), 500,
             "not_a_server_error", None, True),
            ("a mock with a success", {"/x": get("x", "200", "500")}, "GET /x", asked(), 500,
             "not_a_server_error", ALL_MOCKED, True),
            ("a mock with a default", {"/x": get("x", "default")}, "GET /x", asked(), 500,
             "not_a_server_error", ALL_MOCKED, True),
            ("a mock does not forget", {"/x": get("x")}, "GET /x", asked(), 200,
             "use_after_free", ALL_MOCKED, False),
            ("a service forgets", {"/x": get("x")}, "GET /x", asked(), 200, "use_after_free", None, True),
            # A form has no types, and an empty one is no body, so only our own checker can judge it.
            ("a number in a form", {"/x": ADD}, "POST /x", asked("POST", headers=(("Content-Type", FORM),),
             body=b"name=7"), 200, "negative_data_rejection", None, False),
            ("an invalid form", {"/x": ADD}, "POST /x", asked("POST", headers=(("Content-Type", FORM),),
             body=b"nam=7"), 200, "negative_data_rejection", None, True),
            ("an empty form", {"/x": ADD}, "POST /x", asked("POST", headers=(("Content-Type", FORM),)), 200,
             "negative_data_rejection", None, False),
            # Schemathesis judges the response by the operation that it meant.
            ("another operation", TWO, "GET /x/{id}", asked(path="/x/new"), 200,
             "not_a_server_error", None, False),
            ("its own operation", TWO, "GET /x/new", asked(path="/x/new"), 200,
             "not_a_server_error", None, True),
            # The contract documents nothing else, and lint reports that.
            ("no documented success", {"/x": get("x", "400")}, "GET /x", asked(), 200,
             "positive_data_acceptance", None, False),
            # OpenAPI describes the names that it lists, and forbids no others.
            ("another header", {"/x": get("x")}, "GET /x", asked(headers=(("X-Other", "1"),)), 200,
             UNEXPECTED, None, False),
            # The library has sent one, whatever the generated case had.
            ("a header of the library", {"/x": get("x", parameters=[AGENT])}, "GET /x", asked(), 200,
             NO_AGENT, None, False),
        ]
    ],
)  # fmt: skip
def test_a_failed_check_is_reported(paths, about, sent, check, mocked, is_reported):
    failed = check if isinstance(check, FailedCheck) else FailedCheck(check)
    checks = SchemathesisChecks(ConformanceChecker(read(contract(paths)), ""), mocked or NOTHING_MOCKED)
    headers = (("Content-Type", "image/png"),) if check == "response_schema_conformance" else ()
    exchange = Exchange(*sent, headers, b"{}", "properties")

    failures = checks.failures(SentCase(about, exchange, (failed,)), ())

    assert [one.rule for one in failures] == [failed.name.replace("_", "-")] * is_reported


SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "other": {"type": "http", "scheme": "Hawk"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "certificate": {"type": "mutualTLS"},
}
REQUEST = Request("GET", "http://test/things?page=1", (("Accept", "*/*"), ("Cookie", "theme=dark")))


def labels_of(scheme, value):
    """Return labels for a contract with one scheme, and an identity with a credential for it."""
    components = {"securitySchemes": {"only": scheme}}
    document = contract({"/things": {"get": operation("list_things")}}, components=components)
    return Labels(read({**document, "openapi": "3.1.0"}), "astrid", {"only": value})


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_distinguishes_the_identity_a_wrong_credential_and_none(scheme):
    """The report's matrix uses it, so all places of a credential count."""
    labels = labels_of(scheme, "astrid:the=right&one")

    assert labels.of(carrying(REQUEST, scheme, "astrid:the=right&one")) == "astrid"
    assert labels.of(carrying(REQUEST, scheme, "astrid:another")) == WRONG_CREDENTIAL
    assert labels.of(REQUEST) is None


def test_another_scheme_in_the_same_header_is_a_wrong_credential():
    labels = labels_of(SCHEMES["bearer"], "token")

    assert labels.of(REQUEST.with_headers([("authorization", "Basic dG9rZW4=")])) == WRONG_CREDENTIAL
