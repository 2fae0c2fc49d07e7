"""Text to values: `relay.validation.parameters` and `relay.validation.coercion`."""

from __future__ import annotations

import functools
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.validation.parameters import ParameterDecoder
from relay.validation.schemas import SchemaCompiler
from support.compiled import around, parameter, parameter_decoder, raw_texts

INTEGER, NUMBER, BOOLEAN, STRING = ({"type": name} for name in ("integer", "number", "boolean", "string"))
INTEGERS, STRINGS = ({"type": "array", "items": items} for items in (INTEGER, STRING))
POINT = {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}, "additionalProperties": False}

WORDS = st.text("abcdefgh0123456789äß", min_size=1, max_size=5)


def decoded(decoder, raw):
    """Return the handler's argument for `p`, and the path and rule of each violation."""
    arguments, failures = {}, []
    decoder.decode(raw_texts(decoder.parameter.location, raw), arguments, "p", failures)
    return arguments, [(failure.path, failure.rule) for failure in failures]


def value(decoder, *texts, **raw):
    """Return the value of `p`, sent once or more, or under other names."""
    arguments, failures = decoded(decoder, {"p": texts, **raw} if texts else raw)
    assert failures == []
    return arguments["p"]


def violations(decoder, *texts, **raw):
    """Return the path and rule of each violation of `p`."""
    arguments, failures = decoded(decoder, {"p": texts, **raw} if texts else raw)
    assert arguments == {}
    assert failures != []
    return failures


DECODERS = {
    name: parameter_decoder({"type": name, "nullable": True}) for name in ("integer", "number", "boolean")
}


@pytest.mark.parametrize("name", DECODERS)
@example("1_0")
@example(" 1")
@example("1\n")
@example("\N{FULLWIDTH DIGIT ONE}")
@example("1e999")
@example("-0")
@given(
    st.text(st.sampled_from("0123456789-+.eE_ \n\uff11\xb2\u0663ainfNtruelsTF"), max_size=8)
    | st.floats().map(repr)
)
def test_accepts_only_json_spellings(name, text):
    """Python's conversions accept underscores, spaces and the digits of every script."""
    arguments, failures = decoded(DECODERS[name], {"p": [text]})

    if failures == []:
        assert arguments["p"] == json.loads(text)
        assert type(arguments["p"]) is not str


@given(st.integers(-(10**99), 10**99))
def test_accepts_every_integer(number):
    assert value(DECODERS["integer"], str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_accepts_every_finite_number(number):
    assert value(DECODERS["number"], repr(number)) == number


@pytest.mark.parametrize("text", ["1.0", "1e2", "01", "+1", "0x1", "", "true", "1" * 101])
def test_an_integer_has_one_spelling(text):
    assert violations(DECODERS["integer"], text) == [("/p", "type")]


@pytest.mark.parametrize("text", ["True", "1", "yes", "on", ""])
def test_a_boolean_is_true_or_false(text):
    assert violations(DECODERS["boolean"], text) == [("/p", "type")]


@pytest.mark.parametrize("text", ["1", "true", "null", "", "1_0"])
def test_text_stays_text_if_the_schema_is_a_string(text):
    """A licence plate of digits is not a number."""
    assert value(parameter_decoder(STRING), text) == text


def test_a_nullable_parameter_can_be_null():
    assert value(parameter_decoder({"type": "string", "nullable": True}), "null") is None


def test_an_enum_defines_the_types_if_type_is_missing():
    decoder = parameter_decoder({"enum": [1, 2.5, "one"]})

    assert [value(decoder, text) for text in ("1", "2.5", "one")] == [1, 2.5, "one"]


def test_with_several_types_the_first_valid_one_is_used():
    """A oneOf parameter is coerced to an alternative that its schema accepts."""
    decoder = parameter_decoder(
        {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[A-Z]"}]}
    )

    assert value(decoder, "7") == 7
    assert value(decoder, "Seven") == "Seven"
    assert violations(decoder, "0") == [("/p", "pattern")]  # of the alternative for text


def test_types_are_found_through_references_and_combinations():
    schemas = {"Base": INTEGER, "Limit": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"maximum": 9}]}}
    decoder = parameter_decoder({"$ref": "#/components/schemas/Limit"}, schemas=schemas)

    assert value(decoder, "9") == 9
    assert violations(decoder, "10") == [("/p", "maximum")]


