"""Strict YAML, and templates, which are none: `relay.contract.documents`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.contract.documents import read_document
from relay.contract.limits import expanded
from relay.contract.parsed import IS_TEMPLATE, template_fault


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0777", 777),
        ("08", 8),
        ("'0777'", "0777"),
        ("off", "off"),
        ("y", "y"),
        ("0b11", "0b11"),
        ("1.0.0", "1.0.0"),
        ("+1", 1),
        ("0o17", 15),
        ("0xff", 255),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ("=", "="),
    ],
)
def test_reads_scalars_as_yaml_1_2_does(read, text, value):
    """A date in an enum stays as written; YAML 1.1 would convert it to an object."""
    data = read(f"x: {text}").data
    assert data == {"x": value}
    assert type(data["x"]) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\r\nb:\r\n  - x\r\n",
        "\ufeffa: 1\nb: [x]\n",
        "a:\t1\t\nb:\t[x]\t# one\n",
        "%YAML 1.1\n---\na: 1\nb: [x]\n...\n",
        "{a: 1, b: [x,],}",
        "? a\n: 1\n? b\n: - x\n",
        "a: &one 1\nb: [&x x]\n",
    ],
)
def test_reads_what_publishers_write(read, text):
    """Windows, tabs after values, markers of documents, trailing commas, anchors without an alias."""
    assert read(text).data == {"a": 1, "b": ["x"]}


@pytest.mark.slow
@pytest.mark.parametrize("character", ["\x7f", "\x85", "\x91", "\u2028", "\u2029", "\ue000", "\U0001f600"])
@pytest.mark.parametrize(
    ("text", "value"),
    [("a%sb", "a%sb"), ("'a%sb'", "a%sb"), ('"a%sb"', "a%sb"), ("|\n  a%sb\n  c", "a%sb\nc\n")],
)
def test_keeps_every_character_of_a_text(read, character, text, value):
    """YAML 1.1 and libyaml take some of them for the end of a line, which changed or broke a description."""
    document = read(f"x: \ue001 {character}z\n{character}: {text % character}\ny: 1")
    assert document.data == {character: value % character, "x": f"\ue001 {character}z", "y": 1}
    assert document.place(("y",))[1:] == (3 + ("|" in text) * 2, 1)


def test_reads_a_line_of_a_megabyte(read):
    """As a minified example, or a picture in base64."""
    assert read(f"a: {'x' * 1_000_000}\nb: 1").data == {"a": "x" * 1_000_000, "b": 1}


def test_makes_every_key_a_string(read):
    """JSON keys are strings; a status without quotes is still a status."""
    assert read("{200: a, yes: b, 2024-01-01: c, null: d}").data == {
        "200": "a",
        "yes": "b",
        "2024-01-01": "c",
        "null": "d",
    }


def test_reports_every_duplicate_key_with_its_location(problems_of):
    """All at once: fixing five keys must not take five starts of the service."""
    assert problems_of("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n") == [
        "c.yaml:4:3: duplicate key 'c', first in line 3; keep one",
        "c.yaml:5:1: duplicate key 'a', first in line 1; keep one",
    ]


def test_does_not_render_templates(read):
    """Connexion renders the file with Jinja2 before it parses it."""
    assert read("x: '{{ 7 * 7 }}{% raw %}'").data == {"x": "{{ 7 * 7 }}{% raw %}"}


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.getcwd []", "!!binary aGk=", "!mine 1"])
def test_rejects_tags(problems_of, tag):
    (problem,) = problems_of(f"x: {tag}")
    assert problem.startswith("c.yaml:1:4: ")


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "1e999"])
def test_rejects_numbers_that_json_cannot_represent(problems_of, number):
    """They could not be served as JSON."""
    assert problems_of(f"x: {number}") == [
        "c.yaml:1:4: JSON cannot represent this number; quote it if it is a string"
    ]


def test_follows_aliases_and_merge_keys(read):
    """Published contracts use both; an explicit key overrides a merged one."""
    text = "base: &base {a: 1, b: 2}\nmine: {<<: *base, b: 3}\nsame: *base\n"
    assert read(text).data["mine"] == {"a": 1, "b": 3}
    assert read(text).data["same"] == {"a": 1, "b": 2}


def test_rejects_an_alias_that_contains_itself(problems_of):
    assert problems_of("a: &a [*a]") == ["c.yaml:1:4: the alias contains itself; write the value out"]


def test_rejects_aliases_that_expand_exponentially(problems_of):
    """Twelve lines, each eight times as large as the one before, would fill the memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 12)]
    assert problems_of("\n".join(lines)) == [
        f"c.yaml:1:1: expands through its aliases to more than {expanded(21):,} values; split it, or write it shorter"
    ]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: [1", "c.yaml:2:1: "),
        ("a: b: c", "c.yaml:1:5: "),
        ("a: 1\n--- \nb: 2", "c.yaml:2:1: "),
        (b"a: \xff", "c.yaml:1:4: is not YAML in UTF-8; save it as UTF-8"),
        ("", "c.yaml: is empty"),
        ("[" * 100_000, "c.yaml:1:101: nested deeper than 100 levels"),
        ("ключ: " + "[" * 100_000, "c.yaml:1:106: nested deeper than 100 levels"),
        (("[" * 100_000).encode("utf-16"), "c.yaml:1:101: nested deeper than 100 levels"),
        ("- " * 100_000, "c.yaml:1:201: nested deeper than 100 levels"),
        ("[" * 101 + "]" * 101, "c.yaml:1:101: nested deeper than 100 levels; move parts into components and use $ref"),
        ("a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60, "c.yaml:1:4: nested deeper than 100 levels; move parts into components and use $ref"),
        ("[" * 600 + "]" * 600, "c.yaml:1:101: nested deeper than 100 levels"),
        ("? [a]\n: b", "c.yaml:1:3: a key must be a scalar"),
        ("a: caf\xe9\nb: 1".encode("latin-1"), "c.yaml:1:7: is not YAML in UTF-8; save it as UTF-8"),
        ("é: x\x07y", "c.yaml:1:5: is not YAML: found a control character; remove it, or write it as"),
        ("a: 1\n---\nb: 2", "c.yaml:2:1: is not YAML: a second document begins; a contract is one"),
        ("a: 1\n...\n---\n", "c.yaml:3:1: is not YAML: a second document begins; a contract is one"),
        ("a: &x 1\nb: &x 2", "c.yaml:2:4: is not YAML: an anchor is defined twice; rename one"),
        (r'a: "\ud83d\ude00"', "c.yaml:1:7: is not YAML: found an escape of a surrogate; write the character"),
        ("a: *x", "c.yaml:1:4: is not YAML: found undefined alias"),
        ("a: *.png", "c.yaml:1:5: is not YAML: found `*` or `&` without a name; quote the text"),
        ("a: @x", "c.yaml:1:4: is not YAML: found a character that begins no value; quote the text, or"),
        ("a:\n\tb: 1", "c.yaml:2:1: is not YAML: found a character that begins no value; quote the text, or indent"),
        ("a:\n  b: 1\n\t\n  c: 2", "c.yaml:3:1: is not YAML: found a tab in the indentation; use spaces"),
        ('a: "\\d+"', "c.yaml:1:5: is not YAML: found an unknown escape in double quotes; double the backslash"),
        ("a: x: y", "c.yaml:1:5: is not YAML: found ': ' where no key can be; quote the text, or correct"),
        ("a:\n  <<:\n", "c.yaml:2:6: '<<' needs a mapping or a list of mappings"),
    ],
)  # fmt: skip
def test_reports_the_location_of_a_syntax_error(problems_of, text, start):
    """One line with the location, so that an editor can open it."""
    (problem,) = problems_of(text)
    assert problem.startswith(start)
    assert "\n" not in problem


