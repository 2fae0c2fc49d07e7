"""The types of streams of items: `scripts/relay/codegen/item_types.py`."""

from __future__ import annotations

import pytest

from support.hosting import contract, operation
from support.scaffolded import handler_findings, regenerated, state_of, text

ROW = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
ITEMS = {"application/jsonl": {"itemSchema": {"$ref": "#/components/schemas/Row"}}}
DOCUMENT = {
    **contract(
        {
            "/a": {
                "post": operation(
                    "add",
                    requestBody={"required": True, "content": ITEMS},
                    responses={"200": {"description": "", "content": ITEMS}},
                )
            }
        },
        components={"schemas": {"Row": ROW, "Other": ROW}},
    ),
    "openapi": "3.2.0",
}


def test_a_new_handler_takes_and_returns_iterators():
    """Of the class of an item, whose import no body needs at run time."""
    code = text(regenerated(state_of(DOCUMENT))[0].sources, "things")

    assert "from collections.abc import AsyncIterator\n" in code
    assert "async def add(*, body: AsyncIterator[Row]) -> AsyncIterator[Row]:" in code


@pytest.mark.parametrize(
    ("taken", "returned"),
    [
        ("AsyncIterator[Row]", "AsyncGenerator[Row, None]"),
        ("Iterator[Row]", "Iterator[Row]"),
        ("Iterable[Row]", "list[Row]"),
        ("AsyncIterable[Row]", "AsyncIterator[dict[str, object]]"),
        ("Iterator[Mine]", "Iterator[Mine]"),
    ],
)
def test_a_handler_may_choose_its_iterators(taken, returned):
    """Sync or async, a list of a response, and types of its author's own."""
    assert findings(taken, returned) == []


@pytest.mark.parametrize(
    ("taken", "returned", "rule"),
    [
        ("Iterator[Other]", "Iterator[Row]", "argument-annotation"),
        ("list[Row]", "Iterator[Row]", "argument-annotation"),
        ("Iterator[Row]", "Iterator[Other]", "return-annotation"),
        ("Iterator[Row]", "Row", "return-annotation"),
    ],
)
def test_items_of_another_type_are_reported(taken, returned, rule):
    """A list is none of the types of a body: it would have all items in memory."""
    assert findings(taken, returned) == [rule]


def findings(taken, returned):
    """The rules of what `relay drift` finds in a handler with these annotations."""
    code = f"""
from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator

from ._types import Other, Row

class Mine: ...

def add(*, body: {taken}) -> {returned}:
    raise NotImplementedError
"""
    return [rule for rule, _ in handler_findings(state_of(DOCUMENT, things=code))]