def test_items_are_found_anywhere_in_a_combination():
    decoder = parameter_decoder({"allOf": [INTEGERS, {"maxItems": 2}]})

    assert value(decoder, "1", "2") == [1, 2]
    assert violations(decoder, "1", "2", "3") == [("/p", "maxItems")]


def test_additional_properties_are_coerced():
    """`additionalProperties` defines their type."""
    decoder = parameter_decoder({"type": "object", "additionalProperties": INTEGER}, style="deepObject")

    assert value(decoder, **{"p[any]": ["1"]}) == {"any": 1}
    assert violations(decoder, **{"p[any]": ["x"]}) == [("/p/any", "type")]


def test_a_schema_may_be_recursive():
    """Text cannot nest as deep as such a schema; deeper values stay text."""
    node = {"type": "object", "properties": {"size": INTEGER, "next": {"$ref": "#/components/schemas/Node"}}}
    decoder = parameter_decoder(
        {"$ref": "#/components/schemas/Node"}, schemas={"Node": node}, style="deepObject"
    )

    assert value(decoder, **{"p[size]": ["1"]}) == {"size": 1}


@pytest.mark.parametrize("location", ["path", "query", "header", "cookie"])
def test_coerces_at_every_location(location):
    """Also in headers and cookies, where Connexion keeps text and then rejects it."""
    assert value(parameter_decoder(INTEGER, location), "12") == 12


def test_reports_a_missing_parameter():
    assert violations(parameter_decoder(INTEGER, required=True)) == [("/p", "required")]


def test_an_absent_parameter_is_not_passed():
    """The handler's default applies."""
    assert decoded(parameter_decoder(INTEGER), {}) == ({}, [])


def test_each_request_gets_a_copy_of_the_default():
    """A handler may modify its arguments."""
    decoder = parameter_decoder({**INTEGERS, "default": [1]})

    value(decoder).append(2)

    assert value(decoder) == [1]


def test_a_default_is_found_through_references_and_combinations():
    """As that of a property of a body."""
    schemas = {"Size": {**INTEGER, "default": 7}}
    decoder = parameter_decoder(
        {"allOf": [{"maximum": 9}, {"$ref": "#/components/schemas/Size"}]}, schemas=schemas
    )

    assert value(decoder) == 7


def test_a_default_must_match_its_own_schema():
    """Reported at start: no request could send the default as an explicit value."""
    contract = around()
    compiler = SchemaCompiler(contract)
    schema = {"type": "integer", "maximum": 9, "default": 10}

    ParameterDecoder(parameter(schema), compiler)

    assert [problem.message for problem in compiler.problems] == [
        "the default of 'p' violates its own schema; handlers get it as it is"
    ]


def test_rejects_a_repeated_parameter():
    """The server cannot know which value is intended."""
    assert violations(parameter_decoder(STRING), "a", "b") == [("/p", "style")]


def test_reports_the_path_within_a_parameter_but_not_the_value():
    decoder = parameter_decoder(INTEGERS)
    failures = []

    decoder.decode(raw_texts("query", {"p": ["1", "sk_canary"]}), {}, "p", failures)

    (failure,) = failures
    assert (failure.location, failure.path) == ("query", "/p/1")
    assert "sk_canary" not in str(failure)


def test_a_name_is_escaped_in_a_path():
    """Paths are JSON pointers."""
    assert violations(parameter_decoder(INTEGER, name="a/b~c"), **{"a/b~c": ["x"]}) == [("/a~1b~0c", "type")]


def joined(separator, prefix=""):
    return lambda values: {"p": [prefix + separator.join(map(str, values))]}


def repeated(values):
    return {"p": list(map(str, values))}


