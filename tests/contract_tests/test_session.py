"""Choose who calls an operation: `scripts/relay/contract_tests/session.py`."""

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config, Identity
from relay.contract_tests.credentials import claims_of
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest
from relay.contract_tests.session import MAX_SCOPES, Session
from support.compiled import read
from support.hosting import SECRET, contract, operation

OAUTH = {"type": "oauth2", "flows": {"password": {"tokenUrl": "https://id.example", "scopes": {}}}}
SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "token": {"type": "http", "scheme": "bearer"},
    "scoped": OAUTH,
}
NEEDS = {
    "open": [],
    "keys": [{"key": []}],
    "tokens": [{"token": []}],
    "both": [{"token": [], "key": []}],
    "scopes": [{"scoped": ["read"]}],
}


@pytest.fixture
def callers(monkeypatch):
    def make(*identities: Identity, needs=NEEDS) -> Session:
        monkeypatch.setenv("KEY", "k-1")
        paths = {
            f"/{name}": {"get": {**operation(name), "security": security}} for name, security in needs.items()
        }
        found = read(contract(paths, components={"securitySchemes": SCHEMES}))
        settings = ContractSettings(jwt_secret=SECRET)
        subject = ServiceUnderTest("http://h", found, Config(identities), settings)
        return Session(subject, ConformanceChecker(found, ""))

    return make


def names(found: Session) -> dict[str, list[str]]:
    return {one.name: [operation.id for operation in one.operations] for one in found.by_identity()}


ANN = Identity("ann", {"sub": "ann"})
ROBOT = Identity("robot", variables={"key": "KEY"})


def test_an_operation_is_called_by_an_identity_with_its_credentials(callers):
    found = callers(ANN, ROBOT)

    assert names(found) == {"ann": ["open", "tokens", "both", "scopes"], "robot": ["keys"]}
    assert [operation.id for operation in found.closed()] == ["both"]


GUEST = Identity("guest", {"sub": "guest"}, refused=frozenset({"tokens"}))
READER, WRITER = (Identity(scope, {"sub": "s", "scope": scope}) for scope in ("read", "write"))


@pytest.mark.parametrize(
    ("identities", "name", "called"),
    [
        ([GUEST, ANN], "ann", ["tokens"]),
        ([GUEST], "guest", list(NEEDS)),
        ([WRITER, READER], "read", ["scopes"]),
        ([Identity("former", {"sub": "f"}, signs_in=False)], "", list(NEEDS)),
    ],
    ids=["not one that it refuses", "a refused one if there is no other", "one with its scopes", "none that does not sign in"],
)  # fmt: skip
def test_an_operation_is_called_by_an_identity_that_may(callers, identities, name, called):
    assert names(callers(*identities))[name] == called


def test_a_token_of_an_identity_without_scopes_gets_those_of_its_operations(callers):
    (caller,) = callers(ANN, needs={"scopes": NEEDS["scopes"]}).by_identity()

    assert claims_of(caller.values["scoped"])["scope"] == "read"


def test_scopes_of_a_large_contract_do_not_exceed_a_header(callers):
    needs = {
        f"op_{n}": [{"scoped": [f"https://scopes.example/of/a/large/publisher/{n}"]}] for n in range(200)
    }

    (caller,) = callers(ANN, needs=needs).by_identity()

    assert len(claims_of(caller.values["scoped"])["scope"]) <= MAX_SCOPES
    assert len(caller.values["scoped"]) < 8192
