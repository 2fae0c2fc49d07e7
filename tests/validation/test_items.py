"""Items of streams, written and read: `relay.validation.items`, `relay.validation.item_reading`."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.validation.errors import ResponseViolation
from relay.validation.events import Event
from relay.validation.item_reading import ItemTooLarge, item_value, splitter
from relay.validation.media_types import kind_of_items
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler
from support import sequences
from support.compiled import read
from support.hosting import contract, operation
from support.schemas import json_values

FIELDS = {**{name: {"type": "string"} for name in ("data", "event", "id")}, "retry": {"type": "integer"}}
EVENT = {"type": "object", "required": ["data"], "additionalProperties": False, "properties": FIELDS}
KINDS = {"events": "text/event-stream", "lines": "application/jsonl", "texts": "application/json-seq"}
LINE = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"))
EVENTS = st.fixed_dictionaries(
    {"data": st.text(st.characters(codec="utf-8"))},
    optional={"event": LINE, "id": LINE, "retry": st.integers(0, 10**9)},
)
JSON = json_values(st.text(st.characters(codec="utf-8")), st.integers(-(2**53), 2**53))


def encoder(media_type, item, **more):
    content = {media_type: {"itemSchema": item, **more}}
    one = operation("one", responses={"200": {"description": "", "content": content}})
    document = read({**contract({"/": {"get": one}}), "openapi": "3.2.0"})
    return ResponseEncoder(document.operations[0], SchemaCompiler(document))


ENCODERS = {name: encoder(kind, EVENT if name == "events" else {}) for name, kind in KINDS.items()}
PARTS = encoder("multipart/mixed", {})


def as_clients_read(event):
    """An event with the line breaks that a client reads."""
    return {**event, "data": event["data"].replace("\r\n", "\n").replace("\r", "\n")}


def own_reading(kind, body, content_type, size):
    """The values that Relay's own reader finds in pieces of a size."""
    found = splitter(kind, content_type, max(len(body), 1))
    items = [item for at in range(0, len(body), size) for item in found.feed(body[at : at + size])]
    return [item_value(kind, item) for item in [*items, *found.end()]]


@given(events=st.lists(EVENTS, max_size=5), size=st.integers(1, 9))
def test_events_are_read_as_they_were_written(events, size):
    """By the steps of the standard, and by Relay's reader, however the bytes arrive."""
    body = ENCODERS["events"].encode_body(events, 200).body
    expected = [as_clients_read(one) for one in events]

    assert sequences.events(body) == expected
    assert own_reading("events", body, KINDS["events"], size) == expected
    other_breaks = body.replace(b"\n", b"\r\n")
    assert own_reading("events", other_breaks, KINDS["events"], size) == expected


@pytest.mark.parametrize(("kind", "reader"), [("lines", sequences.lines), ("texts", sequences.texts)])
@given(items=st.lists(JSON, max_size=5), size=st.integers(1, 9))
def test_json_is_read_as_it_was_written(kind, reader, items, size):
    """Values of every type; no text of JSON contains a separator."""
    body = ENCODERS[kind].encode_body(items, 200).body
    assert reader(body) == items
    assert own_reading(kind, body, KINDS[kind], size) == items


@given(
    items=st.lists(
        st.dictionaries(st.text(max_size=3), st.integers(), max_size=2) | st.binary() | LINE, max_size=5
    ),
    size=st.integers(1, 9),
)
def test_parts_are_read_as_they_were_written(items, size):
    """Objects, bytes and text; none contains the boundary, which is random."""
    response = PARTS.encode_body(items, 200)
    content_type = dict(response.headers)[b"content-type"].decode()
    assert len(sequences.parts(response.body, content_type)) == len(items)
    assert own_reading("parts", response.body, content_type, size) == items


def test_a_stream_of_events_in_other_forms_is_read():
    """A byte order mark, comments, fields without a value or a colon, unknown fields, an event without an end."""
    body = b"\xef\xbb\xbf: hi\ndata\ndata:x\nretry: soon\nother: 1\nid: \0\n\n\nevent: no data\n\r\ndata:  y\r\rdata: lost"
    assert own_reading("events", body, KINDS["events"], 3) == [{"data": "\nx"}, {"data": " y"}]


