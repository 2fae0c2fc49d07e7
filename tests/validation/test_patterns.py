"""Patterns of contracts: `relay.validation.patterns`."""

import re
from contextlib import suppress

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.mock.pattern_text import NoText, matching
from relay.validation.patterns import translated
from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, around, read, rules, validator
from support.hosting import contract, operation

TRIPLES = [
    # Annex B of ECMA 262: what engines take although Unicode mode refuses it
    (r"^[\w-\.]+@", ["a-.@"], ["@", "é@"]),
    (r"^[a-\d]+$", ["a-1"], ["b"]),
    ("^a{,3}$", ["a{,3}"], ["aaa", "a"]),
    ("^{a}]$", ["{a}]"], ["a"]),
    ("^a{1,2$", ["a{1,2"], ["a", "aa"]),
    (r"^\e\_\@\-\/\#$", ["e_@-/#"], ["\x1b_@-/#"]),
    (r"^\<b\>$", ["<b>"], ["b"]),
    (r"^\cA\ca$", ["\x01\x01"], ["cAca"]),
    (r"^\c1$", ["\\c1"], ["c1"]),
    (r"^\0\07\101$", ["\0\x07A"], ["007"]),
    (r"^\1$", ["\x01"], ["1", ""]),
    (r"^\8$", ["8"], ["\x08"]),
    (r"^\u12\x4$", ["u12x4"], ["\x12\x04"]),
    (r"^\k<y>$", ["k<y>"], ["y"]),
    (r"^a\b-a\Ba$", ["a-aa"], ["a\b-aa"]),
    (r"^(?=ab)*ab(?=c)?$", ["ab"], ["b"]),
    ("^[]$", [], ["", "a", "]"]),
    ("^[^]$", ["a", "\n", "\u2028", "\U0001f600"], ["", "ab"]),
    (r"^[\b]$", ["\b"], ["b"]),
    ("^[[a]$", ["[", "a"], ["b"]),
    ("^[a&&b~~c]$", ["&", "~", "a", "b", "c"], ["d"]),
    # what all engines share
    (r"^\d$", ["1"], ["\u0661"]),
    (r"^(?=.)\d\w$", ["1a"], ["\u0661a", "1é"]),
    (r"^\w$", ["_"], ["é", "-"]),
    (r"^\s$", [" ", "\ufeff", "\u2028"], ["\x85"]),
    (r"^(?=[^])\s$", ["\ufeff"], ["\x85"]),
    (r"^\S\D\W$", ["a-é"], [" 1a"]),
    (r"^[^\S ]$", ["\t"], [" ", "a"]),
    ("^.$", ["a", "\U0001f600", "\x85"], ["\n", "\r", "\u2028", "\u2029"]),
    ("^a$", ["a"], ["a\n", "\na"]),
    (r"^\u00e9\x41\t$", ["éA\t"], ["eA\t"]),
    (r"^\u{1F600}\ud83d\ude00\U0001F600$", ["\U0001f600" * 3], ["\U0001f600"]),
    (r"^[\ud800-\udbff][\udc00-\udfff]$", ["\U0001f600"], ["a", "\uffff"]),
    (r"^\ud83d[\ude00-\ude4f]$", ["\U0001f600"], ["\U0001f5ff", "\U0001f650"]),
    (r"^[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*$", ["a\n\U0001f600"], ["\0", "\uffff"]),
    (r"^[^\ud800-\udfff]$", ["a", "\U0001f600"], ["", "ab"]),
    (r"^\ud800$", [], ["\ufffd", "d800"]),
    (r"^\p{L}+\P{L}$", ["éa1"], ["1", "éa"]),
    (r"^[\p{Lu}_][^\p{Lu}]$", ["É1", "_a"], ["éa", "ÉÉ"]),
    (r"^\pL\p{^Lu}$", ["Aa", "é1"], ["11", "aA"]),
    (r"^(?<y>\d+)-\k<y>$", ["11-11"], ["11-12"]),
    (r"^(a)(b)?\1$", ["aa", "aba"], ["ab"]),
    (r"^(\1a)$", ["a"], ["aa"]),
    (r"^(a)\1(?:0)$", ["aa0"], ["a0"]),
    (r"^a\/b$", ["a/b"], ["a\\/b"]),
    ("(?<!a)b(?!c)(?=d)", ["bd"], ["abd", "bc"]),
    ("^a+?b*?c{2}?$", ["acc", "abbcc"], ["ac"]),
    # other languages, where only one meaning is possible
    (r"\Aab\Z", ["ab"], ["ab\n", "xab", "A"]),
    (r"\Aab\z", ["ab"], ["abz"]),
    ("(?i)^aB[c-d]é$", ["Abcé", "aBDÉ"], ["abe"]),
    ("^a(?i)b|c$", ["ab", "aB", "C"], ["AB"]),
    ("^(?:(?i)a)b$", ["Ab"], ["AB"]),
    ("^(?i:a)b(?-i:c)$", ["Abc"], ["aBc"]),
    (r"(?i)^(a)\1$", ["aA"], ["ab"]),
    ("(?s)^.$", ["\n"], ["ab"]),
    ("(?m)^a$", ["b\na\nc"], ["ba"]),
    ("^(?P<n>a)(?P=n)$", ["aa"], ["ab"]),
    (r"^(?'n'a)\k'n'$", ["aa"], ["ab"]),
    ("^a++b*+c?+d{2}+$", ["abbcdd", "add"], ["bcdd"]),
    ("^(?>a|b)c$", ["ac", "bc"], ["c"]),
    ("^a(?#note)b$", ["ab"], ["a"]),
    (r"^\h\R$", [" \r\n", "\t\n"], ["h\n", "\n\n"]),
    (r"^\N$", ["\r"], ["\n"]),
    (r"^\Qa.b*\E+$", ["a.b*", "a.b**"], ["acb*"]),
    (r"^\x{41}\x{1F600}$", ["A\U0001f600"], ["x"]),
    ("^[[:alpha:]_]+$", ["aZ_"], ["1", "é", ":"]),
    ("^[[:^digit:]][^[:upper:]]$", ["ab"], ["1b", "aB"]),
    # delimiters, which are a mistake
    ("/^a$/", ["a"], ["/a/", "b"]),
    ("/^a\\/b$/i", ["A/B"], ["a"]),
    ("/a/b/", ["x/a/b/"], ["a/b"]),
    # sizes beyond those of the engine
    ("^.{0,262144}$", ["", "a" * 262_144], ["a" * 262_145, "\n"]),
    ("^[a-z]{1,100000}$", ["a", "a" * 100_000], ["", "a" * 100_001, "1"]),
    (r"^[\p{L}]{5,100000}$", ["é" * 5], ["é" * 4, "1" * 5]),
    (r"\A\S{3,100000}\Z", ["abc"], ["ab", "a b c"]),
    ("[a-z]{2,100000}", ["1ab"], ["a1b"]),
    ("[a-z]{2,100000}$", ["1ab"], ["ab1"]),
]
UNCLEAR = {
    "(a": "a group is not closed",
    "a)": "a group is closed that was not opened",
    "[a": "a class is not closed",
    "a\\": "it ends with a backslash",
    "*a": "a quantifier has nothing to repeat",
    "a**": "a quantifier has nothing to repeat",
    "a{2}{3}": "a quantifier has nothing to repeat",
    "^*": "a quantifier has nothing to repeat",
    "a{3,2}": "out of order",
    "[z-a]": "out of order",
    "[a-z]{1-35}": "a quantifier is written {1,5}",
    "(?x)a b": "the flag x",
    "(?|a|b)": "is no group of ECMA 262",
    "(?R)": "is no group of ECMA 262",
    r"\Ga": "has no meaning",
    r"(?<n>a)\k<m>": "a group 'm' that is missing",
    r"\p{Ghost}": "the Unicode property 'Ghost' is not known",
    "[a-z&&[^b]]": "is an intersection of classes",
    r"\u{110000}": "beyond Unicode",
    "^(ab){1,100000}$": "too large",
    "(" * 101 + ")" * 101: "nest deeper than 100 levels",
    "[" * 5000: "a class is not closed",
    "a" * 5001: "more than 5,000 characters",
    "(?=a)" * 201: "more than 1,000 characters",
}


