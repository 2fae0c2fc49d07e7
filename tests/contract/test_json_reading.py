"""Strict JSON: `relay.contract.json_reading`, and which files are JSON."""

import codecs
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.contract import limits
from relay.contract.documents import parse_document
from support.schemas import FLOATS, json_values, pointers

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["\x7f", "\x85", "\u2028", "\U0001f600", '"', "\\", "a/b~c", "\0", "<<", "\ufeff"]
)
VALUES = json_values(TEXTS, st.integers(-(10**40), 10**40) | FLOATS)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(value=VALUES, indent=st.sampled_from([None, 1, 4]), is_ascii=st.booleans())
@pytest.mark.parametrize("name", ["c.json", "c.yaml"])
def test_what_is_written_as_json_is_read_again_with_its_places(
    tmp_path_factory, name, value, indent, is_ascii
):
    """For all texts: a place is that of a member's key, of an item's first character."""
    text = json.dumps({"": value}, indent=indent, ensure_ascii=is_ascii)
    path = tmp_path_factory.mktemp("json") / name
    path.write_bytes(text.encode())

    document, problems = parse_document(path)

    assert problems == []
    assert json.dumps(document.data) == json.dumps({"": value})
    lines = text.split("\n")
    for keys, found in pointers(value, ("",)):
        pointer = tuple(map(str, keys))
        _, line, column = document.place(pointer)
        rest = lines[line - 1][column - 1 :]
        parent = {"": value}
        for token in pointer[:-1]:
            parent = parent[int(token)] if isinstance(parent, list) else parent[token]
        written = json.dumps(
            pointer[-1] if isinstance(parent, dict) else found, ensure_ascii=is_ascii, indent=indent
        )
        assert rest.startswith(written.partition("\n")[0].rstrip(","))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["c.json", "c.JSON", "c.yaml", "c.yml", "c", "-"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83d\ude00"', "\U0001f600"),
        ('"\x7f\x85\u2028"', "\x7f\x85\u2028"),
        (r'"\u0000"', "\0"),
        ('"\\/"', "/"),
        ("12345678901234567890123", 12345678901234567890123),
        ("1E2", 100.0),
    ],
)
def test_json_is_read_as_json_whatever_its_name_is(read, name, text, value):
    """YAML parsers refuse a pair of surrogates, and U+0085 ends a line in YAML 1.1."""
    assert read(f'\n {{"a": {text}}}', name).data == {"a": value}


def test_a_key_may_be_longer_than_1024_characters(read):
    """YAML has that limit; JSON has none."""
    assert read(json.dumps({"k" * 3000: 1})).data == {"k" * 3000: 1}


def test_text_in_braces_that_is_not_json_is_yaml(read):
    """Braces begin a mapping of YAML too."""
    assert read("{a: 1, 'b': [x, y]}", "c.yaml").data == {"a": 1, "b": ["x", "y"]}
    assert read('{"a": NaN, "b": 1,} # YAML', "c.yaml").data == {"a": "NaN", "b": 1}
    assert read('{"a": NaN}', "c.yaml").data == {"a": "NaN"}


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ('{"a": 1,}', "c.json:1:"),
        ('{"a": 1\n "b": 2}', "c.json:2:2: is not JSON: "),
        ('{"a": 1} # one', "c.json:1:10: is not JSON: extra data"),
        ("{'a': 1}", "c.json:1:2: is not JSON: "),
        ('{"a": "x\ty"}', "c.json:1:9: is not JSON: invalid control character at"),
        ('{"a": "é", "b: 1}', "c.json:1:12: is not JSON: unterminated string starting at"),
        ("a: 1\n", "c.json:1:1: is not JSON: expecting value; if it is YAML, name it .yaml"),
        ("", "c.json: is empty"),
        (" \n", "c.json: is empty"),
        (b'{"a":\r"\xff"}', "c.json:2:2: is not JSON in UTF-8; save it as UTF-8"),
        (codecs.BOM_UTF8 + b'{"a":\r\n\xff}', "c.json:2:1: is not JSON in UTF-8; save it as UTF-8"),
        ("[" * 100_000, "c.json:1:101: nested deeper than 100 levels"),
        ('{"a":' * 600, "c.json:1:501: nested deeper than 100 levels"),
        ("[" * 101 + "]" * 101, "c.json:1:101: nested deeper than 100 levels; move parts into components"),
        ("[[" + "[" * 99 + "1" + "]" * 101, "c.json:1:101: nested deeper than 100 levels"),
        ('["a", "' + "[" * 200, "c.json:1:7: is not JSON: unterminated string starting at"),
    ],
)
def test_an_error_has_its_place_and_its_reason(problems_of, text, start):
    """One line, so that an editor can open it; the same for every version of the parser."""
    (problem,) = problems_of(text)
    assert problem.startswith(start)
    assert "\n" not in problem


