"""The part of a failure that a client may know: `handlers/_errors.py`, `errors.py` and `error_responses.py` of `scripts/relay/server`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import render_error
from handlers._store import StoreUnavailable
from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from relay.server.error_responses import ErrorTranslator, read_errors
from relay.server.errors import ErrorReport, ReportedError, problem_details, report
from relay.server.framework import HTTPException, ProblemException
from relay.validation.errors import ApiError, InvalidRequest
from relay.validation.schemas import SchemaCompiler
from relay.validation.violations import Violation
from support.hosting import ask, assert_problem, contract, logged, operation
from support.running import SPEC


def all_subclasses(kind):
    return {kind, *(below for one in kind.__subclasses__() for below in all_subclasses(one))}


FAILURES = all_subclasses(ApiError) | {StoreUnavailable}


@pytest.mark.parametrize(
    "failure", sorted(FAILURES, key=lambda failure: failure.__name__), ids=lambda failure: failure.__name__
)
def test_every_failure_fits_the_contracts_envelope(failure):
    contract = load_contract(SPEC)
    schema = {"$ref": "#/components/schemas/CallsErrorResponse"}
    validator = SchemaCompiler(contract).compile(schema, "response", ())

    body, media_type = render_error(ErrorReport(failure.status, failure.code, failure.message))

    assert media_type == "application/json"
    assert validator.accepts(body)
    assert failure.code.isupper()


def test_lists_the_breaches_of_a_request_in_the_object_form():
    failure = InvalidRequest(failures=[Violation("/limit", "maximum", "too large", "query")])

    body, _ = render_error(report(failure))

    assert body == {
        "success": False,
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "The request does not match the contract",
            "details": [{"in": "query", "path": "/limit", "rule": "maximum", "message": "too large"}],
        },
        "code": "VALIDATION_ERROR",
    }


def test_wants_status_code_and_message_on_the_class():
    class Foreign(Exception):
        def __init__(self):
            self.status, self.code, self.message = 404, "X", "sk_canary"

    class Numeric(Exception):
        status, code, message = 404, 404, "sk_canary"

    assert report(Foreign()) is None
    assert report(Numeric()) is None


PROBLEM = {"description": "no", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
OK = {"description": "ok", "content": {"application/json": {"schema": {}}}}
RESPONSES = {"200": OK, "401": PROBLEM, "404": PROBLEM, "409": PROBLEM, "5XX": PROBLEM}
SECURED = {
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "security": [{"key": []}],
}
INIT = """
    import relay

    class Taken(relay.ApiError):
        status, code, message = 409, "TAKEN", "It is taken"

    errors = {LookupError: (404, "GONE", "It is gone"), IndexError: Taken, OSError: (502, "UPSTREAM", "No answer")}
"""


@pytest.fixture
def get(hosting):
    """Host an operation with a package and call it."""

    async def get(things, init=INIT, headers=None, **rest):
        document = contract({"/a": {"get": operation("show", responses=RESPONSES)}}, **rest)
        return await ask(hosting(document, init=init, things=things), headers=headers)

    return get


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("raised", "status", "code", "detail"),
    [
        ("KeyError('sk_canary')", 404, "GONE", "It is gone"),
        ("IndexError", 409, "TAKEN", "It is taken"),
        ("ConnectionResetError(5, 'sk_canary')", 502, "UPSTREAM", "No answer"),
        ("ValueError('sk_canary')", 500, "INTERNAL_ERROR", "The service failed to answer this request"),
    ],
)
async def test_a_package_maps_exceptions_of_others(get, kind, raised, status, code, detail):
    """The nearest class decides; the text of the exception is not public."""
    response = await get(f"{kind} show():\n    raise {raised}\n")
    assert assert_problem(response, status, code)["detail"] == detail
    assert "sk_canary" not in response.text


async def test_a_mapped_server_error_is_logged_with_its_cause(get, caplog):
    await get("def show():\n    raise ConnectionResetError\n")
    (line,) = logged(caplog, "failed")
    assert (line.code, line.cause) == ("UPSTREAM", "ConnectionResetError")


async def test_a_mapped_error_must_be_documented(get, caplog):
    init = "errors = {KeyError: (418, 'TEAPOT', 'Short and stout')}\n"
    assert_problem(await get("def show():\n    raise KeyError\n", init), 500, "INTERNAL_ERROR")
    assert len(logged(caplog, "response violation")) == 1


IDENTITY = """
    import relay
    from connexion.exceptions import OAuthProblem

    def check(key):
        if key == "bad":
            raise OAuthProblem("Invalid key")
        return {"sub": key}

    def identify(claims):
        raise LookupError

    verifiers = {"key": check}
    errors = {LookupError: (401, "UNKNOWN", "You are unknown")}