ARRAYS = [
    ("path", "simple", False, joined(",")),
    ("path", "simple", True, joined(",")),
    ("path", "label", False, joined(",", ".")),
    ("path", "label", True, joined(".", ".")),
    ("path", "matrix", False, joined(",", ";p=")),
    ("path", "matrix", True, lambda values: {"p": ["".join(f";p={one}" for one in values)]}),
    ("query", "form", True, repeated),
    ("query", "form", False, joined(",")),
    ("query", "spaceDelimited", False, joined(" ")),
    ("query", "spaceDelimited", True, repeated),
    ("query", "pipeDelimited", False, joined("|")),
    ("query", "pipeDelimited", True, repeated),
    ("header", "simple", False, joined(", ")),
    ("cookie", "form", False, joined(",")),
]


@functools.cache
def array_decoder(item_type, location, style, explode):
    schema = {"type": "array", "items": {"type": item_type}}
    return parameter_decoder(schema, location, style=style, explode=explode)


@pytest.mark.parametrize(("location", "style", "explode", "write"), ARRAYS)
@settings(max_examples=20)
@given(numbers=st.lists(st.integers(), min_size=1), words=st.lists(WORDS, min_size=1))
def test_reads_back_an_array_in_every_style(location, style, explode, write, numbers, words):
    """OpenAPI 3.0.3, "Style Values", and RFC 6570, which it refers to."""
    of_integers = array_decoder("integer", location, style, explode)
    of_strings = array_decoder("string", location, style, explode)

    assert value(of_integers, **write(numbers)) == numbers
    assert value(of_strings, **write(words)) == words


def pairs(separator, sign, prefix=""):
    return lambda point: {
        "p": [prefix + separator.join(f"{name}{sign}{value}" for name, value in point.items())]
    }


def spread(point):
    return {name: [str(value)] for name, value in point.items()}


OBJECTS = [
    ("path", "simple", False, pairs(",", ",")),
    ("path", "simple", True, pairs(",", "=")),
    ("path", "label", False, pairs(",", ",", ".")),
    ("path", "label", True, pairs(".", "=", ".")),
    ("path", "matrix", False, pairs(",", ",", ";p=")),
    ("path", "matrix", True, pairs(";", "=", ";")),
    ("query", "form", False, pairs(",", ",")),
    ("query", "form", True, spread),
    ("query", "deepObject", True, lambda point: {f"p[{name}]": [str(one)] for name, one in point.items()}),
    ("header", "simple", False, pairs(", ", ",")),
    ("header", "simple", True, pairs(", ", "=")),
    ("cookie", "form", False, pairs(",", ",")),
]


@functools.cache
def point_decoder(location, style, explode):
    return parameter_decoder(POINT, location, style=style, explode=explode)


@pytest.mark.parametrize(("location", "style", "explode", "write"), OBJECTS)
@settings(max_examples=20)
@given(point=st.dictionaries(st.sampled_from("xy"), st.integers(), min_size=1))
def test_reads_back_an_object_in_every_style(location, style, explode, write, point):
    """The same for objects of scalars, the only objects that the styles can represent."""
    assert value(point_decoder(location, style, explode), **write(point)) == point


@pytest.mark.parametrize("style", ["form", "spaceDelimited", "pipeDelimited"])
def test_an_empty_value_is_an_empty_list(style):
    """It could also be a list of one empty string; a contract can require `minItems`."""
    assert value(parameter_decoder(STRINGS, style=style, explode=False), "") == []


@pytest.mark.parametrize(
    ("style", "explode", "text"),
    [
        ("label", False, "1,2"),
        ("matrix", False, "1,2"),
        ("matrix", False, ";q=1,2"),
        ("matrix", True, ";p=1;q=2"),
    ],
)
def test_rejects_an_array_in_another_style(style, explode, text):
    decoder = parameter_decoder(INTEGERS, "path", style=style, explode=explode)

    assert violations(decoder, text) == [("/p", "style")]


@pytest.mark.parametrize(
    ("explode", "text"), [(False, "x,1,y"), (False, "x,1,x,2"), (True, "x=1,y"), (True, "x=1,x=2")]
)
def test_rejects_an_object_without_pairs_of_name_and_value(explode, text):
    """No part of a request is dropped silently."""
    decoder = parameter_decoder(POINT, "path", style="simple", explode=explode)

    assert violations(decoder, text) == [("/p", "style")]


