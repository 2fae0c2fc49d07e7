"""Minimal edits of text: `scripts/relay/importer/text_edit.py`, the writers that it uses, and `yaml_text.py`."""

import difflib
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.contract.documents import parse_source
from relay.importer.text_edit import rewrite
from relay.importer.yaml_text import block, inline

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=90)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


def parse(text):
    document, problems = parse_source(Path("c.yaml"), text.encode() if isinstance(text, str) else text)
    assert problems == []
    return document


def edited(text, change):
    """A text, edited to contain its data after a function changed a copy of the data."""
    document = parse(text)
    wanted = json.loads(json.dumps(document.data))
    change(wanted)
    return rewrite(document, wanted).decode()


@given(VALUES)
def test_dumped_values_read_back_the_same(value):
    """Strings that are numbers, dates or booleans in some YAML, all line breaks, control characters."""
    assert parse(block({"x": value})).data == {"x": value}
    assert parse(block([value], 4)).data == [value]
    assert parse(f"x: [{inline(value)}]").data == {"x": [value]}
    assert json.loads(inline(value)) == value


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), st.dictionaries(TEXT, VALUES, max_size=4))
def test_additions_lose_no_line(old, new):
    before = block(old)

    after = rewrite(parse(before), {**old, **{key: new[key] for key in new if key not in old}}).decode()

    kept = difflib.SequenceMatcher(None, before.split("\n"), after.split("\n"), autojunk=False)
    assert sum(match.size for match in kept.get_matching_blocks()) == len(before.split("\n"))


@given(VALUES, VALUES)
@example(None, "\n")
@example("a\n\n", "b\n\n")
def test_any_change_results_in_the_wanted_data(old, new):
    for text in (block({"a": {"x": old, "y": 1}}), inline({"a": {"x": old, "y": 1}}, 0)):
        wanted = {"a": {"x": new, "z": [new]}}
        assert parse(rewrite(parse(text), wanted)).data == wanted


def test_keeps_comments_quotes_and_layout():
    """The file is not dumped again, so what is not in the data stays."""
    text = """\
# head
a:   { x: "1" }   # aligned

b:
    - name:  'q'   # four spaces
      text: |
        kept

        as it is
    # the last of b

# about c
c: {}
"""

    def change(data):
        data["b"].append({"name": "r"})
        data["b"][0]["more"] = [1]
        data["c"]["new"] = {"200": "two hundred"}

    assert edited(text, change) == text.replace(
        "        as it is\n    # the last of b\n",
        "        as it is\n      more:\n        - 1\n    - name: r\n    # the last of b\n",
    ).replace("c: {}\n", "c:\n  new:\n    '200': two hundred\n")


def test_inserts_an_entry_after_the_comments_of_the_previous_one():
    """They are indented more than its key; others are about what contains it."""
    text = "a:\n  x: 1\n    # of x\n  # of a\n# of b\nb: 2\n"

    written = edited(text, lambda data: data["a"].update(y=2))

    assert written == text.replace("    # of x\n", "    # of x\n  y: 2\n")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a:\r\n  x: 1\r\nb: 2\r\n", "a:\r\n  x: 1\r\n  y:\r\n    - 1\r\nb: 2\r\n"),
        ("a:\n  x: 1", "a:\n  x: 1\n  y:\n    - 1"),
        ("a:\n  x: |+\n    t\n\n\nb: 1\n", "a:\n  x: |+\n    t\n\n\n  y:\n    - 1\nb: 1\n"),
        ("\ufeffa:\n  x: 1\n", "\ufeffa:\n  x: 1\n  y:\n    - 1\n"),
        ("a: {x: 1} # c\n", "a: {x: 1, 'y': [1]} # c\n"),
        ("a:\n# c\nb: 1\n", "a:\n  y:\n    - 1\n# c\nb: 1\n"),
        ('{\n  "a": {\n    "x": 1\n  }\n}\n', '{\n  "a": {\n    "x": 1,\n    "y": [\n      1\n    ]\n  }\n}\n'),
        ('{"a": {"x": 1}}', '{"a": {"x": 1, "y": [1]}}'),
        ("a: &a # c\n  x: 1\nb: 1\n", "a: &a # c\n  x: 1\n  y:\n    - 1\nb: 1\n"),
        ("? a\n: x: 1\nb: 1\n", "? a\n:\n  x: 1\n  y:\n    - 1\nb: 1\n"),
        ("a:\n  x: &here\n    z: 1\nb: *here\n", "a:\n  x: &here\n    z: 1\n  y:\n    - 1\nb: *here\n"),
    ],
)  # fmt: skip
def test_writes_as_the_file_is_written(text, after):
    """Line breaks, a missing final one, a byte order mark, flow style and JSON are kept."""
    assert edited(text, lambda data: data.update(a={**(data["a"] or {}), "y": [1]})) == after


def test_removes_a_key_and_keeps_the_comments_around_it():
    text = "a:\n  x: 1\n  # of y\n  y: {q: 1}  # two\n  z: 3\n"

    assert edited(text, lambda data: data["a"].pop("y")) == text.replace("  y: {q: 1}  # two", "  # two")


def test_writes_an_alias_out_that_means_something_else():
    """The value may change at the anchor or at the alias; other aliases stay."""
    text = "a: &x\n  p: 1\nb: *x  # c\nc: *x\n"

    assert edited(text, lambda data: data["b"].update(p=2)) == text.replace("b: *x  # c", "# c\nb:\n  p: 2")
    written = edited(text, lambda data: data["a"].update(p=2))
    assert written == "a: &x\n  p: 2\n# c\nb:\n  p: 1\nc:\n  p: 1\n"


def test_refuses_an_edit_that_would_not_read_back():
    with pytest.raises(SetupError, match="cannot be edited in place"):
        edited("a: &x {p: 1}\nb: [*x, 1]\n", lambda data: data["b"][0].update(p=2))


@pytest.mark.parametrize("new", ["two\nlines", {"x": 1}])
def test_a_comment_after_a_value_is_before_one_of_several_lines(new):
    assert edited("a: 1  # c\nb: 2\n", lambda data: data.update(a=new)).startswith("# c\na:")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_json_file_keeps_its_bytes_where_its_data_stay(newline):
    """JSON that no YAML parser reads, such as a pair of surrogates, is edited too."""
    source = r"""{
  "a": {"x": "\ud83d\ude00", "é": [1, {"y": 1.50}]},
  "b": "\u0041",
  "c": [ {"k": true } ]
}
""".replace("\n", newline)
    document, _ = parse_source(Path("c.json"), source.encode())
    wanted = json.loads(source)
    wanted["a"]["é"][1]["y"] = [2]
    wanted["b"] = {"z": None}
    wanted["c"].append("new")
    wanted["d"] = 1

    written = rewrite(document, wanted).decode()

    assert json.loads(written) == wanted
    assert r'"a": {"x": "\ud83d\ude00", "é": [1, {"y": ' in written
    assert '"c": [ {"k": true }, ' in written
    assert written.count("\n") == written.count(newline)
