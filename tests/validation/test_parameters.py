"""Text to values: `relay.validation.parameters` and `relay.validation.coercion`."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.validation.coercion import MAX_NESTING, Coercion
from relay.validation.parameters import ParameterDecoder
from relay.validation.schemas import SchemaCompiler
from support.compiled import around, parameter, parameter_decoder, raw_texts
from support.hostile_files import document
from support.hosting import ref
from support.scaffolded import read

INTEGER, BOOLEAN, STRING = ({"type": name} for name in ("integer", "boolean", "string"))
INTEGERS, STRINGS = ({"type": "array", "items": items} for items in (INTEGER, STRING))
POINT = {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}, "additionalProperties": False}

WORDS = st.text("abcdefgh0123456789äß", min_size=1, max_size=5)


def decoded(decoder, raw):
    arguments, failures = {}, []
    decoder.decode(raw_texts(decoder.parameter.location, raw), arguments, "p", failures)
    return arguments, [(failure.path, failure.rule) for failure in failures]


def value(decoder, *texts, **raw):
    arguments, failures = decoded(decoder, {"p": texts, **raw} if texts else raw)
    assert failures == []
    return arguments["p"]


def violations(decoder, *texts, **raw):
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


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        *((STRING, text, text) for text in ("1", "true", "null", "", "1_0")),  # a licence plate is no number
        ({**STRING, "nullable": True}, "null", None),
        *(({"enum": [1, 2.5, "one"]}, str(one), one) for one in (1, 2.5, "one")),
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
def test_a_text_has_the_type_of_its_schema(schema, text, expected):
    """Also where that is vague or wrong. Lint reports an enum whose members have another type; values in the right one are accepted."""
    found = value(parameter_decoder(schema), text)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("schema", "text", "rule"),
    [
        *((INTEGER, text, "type") for text in ("1.0", "1e2", "01", "+1", "0x1", "", "true", "1" * 101)),
        *((BOOLEAN, text, "type") for text in ("True", "1", "yes", "on", "")),
        ({"type": "integer", "minimum": 1, "nullable": True}, "0", "minimum"),
        ({"anyOf": [{"type": "number", "maximum": 1}, {"type": "boolean"}]}, "2.5", "maximum"),
        ({"type": "integer", "minimum": 1, "nullable": True}, "x", "type"),
    ],
)
def test_a_text_of_another_type_is_refused(schema, text, rule):
    """Where null or another type is allowed too, the text of a number is a number."""
    assert violations(parameter_decoder(schema), text) == [("/p", rule)]


def test_with_several_types_the_first_valid_one_is_used():
    """A oneOf parameter is coerced to an alternative that its schema accepts."""
    decoder = parameter_decoder(
        {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[A-Z]"}]}
    )

    assert value(decoder, "7") == 7
    assert value(decoder, "Seven") == "Seven"
    assert violations(decoder, "0") == [("/p", "pattern")]  # of the alternative for text


def test_types_and_items_are_found_through_references_and_combinations():
    schemas = {"Base": INTEGER, "Limit": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"maximum": 9}]}}
    limit = parameter_decoder({"$ref": "#/components/schemas/Limit"}, schemas=schemas)
    several = parameter_decoder({"allOf": [INTEGERS, {"maxItems": 2}]})

    assert (value(limit, "9"), value(several, "1", "2")) == (9, [1, 2])
    assert violations(limit, "10") == [("/p", "maximum")]
    assert violations(several, "1", "2", "3") == [("/p", "maxItems")]


def test_additional_properties_are_coerced():
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


def test_an_absent_parameter_is_not_passed_unless_it_is_required():
    assert decoded(parameter_decoder(INTEGER), {}) == ({}, [])
    assert violations(parameter_decoder(INTEGER, required=True)) == [("/p", "required")]


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

    assert value(ParameterDecoder(parameter(schema), compiler)) == 10

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


@pytest.mark.parametrize(
    ("schema", "location", "style", "explode", "texts", "expected"),
    [
        (INTEGERS, "query", "spaceDelimited", True, ["1", "2"], [1, 2]),
        (INTEGERS, "query", "pipeDelimited", True, ["1", "2"], [1, 2]),
        (INTEGERS, "header", "simple", False, ["1, 2"], [1, 2]),
        (POINT, "header", "simple", False, ["x,1, y,2"], {"x": 1, "y": 2}),
        (POINT, "header", "simple", True, ["x=1, y=2"], {"x": 1, "y": 2}),
    ],
)
def test_reads_arrays_and_objects(schema, location, style, explode, texts, expected):
    """In styles that `test_styles.py` does not read back."""
    assert value(parameter_decoder(schema, location, style=style, explode=explode), *texts) == expected


@pytest.mark.parametrize("style", ["form", "spaceDelimited", "pipeDelimited"])
def test_an_empty_value_is_an_empty_list(style):
    """It could also be a list of one empty string; a contract can require `minItems`."""
    assert value(parameter_decoder(STRINGS, style=style, explode=False), "") == []


@pytest.mark.parametrize(
    ("schema", "style", "explode", "text"),
    [
        (INTEGERS, "label", False, "1,2"),
        (INTEGERS, "matrix", False, "1,2"),
        (INTEGERS, "matrix", False, ";q=1,2"),
        (INTEGERS, "matrix", True, ";p=1;q=2"),
        *((POINT, "simple", False, text) for text in ("x,1,y", "x,1,x,2")),
        *((POINT, "simple", True, text) for text in ("x=1,y", "x=1,x=2")),
    ],
)
def test_rejects_a_value_in_another_style(schema, style, explode, text):
    """No part of a request is dropped silently."""
    decoder = parameter_decoder(schema, "path", style=style, explode=explode)
    assert violations(decoder, text) == [("/p", "style")]


def test_a_property_of_an_exploded_object_may_be_sent_once():
    assert violations(parameter_decoder(POINT), x=["1", "2"]) == [("/p/x", "type")]


SIZED = {
    "type": "object",
    "properties": {"size": {"type": "object", "properties": {"min": INTEGER}}, "tags": STRINGS},
    "additionalProperties": False,
}
NESTED = parameter_decoder(SIZED, style="deepObject")


LINE = {"size": 1, "tags": ["a"]}
LINES = {"type": "array", "items": {"type": "object", "properties": {"size": INTEGER, "tags": STRINGS}}}


@pytest.mark.parametrize(
    ("schema", "raw", "expected"),
    [
        (INTEGERS, {"p[]": ["1", "2"]}, [1, 2]),
        (INTEGERS, {"p[0]": ["1"], "p[1]": ["2"]}, [1, 2]),
        (INTEGERS, {"p[10]": ["3"], "p[2]": ["2"], "p[0]": ["1"]}, [1, 2, 3]),
        (INTEGERS, {"p[]": ["1"]}, [1]),
        ({"type": "array", "items": INTEGERS}, {"p[0][]": ["1", "2"], "p[1][0]": ["3"]}, [[1, 2], [3]]),
        (LINES, {"p[0][size]": ["1"], "p[0][tags][]": ["a"], "p[1][size]": ["2"]}, [LINE, {"size": 2}]),
        (LINES, {"p[][size]": ["1"], "p[][tags][0]": ["a"]}, [LINE]),
        ({"properties": {"ids": INTEGERS}}, {"p[ids][1]": ["2"], "p[ids][0]": ["1"]}, {"ids": [1, 2]}),
        ({"type": "object", "properties": {"0": INTEGER}}, {"p[0]": ["1"]}, {"0": 1}),
        (SIZED, {"p[size][min]": ["1"], "p[tags][]": ["a"]}, {"size": {"min": 1}, "tags": ["a"]}),
        (SIZED, {"p[tags]": ["a"]}, {"tags": ["a"]}),
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
    """A schema that allows a scalar or an object or array."""

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
    ("key", "path", "rule"),
    [
        ("p[size][min]", "/p/size/min", "type"),
        ("p[size] p[size][min]", "/p", "style"),
        ("p[size][min] p[size]", "/p", "style"),
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
    assert violations(NESTED, **{one: ["x"] for one in key.split()}) == [(path, rule)]


@given(
    st.dictionaries(st.text("p[]x", max_size=12).map("p".__add__), st.lists(WORDS, min_size=1), max_size=4)
)
def test_any_brackets_are_decoded_or_rejected(raw):
    arguments, failures = decoded(NESTED, raw)
    assert bool(arguments) + bool(failures) <= 1


@pytest.mark.parametrize("text", ["", "{", '{"x": NaN}', '{"x": 1, "x": 2}', "[" * 500 + "]" * 500])
def test_a_parameter_with_content_is_strict_json(text):
    decoder = parameter_decoder(POINT, media_type="application/json")
    assert value(decoder, '{"x": 1}') == {"x": 1}
    assert violations(decoder, '{"x": "1"}') == [("/p/x", "type")]
    assert violations(parameter_decoder({}, media_type="application/json"), text) == [("/p", "json")]


def coercion(version="3.0.3", **schemas):
    contract = read({**document({}, **schemas), "openapi": version})
    return Coercion(SchemaCompiler(contract))


def test_a_schema_is_built_once():
    """Twenty objects, each with the next one twice, took 1.3 GB."""
    schemas = {
        f"S{n}": {"type": "object", "properties": {"a": ref(f"S{n + 1}"), "b": ref(f"S{n + 1}")}}
        for n in range(60)
    }

    coerce = coercion(**schemas, S60={"type": "integer"}).of(ref("S57"))

    assert coerce({"a": {"b": {"a": "7"}}, "b": {"a": {"b": "x"}}}) == {
        "a": {"b": {"a": 7}},
        "b": {"a": {"b": "x"}},
    }


def test_a_recursive_object_is_converted_at_each_level():
    node = {"type": "object", "properties": {"n": {"type": "integer"}, "next": ref("Node")}}

    coerce = coercion(Node=node).of(ref("Node"))

    assert coerce({"n": "1", "next": {"n": "2", "next": {"n": "3"}}}) == {
        "n": 1,
        "next": {"n": 2, "next": {"n": 3}},
    }


@pytest.mark.parametrize("levels", [1, 2, MAX_NESTING])
def test_one_element_of_nested_arrays_is_a_text(levels):
    schemas = {f"S{n}": {"type": "array", "items": ref(f"S{n + 1}")} for n in range(levels)}
    expected = 7
    for _ in range(levels):
        expected = [expected]

    coerce = coercion(**schemas, **{f"S{levels}": {"type": "integer"}}).of(ref("S0"))

    assert coerce("7") == expected


@pytest.mark.parametrize("itself", [ref("S0"), {"allOf": [ref("S0")]}])
def test_text_for_an_endless_array_is_one_element(itself):
    coerce = coercion(S0={"type": "array", "items": itself}).of(ref("S0"))
    assert coerce("7") == ["7"]


def alternatives(types, version):
    """A schema of these types: a list of them, or an alternative for each."""
    if version != "3.0.3":
        return {"type": sorted(types)}
    return {"anyOf": [{"type": one} for one in sorted(types - {"null"})], "nullable": "null" in types}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "kinds", "value"),
    [
        ("null", {"null"}, None),
        ("true", {"boolean"}, True),
        ("7", {"integer", "number"}, 7),
        ("0.5", {"number"}, 0.5),
        ("a", set(), "a"),
        ('"null"', set(), '"null"'),
    ],
)
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@settings(max_examples=20)
@given(types=st.sets(st.sampled_from(["integer", "number", "boolean", "null"])))
def test_text_becomes_a_value_of_another_type_wherever_that_is_allowed(version, types, text, kinds, value):
    """With any other types; `true` stayed text next to a number and a string."""
    expected = value if types & kinds else text
    schema = alternatives({*types, "string"}, version)
    coerce = coercion(version).of(schema)
    each = coercion(version).of({"type": "array", "items": schema})

    assert (coerce(text), type(coerce(text))) == (expected, type(expected))
    assert each([text]) == [expected]
