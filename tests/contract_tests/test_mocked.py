"""Find what a mock answers: `scripts/relay/contract_tests/mocked.py`."""

from __future__ import annotations

from relay.contract_tests.mocked import Mocked, find_mocked, is_served_alone
from relay.project.settings import Settings
from support.compiled import read
from support.hosting import contract, operation

SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "token": {"type": "http", "scheme": "bearer"},
}
SHOP = read(
    contract(
        {
            "/pets": {"get": {**operation("list_pets"), "tags": ["Pets"], "security": [{"key": []}]}},
            "/staff": {"get": {**operation("list_staff"), "tags": ["Staff"], "security": [{"token": []}]}},
        },
        components={"securitySchemes": SCHEMES},
    )
)


def test_without_a_package_every_operation_is_mocked():
    """Nothing verifies keys there; tokens are verified by Relay itself."""
    found = find_mocked(SHOP, Settings(missing=("mock",)), None)

    assert found == Mocked(frozenset({"list_pets", "list_staff"}), frozenset({"key"}), is_alone=True)


def test_a_service_whose_functions_the_contract_names_is_not_a_mock(tmp_path):
    """Its info functions verify credentials, so that these are tested."""
    (tmp_path / "mocked_pets.py").touch()
    settings = Settings(missing=("mock",))
    paths = {"/pets": {"get": operation("mocked_pets.show")}}

    assert not is_served_alone(read(contract(paths)), settings, "handlers", tmp_path)
    assert is_served_alone(SHOP, settings, "handlers", tmp_path)


def test_with_a_package_its_unwritten_operations_are_mocked():
    """Its verifiers are tested."""
    found = find_mocked(SHOP, Settings(missing=("mock",)), ["list_pets"])

    assert found == Mocked(frozenset({"list_pets"}))


def test_only_tags_with_the_policy_are_mocked():
    """Stubs answer 501."""
    found = find_mocked(SHOP, Settings(missing=("stub", "Staff=mock")), ["list_pets", "list_staff"])

    assert found == Mocked(frozenset({"list_staff"}))
