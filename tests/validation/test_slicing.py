"""Long arrays, validated and written slice by slice: `scripts/relay/validation/slicing.py`."""

from __future__ import annotations

import asyncio
import datetime as dt

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.server.guard import SEND_BYTES, send_answer
from relay.validation.errors import ResponseViolation
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler
from relay.validation.slicing import SLICE
from support.compiled import read
from support.hosting import contract, operation

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
    """Return the schema of an object with two arrays of items, `rules` being those of the first."""
    return {
        "type": "object",
        "required": ["items", "total"],
        "additionalProperties": False,
        "properties": {"items": {**ARRAY, **rules}, "total": {"type": "integer"}, "more": ARRAY},
    }


def encoder_of(schema):
    """Compile an operation that answers 200 with a schema's bodies."""
    response = {"description": "", "content": {"application/json": {"schema": schema}}}
    paths = {"/p": {"get": operation("give", responses={"200": response})}}
    whole = read(contract(paths, components={"schemas": {"Item": ITEM}}))
    compiler = SchemaCompiler(whole)
    encoder = ResponseEncoder(whole.operations[0], whole, compiler)
    assert compiler.problems == []
    return encoder


def answered(schema, body):
    """Return a body's answer."""
    return asyncio.run(encoder_of(schema).encode(body))


def written(schema, body):
    """Return a body as it goes out."""
    found = answered(schema, body)
    return b"".join((found.body, *found.more))


def breaches(schema, body):
    """Return how a body breaks the contract: path and rule."""
    with pytest.raises(ResponseViolation) as refused:
        answered(schema, body)
    return [(one.path, one.rule) for one in refused.value.violations]


def items(count):
    """Return so many items."""
    return [{"id": number, "label": f"Line {number}"} for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, SLICE, SLICE + 1, 2 * SLICE, 2 * SLICE + 1, 10 * SLICE])
def test_a_long_array_is_written_as_a_short_one(count):
    body = {"items": items(count), "total": count, "more": items(3)}

    assert written(page(), body) == orjson.dumps(body)
    assert written(ARRAY, items(count)) == orjson.dumps(items(count))


def test_only_a_long_array_goes_out_in_pieces():
    assert answered(ARRAY, items(SLICE)).more == ()
    assert len(answered(ARRAY, items(3 * SLICE)).more) >= 3


def test_properties_keep_their_order_beside_several_long_arrays():
    body = {"more": items(3 * SLICE), "total": 1, "items": items(2 * SLICE)}

    assert written(page(), body) == orjson.dumps(body)


@given(
    st.lists(
        st.builds(lambda number, label: {"id": number, "label": label}, st.integers(-9, 9), st.text()),
        min_size=1,
        max_size=9,
    )
)
def test_whatever_stands_in_an_array_comes_out_of_it(some):
    """NUL, quotes and all."""
    body = {"items": some * (SLICE + 1), "total": 0}

    assert orjson.loads(written(page(), body)) == body


@pytest.mark.parametrize("at", [0, SLICE - 1, SLICE, 3 * SLICE])
def test_an_item_that_breaks_the_contract_is_told_by_its_place(at):
    wrong = items(3 * SLICE + 1)
    wrong[at]["id"] = "sk_canary"

    assert breaches(page(), {"items": wrong, "total": 1}) == [(f"/items/{at}/id", "type")]
    assert breaches(ARRAY, wrong) == [(f"/{at}/id", "type")]


def test_what_may_not_be_sent_is_held_back_in_any_slice():
    wrong = items(2 * SLICE)
    wrong[-1]["key"] = "sk_canary"

    assert breaches(ARRAY, wrong) == [(f"/{2 * SLICE - 1}/key", "writeOnly")]


@pytest.mark.parametrize(
    ("rules", "count", "told"),
    [
        ({"maxItems": 2 * SLICE}, 2 * SLICE + 1, "maxItems"),
        ({"minItems": 3 * SLICE}, 2 * SLICE, "minItems"),
    ],
)
def test_the_length_of_a_long_array_counts(rules, count, told):
    assert breaches(page(**rules), {"items": items(count), "total": 1}) == [("/items", told)]
    assert breaches({**ARRAY, **rules}, items(count)) == [("", told)]


