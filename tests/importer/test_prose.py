"""Wording and structure of a contract: `scripts/relay/importer/prose.py`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.loading import load_contract
from relay.importer.prose import difference, reworded, same, structure
from support.documenting import STRUCTURE, described
from support.running import SPEC

KEYS = st.sampled_from("summary description type properties example x".split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


def test_the_structure_of_our_contract_is_the_published_one():
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
def test_properties_and_data_named_like_wording_are_structure(value):
    """A property may have such a name, and examples may contain any key."""
    assert structure(value) == value


def test_documentation_elsewhere_is_wording():
    assert structure({"type": "string", "externalDocs": {"url": "https://a.example"}}) == {"type": "string"}


@given(VALUES, VALUES)
def test_rewording_changes_no_structure(ours, theirs):
    assert same(structure(reworded(ours, theirs)), structure(theirs))
    assert reworded(ours, ours) == ours


@given(VALUES, VALUES)
def test_a_difference_points_to_where_both_sides_differ(ours, theirs):
    one, other = ours, theirs
    for token in difference(ours, theirs):
        one, other = (_step(side, token) for side in (one, other))

    assert not (isinstance(one, dict) and isinstance(other, dict)) or same(ours, theirs)
    assert one is None or other is None or not same(one, other) or same(ours, theirs)


def _step(side, token):
    """The value at a token of a pointer; None if there is none."""
    if isinstance(side, list):
        return side[int(token)]
    return side.get(token)


def test_our_wording_stays_with_what_it_describes():
    """An operation keeps its summary if it gets a parameter; a changed field gets the page's wording."""

    def parameter(name, wording, **rest):
        return {"name": name, "in": "query", "description": wording, **rest, "schema": {"type": "string"}}

    def described_as(wording, *parameters, **rest):
        one = {"summary": wording, "operationId": "a", "parameters": [*parameters]}
        return {**one, "responses": {"200": {"description": wording}}, **rest}

    missing = {"404": {"description": "Theirs"}}
    responses = {"200": {"description": "Theirs"}, **missing}
    needed = parameter("p", "Theirs", required=True)
    ours = described_as("Ours", parameter("p", "Ours"), parameter("q", "Ours"))
    theirs = described_as(
        "Theirs", parameter("q", "Theirs"), needed, description="Theirs", responses=responses
    )

    responses = {"200": {"description": "Ours"}, **missing}
    assert reworded(ours, theirs) == described_as("Ours", parameter("q", "Ours"), needed, responses=responses)
