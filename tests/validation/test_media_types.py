"""Media types and the documented entry that covers one: `relay.validation.media_types`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.validation import media_types as media

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
    """Headers come from clients: none may raise."""
    found = media.find(header, media.by_name({name: name for name in documented}))

    assert found is None or found in documented
