"""The contract's words as names in Python, and names that a project chooses: `relay.contract.names`, `chosen_names`."""

import keyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import SetupError
from relay.contract.names import RESERVED_ARGUMENTS, ParameterKey, argument_names, function_word, slug
from support.compiled import read
from support.hosting import contract, operation, query


def arguments(*names, location="query"):
    found = argument_names([ParameterKey(location, name) for name in names], {})
    return {key.name: argument for key, argument in found.items()}


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("End", "end"),
        ("End<", "end_lt"),
        ("End>", "end_gt"),
        ("End<=", "end_lte"),
        ("End>=", "end_gte"),
        ("End!", "end_not"),
        ("End!=", "end_ne"),
        ("filter[a]", "filter_a"),
        ("$top", "top"),
        ("@type", "type"),
        ("class", "class_"),
        ("body", "body_"),
        ("2fa", "_2fa"),
        ("<", "_"),
        ("X-Request-Id", "x_request_id"),
        ("excludePromptId", "exclude_prompt_id"),
        ("Ünï Tags", "ünï_tags"),
        ("客户", "客户"),
        ("!?", "_"),
    ],
)
def test_a_parameter_asks_for_its_words(name, argument):
    """A comparison at the end is one of them, whatever other parameters there are."""
    assert arguments(name) == {name: argument}


@pytest.mark.parametrize(
    "names",
    [
        {"foo_bar": "foo_bar", "fooBar": "foo_bar_2", "foo-bar": "foo_dash_bar"},
        {"filter.a": "filter_a", "filter[a]": "filter_bracket_a"},
        {"$top": "dollar_top", "top": "top"},
        {"x": "x", "X": "x_2"},
        {"body": "body_", "Body": "body_2"},
        {"a": "a", "A": "a_3", "a_2": "a_2"},
    ],
)
def test_parameters_that_ask_for_one_argument_get_one_each(names):
    """The one that is written like the argument keeps it; the others say what they differ by."""
    assert arguments(*names) == arguments(*reversed(names)) == names


def test_a_parameter_of_another_location_gets_it_in_front():
    """The path comes first, as its values are always there."""
    keys = [ParameterKey("header", "X"), ParameterKey("query", "x"), ParameterKey("path", "X")]

    assert list(argument_names(keys, {}).items()) == [
        (ParameterKey("path", "X"), "x"),
        (ParameterKey("query", "x"), "query_x"),
        (ParameterKey("header", "X"), "header_x"),
    ]


def test_a_name_in_place_of_a_lost_one_is_that_of_no_other():
    """A parameter that is really called `query_id` keeps its name."""
    keys = [ParameterKey("path", "id"), ParameterKey("query", "id"), ParameterKey("query", "query_id")]
    found = argument_names(keys, {})
    assert found[ParameterKey("query", "query_id")] == "query_id"
    assert found[ParameterKey("query", "id")] == "query_id_2"


KEYS = st.builds(
    ParameterKey,
    st.sampled_from(["path", "query", "header", "cookie"]),
    st.text(st.sampled_from("abAB1_-.$<=!é ") | st.characters(), max_size=6)
    | st.sampled_from(["class", "body", "query_a", "a_2"]),
)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(KEYS, unique=True), st.randoms(use_true_random=False))
def test_arguments_are_distinct_identifiers_in_any_order(keys, random):
    """Publishers change the order of parameters without a word."""
    shuffled = random.sample(keys, len(keys))

    found = argument_names(keys, {})

    assert found == argument_names(shuffled, {})
    assert len({*found.values()}) == len(keys)
    for name in found.values():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in RESERVED_ARGUMENTS


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(KEYS, unique=True), st.sampled_from(["unrelated", "Unrelated<", "one.more"]))
def test_a_parameter_with_other_words_changes_no_argument(keys, added):
    """A signature changes only for what concerns it."""
    before = argument_names(keys, {})
    after = argument_names([*keys, ParameterKey("query", added)], {})
    assert {key: after[key] for key in keys} == before


def names_of(paths):
    return [(one.id, one.function) for one in read(contract(paths)).operations]


def test_operations_that_ask_for_one_function_get_one_each():
    """The first keeps it; the second is named as if it had no operationId."""
    paths = {"/pets": {"get": operation("get-pets")}, "/all/pets": {"get": operation("get_pets")}}
    assert names_of(paths) == [("get-pets", "get_pets"), ("get_pets", "get_all_pets")]


def test_a_number_follows_a_name_that_is_in_use_too():
    """`/a/b` and `/a-b` are one word in Python."""
    nameless = {"get": {"responses": {"default": {"description": ""}}}}

    assert names_of({"/a/b": nameless, "/a-b": nameless, "/c": {"get": operation("get_a_b")}}) == [
        ("get_a_b_2", "get_a_b_2"),
        ("get_a_b_3", "get_a_b_3"),
        ("get_a_b", "get_a_b"),
    ]


@given(st.text(max_size=8))
def test_any_word_becomes_a_name(word):
    """Tags and operationIds are free text."""
    for name in (slug(word), function_word(word)):
        assert name.isidentifier()
        assert not keyword.iskeyword(name)


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


def chosen_arguments(found, index):
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
    assert chosen_arguments(found, 0) == {"End<": "before"}
    assert chosen_arguments(found, 1) == {"End<": "until", "End": "end"}


def test_a_derived_name_makes_room_for_a_chosen_one():
    """The choice of a project always wins."""
    found = CALLS.named(ChosenNames(parameters={"End<": "end"}))
    assert chosen_arguments(found, 1) == {"End<": "end", "End": "end_2"}


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