@pytest.mark.parametrize("rules", [{"maxItems": 2 * SLICE}, {"minItems": 1}, {"minItems": 2 * SLICE}])
def test_a_length_that_is_allowed_is_none_to_write_at_once_for(rules):
    assert answered(page(**rules), {"items": items(2 * SLICE), "total": 1}).more


@pytest.mark.parametrize(
    "rules", [{"uniqueItems": True}, {"not": {"maxItems": 2}}, {"allOf": [{"maxItems": 2 * SLICE}]}]
)
def test_a_rule_on_the_whole_array_holds_for_a_long_one(rules):
    """It is written at once, then."""
    body = {"items": items(2 * SLICE), "total": 1}
    assert answered(page(**rules), body).more == ()

    twice = {"items": items(2 * SLICE) + items(1), "total": 1}
    if "not" not in rules:
        (breach,) = breaches(page(**rules), twice)
        assert breach[0] == "/items"


@pytest.mark.parametrize("about", ["enum", "anyOf", "not"])
def test_a_rule_on_the_whole_object_holds_for_one_with_a_long_array(about):
    rule = {
        "enum": [[{"items": [], "total": 1}]],
        "anyOf": [{"required": ["more"]}],
        "not": {"required": ["total"]},
    }

    assert breaches({**page(), about: rule[about]}, {"items": items(2 * SLICE), "total": 1})


@pytest.mark.parametrize(
    "body",
    [
        {"items": items(2 * SLICE)},
        {"items": items(2 * SLICE), "total": "x"},
        {"items": items(2 * SLICE), "total": 1, "secret": 1},
        {"items": items(2 * SLICE), "total": 1, "more": {}},
        {"items": items(2 * SLICE), "total": 1, 2: 3},
    ],
)
def test_what_stands_beside_a_long_array_is_held_to_the_contract(body):
    assert breaches(page(), body)


def test_what_conforms_only_as_it_is_written_is_written_at_once():
    """A date, say."""
    days = [dt.date(2026, 1, 1)] * (2 * SLICE)
    schema = {"type": "array", "items": {"type": "string", "format": "date"}}

    assert written(schema, days) == orjson.dumps(days)


@pytest.mark.asyncio
async def test_others_go_on_while_a_long_array_is_written():
    """Each gets its turn between two slices."""
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await encoder_of(ARRAY).encode(items(10 * SLICE))
    beside.cancel()

    assert turns >= 10


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "change", [list.clear, lambda own: own.append("sk_canary"), lambda own: own.insert(0, 7)]
)
async def test_a_list_that_its_owner_changes_meanwhile_goes_out_as_it_was(change):
    """A store in memory may hand out its own."""
    own = items(4 * SLICE)
    expected = orjson.dumps({"items": own, "total": 1})
    encoding = asyncio.create_task(encoder_of(page()).encode({"items": own, "total": 1}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    change(own)

    found = await encoding

    assert b"".join((found.body, *found.more)) == expected


@pytest.mark.asyncio
async def test_an_item_that_is_broken_meanwhile_does_not_go_out():
    own = items(4 * SLICE)
    encoding = asyncio.create_task(encoder_of(page()).encode({"items": own, "total": 1}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    own[-1]["id"] = "sk_canary"

    with pytest.raises(ResponseViolation):
        await encoding


@pytest.mark.asyncio
async def test_pieces_are_sent_with_the_length_of_all():
    """And none is more than is handed on at once."""
    sent = []

    async def send(message):
        sent.append(message)

    long = [{"id": 1, "label": "x" * SEND_BYTES}] * (SLICE + 1)
    await send_answer(send, await encoder_of(ARRAY).encode(long))

    head, *pieces = sent
    bodies = [piece["body"] for piece in pieces]
    assert b"".join(bodies) == orjson.dumps(long)
    assert dict(head["headers"])[b"content-length"] == b"%d" % len(b"".join(bodies))
    assert max(map(len, bodies)) <= SEND_BYTES
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]
