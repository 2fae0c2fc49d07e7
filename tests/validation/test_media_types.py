"""Header fields and media types, and the documented entry that covers one: `relay.validation.media_types`."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.mock import read_preferences
from relay.validation import media_types as media
from relay.validation.http import cookies
from relay.validation.media_types import elements, parameters, parse_media_type
from relay.validation.multipart import Form
from relay.validation.spools import Spool

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


def quoted(word):
    """Write a quoted string (RFC 9110 section 5.6.4)."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.lists(st.tuples(st.sampled_from(["a", "B", "charset"]), WORDS), max_size=4))
def test_parameters_are_read_as_they_are_written(given_parameters):
    """A separator within quotes separates nothing."""
    field = "; ".join(["text/plain", *(f"{name}={quoted(value)}" for name, value in given_parameters)])
    assert parameters(field) == ("text/plain", [(name.lower(), value) for name, value in given_parameters])


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_elements_are_read_as_they_are_written(words):
    assert elements(", ".join(map(quoted, words))) == list(map(quoted, words))


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("", ("", [])),
        (" a/b ", ("a/b", [])),
        (";;a=1;", ("", [("a", "1")])),
        ("a/b;c", ("a/b", [("c", "")])),
        ('a/b; c="open; d=1', ("a/b", [("c", '"open; d=1')])),
        ("a/b;c = 1 ; D=2", ("a/b", [("c", "1"), ("d", "2")])),
    ],
)
def test_odd_fields_are_read_in_one_way(field, found):
    assert parameters(field) == found


@pytest.mark.parametrize(
    ("header", "charset"),
    [
        ("text/plain", "utf-8"),
        ('text/plain; charset="UTF-8"', "utf-8"),
        ("text/plain; charset=utf-8; charset=utf-8", ""),
        ("text/plain; charset*=utf-8''utf-8", ""),
        ("text/plain; charset*0=utf-8", ""),
        ("text/plain; charset", ""),
    ],
)
def test_a_charset_is_named_once(header, charset):
    """Two readers could use two charsets."""
    assert parse_media_type(header)[:2] == ("text/plain", charset)


PIECES = [";", ";a=", ';a="', '"', "\\", '"\\', '";"', ",", ',"', " ", "=", "a", ";a*=", "\t;", ";charset="]


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", ["", "application/json", 'multipart/form-data; boundary="b', 'code="', ';"']
)
@pytest.mark.parametrize("piece", PIECES)
def test_the_cost_of_a_field_grows_with_its_length(start, piece):
    """Fields are read before a token is verified."""

    def seconds(length):
        field = start + piece * (length // len(piece))
        taken = []
        for _ in range(3):
            started = time.process_time()
            for read in (parse_media_type, read_preferences):
                read(field)
            cookies([(b"cookie", field.encode())])
            Form(field, Spool(), lambda *_: False, 100).feed(b"--b--")
            taken.append(time.process_time() - started)
        return min(taken)

    assert seconds(32_000) < 100 * max(seconds(2_000), 0.0001)


SPELLINGS = [
    "application/json; version=1; profile=a",
    'APPLICATION/JSON;Profile="a";VERSION=1',
    'application/json ; version="1" ;profile=a; charset=utf-8',
    "application/json; boundary=b; profile=a; version=1",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_media_type_has_one_key_in_all_its_spellings(spelling):
    """Order, case and quotes do not distinguish parameters; charset and boundary say only how a body is encoded."""
    assert media.key_of(spelling) == "application/json; profile=a; version=1"


def test_a_value_that_is_no_token_is_quoted():
    """Otherwise it would be read as other parameters."""
    key = media.key_of(r'a/b; p="x; q=\"1\""')
    assert key == r'a/b; p="x; q=\"1\""'
    assert media.key_of(key) == key


@pytest.mark.parametrize(
    ("sent", "entry"),
    [
        ("application/json; a=1; b=2", "application/json; a=1; b=2"),
        ("application/json; a=1; c=3", "application/json; a=1"),
        ("application/json; c=3", "application/json"),
        ("application/problem+json", "application/*+json"),
        ("application/json+x", "application/*"),
        ("text/plain", "*/*"),
    ],
)
def test_the_most_specific_entry_is_found(sent, entry):
    """The media type with the most parameters, its suffix, its type, then any."""
    documented = [
        "*/*",
        "application/*",
        "application/*+json",
        "application/json",
        "application/json; a=1",
        "application/json; b=2; a=1",
    ]
    for content in (documented, documented[::-1]):
        assert media.find(sent, media.by_name({name: name for name in content})) == (
            "application/json; b=2; a=1" if entry.endswith("b=2") else entry
        )


WORD = st.sampled_from(["a", "B", "x-y", "1", 'q"u', "a;b", "é", ""])
PARAMETERS = st.dictionaries(st.sampled_from(["version", "profile", "Level"]), WORD, max_size=3)


def _written(parameters, name="application/json"):
    quoted = {key: value.replace('"', '\\"') for key, value in parameters.items()}
    return "; ".join([name, *(f'{key}="{value}"' for key, value in quoted.items())])


@given(PARAMETERS, PARAMETERS)
def test_an_entry_covers_what_has_its_parameters(documented, sent):
    """And nothing else, whatever the values contain."""
    lower = {key.lower(): value for key, value in sent.items()}
    expected = all(lower.get(key.lower()) == value for key, value in documented.items())
    assert media.covers(_written(documented), _written(sent)) is expected


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=5))
def test_any_header_is_compared_with_any_entry(header, documented):
    found = media.find(header, media.by_name({name: name for name in documented}))
    assert found is None or found in documented
