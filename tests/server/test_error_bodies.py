"""The bodies of errors, rendered once each at the start: `scripts/relay/server/error_bodies.py`."""

import pytest

from relay.contract.diagnostics import Severity
from support.hosting import contract, host, operation, query

TEXT = {"type": "string"}
ENVELOPE = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": TEXT},
    "additionalProperties": False,
}
TAKEN = """
    from relay import ApiError

    class Taken(ApiError):
        status, code, message = 409, "TAKEN", "It is taken"
        members = {"owner": 7}
"""
PROBLEM_409 = {"properties": {"code": {"enum": ["TAKEN"]}, "owner": {"type": "integer", "maximum": 9}}}


def documented(schema, media_type="application/json"):
    return {"description": "", "content": {media_type: {"schema": schema}}}


@pytest.fixture
def found(tmp_path, monkeypatch):
    """The warnings about the errors of a package with an operation that documents `responses`."""
    monkeypatch.syspath_prepend(tmp_path)

    def found(init="", **responses):
        ok = {"200": {"description": ""}}
        one = operation("show", responses={**ok, **responses}, parameters=[query("q")])
        things = "async def show(q=None): ..."
        application = host(tmp_path, contract({"/a": {"get": one}}), init=init, things=things)
        warnings = [one for one in application.warnings if one.rule == "error-body"]
        assert {one.severity for one in warnings} <= {Severity.WARNING}
        return warnings

    return found


def rendering(result):
    return f"def render_error(report):\n    return {result}\n"


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("{'error': report.sentence}, 'application/json'", None),
        (
            "{'error': 'x', **({'more': [*report.details]} if report.details else {})}, 'application/json'",
            "the body of a 400 with details violates the schema of GET /a: additionalProperties at '/more'",
        ),
        (
            "{'error': 1, 'more': 2}, 'application/json'",
            "the body of a 400 violates the schema of GET /a: additionalProperties at '/more' and 1 more",
        ),
        ("{'error': 'x'}, 'application/xml'", "GET /a documents 400 without application/xml, the media type of its error bodies"),
        ("report.title", "render_error() fails with AttributeError for a 400 of GET /a"),
        ("{'error': {1, 2}}, 'application/json'", "render_error() fails with TypeError for a 400 of GET /a"),
    ],
)  # fmt: skip
def test_an_error_body_has_to_be_what_the_contract_documents(found, result, message):
    """Otherwise clients get another body than the contract promises; one warning, with the place of both."""
    warnings = found(rendering(result), **{"400": documented(ENVELOPE)})
    assert [one.message for one in warnings] == ([message] if message else [])
    for one in warnings:
        assert str(one.where).endswith("__init__.py:1:1")
        assert one.other.file.endswith(".yaml")


def test_problem_details_may_not_be_documented(found):
    """Without `render_error` errors are problem details; the place is that of the contract."""
    (warning,) = found(**{"500": documented({})})

    assert warning.message == (
        "GET /a documents 500 without application/problem+json, the media type of its error bodies"
    )
    assert warning.where.file.endswith(".yaml")
    assert found(**{"500": documented({}, "application/problem+json")}) == []


@pytest.mark.parametrize(
    "response", [{"description": ""}, documented({}, "application/xml"), documented({}, "application/*")]
)
def test_an_error_without_a_body_that_could_be_rendered_is_no_warning(found, response):
    """No package can do better."""
    assert found(**{"500": response}) == []


@pytest.mark.parametrize(
    ("init", "violation"),
    [
        (TAKEN, None),
        (TAKEN.replace("7", "10"), "maximum at '/owner'"),
        (TAKEN.replace('"TAKEN"', '"LATE"'), "enum at '/code'"),
        ("    errors = {KeyError: (409, 'GONE', 'It is gone')}", "enum at '/code'"),
        # Another operation may raise the other one.
        (f"{TAKEN}\n    class Late(Taken):\n        code = 'LATE'\n", None),
        # Its constructor may be given the members.
        (TAKEN.replace("{'owner': 7}", "{}"), None),
    ],
)
def test_an_error_of_the_package_has_to_be_what_the_contract_documents(found, init, violation):
    """Those are known by their classes: subclasses of ApiError, and what `errors` maps others to."""
    schema = {"type": "object", "required": ["code", "owner"], **PROBLEM_409}
    warnings = found(init, **{"409": documented(schema, "application/problem+json")})
    message = f"the body of a 409 violates the schema of GET /a: {violation}"
    assert [one.message for one in warnings] == ([message] if violation else [])


def test_each_error_is_rendered_once_for_all_operations(tmp_path, monkeypatch):
    """A package may count its errors, and a start grows with the contract as little as it can."""
    monkeypatch.syspath_prepend(tmp_path)
    answers = {"200": {"description": ""}, "500": documented({})}
    paths = {f"/{name}": {"get": operation(f"show_{name}", responses=answers)} for name in "abc"}
    init = "CALLS = []\ndef render_error(report):\n    CALLS.append(report.status)\n    return {}, 'application/json'\n"
    things = "".join(f"async def show_{name}(): ...\n" for name in "abc")

    application = host(tmp_path, contract(paths), init=init, things=things)

    assert application.package.CALLS == [500]
