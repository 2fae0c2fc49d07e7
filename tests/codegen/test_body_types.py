"""The types of bodies that are lists: streams of items and parts by position, `scripts/relay/codegen/documented_results.py`."""

from __future__ import annotations

import pytest

from support.hosting import contract, operation, ref
from support.scaffolded import handler_findings, regenerated, state_of, text

ROW = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
ITEMS = {"application/jsonl": {"itemSchema": {"$ref": "#/components/schemas/Row"}}}


def document(content):
    """A contract whose operation takes and returns a content."""
    body, answer = {"required": True, "content": content}, {"description": "", "content": content}
    one = operation("add", requestBody=body, responses={"200": answer})
    schemas = {"Row": ROW, "Other": ROW}
    return contract({"/a": {"post": one}}, components={"schemas": schemas}, openapi="3.2.0")


DOCUMENT = document(ITEMS)


def test_a_new_handler_takes_and_returns_iterators():
    """Of the class of an item, whose import no body needs at run time."""
    code = text(regenerated(state_of(DOCUMENT))[0].sources, "things")

    assert "from collections.abc import AsyncIterator\n" in code
    assert "async def add(*, body: AsyncIterator[Row]) -> AsyncIterator[Row]:" in code


@pytest.mark.parametrize(
    ("taken", "returned", "found"),
    [
        # Sync or async, a list of a response, and types of its author's own.
        ("AsyncIterator[Row]", "AsyncGenerator[Row, None]", []),
        ("Iterator[Row]", "Iterator[Row]", []),
        ("Iterable[Row]", "list[Row]", []),
        ("AsyncIterable[Row]", "AsyncIterator[dict[str, object]]", []),
        ("Iterator[Mine]", "Iterator[Mine]", []),
        # Items of another type, and a list of a request, which would have all items in memory.
        ("Iterator[Other]", "Iterator[Row]", ["argument-annotation"]),
        ("list[Row]", "Iterator[Row]", ["argument-annotation"]),
        ("Iterator[Row]", "Iterator[Other]", ["return-annotation"]),
        ("Iterator[Row]", "Row", ["return-annotation"]),
    ],
)
def test_a_handler_may_choose_its_iterators(taken, returned, found):
    code = handler(taken, returned, is_async=taken.startswith("Async"))

    assert [rule for rule, _ in handler_findings(state_of(DOCUMENT, things=code))] == found


@pytest.mark.slow
@pytest.mark.parametrize("item", ["Row", "Mine"])
@pytest.mark.parametrize(
    ("taken", "is_async"),
    [
        ("Iterator[{}]", True),
        ("Iterable[{}] | None", True),
        ('"Iterator[{}]"', True),
        ("AsyncIterator[{}]", False),
        ("AsyncIterable[{}]", False),
    ],
)
def test_an_iterator_that_the_function_cannot_read_is_reported(taken, is_async, item):
    """Each request would get 500; `relay regenerate` leaves it, because the function's body has to change, too."""
    code = handler(taken.format(item), "list[Row]", is_async=is_async)
    state = state_of(DOCUMENT, things=code)

    assert [rule for rule, _ in handler_findings(state)] == ["argument-annotation"]
    assert text(regenerated(state)[0].sources, "things") == code


def test_regenerate_gives_a_plain_function_an_iterator_that_it_can_read():
    """A second run finds nothing to do."""
    code = handler("Iterator[Other]", "Iterator[Row]")
    fixed = text(regenerated(state_of(DOCUMENT, things=code))[0].sources, "things")

    assert "def add(*, body: Iterator[Row]) -> Iterator[Row]:" in fixed
    assert handler_findings(state_of(DOCUMENT, things=fixed)) == []


def handler(taken, returned, *, is_async=False):
    return f"""
from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator

from ._types import Other, Row

class Mine: ...

{"async " * is_async}def add(*, body: {taken}) -> {returned}:
    raise NotImplementedError
"""


MIXED = "multipart/mixed"
REF = ref("Row")
PAIR = {"type": "array", "prefixItems": [REF, {"type": "string"}]}
NESTED = {"type": "array", "prefixItems": [{"type": "array", "items": REF}], "maxItems": 1}


def written(schema, **encodings):
    files = regenerated(state_of(document({MIXED: {"schema": schema, **encodings}})))[0].sources
    code = text(files, "things")
    assert ("import Upload as Upload" in text(files, "_types")) is ("Upload" in code)
    return " ".join(code[code.index("async def add(") : code.index(':\n    """')].split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "encodings", "taken", "returned"),
    [
        ({"type": "array", "items": REF}, {}, "list[Row]", "list[Row]"),
        ({"type": "array", "prefixItems": [REF], "items": {}}, {}, "list[Row | Upload]", "list[Row | bytes]"),
        ({**PAIR, "items": False}, {}, "list[Row | str]", "list[Row | str]"),
        (NESTED, {"prefixEncoding": [{"contentType": MIXED}]}, "list[list[Row]]", "list[list[Row]]"),
        ({"type": "array"}, {"itemEncoding": {"contentType": "application/json"}}, "list[Any]", "list[Any]"),
    ],
)
def test_a_new_handler_takes_and_returns_lists(schema, encodings, taken, returned):
    assert written(schema, **encodings) == f"async def add(*, body: {taken}) -> {returned}"
