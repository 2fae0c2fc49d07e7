"""What is wording and what is structure: `scripts/relay/importer/prose.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.loading import load_contract
from relay.importer.prose import difference, reworded, same, structure
from support.documenting import STRUCTURE, described
from support.running import SPEC

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["summary", "description", "type", "properties", "example", "x"]), inner
        )
    ),
    max_leaves=8,
)


def test_our_contract_without_its_words_is_the_published_one():
    """The definition of both sides."""
    assert structure(load_contract(SPEC).document) == STRUCTURE
    assert structure(described(STRUCTURE)) == STRUCTURE


@pytest.mark.parametrize(
    "value",
    [
        {"properties": {"description": {"type": "string"}, "summary": {"type": "string"}}},
        {"example": {"description": "data"}},
        {"default": {"summary": "data"}},
        {"enum": [{"description": "data"}]},
        {"x-any": {"description": "data"}},
        {"schemas": {"description": {"type": "string"}}},
        {"required": ["description"]},
    ],
)
def test_what_is_only_called_like_wording_is_structure(value):
    """A property may have that name, and data says what it says."""
    assert structure(value) == value


def test_documentation_elsewhere_is_wording():
    """It explains, too."""
    assert structure({"type": "string", "externalDocs": {"url": "https://a.example"}}) == {"type": "string"}


@given(VALUES, VALUES)
def test_rewording_changes_no_structure(ours, theirs):
    """Whatever we said before."""
    assert same(structure(reworded(ours, theirs)), structure(theirs))
    assert reworded(ours, ours) == ours


@given(VALUES, VALUES)
def test_a_difference_is_where_both_sides_differ(ours, theirs):
    """It leads as deep as both go together."""
    one, other = ours, theirs
    for token in difference(ours, theirs):
        one, other = (_step(side, token) for side in (one, other))

    assert not (isinstance(one, dict) and isinstance(other, dict)) or same(ours, theirs)
    assert one is None or other is None or not same(one, other) or same(ours, theirs)


def _step(side, token):
    """What stands behind a token, None where nothing does."""
    if isinstance(side, list):
        return side[int(token)]
    return side.get(token)


def test_our_words_stay_with_what_they_describe():
    """An operation keeps its summary though a parameter comes; a field that became another takes the page's."""
    ours = {
        "summary": "Ours",
        "operationId": "a",
        "parameters": [
            {"name": "p", "in": "query", "description": "Ours", "schema": {"type": "string"}},
            {"name": "q", "in": "query", "description": "Ours", "schema": {"type": "string"}},
        ],
        "responses": {"200": {"description": "Ours"}},
    }
    theirs = {
        "summary": "Theirs",
        "description": "Theirs",
        "operationId": "a",
        "parameters": [
            {"name": "q", "in": "query", "description": "Theirs", "schema": {"type": "string"}},
            {
                "name": "p",
                "in": "query",
                "description": "Theirs",
                "required": True,
                "schema": {"type": "string"},
            },
        ],
        "responses": {"200": {"description": "Theirs"}, "404": {"description": "Theirs"}},
    }

    assert reworded(ours, theirs) == {
        "summary": "Ours",
        "operationId": "a",
        "parameters": [
            {"name": "q", "in": "query", "description": "Ours", "schema": {"type": "string"}},
            {
                "name": "p",
                "in": "query",
                "description": "Theirs",
                "required": True,
                "schema": {"type": "string"},
            },
        ],
        "responses": {"200": {"description": "Ours"}, "404": {"description": "Theirs"}},
    }