def test_a_property_of_an_exploded_object_may_be_sent_once():
    assert violations(parameter_decoder(POINT), x=["1", "2"]) == [("/p/x", "type")]


NESTED = parameter_decoder(
    {
        "type": "object",
        "properties": {"size": {"type": "object", "properties": {"min": INTEGER}}, "tags": STRINGS},
        "additionalProperties": False,
    },
    style="deepObject",
)


def test_parses_nested_brackets():
    """Connexion responds with 500."""
    assert value(NESTED, **{"p[size][min]": ["1"], "p[tags][]": ["a", "b"]}) == {
        "size": {"min": 1},
        "tags": ["a", "b"],
    }


def test_a_list_of_one_item_needs_no_empty_brackets():
    assert value(NESTED, **{"p[tags]": ["a"]}) == {"tags": ["a"]}


LINES = {"type": "array", "items": {"type": "object", "properties": {"size": INTEGER, "tags": STRINGS}}}


@pytest.mark.parametrize(
    ("schema", "raw", "expected"),
    [
        (INTEGERS, {"p[]": ["1", "2"]}, [1, 2]),
        (INTEGERS, {"p[0]": ["1"], "p[1]": ["2"]}, [1, 2]),
        (INTEGERS, {"p[10]": ["3"], "p[2]": ["2"], "p[0]": ["1"]}, [1, 2, 3]),
        (INTEGERS, {"p[]": ["1"]}, [1]),
        ({"type": "array", "items": INTEGERS}, {"p[0][]": ["1", "2"], "p[1][0]": ["3"]}, [[1, 2], [3]]),
        (
            LINES,
            {"p[0][size]": ["1"], "p[0][tags][]": ["a"], "p[1][size]": ["2"]},
            [{"size": 1, "tags": ["a"]}, {"size": 2}],
        ),
        (LINES, {"p[][size]": ["1"], "p[][tags][0]": ["a"]}, [{"size": 1, "tags": ["a"]}]),
        (
            {"type": "object", "properties": {"ids": INTEGERS}},
            {"p[ids][1]": ["2"], "p[ids][0]": ["1"]},
            {"ids": [1, 2]},
        ),
        ({"type": "object", "properties": {"0": INTEGER}}, {"p[0]": ["1"]}, {"0": 1}),
    ],
)
def test_arrays_in_brackets_are_lists(schema, raw, expected):
    """OpenAPI leaves them undefined; a payment provider uses them for every list."""
    assert value(parameter_decoder(schema, style="deepObject"), **raw) == expected


@pytest.mark.parametrize(
    ("raw", "path", "rule"),
    [
        ({"p[]": ["x"]}, "/p/0", "type"),
        ({"p[a]": ["1"]}, "/p", "type"),
        ({"p[0]": ["1"], "p[0][0]": ["1"]}, "/p", "style"),
        ({"p[99999]": ["1"]}, "/p", "type"),
        ({"p": ["1"]}, "/p", "style"),
    ],
)
def test_rejects_arrays_in_other_brackets(raw, path, rule):
    assert violations(parameter_decoder(INTEGERS, style="deepObject"), **raw) == [(path, rule)]


RANGE = {"type": "object", "properties": {"gt": INTEGER}, "additionalProperties": False}


