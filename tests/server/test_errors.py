"""What a client may know of a failure: `handlers/_errors.py` and `scripts/relay/server/errors.py`."""

from __future__ import annotations

import jsonschema_rs
import pytest

from handlers import render_error
from handlers._store import StoreUnavailable
from relay.contract.loading import load_contract
from relay.server.errors import ErrorReport, problem_details, report
from relay.validation.errors import ApiError, InvalidRequest
from relay.validation.schemas import SchemaCompiler
from relay.validation.violations import Violation
from support.running import SPEC


def all_subclasses(kind):
    """Every class below a class."""
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
    """Where, which field, which rule; a client can act on it."""
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


@pytest.mark.parametrize(
    "exc", [ValueError("x"), KeyError("x"), OSError(5, "x"), jsonschema_rs.ReferencingError]
)
def test_knows_nothing_of_other_exceptions(exc):
    assert report(exc if isinstance(exc, Exception) else exc("x")) is None


def test_wants_status_code_and_message_on_the_class():
    class Foreign(Exception):
        def __init__(self):
            self.status, self.code, self.message = 404, "X", "sk_canary"

    class Numeric(Exception):
        status, code, message = 404, 404, "sk_canary"

    assert report(Foreign()) is None
    assert report(Numeric()) is None


def test_renders_problem_details_for_packages_without_a_renderer():
    assert problem_details(ErrorReport(404, "GONE", "It is gone")) == (
        {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "It is gone", "code": "GONE"},
        "application/problem+json",
    )