def accepts(pattern, text):
    """Return True if a text is valid for a pattern, as a compiled schema sees it."""
    return rules({"type": "string", "pattern": pattern}, text) == []


@pytest.mark.slow
@pytest.mark.parametrize(("pattern", "valid", "invalid"), TRIPLES, ids=[ascii(one[0]) for one in TRIPLES])
def test_a_pattern_means_what_engines_of_javascript_take_it_for(pattern, valid, invalid):
    """Publishers test their patterns with such an engine; the library refuses many, or reads them otherwise."""
    assert [text for text in valid if not accepts(pattern, text)] == []
    assert [text for text in invalid if accepts(pattern, text)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern",
    [pattern for pattern, valid, _ in TRIPLES if valid and "(?=" not in pattern and "(?!" not in pattern],
)
def test_text_is_generated_for_a_pattern_as_it_is_asserted(pattern):
    """The mock's generator reads the same translation."""
    assert any(accepts(pattern, text) for variant in range(3) for text in matching(pattern, 0, variant))


@pytest.mark.parametrize(("pattern", "reason"), UNCLEAR.items(), ids=map(ascii, range(len(UNCLEAR))))
def test_a_pattern_without_a_clear_meaning_is_not_asserted(pattern, reason):
    """A warning says why; all else of the schema is asserted."""
    found = translated(pattern)

    assert found.keywords == {}
    assert found.warning is not None
    assert reason in found.warning
    assert found.warning.startswith("the pattern is not checked: ")
    assert list(matching(pattern, 3)) == []


