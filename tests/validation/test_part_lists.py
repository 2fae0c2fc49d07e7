"""Multipart whose parts are the items of an array, parts within parts, and parts with styles: `relay.validation.part_decoders`."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay import Reply, Upload
from relay.validation.errors import InvalidRequest, ResponseViolation, UnsupportedMediaType
from relay.validation.multipart import MAX_PARTS
from relay.validation.part_decoders import MAX_NESTING
from support.parts import by_position, mirror, multipart

MIXED, FORM, URLENCODED = "multipart/mixed", "multipart/form-data", "application/x-www-form-urlencoded"
SENT = f"{MIXED}; boundary=b"
INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
ROW = {"type": "object", "required": ["n"], "properties": {"n": INTEGER}}
REPORT = by_position(
    {"type": "array", "prefixItems": [ROW, INTEGER], "items": {}, "minItems": 2},
    [{}, {"headers": {"X-Scale": {"required": True, "schema": INTEGER}}}],
    {"contentType": "image/png, image/jpeg"},
)


def as_data(value):
    if isinstance(value, Upload):
        return value.read()
    if isinstance(value, dict):
        return {name: as_data(one) for name, one in value.items()}
    return [as_data(one) for one in value] if isinstance(value, list) else value


def refused(one, body, content_type=SENT):
    with pytest.raises(InvalidRequest) as raised:
        one.take(body, content_type)
    return [(failure.path, failure.rule) for failure in raised.value.failures]


def broken(one, value):
    with pytest.raises(ResponseViolation) as raised:
        one.give(value)
    return [(violation.path, violation.rule) for violation in raised.value.violations]


def test_each_part_is_read_as_the_contract_says():
    """By its encoding, and without one by its schema: an object is JSON, a number is text, no type is a file."""
    parts = [("", b'{"n": 1}'), ("X-Scale: 2", b"5"), ("image/png", b"\x89"), ("Image/JPEG", b"\xff")]
    found = mirror(MIXED, REPORT).take(multipart(*parts), SENT)
    assert as_data(found) == [{"n": 1}, 5, b"\x89", b"\xff"]
    assert found[2].media_type == "image/png"


def test_parts_are_refused_with_their_position():
    one = mirror(MIXED, REPORT)
    good, scaled = ("", b'{"n": 1}'), ("X-Scale: 2", b"5")
    assert refused(one, multipart(good, ("", b"5"), ("text/plain", b""))) == [
        ("/1", "required"),
        ("/2", "contentType"),
    ]
    assert refused(one, multipart(("", b"{"), scaled)) == [("/0", "format")]
    assert refused(one, multipart(("", b'{"n": "1"}'), ("X-Scale: 2", b"five"))) == [
        ("/0/n", "type"),
        ("/1", "type"),
    ]
    assert refused(one, multipart(good)) == [("", "minItems")]
    assert refused(one, multipart(good, scaled)[:-9]) == [("", "format")]
    assert refused(one, multipart(good, scaled), MIXED) == [("", "format")]


def test_parts_get_defaults_and_lose_read_only_properties():
    """As other bodies do, next to files."""
    properties = {"unit": {"type": "string", "default": "kg"}, "key": {"type": "string", "readOnly": True}}
    whole = {"type": "array", "prefixItems": [{"type": "object", "properties": properties}, {}]}
    found = mirror(MIXED, by_position(whole)).take(multipart(("", b'{"key": "k"}'), ("", b"x")), SENT)
    assert as_data(found) == [{"unit": "kg"}, b"x"]


def test_the_number_of_parts_is_limited():
    one = mirror(MIXED, by_position({"type": "array"}))
    parts = [("", b"")] * MAX_PARTS
    assert len(one.take(multipart(*parts), SENT)) == MAX_PARTS
    assert refused(one, multipart(*parts, ("", b""))) == [("", "format")]


def test_a_part_declares_which_of_several_media_types_it_is():
    either = by_position(
        {"type": "array", "items": TEXT}, (), {"contentType": "application/json, text/plain"}
    )
    found = mirror(MIXED, either).take(multipart(("application/json", b'"a"'), ("text/plain", b'"a"')), SENT)
    assert found == ["a", '"a"']


def test_an_array_within_the_array_is_json():
    """The default of arrays since OpenAPI 3.2."""
    one = mirror(
        "multipart/related", by_position({"type": "array", "items": {"type": "array", "items": INTEGER}})
    )
    assert one.take(multipart(("", b"[1, 2]")), "multipart/related; boundary=b") == [[1, 2]]


def test_other_versions_and_schemas_get_the_bytes():
    """Only OpenAPI 3.2 describes parts by position, and only by arrays."""
    listed = {"schema": {"type": "array", "items": TEXT}}
    older, other = mirror(MIXED, listed, "3.1.1"), mirror(MIXED, {"schema": {}})
    body = multipart(("", b"a"))
    assert older.take(body, SENT) == other.take(body, SENT) == body
    assert {one.rule for one in older.problems} == {"unvalidated-body"}
    with pytest.raises(UnsupportedMediaType):
        mirror(MIXED, listed).take(body, "multipart/related; boundary=b")


def test_a_response_has_the_media_types_of_its_parts():
    """Those of the contract, or the one that a Reply chooses among several."""
    one = mirror(MIXED, REPORT)
    scaled = Reply(5, headers={"X-Scale": 2})
    body, media_type = one.give([{"n": 1}, scaled, b"\x89", Reply(b"\xff", media_type="image/jpeg")])
    assert media_type.startswith("multipart/mixed; boundary=")
    heads = [piece.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:] for piece in body.split(b"\r\n--")[:-1]]
    assert heads == [
        [b"content-type: application/json"],
        [b"content-type: text/plain; charset=utf-8", b"x-scale: 2"],
        [b"content-type: image/png"],
        [b"content-type: image/jpeg"],
    ]
    assert as_data(one.take(body, media_type)) == [{"n": 1}, 5, b"\x89", b"\xff"]


def test_a_wrong_part_is_not_sent():
    one = mirror(MIXED, REPORT)
    scaled = Reply(5, headers={"X-Scale": 2})
    assert broken(one, [{"n": 1}, 5]) == [("/1", "required")]
    assert broken(one, [{"n": "1"}, scaled]) == [("/0/n", "type")]
    assert broken(one, [{"n": 1}, scaled, Reply(b"", media_type="text/plain")]) == [("/2", "contentType")]
    assert broken(one, [{"n": 1}, scaled, {}]) == [("/2", "type")]
    assert broken(one, [{"n": 1}]) == [("", "minItems")]
    assert broken(one, {"n": 1}) == [("", "type")]
    assert broken(one, b"--b--") == [("", "type")]


def test_only_a_reply_says_which_media_type_of_a_range_is_sent():
    """A client could not read an image whose type is not known."""
    one = mirror(MIXED, by_position({"type": "array"}, (), {"contentType": "image/*"}))
    assert broken(one, [b"x"]) == [("/0", "contentType")]
    assert b"image/gif" in one.give([Reply(b"x", media_type="image/gif")])[0]


def test_parts_and_forms_are_nested():
    inner = {"type": "array", "prefixItems": [ROW, TEXT, {}]}
    schema = {"type": "object", "properties": {"p": inner, "u": ROW}}
    nested = {
        "p": {
            "contentType": MIXED,
            "prefixEncoding": [{"contentType": FORM}, {}, {"contentType": "image/png"}],
        },
        "u": {"contentType": URLENCODED},
    }
    one = mirror(FORM, {"schema": schema, "encoding": nested})
    form = multipart(('Content-Disposition: form-data; name="n"', b"1"), boundary="f")
    parts = multipart((f"{FORM}; boundary=f", form), ("", b"a"), ("image/png", b"\x89"), boundary="p")
    head = 'Content-Disposition: form-data; name="{}"\r\nContent-Type: {}'
    body = multipart(
        (head.format("p", f"{MIXED}; boundary=p"), parts), (head.format("u", URLENCODED), b"n=2")
    )
    assert as_data(one.take(body, f"{FORM}; boundary=b")) == {"p": [{"n": 1}, "a", b"\x89"], "u": {"n": 2}}
    wrong = body.replace(b"\r\n1\r\n", b"\r\nx\r\n").replace(b"n=2", b"n=y")
    assert refused(one, wrong, f"{FORM}; boundary=b") == [("/p/0/n", "type"), ("/u/n", "type")]
    torn = body.replace(b"--f--", b"")
    assert refused(one, torn, f"{FORM}; boundary=b") == [("/p/0", "format")]


@pytest.mark.parametrize(
    ("field", "sent", "taken"),
    [
        ({"type": "array", "items": {"type": "array", "items": INTEGER}}, [b"1", b"2"], [[1], [2]]),
        ({"type": "array", "items": INTEGER}, [b"1"], [1]),
    ],
)
def test_a_field_is_one_part_unless_each_of_its_values_is_a_list(field, sent, taken):
    """The encoding is that of each value of an array; one of numbers can only be the list of the parts."""
    one = mirror(
        FORM,
        {"schema": {"type": "object", "properties": {"p": field}}, "encoding": {"p": {"contentType": MIXED}}},
    )
    head = f'Content-Disposition: form-data; name="p"\r\nContent-Type: {MIXED}; boundary=p'
    body = multipart(*((head, multipart(("", content), boundary="p")) for content in sent))
    assert one.take(body, f"{FORM}; boundary=b") == {"p": taken}


def test_nesting_is_bounded():
    schema, encoding = TEXT, {}
    for level in range(MAX_NESTING + 2):
        problems = mirror(MIXED, by_position({"type": "array", "items": schema}, (), encoding)).problems
        assert {one.rule for one in problems} == ({"unreadable-part"} if level > MAX_NESTING else set())
        schema = {"type": "array", "items": schema}
        encoding = {"contentType": MIXED, **({"itemEncoding": encoding} if encoding else {})}


IGNORED, XML = "ineffective-keyword", {"contentType": "application/xml"}
IN_PART, IN_TEXT = (
    {"contentType": MIXED, "itemEncoding": {}},
    {"contentType": "text/plain", "prefixEncoding": []},
)
LIST_FIELD = {"type": "object", "properties": {"p": {"type": "array"}}}
STYLED = {"contentType": FORM, "encoding": {"p": {"style": "pipeDelimited"}}}


@pytest.mark.parametrize(
    ("media_type", "media_object", "rule", "at"),
    [
        (MIXED, {"schema": {}, "itemEncoding": {}}, IGNORED, "itemEncoding"),
        (FORM, {"schema": {"type": "object"}, "prefixEncoding": []}, IGNORED, "prefixEncoding"),
        (MIXED, {"schema": {"type": "array"}, "encoding": {}}, IGNORED, "encoding"),
        (MIXED, {"itemSchema": {}, "prefixEncoding": [IN_PART]}, IGNORED, "itemEncoding' is ignored in a stream"),
        (MIXED, by_position({"type": "array"}, (), IN_TEXT), IGNORED, "prefixEncoding"),
        (MIXED, by_position({"type": "array", "items": ROW}, (), XML), "unreadable-part", "type: string"),
        (MIXED, by_position({"type": "array", "items": LIST_FIELD}, (), STYLED), "unreadable-part", "styles"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_so_is_reported(media_type, media_object, rule, at):
    """With its place, and with what to write instead."""
    problems = mirror(media_type, media_object).problems
    assert {(one.rule, at in one.message) for one in problems if one.rule != "unvalidated-body"} == {
        (rule, True)
    }
    assert all(one.where.line > 0 for one in problems)


@pytest.mark.parametrize(
    ("media_type", "media_object"),
    [
        (FORM, {"schema": {"type": "object"}, "encoding": {}}),
        ("multipart/*", {"schema": {"type": "object"}, "encoding": {}}),
        (URLENCODED, {"schema": {"type": "object"}, "encoding": {}}),
        (MIXED, {"itemSchema": {}, "itemEncoding": {}}),
    ],
)
def test_an_encoding_that_is_read_is_not_reported(media_type, media_object):
    assert {one.rule for one in mirror(media_type, media_object).problems} <= {"unvalidated-body"}


KINDS = {
    "integer": (INTEGER, {}, st.integers(-(2**53), 2**53)),
    "boolean": ({"type": "boolean"}, {}, st.booleans()),
    "text": (TEXT, {}, st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    "file": ({}, {"contentType": "image/png"}, st.binary(max_size=40)),
    "object": (ROW, {}, st.fixed_dictionaries({"n": st.integers(0, 9)})),
    "numbers": ({"type": "array", "items": INTEGER}, {}, st.lists(st.integers(0, 9), max_size=3)),
}
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), min_size=1, max_size=6
)


def lists(kinds):
    """Return schemas, encodings and values of arrays whose parts have some kinds."""

    def described(parts):
        schemas, encodings, values = zip(*parts, strict=True) if parts else ((), (), ())
        schema = {"type": "array", "prefixItems": [*schemas]} if parts else {"type": "array"}
        return schema, {"contentType": MIXED, "prefixEncoding": [*encodings]}, [*values]

    return st.lists(kinds, max_size=4).map(described)


def forms(kinds):
    """Return schemas, encodings and values of forms whose fields have some kinds."""

    def described(fields):
        schema = {"type": "object", "properties": {name: one[0] for name, one in fields.items()}}
        encodings = {name: one[1] for name, one in fields.items()}
        return (
            schema,
            {"contentType": FORM, "encoding": encodings},
            {name: one[2] for name, one in fields.items()},
        )

    return st.dictionaries(NAMES, kinds, max_size=3).map(described)


def plain(names):
    return st.sampled_from(names).flatmap(
        lambda name: KINDS[name][2].map(lambda value: (*KINDS[name][:2], value))
    )


WHOLE = lists(
    plain([*KINDS])
    | lists(plain([*KINDS]))
    | forms(plain(["integer", "boolean", "text", "file", "object"]) | lists(plain([*KINDS])))
)


@pytest.mark.slow
@settings(max_examples=60)
@given(WHOLE)
def test_what_a_handler_returns_is_read_back(described):
    schema, encoding, value = described
    one = mirror(MIXED, {"schema": schema, "prefixEncoding": encoding["prefixEncoding"]})
    assert not one.problems
    body, media_type = one.give(value)
    assert as_data(one.take(body, media_type)) == value


NESTED = mirror(
    MIXED,
    by_position(
        {"type": "array", "prefixItems": [ROW, {"type": "array", "items": INTEGER}, ROW]},
        [{}, {"contentType": MIXED}, {"contentType": FORM}],
    ),
)
WELL = multipart(
    ("", b'{"n": 1}'),
    (f"{MIXED}; boundary=p", multipart(("", b"1"), boundary="p")),
    (f"{FORM}; boundary=f", multipart(('Content-Disposition: form-data; name="n"', b"1"), boundary="f")),
    ("", b"x"),
)


@settings(max_examples=60)
@given(
    st.integers(0, len(WELL)),
    st.integers(0, 40),
    st.binary(max_size=8) | st.sampled_from([b"--b", b"\r\n", b"--p--"]),
)
def test_a_broken_body_is_refused_or_read(start, length, inserted):
    body = WELL[:start] + inserted + WELL[start + length :]
    with suppress(InvalidRequest):
        assert isinstance(NESTED.take(body, SENT), list)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0,| "), max_size=8) | st.text(
    "a%+&=2C"
)

FIELDS = {
    "array": {"type": "array", "items": TEXT},
    "object": {"type": "object", "properties": {"a": TEXT, "b": INTEGER}},
}


def taken(style, explode, *fields, version="3.1.1", kind="array"):
    """Read the fields of a form whose property `p` has a style."""
    schema = {"type": "object", "properties": {"p": FIELDS[kind], "q": TEXT}}
    one = mirror(FORM, {"schema": schema, "encoding": {"p": {"style": style, "explode": explode}}}, version)
    head = 'Content-Disposition: form-data; name="{}"'
    body = multipart(*((head.format(name), text.encode()) for name, text in fields))
    return one.take(body, f"{FORM}; boundary=b")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "separator"), [("form", ","), ("spaceDelimited", " "), ("pipeDelimited", "|")]
)
@settings(max_examples=40)
@given(items=st.lists(TEXTS, min_size=2))
def test_reads_back_lists_that_are_one_part(style, separator, items):
    """A part has no percent-encoding, so a percent sign is itself."""
    found = taken(style, False, ("p", separator.join(items)), ("q", "x"))
    assert found == {"p": items, "q": "x"}


@pytest.mark.parametrize(
    ("style", "explode", "fields"),
    [
        ("form", True, [("a", "x"), ("b", "1")]),
        ("form", False, [("p", "a,x,b,1")]),
        ("deepObject", True, [("p[a]", "x"), ("p[b]", "1")]),
    ],
)
def test_reads_objects_in_their_styles(style, explode, fields):
    """Its properties are parts of their own, or one part."""
    assert taken(style, explode, *fields, kind="object") == {"p": {"a": "x", "b": 1}}


def test_in_openapi_3_0_styles_are_for_other_forms():
    """Its Encoding Object ignores them in multipart forms."""
    assert taken("form", False, ("p", "a,b"), version="3.0.3") == {"p": ["a,b"]}
