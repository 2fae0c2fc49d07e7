"""Handlers of operations whose method is no field of a path, of OpenAPI 3.2, and of lists of types."""

from __future__ import annotations

from support.hosting import contract, operation
from support.scaffolded import check, in_sync, regenerated, state_of, text


def depot(name="discover", kinds=("string", "null")):
    """A contract with an operation of QUERY, and one of M-SEARCH that has a name and answers some types."""
    answer = {"description": "", "content": {"application/json": {"schema": {"type": [*kinds]}}}}
    found = operation(name, responses={"200": answer}, summary="Discover things")
    item = {"query": operation("find"), "additionalOperations": {"M-SEARCH": found}}
    return {**contract({"/things": item}), "openapi": "3.2.0"}


def test_each_method_has_a_handler():
    sources = in_sync(depot())

    assert "async def find() -> Any:\n" in text(sources, "things")
    assert 'async def discover() -> str | None:\n    """Discover things."""\n' in text(sources, "things")
    assert check(state_of(depot(), sources)) == []


def test_a_renamed_operation_is_recognised_by_any_method():
    state, plan = regenerated(state_of(depot("search"), in_sync(depot())))

    assert "async def search() -> str | None:" in text(state.sources, "things")
    assert plan.remaining == []


def test_a_changed_list_of_types_changes_the_annotation():
    sources = in_sync(depot(kinds=("string", "integer", "null")))

    same = check(state_of(depot(kinds=("null", "integer", "string")), sources))
    changed, _ = regenerated(state_of(depot(kinds=("string", "integer")), sources))

    assert same == []
    assert "async def discover() -> str | int:" in text(changed.sources, "things")