@pytest.mark.parametrize("pattern", ["/^a$/", "/a$/gi", "^a{,3}$"])
def test_a_probable_mistake_is_asserted_with_a_warning(pattern):
    found = translated(pattern)
    assert "pattern" in found.keywords
    assert found.warning is not None


TOKENS = st.lists(
    st.sampled_from(
        [
            *("a", "Z", "0", "-", ",", " ", "é", "\n", "&", "/", "<", ">", "=", "!", ":", "#", "\ud800"),
            *("\\", "^", "$", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "(?", "(?:", "(?<n>"),
            *("(?i)", "(?=", "(?!", "(?<!", "[^", "[[:alpha:]]", "{2}", "{,3}", "{1,}", "\\d", "\\W", "\\b"),
            *("\\1", "\\k<n>", "\\u00e9", "\\ud83d", "\\ude00", "\\p{L}", "\\P{", "\\c", "\\x", "\\Q", "\\E"),
        ]
    ),
    max_size=12,
).map("".join)


@pytest.mark.slow
@settings(max_examples=400)
@given(TOKENS | st.text(max_size=12))
def test_every_text_is_translated_to_what_compiles(pattern):
    """Or is not asserted, with a warning; nothing is raised, and generated text costs nothing more."""
    found = translated(pattern)

    jsonschema_rs.Draft4Validator(found.keywords)
    assert (found.text is None) == (found.keywords == {})
    assert found.keywords or found.warning
    with suppress(NoText):
        list(matching(pattern, 2))


PLAIN = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\d", r"\w", r"\s", r"\.", "-", "[a-]", r"[\w-]"]),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{1,2}", "*?"])),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=300)
@given(PLAIN, st.text("ab1-. _", max_size=4))
def test_agrees_with_another_engine(pattern, text):
    """For the syntax that Python has too, with its digits and words limited to ASCII."""
    expected = re.search(pattern, text, re.ASCII) is not None
    assert accepts(pattern, text) == expected


class TestWarning:
    """Warnings about patterns."""

    def test_has_the_place_of_the_pattern_and_is_reported_once(self):
        content = {"application/json": {"schema": REF}}
        answer = {"200": {"description": "ok", "content": content}}
        one = operation("one", requestBody={"content": content}, responses=answer)
        schemas = {"A": {"type": "object", "properties": {"p": {"pattern": "(["}}}}
        compiler = SchemaCompiler(read(contract({"/a": {"post": one}}, components={"schemas": schemas})))

        for direction in ("request", "response"):
            assert compiler.compile(REF, direction, POINTER) is not None

        (warning,) = compiler.problems
        assert warning.rule == "pattern"
        assert warning.severity == "warning"
        assert warning.message == "the pattern is not checked: a class is not closed"
        assert warning.where == compiler.contract.place(
            ("components", "schemas", "A", "properties", "p", "pattern")
        )

    def test_is_not_given_for_the_same_text_in_an_example(self):
        schema = {"properties": {"pattern": {"pattern": "(["}}, "example": {"pattern": "(["}}
        compiler = SchemaCompiler(around({"A": schema}))
        compiler.compile(schema, "response", POINTER)
        assert len(compiler.problems) == 1

    def test_the_violation_names_the_pattern_as_it_was_written(self):
        """Clients read the contract, not its translation."""
        found = validator({"pattern": r"^\d$"}).violations("a")
        assert [one.message for one in found] == [r'the value does not match "^\d$"']


REF = {"$ref": "#/components/schemas/A"}
