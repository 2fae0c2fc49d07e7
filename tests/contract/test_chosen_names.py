"""Names that a project chooses: `scripts/relay/contract/chosen_names.py`."""

from __future__ import annotations

import pytest

from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import SetupError
from support.compiled import read
from support.hosting import contract, operation, query

CALLS = read(
    contract(
        {
            "/calls": {"get": {**operation("list-calls", parameters=[query("End<")]), "tags": ["Call Logs"]}},
            "/texts": {
                "get": {**operation("texts", parameters=[query("End<"), query("End")]), "tags": ["Texts"]}
            },
        }
    )
)


def arguments(found, index):
    chosen = found.operations[index]
    return {one.name: chosen.arguments[one.pointer] for one in chosen.parameters}


@pytest.mark.parametrize("key", ["GET /calls", "list-calls"])
def test_a_function_is_chosen_by_method_and_path_or_operation_id(key):
    """The path is what an operation without an operationId has."""
    found = CALLS.named(ChosenNames(operations={key: "calls"}, tags={"Call Logs": "logs"}))

    assert [(one.module, one.function) for one in found.operations] == [("logs", "calls"), ("texts", "texts")]


def test_the_most_specific_key_of_a_parameter_wins():
    """One line names a parameter wherever it is; another makes an exception."""
    names = {"End<": "before", "GET /texts query End<": "until"}

    found = CALLS.named(ChosenNames(parameters=names))

    assert arguments(found, 0) == {"End<": "before"}
    assert arguments(found, 1) == {"End<": "until", "End": "end"}


def test_a_derived_name_makes_room_for_a_chosen_one():
    """What a project chooses is not argued with."""
    found = CALLS.named(ChosenNames(parameters={"End<": "end"}))

    assert arguments(found, 1) == {"End<": "end", "End": "end_2"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"operations": {"GET /call": "a"}}, "'GET /call' is none of the contract's operations; did you mean 'GET /calls'?"),
        ({"operations": {"x": "a"}}, "'x' is none of the contract's operations; write an operation as 'GET /path', or its operationId"),
        ({"tags": {"call logs": "a"}}, "'call logs' is none of the contract's tags; did you mean 'Call Logs'?"),
        ({"parameters": {"header End": "a"}}, "'header End' is none of the contract's parameters; did you mean 'query End'?"),
        ({"parameters": {"End": "body"}}, "'body', chosen for 'End', cannot be used; choose letters, digits and '_', first a letter, and no keyword, nor body, caller, claims"),
        ({"operations": {"texts": "a b"}}, "'a b', chosen for 'texts', cannot be used; choose letters, digits and '_', first a letter, and no keyword, nor body, caller, claims"),
        ({"tags": {"Texts": "_types"}}, "'_types', chosen for 'Texts', cannot be used; choose letters, digits and '_', first a letter, and no keyword, nor body, caller, claims"),
        ({"tags": {"Texts": "a", "Call Logs": "a"}, "operations": {"texts": "b", "list-calls": "b"}}, "GET /calls and GET /texts are both called 'b', in one module; choose another for one"),
        ({"parameters": {"End": "a", "End<": "a"}}, "the query parameter 'End<' and the query parameter 'End' of GET /texts are both called 'a'; choose names by 'query End'"),
    ],
)  # fmt: skip
def test_a_choice_that_cannot_be_made_is_an_error(names, message):
    """A key with a typing error would choose nothing, in silence."""
    with pytest.raises(SetupError) as raised:
        CALLS.named(ChosenNames(**names))

    assert [one.message for one in raised.value.problems] == [message]


def test_another_version_of_the_contract_takes_the_names_that_it_can():
    """`relay breaking` compares with a version that lacks what is new."""
    found = CALLS.renamed(ChosenNames(operations={"GET /new": "new", "texts": "sms"}))

    assert [one.function for one in found.operations] == ["list_calls", "sms"]
