"""Long arrays, validated and serialised in slices: `relay.validation.slicing`."""

import asyncio
import datetime as dt

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.server.sending import SEND_BYTES, send_response
from relay.validation.errors import ResponseViolation
from relay.validation.slicing import SLICE
from support import encoding
from support.encoding import documented, response_encoder

ITEM = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "label": {"type": "string"},
        "key": {"type": "string", "writeOnly": True},
    },
}
ARRAY = {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}


def page(**rules):
    """Return the schema of an object with two arrays of items; `rules` are added to the first."""
    return {
        "type": "object",
        "required": ["items", "total"],
        "additionalProperties": False,
        "properties": {"items": {**ARRAY, **rules}, "total": {"type": "integer"}, "more": ARRAY},
    }


def encoder_of(schema):
    return response_encoder({"Item": ITEM}, s200=documented(schema))


def encoded(schema, body):
    return encoder_of(schema).encode(body)


def serialised(schema, body):
    found = encoded(schema, body)
    return b"".join((found.body, *found.more))


def violations(schema, body):
    return encoding.violations(encoder_of(schema), body)


def items(count):
    return [{"id": number, "label": f"Line {number}"} for number in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, SLICE, SLICE + 1, 2 * SLICE, 2 * SLICE + 1, 10 * SLICE])
def test_a_long_array_is_serialised_like_a_short_one(count):
    body = {"items": items(count), "total": count, "more": items(3)}
    assert serialised(page(), body) == orjson.dumps(body)
    assert serialised(ARRAY, items(count)) == orjson.dumps(items(count))


def test_only_a_long_array_is_sent_in_pieces():
    body = {"more": items(3 * SLICE), "total": 1, "items": items(2 * SLICE)}  # properties keep their order
    assert encoded(ARRAY, items(SLICE)).more == ()
    assert len(encoded(ARRAY, items(3 * SLICE)).more) >= 3
    assert serialised(page(), body) == orjson.dumps(body)


@given(
    st.lists(
        st.builds(lambda number, label: {"id": number, "label": label}, st.integers(-9, 9), st.text()),
        min_size=1,
        max_size=9,
    )
)
def test_array_items_are_serialised_without_loss(some):
    body = {"items": some * (SLICE + 1), "total": 0}
    assert orjson.loads(serialised(page(), body)) == body


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, SLICE - 1, SLICE, 3 * SLICE])
def test_reports_the_path_of_an_invalid_item(at):
    wrong = items(3 * SLICE + 1)
    wrong[at]["id"] = "sk_canary"

    assert violations(page(), {"items": wrong, "total": 1}) == [(f"/items/{at}/id", "type")]
    assert violations(ARRAY, wrong) == [(f"/{at}/id", "type")]
    wrong[at] = {"id": 1, "key": "sk_canary"}
    assert violations(ARRAY, wrong) == [(f"/{at}/key", "writeOnly")]


@pytest.mark.parametrize(
    ("rules", "count", "violated"),
    [({"maxItems": 2 * SLICE}, 2 * SLICE + 1, "maxItems"), ({"minItems": 3 * SLICE}, 2 * SLICE, "minItems")],
)
def test_validates_the_length_of_a_long_array(rules, count, violated):
    assert violations(page(**rules), {"items": items(count), "total": 1}) == [("/items", violated)]
    assert violations({**ARRAY, **rules}, items(count)) == [("", violated)]


@pytest.mark.parametrize("rules", [{"maxItems": 2 * SLICE}, {"minItems": 1}, {"minItems": 2 * SLICE}])
def test_length_limits_do_not_prevent_slicing(rules):
    assert encoded(page(**rules), {"items": items(2 * SLICE), "total": 1}).more


@pytest.mark.parametrize(
    "rules", [{"uniqueItems": True}, {"not": {"maxItems": 2}}, {"allOf": [{"maxItems": 2 * SLICE}]}]
)
def test_keywords_on_the_whole_array_apply_to_a_long_one(rules):
    body = {"items": items(2 * SLICE), "total": 1}
    assert encoded(page(**rules), body).more == ()

    twice = {"items": items(2 * SLICE) + items(1), "total": 1}
    if "not" not in rules:
        (violation,) = violations(page(**rules), twice)
        assert violation[0] == "/items"


@pytest.mark.parametrize("about", ["enum", "anyOf", "not"])
def test_keywords_on_the_whole_object_apply_with_a_long_array(about):
    rule = {
        "enum": [[{"items": [], "total": 1}]],
        "anyOf": [{"required": ["more"]}],
        "not": {"required": ["total"]},
    }

    assert violations({**page(), about: rule[about]}, {"items": items(2 * SLICE), "total": 1})


@pytest.mark.parametrize(
    "others", [{}, {"total": "x"}, {"total": 1, "secret": 1}, {"total": 1, "more": {}}, {"total": 1, 2: 3}]
)
def test_validates_the_properties_next_to_a_long_array(others):
    assert violations(page(), {"items": items(2 * SLICE), **others})


def test_an_array_valid_only_in_serialised_form_is_serialised_at_once():
    days = [dt.date(2026, 1, 1)] * (2 * SLICE)
    schema = {"type": "array", "items": {"type": "string", "format": "date"}}
    assert serialised(schema, days) == orjson.dumps(days)


async def test_other_tasks_run_while_a_long_array_is_serialised():
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    concurrent = asyncio.create_task(other())
    await encoder_of(ARRAY).start(items(10 * SLICE))
    concurrent.cancel()

    assert turns >= 10


@pytest.mark.parametrize(
    "change", [list.clear, lambda own: own.append("sk_canary"), lambda own: own.insert(0, 7)]
)
async def test_a_list_modified_during_serialisation_is_sent_unmodified(change):
    """An in-memory store may return its own list."""
    own = items(4 * SLICE)
    expected = orjson.dumps({"items": own, "total": 1})
    encoding = asyncio.create_task(encoder_of(page()).start({"items": own, "total": 1}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    change(own)

    found = await encoding

    assert b"".join((found.body, *found.more)) == expected


async def test_an_item_that_becomes_invalid_during_serialisation_is_not_sent():
    own = items(4 * SLICE)
    encoding = asyncio.create_task(encoder_of(page()).start({"items": own, "total": 1}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    own[-1]["id"] = "sk_canary"

    with pytest.raises(ResponseViolation):
        await encoding


async def test_content_length_is_the_length_of_all_pieces():
    """No piece exceeds the maximum size of one ASGI message."""
    sent = []

    async def send(message):
        sent.append(message)

    long = [{"id": 1, "label": "x" * 2_000}] * (SLICE + 1)
    await send_response(send, await encoder_of(ARRAY).start(long))

    head, *pieces = sent
    bodies = [piece["body"] for piece in pieces]
    assert b"".join(bodies) == orjson.dumps(long)
    assert dict(head["headers"])[b"content-length"] == b"%d" % len(b"".join(bodies))
    assert max(map(len, bodies)) <= SEND_BYTES
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]
