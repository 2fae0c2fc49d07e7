"""The `render_error` that is written for a contract: `scripts/relay/codegen/package_files.py`."""

from __future__ import annotations

import pytest

from relay.codegen.package_files import Security, derive_envelope, package_files
from relay.contract.loading import load_contract
from relay.server.errors import ErrorReport
from support.compiled import read
from support.hosting import contract, operation
from support.running import ROOT, SPEC

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
PLAIN = ErrorReport(404, "NOT_FOUND", "There is no such path")
DETAIL = {"in": "query", "path": "/a", "rule": "type", "message": "m"}
DETAILED = ErrorReport(400, "INVALID", "Wrong", (DETAIL,))
JSON = "application/json"


def shape(*required, **properties):
    needed = {"required": [*required]} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needed}


def answer(schema, media_type=JSON, **rest):
    return {"description": "no", "content": {media_type: {"schema": schema, **rest}}}


def failing(*responses):
    paths = {
        f"/{at}": {"get": {**operation(f"show{at}"), "responses": {"200": {"description": "ok"}, **one}}}
        for at, one in enumerate(responses)
    }
    return read(contract(paths))


def written(document):
    return package_files(document, Security.of(document), derive_envelope(document))["_errors.py"]


def rendered(document, report):
    """Return the body and media type that the written function gives a report."""
    names: dict = {}
    exec(written(document), names)  # noqa: S102 -- what was written, as a service runs it
    return names["render_error"](report)


MESSAGE, DETAILS = answer(shape(message=TEXT)), answer(shape(message=TEXT, details={"type": "array"}))
PROBLEM = answer({"type": "object"}, "application/problem+json")


@pytest.mark.parametrize(
    ("report", "wanted"),
    [
        (PLAIN, ({"message": "There is no such path"}, JSON)),
        (DETAILED, ({"message": "Wrong", "details": [DETAIL]}, JSON)),
        (ErrorReport(409, "TAKEN", "It is taken"), ({"id": 7, "title": "It is taken"}, JSON)),
        (ErrorReport(500, "FAILED", "It failed"), ("It failed", "text/plain; charset=utf-8")),
    ],
)
def test_a_body_is_chosen_by_the_status(report, wanted):
    """The written function has the documented bodies, and what it returns can be read from its source by `drift`."""
    taken = answer(shape("id", id=NUMBER, title=TEXT), example={"id": 7, "title": "x"})
    errors = {"404": MESSAGE, "400": DETAILS, "409": taken, "5XX": answer(TEXT, "text/plain")}
    document = failing(errors, {"404": MESSAGE})

    assert rendered(document, report) == wanted


def test_problem_details_among_other_bodies_are_written():
    """They have the phrase of the status as their title."""
    body, media_type = rendered(failing({"404": PROBLEM, "400": MESSAGE, "500": MESSAGE}), PLAIN)

    assert (body["title"], media_type) == ("Not Found", "application/problem+json")


def test_one_body_for_all_statuses_is_one_statement():
    assert written(failing({"404": MESSAGE, "default": MESSAGE})).endswith(
        "return {'message': report.sentence}, \"application/json\"\n"
    )


def test_the_commonest_body_is_written_for_a_status():
    """A renderer does not know the operation."""
    document = failing({"404": answer(shape(error=TEXT))}, {"404": MESSAGE}, {"404": MESSAGE})

    assert "{'message': report.sentence}" in written(document)
    assert "'error'" not in written(document)


def test_the_seed_gets_a_sentence_or_an_object():
    seed = load_contract(SPEC)

    body = {"success": False, "error": "There is no such path", "code": "NOT_FOUND"}
    assert rendered(seed, PLAIN) == (body, JSON)
    assert rendered(seed, DETAILED)[0]["error"]["details"] == [DETAIL]


LOC = {"type": "array", "items": {"anyOf": [TEXT, NUMBER]}}


def list_of(*required, **properties):
    return {"type": "array", "items": shape(*required, **properties)}


