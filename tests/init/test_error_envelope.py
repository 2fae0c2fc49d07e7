"""The body of errors, derived from the contract: `scripts/relay/init/error_envelope.py`."""

from __future__ import annotations

import pytest

from relay.contract.loading import load_contract
from relay.init.error_envelope import NotDerivable, derive_envelope
from relay.server.errors import ErrorReport
from support.compiled import read
from support.hosting import contract, operation
from support.running import ROOT, SPEC

TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
ITEMS = {"type": "array", "items": {"type": "object"}}
PLAIN = ErrorReport(404, "NOT_FOUND", "There is no such path")
DETAILED = ErrorReport(
    400, "INVALID", "Wrong", ({"in": "query", "path": "/a", "rule": "type", "message": "m"},)
)


def failing(*schemas, media_type="application/json"):
    """A contract whose error responses have these schemas, one status each."""
    answers = {
        str(404 + number): {"description": "no", "content": {media_type: {"schema": schema}}}
        for number, schema in enumerate(schemas)
    }
    responses = {"200": {"description": "ok"}, **answers}
    return read(contract({"/pets": {"get": {**operation("list_pets"), "responses": responses}}}))


def shape(*required, **properties):
    """A closed object schema."""
    needed = {"required": [*required]} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needed}


def rendered(schema, report):
    """What the derived source makes of a report."""
    envelope = derive_envelope(failing(schema))
    source = envelope.detailed if report.details and envelope.detailed else envelope.plain
    return eval(source, {"report": report})  # noqa: S307 -- what was derived, as the module runs it


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (shape(message=TEXT), {"message": "There is no such path"}),
        (shape(status=NUMBER, error=TEXT), {"status": 404, "error": "There is no such path"}),
        (
            shape("success", success=FLAG, error=shape(code=TEXT, message=TEXT)),
            {"success": False, "error": {"code": "NOT_FOUND", "message": "There is no such path"}},
        ),
        (
            shape(errors={"type": "array", "items": shape(status=TEXT, title=TEXT, detail=TEXT)}),
            {"errors": [{"status": "404", "title": "NOT_FOUND", "detail": "There is no such path"}]},
        ),
        (
            {"allOf": [{"properties": {"code": NUMBER}}, {"properties": {"msg": TEXT}, "required": ["msg"]}]},
            {"code": 404, "msg": "There is no such path"},
        ),
        (
            shape("type", type={"type": "string", "enum": ["error"]}, reason=TEXT, trace=TEXT),
            {"type": "error", "reason": "There is no such path"},
        ),
    ],
    ids=["message", "status", "nested", "list", "allOf", "constant"],
)
def test_known_names_get_their_values(schema, wanted):
    """An optional property without a known value is left out."""
    assert rendered(schema, PLAIN) == wanted


def test_details_go_where_the_schema_has_a_place_for_them():
    """Only for a request that breaks the contract; without it the body stays small."""
    schema = shape(code=TEXT, message=TEXT, details=ITEMS)

    assert rendered(schema, PLAIN) == {"code": "NOT_FOUND", "message": "There is no such path"}
    assert rendered(schema, DETAILED)["details"] == [dict(DETAILED.details[0])]


def test_details_that_the_schema_refuses_are_left_out():
    """A list of texts cannot hold them."""
    envelope = derive_envelope(failing(shape(message=TEXT, errors={"type": "array", "items": TEXT})))

    assert envelope.detailed is None


def test_the_seed_gets_a_sentence_or_an_object():
    """As its handlers render it by hand."""
    envelope = derive_envelope(load_contract(SPEC))

    assert eval(envelope.plain, {"report": PLAIN}) == {  # noqa: S307 -- as above
        "success": False,
        "error": "There is no such path",
        "code": "NOT_FOUND",
    }
    assert "report.details" in envelope.detailed


@pytest.mark.parametrize(
    ("schemas", "reason"),
    [
        ([shape(message=TEXT), shape(code=TEXT)], "2 different shapes"),
        ([shape("traceId", traceId=TEXT, message=TEXT)], "requires 'traceId'"),
        ([shape(code={"type": "string", "enum": ["A", "B"]})], "refuses every body"),
        ([{"type": "string"}], "no properties that are known"),
        ([shape(success=FLAG)], "no property for a code or a message"),
    ],
)
def test_what_cannot_be_derived_says_why(schemas, reason):
    """Problem details are the default; a guess would break the contract at run time."""
    with pytest.raises(NotDerivable, match=reason):
        derive_envelope(failing(*schemas))


def test_problem_details_need_no_envelope():
    """They are what Relay renders by itself."""
    garage = load_contract(ROOT / "tests" / "specs" / "garage" / "openapi.yaml")

    assert derive_envelope(garage) is None
    assert derive_envelope(failing()) is None