@pytest.mark.parametrize(
    ("event", "at"),
    [
        (Event("a", event="b\nc"), "/0/event"),
        (Event("a", id="b\0"), "/0/id"),
        (Event("a", retry=-1), "/0/retry"),
        (Event(1), "/0/data"),
        (Event(b"a"), "/0/data"),
        (Event(), "/0/data"),
        ({"data": "a", "name": "b"}, "/0/name"),
        ({"data": "a", "retry": math.inf}, "/0/retry"),
        ({"data": "\ud800"}, "/0/data"),
        ("data", "/0"),
        (None, "/0"),
    ],
)
def test_what_has_no_form_in_an_event_stream_is_a_violation(event, at):
    """A line break in a name would begin another field, which the contract does not describe."""
    with pytest.raises(ResponseViolation) as caught:
        ENCODERS["events"].encode_body([event], 200)
    assert [one.path for one in caught.value.violations] == [at]


def test_the_schema_of_json_data_is_asserted_wherever_it_applies():
    """Text is JSON already; any other value is written as JSON."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": {"type": "integer"}}
    made = encoder("text/event-stream", {"allOf": [EVENT, {"properties": {"data": data}}]})

    assert made.encode_body([Event(1), Event("2")], 200).body == b"data: 1\n\ndata: 2\n\n"
    for wrong in (Event("a"), Event(1.5), Event("1.5"), Event([1])):
        with pytest.raises(ResponseViolation) as caught:
            made.encode_body([Event(1), wrong], 200)
        assert [one.path for one in caught.value.violations] == ["/1/data"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_that_has_no_end_is_given_up_at_the_limit(kind):
    found = splitter(kind, KINDS[kind], 100)
    start = {"events": b"data: ", "lines": b'"', "texts": b'\x1e"'}[kind]
    assert [*found.feed(start)] == []
    with pytest.raises(ItemTooLarge):
        [*(item for _ in range(101) for item in found.feed(b"a"))]


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("text/event-stream; charset=utf-8", "events"),
        ("application/x-ndjson", "lines"),
        ("application/geo+json-seq", "texts"),
        ("multipart/mixed; boundary=a", "parts"),
        ("multipart/form-data", None),
        ("application/json", None),
        ("multipart/*", None),
    ],
)
def test_the_media_type_decides_how_items_are_separated(media_type, kind):
    assert kind_of_items(media_type) == kind


SOME_JSON = {
    **EVENT,
    "required": ["event", "data"],
    "oneOf": [
        {"properties": {"event": {"const": "text"}}},
        {
            "properties": {
                "event": {"const": "json"},
                "data": {
                    "contentMediaType": "application/json",
                    "contentSchema": {"required": ["foo"], "properties": {"foo": {"type": "integer"}}},
                },
            }
        },
    ],
}


def test_the_data_of_some_events_may_be_json():
    """As in the specification's own example: the name of an event decides what its data is."""
    made = encoder("text/event-stream", SOME_JSON)

    events = [Event("foo", event="text"), Event({"foo": 1}, event="json"), Event('{"foo": 2}', event="json")]
    assert [one["data"] for one in sequences.events(made.encode_body(events, 200).body)] == [
        "foo",
        '{"foo":1}',
        '{"foo": 2}',
    ]
    for wrong in (Event({"foo": "a"}, event="json"), Event("foo", event="json"), Event("foo", event="other")):
        with pytest.raises(ResponseViolation) as caught:
            made.encode_body([wrong], 200)
        assert caught.value.violations[0].path.startswith("/0")


@pytest.mark.parametrize(
    ("written", "body", "path", "message"),
    [
        (ENCODERS["lines"], {"a": 1}, "", "the body must be a list, or an iterator, of items; not of the type dict"),
        (encoder("multipart/mixed", {}, itemEncoding={"contentType": "image/png"}), [{"a": 1}], "/0", "a part that is not JSON must be text or bytes, not of the type dict"),
    ],
    ids=["a mapping instead of a list", "a mapping in a picture"],
)  # fmt: skip
def test_a_body_of_another_type_is_a_violation(written, body, path, message):
    """The log names the type, never the value."""
    with pytest.raises(ResponseViolation) as raised:
        written.encode_body(body, 200)

    assert [(one.path, one.message) for one in raised.value.violations] == [(path, message)]