DETAIL_FIELDS = {"loc": LOC, "msg": TEXT, "type": TEXT, "input": {}, "ctx": {"type": "object"}}
FAULT = {"type": "object", "required": ["loc", "msg", "type"], "properties": DETAIL_FIELDS}
FASTAPI = {"type": "object", "properties": {"detail": {"type": "array", "items": FAULT}}}
FIELDS = list_of("field", "code", field=TEXT, code=TEXT, message=TEXT)
SOURCED = {
    "status": TEXT,
    "code": TEXT,
    "title": TEXT,
    "detail": TEXT,
    "source": shape(pointer=TEXT, parameter=TEXT),
}
SOURCED_404 = {"status": "404", "code": "NOT_FOUND", "title": "NOT_FOUND", "detail": PLAIN.message}
SOURCED_400 = {"status": "400", "code": "type", "title": "Wrong", "detail": "m", "source": {"pointer": "/a"}}
ISSUES = shape("code", code=NUMBER, message=TEXT, issues=list_of(location=TEXT, path=TEXT, reason=TEXT))
ISSUE = {"location": "query", "path": "/a", "reason": "m"}
BY_FIELD = {"type": "object", "additionalProperties": {"type": "array"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "plain", "detailed"),
    [
        (FASTAPI,
            {"detail": [{"loc": [], "msg": PLAIN.message, "type": "NOT_FOUND"}]},
            {"detail": [{"loc": ["query", "a"], "msg": "m", "type": "type"}]}),
        (shape("message", message=TEXT, links=list_of("name", name=TEXT, description=TEXT)),
            {"message": PLAIN.message},
            {"message": "Wrong: query /a: m"}),
        (shape(message=TEXT, **{"invalid-params": list_of(resource=TEXT, name=TEXT, code=TEXT)}),
            {"message": PLAIN.message},
            {"message": "Wrong", "invalid-params": [{"name": "a", "code": "type"}]}),
        (shape("message", "errors", message=TEXT, errors=FIELDS),
            {"message": PLAIN.message, "errors": []},
            {"message": "Wrong", "errors": [{"field": "a", "code": "type", "message": "m"}]}),
        (shape("errors", errors=list_of("field", "message", field=TEXT, message=TEXT)),
            {"errors": [{"field": "", "message": PLAIN.message}]},
            {"errors": [{"field": "a", "message": "m"}]}),
        (shape(errors=list_of(**SOURCED)), {"errors": [SOURCED_404]}, {"errors": [SOURCED_400]}),
        (shape(error=ISSUES),
            {"error": {"code": 404, "message": PLAIN.message}},
            {"error": {"code": 400, "message": "Wrong", "issues": [ISSUE]}}),
        (shape("title", "errors", title=TEXT, errors=BY_FIELD),
            {"title": PLAIN.message, "errors": {}},
            {"title": "Wrong: query /a: m", "errors": {}}),
    ],
    ids=["FastAPI", "links", "without a sentence", "fields", "only fields", "JSON:API", "nested", "by field"],
)  # fmt: skip
def test_a_list_of_violations_has_those_of_the_request(schema, plain, detailed):
    """Made-up items of the mock would say what is not true; what is not known is left out, or else empty."""
    document = failing({"400": answer(schema), "404": answer(schema)})

    assert rendered(document, PLAIN) == (plain, JSON)
    assert rendered(document, DETAILED) == (detailed, JSON)


def test_an_error_of_another_status_has_the_documented_list_too(tmp_path):
    """FastAPI documents only 422; a client that reads this form can read every error."""
    two = ErrorReport(400, "INVALID", "Wrong", (DETAIL, {**DETAIL, "in": "body", "path": "/b/0/c"}))

    body, media_type = rendered(failing({"422": answer(FASTAPI)}), two)

    assert media_type == JSON
    assert [one["loc"] for one in body["detail"]] == [["query", "a"], ["body", "b", "0", "c"]]


@pytest.mark.parametrize(
    "responses",
    [
        {},
        {"404": {"description": "Only words."}},
        {"404": answer(shape(message=TEXT), "application/xml")},
        {"404": PROBLEM, "default": PROBLEM},
    ],
    ids=["none", "words", "xml", "problem"],
)
def test_nothing_is_derived_where_relays_own_errors_serve(responses):
    assert derive_envelope(failing(responses)) is None


def test_the_garage_needs_no_envelope():
    assert derive_envelope(load_contract(ROOT / "tests" / "specs" / "garage" / "openapi.yaml")) is None
