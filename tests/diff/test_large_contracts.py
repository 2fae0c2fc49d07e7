"""Contracts with a dense graph of schemas cost what their size is, not its square: work is counted, not time."""

import copy
import json
from collections import Counter
from typing import Any

import pytest

from relay.contract.model import Contract
from relay.diff import compare
from relay.diff.schema_diff import SchemaComparison
from support.compiled import read
from support.hosting import contract
from support.large_contracts import payment_style

pytestmark = pytest.mark.slow

OPERATIONS = 60
SCHEMAS = 90


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return payment_style(OPERATIONS, SCHEMAS)


def changed(document: dict[str, Any]) -> dict[str, Any]:
    new = copy.deepcopy(document)
    for schema in new["components"]["schemas"].values():
        if "status" in schema.get("properties", {}):
            schema["properties"]["status"]["enum"].pop()
            schema["properties"]["added"] = {"type": "string"}
            schema["required"].append("added")
    return new


def test_a_generated_contract_is_the_same_each_time_and_of_the_size_asked_for():
    one, other = payment_style(40, 60), payment_style(40, 60)

    assert json.dumps(one) == json.dumps(other)
    assert sum(map(len, one["paths"].values())) == 40
    assert len(one["components"]["schemas"]) >= 60


def test_the_place_of_a_shared_difference_is_found_once(document, monkeypatch):
    """Nearly every operation reaches nearly every schema: half a million places for 450 operations."""
    asked: list[Any] = []
    real = Contract.place
    monkeypatch.setattr(Contract, "place", lambda self, pointer: asked.append(pointer) or real(self, pointer))

    changes = compare(read(document), read(changed(document)))

    assert len(changes) >= SCHEMAS // 2
    assert max(len(change.operations) for change in changes) == OPERATIONS
    assert len(asked) <= 4 * len(changes)


def test_a_pair_of_schemas_is_compared_once(document, monkeypatch):
    compared: Counter[Any] = Counter()
    real = SchemaComparison._compare
    monkeypatch.setattr(
        SchemaComparison, "_compare", lambda self, *key: compared.update([key]) or real(self, *key)
    )

    compare(read(document), read(changed(document)))

    assert set(compared.values()) == {1}


def test_alternatives_within_alternatives_are_compared_at_any_depth():
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/A0"}}}
    responses = {"200": {"description": "ok", "content": content}}

    def chain(kind: str) -> Contract:
        schemas = {f"A{number}": link(f"A{number + 1}") for number in range(400)}
        return read(
            contract(
                {"/a": {"get": {"operationId": "x", "responses": responses}}},
                components={"schemas": {**schemas, "A400": {"type": kind}}},
            )
        )

    def link(name: str) -> dict[str, Any]:
        inner = {"type": "object", "properties": {"a": {"$ref": f"#/components/schemas/{name}"}}}
        return {"anyOf": [inner, {"type": "boolean"}]}

    changes = compare(chain("integer"), chain("string"))

    assert [change.rule for change in changes if change.rule == "response-type-widened"]
