"""Select operations: `scripts/relay/contract_tests/selection.py`."""

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests.selection import Selection
from support.compiled import read
from support.hosting import contract, operation

PETS = {"get": operation("list_pets", tags=["Pets"]), "post": operation("add_pet", tags=["Pets"])}
SHOP = read(contract({"/pets": PETS, "/keepers": {"get": operation("list_keepers", tags=["Staff"])}}))


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(), ["list_pets", "add_pet", "list_keepers"]),
        (Selection(("add_pet", "GET /keepers")), ["add_pet", "list_keepers"]),
        (Selection(("get /pets",)), ["list_pets"]),
        (Selection(tags=("Pets",)), ["list_pets", "add_pet"]),
        (Selection(methods=("get", "POST")), ["list_pets", "add_pet", "list_keepers"]),
        (Selection(tags=("Pets",), methods=("GET",)), ["list_pets"]),
    ],
)
def test_values_of_one_option_are_alternatives_and_options_are_combined(selection, ids):
    assert [one.id for one in selection.of(SHOP).operations] == ids
    assert len(SHOP.operations) == 3


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(("list_pet",)), "--operation: the contract has no operation 'list_pet'; did you mean 'list_pets'?"),
        (Selection(("GET /pet",)), "'GET /pet'; did you mean 'GET /pets'?"),
        (Selection(tags=("pets",)), "--tag: the contract has no tag 'pets'; did you mean 'Pets'?"),
        (Selection(tags=("zzz",)), "the contract has no tag 'zzz'; it has 'Pets', 'Staff'"),
        (Selection(methods=("put",)), "--method: the contract has no operation with the method 'PUT'"),
        (Selection(tags=("Staff",), methods=("POST",)), "--tag 'Staff' --method 'POST': no operation matches all options"),
    ],
)  # fmt: skip
def test_an_unknown_value_is_an_error_with_the_nearest_name(selection, message):
    with pytest.raises(SetupError) as caught:
        selection.of(SHOP)

    assert message in str(caught.value)
