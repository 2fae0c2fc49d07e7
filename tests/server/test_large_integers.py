"""Integers of more than 64 bits in a contract: JavaScript writes 2^64 - 1 as 18446744073709551616."""

import json

import pytest

from relay.lint import lint
from support.hosting import calling, contract, operation

BIG = 2**64
SCHEMAS = [
    {"type": "integer", "minimum": 0, "maximum": BIG},
    {"type": "integer", "minimum": -BIG, "maximum": 0},
    {"type": "integer", "minimum": BIG},
    {"type": "integer", "maximum": -BIG, "default": -BIG},
    {"type": "integer", "enum": [BIG, 0], "example": BIG},
    {"type": "integer", "multipleOf": BIG},
    {"type": "number", "maximum": 10**299, "example": 10**299},
    {"type": "string", "maxLength": BIG},
    {"type": "array", "items": {"type": "integer"}, "maxItems": BIG, "example": [BIG]},
]


def document(schema):
    """Return a contract whose operation takes the schema in query and body, and answers it."""
    content = {"application/json": {"schema": schema}}
    taking = operation(
        "post_it",
        parameters=[{"name": "q", "in": "query", "schema": schema}],
        requestBody={"content": content},
        responses={"200": {"description": "ok", "content": content}},
    )
    return contract({"/a": {"post": taking}})


@pytest.fixture
def hosted(hosting):
    """Host a document of this process; orjson would not write it."""
    return lambda document, **rest: hosting(json.dumps(document), **rest)


@pytest.mark.slow
@pytest.mark.parametrize("schema", SCHEMAS)
async def test_is_served_and_mocked(hosted, schema):
    """It was a traceback before the first request."""
    async with calling(hosted(document(schema), settings={"missing": ("mock",)})) as client:
        answer = await client.post("/a")
        served = await client.get("/openapi.json")
    assert answer.status_code == 200
    assert json.loads(served.content)["paths"] == document(schema)["paths"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_is_linted(tmp_path, schema):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(document(schema)), "utf-8")
    assert [str(one) for one in lint(path) if one.severity == "error"] == []


async def test_bounds_are_exact(hosted):
    """A float would not tell 2^64 from its neighbour."""
    schema = {"type": "integer", "minimum": BIG - 1, "maximum": BIG}
    source = "def post_it(q=None, body=None):\n    return body or q\n"
    async with calling(hosted(document(schema), things=source)) as client:
        taken = [(await client.post("/a", params={"q": BIG + n})).status_code for n in (-2, -1, 0, 1)]
        body = await client.post("/a", json=BIG)

    assert taken == [400, 200, 200, 400]
    assert json.loads(body.content) == BIG