def test_reports_why_a_file_cannot_be_read(tmp_path):
    with pytest.raises(SetupError, match=r"nope\.yaml: cannot be read: No such file or directory"):
        read_document(tmp_path / "nope.yaml")


def test_knows_the_location_of_every_value(read):
    """A missing value has the location of its nearest parent."""
    document = read("a:\n  - b: 1\n    c/d: 2\n")
    assert str(document.place(("a", "0", "c/d"))) == "c.yaml:3:5"
    assert str(document.place(("a", "0", "missing", "deeper"))) == "c.yaml:2:5"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("openapi: 3.0.3\ninfo:\n  title: {{title}}\n", 3),
        ("openapi: 3.0.3\ninfo:\n  title: {{ title }}: x\n", 3),
        ("openapi: 3.0.3\npaths:\n  {% for path in all %}\n  /a: {}\n  {% endfor %}\n", 3),
        ("openapi: 3.0.3\n{% include 'paths.yaml' %}\n", 2),
    ],
)
def test_says_that_a_template_is_not_rendered(problems_of, text, line):
    """YAML's own error is of a key or a character, which leads nowhere."""
    first, *_ = problems_of(text)
    assert (first.split(":")[1], first.endswith(IS_TEMPLATE)) == (str(line), True)


def test_an_error_elsewhere_is_not_the_templates(problems_of):
    """Braces in a description are text."""
    assert not any(IS_TEMPLATE in problem for problem in problems_of("a: 'Hello {{name}}'\nb: [\n"))


@given(st.text(alphabet="{}% \na:-", max_size=40), st.sets(st.integers(1, 4), max_size=3))
def test_points_at_a_template_or_says_nothing(text, lines):
    """For every text."""
    from pathlib import Path

    found = template_fault(Path("a.yaml"), text, lines)
    if found is not None:
        rest = text.split("\n")[found.where.line - 1][found.where.column - 1 :]
        assert rest.startswith(("{{", "{%"))
