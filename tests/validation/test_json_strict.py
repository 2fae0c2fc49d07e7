"""JSON that every parser reads alike: `scripts/relay/validation/json_strict.py`."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.validation.json_strict import MAX_DEPTH, NotJson, parse_json

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(1 - 10**100, 10**100 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10)


@pytest.mark.parametrize("is_escaped", [True, False])
@example("\\u0000")  # a backslash and five letters, which is not NUL
@example("\\\\ud800")
@given(VALUES)
def test_reads_back_every_value(is_escaped, value):
    """However the writer escapes."""
    assert parse_json(json.dumps(value, ensure_ascii=is_escaped).encode()) == value


@given(
    st.text(st.sampled_from('{}[]":,0123.-+eEtruefalsn\\ud80 \n'), max_size=20).map(str.encode) | st.binary()
)
def test_reads_nothing_that_another_parser_does_not(body):
    """Whatever the bytes, they are read as the standard library reads them, or refused as NotJson."""
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
        (b'{"a": 1, "a": 1}', "a key stands twice in one object"),
        (b'{"a": 1, "\\u0061": 1}', "a key stands twice in one object"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[Infinity]", "Infinity is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e999", "a number too large to represent"),
        (b"1" * 5000, "an integer of more than 100 digits"),
        (b'"\\ud800"', "text with a lone surrogate or NUL"),
        (b'{"\\udfff": 1}', "text with a lone surrogate or NUL"),
        (b'["a", {"b": "\\u0000"}]', "text with a lone surrogate or NUL"),
        (b'"\0"', "not JSON: line 1, column 2"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_refuses_what_parsers_disagree_on(body, reason):
    """One server's 1 is another's 2, and a signature or a filter in between sees a third."""
    with pytest.raises(NotJson) as refused:
        parse_json(body)

    assert str(refused.value) == reason


def test_a_pair_of_surrogates_is_one_character():
    assert parse_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_a_limit_of_our_own(opening, closing):
    """Python's own depends on its version and on how deep its stack is already."""

    def nested(depth):
        return (opening * (depth - 1) + "1" + closing * (depth - 1)).encode()

    parse_json(nested(MAX_DEPTH))
    with pytest.raises(NotJson, match="nested too deeply"):
        parse_json(nested(MAX_DEPTH + 1))


def test_many_brackets_beside_each_other_are_not_deep():
    assert parse_json(b"[" + b",".join([b"[]"] * 1000) + b"]") == [[]] * 1000


def test_repeats_nothing_of_the_body():
    with pytest.raises(NotJson) as refused:
        parse_json(b'{"key": sk_canary}')

    assert "canary" not in str(refused.value)
