"""Lists, parameters and quoted strings: `scripts/relay/validation/structured_fields.py`."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.mock import read_preferences
from relay.validation.http import cookies
from relay.validation.media_types import parse_media_type
from relay.validation.multipart import Form
from relay.validation.spools import Spool
from relay.validation.structured_fields import elements, parameters

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


@pytest.mark.parametrize(
    "start", ["", "application/json", 'multipart/form-data; boundary="b', 'code="', ';"']
)
@pytest.mark.parametrize("piece", PIECES)
def test_the_cost_of_a_field_grows_with_its_length(start, piece):
    """Fields are read before anybody has shown a token."""

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
