"""The types of bodies whose parts are the items of a list: `scripts/relay/codegen/body_types.py`."""

from __future__ import annotations

import pytest

from support.hosting import contract, operation
from support.scaffolded import regenerated, state_of, text

MIXED = "multipart/mixed"
ROW = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
REF = {"$ref": "#/components/schemas/Row"}


def written(schema, **encodings):
    content = {MIXED: {"schema": schema, **encodings}}
    document = contract(
        {
            "/a": {
                "post": operation(
                    "add",
                    requestBody={"required": True, "content": content},
                    responses={"200": {"description": "", "content": content}},
                )
            }
        },
        components={"schemas": {"Row": ROW}},
    )
    files = regenerated(state_of({**document, "openapi": "3.2.0"}))[0].sources
    code = text(files, "things")
    assert ("import Upload as Upload" in text(files, "_types")) is ("Upload" in code)
    return " ".join(code[code.index("async def add(") : code.index(':\n    """')].split())


@pytest.mark.parametrize(
    ("schema", "encodings", "taken", "returned"),
    [
        ({"type": "array", "items": REF}, {}, "list[Row]", "list[Row]"),
        ({"type": "array", "prefixItems": [REF], "items": {}}, {}, "list[Row | Upload]", "list[Row | bytes]"),
        (
            {"type": "array", "prefixItems": [REF, {"type": "string"}], "items": False},
            {},
            "list[Row | str]",
            "list[Row | str]",
        ),
        (
            {"type": "array", "prefixItems": [{"type": "array", "items": REF}], "maxItems": 1},
            {"prefixEncoding": [{"contentType": MIXED}]},
            "list[list[Row]]",
            "list[list[Row]]",
        ),
        (
            {"type": "array"},
            {"itemEncoding": {"contentType": "application/json"}},
            "list[Any]",
            "list[Any]",
        ),
    ],
)
def test_a_new_handler_takes_and_returns_lists(schema, encodings, taken, returned):
    assert written(schema, **encodings) == f"async def add(*, body: {taken}) -> {returned}"