def test_a_hundred_levels_are_read(read):
    text = "[" * 100 + "]" * 100
    assert json.dumps(read(text).data) == text


def test_all_values_that_cannot_be_kept_are_reported_at_once(problems_of):
    """A file with five faults must not take five starts."""
    text = """{
 "a": NaN,
 "b": [1, -Infinity, -1e400, 1e-400],
 "c": %s, "a": 1,
 "d": {"x": 1, "x": 2, "\\ud83d": "\\ude00 \\ud83d\\ude00"}
}""" % ("9" * 301)

    number = "JSON cannot represent this number; quote it if it is a string"
    half = "has half of a surrogate pair, which is no character; correct the escape"
    assert problems_of(text) == [
        f"c.json:2:7: {number}",
        f"c.json:3:11: {number}",
        f"c.json:3:22: {number}",
        f"c.json:3:30: {number}",
        "c.json:4:7: an integer has at most 300 digits; quote it if it is a string",
        "c.json:4:310: duplicate key 'a', first in line 2; keep one",
        "c.json:5:16: duplicate key 'x', first in line 5; keep one",
        f"c.json:5:24: {half}",
        f"c.json:5:34: {half}",
    ]


def test_the_rest_of_a_file_with_wrong_values_is_kept(tmp_path):
    """The first of two members is used, as in YAML; half of a pair becomes the replacement character."""
    path = tmp_path / "c.json"
    path.write_text('{"a": 1, "a": {"b": 2}, "c": [NaN, "\\ud83dx"], "\\ude00": 3}', "utf-8")

    document, problems = parse_document(path)

    assert len(problems) == 4
    assert document.data == {"a": 1, "c": [None, "\ufffdx"], "\ufffd": 3}
    assert document.place(("a",))[1:] == (1, 2)
    assert document.place(("c", "1"))[1:] == (1, 36)
    assert document.place(("\ufffd",))[1:] == (1, 48)


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_byte_order_mark_is_ignored(read, mark):
    """Editors of Windows write one; no column counts it."""
    document = read(mark + b'{"a": 1}')
    assert document.data == {"a": 1}
    assert str(document.place(("a",))) == "c.json:1:2"


def test_too_many_values_are_refused_before_they_are_built(read, problems_of, monkeypatch):
    """Sixty megabytes of brackets would become gigabytes; commas in texts are no values."""
    monkeypatch.setattr(limits, "MAX_VALUES", 10)
    assert read('{"a": ",,,,,,,,,,,,,", "b": [1, 2, 3, 4, 5, 6, 7]}').size == 10
    (problem,) = problems_of("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]")
    assert problem.startswith("c.json:1:29: has more than ")


def test_a_missing_value_has_the_place_of_its_nearest_parent(read):
    """A finding about what is not there points to where it belongs."""
    document = read('{"a": [{"b": 1,\r\n "c/d": []}]}')

    assert str(document.place(())) == "c.json:1:1"
    assert str(document.place(("a", "0", "c/d"))) == "c.json:2:2"
    assert str(document.place(("a", "0", "c/d", "0", "x"))) == "c.json:2:2"
    assert str(document.place(("a", "01"))) == "c.json:1:2"
    assert str(document.place(("x", "y"))) == "c.json:1:1"
