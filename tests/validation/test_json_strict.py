"""Strict JSON, which all parsers read alike: `relay.validation.json_strict`."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.validation.json_strict import MAX_DEPTH, NotJson, parse_json
from support.schemas import FLOATS, json_values

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = json_values(TEXT, st.integers(1 - 10**100, 10**100 - 1) | FLOATS)


@pytest.mark.parametrize("is_escaped", [True, False])
@example("\\u0000")  # a backslash and five letters, not NUL
@example("\\\\ud800")
@given(VALUES)
def test_reads_back_every_value(is_escaped, value):
    assert parse_json(json.dumps(value, ensure_ascii=is_escaped).encode()) == value


@given(
    st.text(st.sampled_from('{}[]":,0123.-+eEtruefalsn\\ud80 \n'), max_size=20).map(str.encode) | st.binary()
)
def test_agrees_with_the_standard_library_or_rejects(body):
    """Any bytes give the same value as in the standard library, or NotJson."""
    try:
        value = parse_json(body)
    except NotJson:
        return
    assert value == json.loads(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON: line 1, column 1"),
        (b'{"a":\n}', "not JSON: line 2, column 1"),
        (b"\xef\xbb\xbf{}", "not JSON: line 1, column 1"),
        (b'"\xff"', "not UTF-8: byte 1"),
        ('{"a": "é"}'.encode("utf-16"), "not UTF-8: byte 0"),
        (b'{"a": 1, "a": 1}', "an object contains a duplicate key"),
        (b'{"a": 1, "\\u0061": 1}', "an object contains a duplicate key"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[Infinity]", "Infinity is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e999", "a number too large to represent"),
        (b"1" * 5000, "an integer of more than 100 digits"),
        (b'"\\ud800"', "a string contains a lone surrogate"),
        (b'{"\\udfff": 1}', "a string contains a lone surrogate"),
        (b'"\0"', "not JSON: line 1, column 2"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_rejects_input_on_which_parsers_disagree(body, reason):
    """Otherwise a filter or signature check in front of the server could read another value."""
    with pytest.raises(NotJson) as raised:
        parse_json(body)
    assert str(raised.value) == reason


def test_a_surrogate_pair_is_one_character():
    assert parse_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_limits_nesting(opening, closing):
    """Python's own limit depends on its version and on the current stack depth."""

    def nested(depth):
        return (opening * (depth - 1) + "1" + closing * (depth - 1)).encode()

    parse_json(nested(MAX_DEPTH))
    with pytest.raises(NotJson, match="nested too deeply"):
        parse_json(nested(MAX_DEPTH + 1))


def test_many_adjacent_brackets_are_not_nested():
    assert parse_json(b"[" + b",".join([b"[]"] * 1000) + b"]") == [[]] * 1000


def test_the_message_does_not_quote_the_body():
    with pytest.raises(NotJson) as raised:
        parse_json(b'{"key": sk_canary}')
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("body", [b'["a", {"b": "\\u0000"}]', b'{"\\u0000": 1}', b'"\\ud800"'])
def test_nul_is_refused_on_request(body):
    """Not every database can store it."""
    with pytest.raises(NotJson, match="a lone surrogate or NUL"):
        parse_json(body, refuses_nul=True)