class TestScalarOrMore:
    """A schema that allows a scalar beside an object or array."""

    @pytest.mark.parametrize(("style", "explode"), [("deepObject", True), ("form", True), ("form", False)])
    def test_a_text_is_the_scalar_if_it_is_no_object(self, style, explode):
        """`created=1` or `created[gt]=1`, as payment providers filter lists."""
        decoder = parameter_decoder({"anyOf": [RANGE, INTEGER]}, style=style, explode=explode)
        written = {"deepObject": {"p[gt]": ["1"]}, "form": {"gt": ["1"]} if explode else {"p": ["gt,1"]}}

        assert value(decoder, "1") == 1
        assert value(decoder, **written[style]) == {"gt": 1}
        assert violations(decoder, "x") == [("/p", "type")]

    def test_both_at_once_are_refused(self):
        decoder = parameter_decoder({"anyOf": [RANGE, INTEGER]}, style="deepObject")

        assert violations(decoder, "1", **{"p[gt]": ["1"]}) == [("/p", "style")]

    @pytest.mark.parametrize(("location", "explode"), [("query", True), ("query", False), ("path", False)])
    def test_a_text_is_the_scalar_if_the_list_of_it_is_invalid(self, location, explode):
        decoder = parameter_decoder(
            {"oneOf": [INTEGER, {**INTEGERS, "minItems": 2}]}, location, explode=explode
        )

        assert value(decoder, "1") == 1
        assert value(decoder, *(["1", "2"] if explode else ["1,2"])) == [1, 2]
        assert value(parameter_decoder({"oneOf": [INTEGER, INTEGERS]}), "1") == [1]


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        ({"default": 10}, "5", 5),
        ({"default": 10}, "x", "x"),
        ({"default": True}, "false", False),
        ({"default": "a"}, "5", "5"),
        ({"default": None}, "null", "null"),
        ({"enum": [1, 2]}, "2", 2),
        ({"enum": ["1", 2]}, "1", "1"),
        ({"type": "integer", "enum": ["1", "2"]}, "2", 2),
        ({"type": "string", "enum": [1, True]}, "true", "true"),
        ({"type": "string", "enum": [1, 2.5]}, "2.5", "2.5"),
        ({"anyOf": [{"type": "integer", "enum": ["1"]}, {"type": "string", "maxLength": 0}]}, "1", 1),
    ],
)
def test_the_type_is_found_where_the_schema_is_vague_or_wrong(schema, text, expected):
    """Lint reports an enum whose members have another type; values in the right one are accepted."""
    found = value(parameter_decoder(schema), text)

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("key", "path", "rule"),
    [
        ("p[size][min]", "/p/size/min", "type"),
        ("p[size]", "/p/size", "type"),
        ("p[other]", "/p/other", "additionalProperties"),
        ("p", "/p", "style"),
        ("p[", "/p", "style"),
        ("p[size", "/p", "style"),
        ("p[size]min", "/p", "style"),
        ("p[[size]]", "/p", "style"),
        ("p" + "[size]" * 9, "/p", "style"),
    ],
)
def test_rejects_malformed_brackets(key, path, rule):
    assert violations(NESTED, **{key: ["x"]}) == [(path, rule)]


@pytest.mark.parametrize("keys", [("p[size]", "p[size][min]"), ("p[size][min]", "p[size]")])
def test_rejects_a_key_that_is_both_a_value_and_an_object(keys):
    assert violations(NESTED, **{key: ["1"] for key in keys}) == [("/p", "style")]


@given(
    st.dictionaries(st.text("p[]x", max_size=12).map("p".__add__), st.lists(WORDS, min_size=1), max_size=4)
)
def test_any_brackets_are_decoded_or_rejected(raw):
    arguments, failures = decoded(NESTED, raw)

    assert bool(arguments) + bool(failures) <= 1


def test_a_parameter_with_content_is_json():
    decoder = parameter_decoder(POINT, media_type="application/json")

    assert value(decoder, '{"x": 1}') == {"x": 1}
    assert violations(decoder, '{"x": "1"}') == [("/p/x", "type")]


@pytest.mark.parametrize("text", ["", "{", '{"x": NaN}', '{"x": 1, "x": 2}', "[" * 500 + "]" * 500])
def test_a_parameter_with_content_is_strict_json(text):
    assert violations(parameter_decoder({}, media_type="application/json"), text) == [("/p", "json")]


@pytest.mark.parametrize(
    ("schema", "text", "rule"),
    [
        ({"type": "integer", "minimum": 1, "nullable": True}, "0", "minimum"),
        ({"anyOf": [{"type": "number", "maximum": 1}, {"type": "boolean"}]}, "2.5", "maximum"),
        ({"type": "integer", "minimum": 1, "nullable": True}, "x", "type"),
    ],
)
def test_says_of_a_number_what_is_wrong_with_it(schema, text, rule):
    """Where null or another type is allowed too, the text of a number is a number."""
    assert violations(parameter_decoder(schema), text) == [("/p", rule)]