"""


@pytest.mark.parametrize(("key", "code"), [("bad", "UNAUTHORIZED"), ("good", "UNKNOWN")])
async def test_a_mapped_401_has_a_challenge(get, key, code):
    """Every 401 has one (RFC 9110 section 15.5.2), raised by a verifier or by `identify`."""
    response = await get("def show():\n    return 1\n", IDENTITY, {"X-Key": key}, **SECURED)
    assert_problem(response, 401, code)
    assert response.headers["www-authenticate"] == 'ApiKey realm="Test"'


NO_ERROR = "KeyError: must be an error class, or (status, code, message)"


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ("[KeyError]", "must be a mapping of exception classes to errors, not list"),
        ("{'KeyError': (404, 'A', 'b')}", "'KeyError' is not a class of exceptions"),
        ("{int: (404, 'A', 'b')}", "int is not a class of exceptions"),
        ("{KeyboardInterrupt: (404, 'A', 'b')}", "KeyboardInterrupt is not a class of exceptions"),
        ("{KeyError: (200, 'A', 'b')}", NO_ERROR),
        ("{KeyError: (404, 'A')}", NO_ERROR),
        ("{KeyError: ValueError}", NO_ERROR),
        ("{KeyError: True}", NO_ERROR),
        ("{relay.ApiError: (404, 'A', 'b')}", "ApiError has a status of its own"),
        ("{NotImplementedError: (404, 'A', 'b')}", "NotImplementedError has a status of its own"),
    ],
)
async def test_a_wrong_mapping_is_an_error_at_the_start(get, errors, message):
    with pytest.raises(SetupError) as raised:
        await get("def show():\n    return 1\n", f"import relay\nerrors = {errors}\n")
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"errors: {message}")


@pytest.mark.parametrize(
    ("raised", "status", "code", "members"),
    [
        ("HTTPException(404, 'No such pet', {'X-Hint': 'a'})", 404, "NOT_FOUND", {"detail": "No such pet"}),
        ("HTTPException(409)", 409, "CONFLICT", {"detail": "Conflict"}),
        ("HTTPException(302)", 500, "INTERNAL_ERROR", {}),
        (
            "ProblemException(status=404, title='No pet', detail='d', type='/t', ext={'pet': 7, 'status': 1})",
            404,
            "NOT_FOUND",
            {"title": "No pet", "detail": "d", "pet": 7, "type": "/t"},
        ),
        ("ProblemException(status=409)", 409, "CONFLICT", {"title": "Conflict", "detail": "Conflict"}),
    ],
)
async def test_the_errors_of_starlette_and_connexion_are_errors(get, raised, status, code, members):
    """Their detail is public in both libraries; they were a 500."""
    imports = (
        "from connexion.exceptions import ProblemException\nfrom starlette.exceptions import HTTPException\n"
    )

    response = await get(f"{imports}\ndef show():\n    raise {raised}\n")

    assert response.status_code == status
    assert response.json().items() >= {"status": status, "code": code, **members}.items()
    assert response.headers.get("x-hint") == ("a" if "X-Hint" in raised else None)


async def test_a_package_may_map_the_errors_of_starlette(get):
    init = "from starlette.exceptions import HTTPException\nerrors = {HTTPException: (409, 'OWN', 'Mine')}\n"
    things = "from connexion.exceptions import Forbidden\n\ndef show():\n    raise Forbidden\n"
    assert_problem(await get(things, init), 409, "OWN")


@given(
    st.integers(100, 999),
    st.none() | st.text(max_size=20),
    st.none() | st.dictionaries(st.text(), st.integers()),
)
def test_every_http_exception_is_an_error_or_unexpected(status, detail, members):
    """With any content that a library puts into it; redirects and made-up statuses are no errors."""
    translate = ErrorTranslator({})
    for exc in (
        HTTPException(status if status < 600 else 599, detail),
        ProblemException(status=status, detail=detail, ext=members),
    ):
        found = report(translate(exc))
        if found is None:
            assert not 400 <= exc.status_code <= 599
        else:
            body, _ = problem_details(found)
            assert found.status == body["status"] == exc.status_code
            assert body["code"] == found.code


def test_an_error_is_not_translated_twice():
    """Security and the stage of errors both ask."""
    translate = read_errors({Exception: (503, "BUSY", "Busy")})
    error = translate(KeyError())
    assert isinstance(error, ReportedError)
    assert translate(error) is error
    assert isinstance(error.__cause__, KeyError)


MEMBERS = """
    import relay

    class OutOfStock(relay.ApiError):
        status, code, message = 409, "OUT_OF_STOCK", "Out of stock"
        members = {"type": "https://shop.example/out-of-stock", "title": "Out of stock", "code": "no"}
"""


OUT_OF_STOCK = "from . import OutOfStock\n\ndef show():\n    raise OutOfStock"


async def test_an_error_has_members_of_its_own(get):
    """RFC 9457 section 3.2; of its class, or of one error. Status and code stay those of the class."""
    of_class = await get(OUT_OF_STOCK, MEMBERS)
    own = await get(f"{OUT_OF_STOCK}({{'X-A': '1'}}, members={{'left': 2}})\n", MEMBERS)

    assert of_class.json() == {
        "type": "https://shop.example/out-of-stock",
        "title": "Out of stock",
        "status": 409,
        "detail": "Out of stock",
        "code": "OUT_OF_STOCK",
    }
    assert own.json()["left"] == 2
    assert (own.json()["type"], own.headers["x-a"]) == ("about:blank", "1")


async def test_a_renderer_gets_the_members(get):
    init = f"{MEMBERS}\n    def render_error(report):\n        return dict(report.members), 'application/problem+json'\n"
    assert (await get(f"{OUT_OF_STOCK}(members={{'left': 2}})\n", init)).json() == {"left": 2}


def test_members_of_other_classes_are_not_public():
    """An attribute of that name may be anything there."""

    class Foreign(Exception):
        status, code, message = 404, "GONE", "Gone"
        members = {"sk_canary": 1}  # noqa: RUF012 -- as a library may have it

    assert report(Foreign()) == ErrorReport(404, "GONE", "Gone")
