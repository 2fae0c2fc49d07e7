"""The credential of a request is determined from the request itself."""

from __future__ import annotations

import json

import pytest

from relay.contract.loading import load_contract
from relay.contract_tests.credential_labels import WRONG_CREDENTIAL, Labels
from relay.contract_tests.credentials import carrying
from relay.contract_tests.exchanges import Request
from support.hosting import contract, operation

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "other": {"type": "http", "scheme": "Hawk"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
}
REQUEST = Request("GET", "http://test/things?page=1", (("Accept", "*/*"), ("Cookie", "theme=dark")))


@pytest.fixture
def labels_of(tmp_path):
    """Make labels for a contract with one scheme, and an identity with a credential for it."""

    def make(scheme, value):
        document = contract(
            {"/things": {"get": operation("list_things")}},
            components={"securitySchemes": {"only": scheme}},
        )
        (tmp_path / "openapi.json").write_text(json.dumps(document), "utf-8")
        return Labels(load_contract(tmp_path / "openapi.json"), "astrid", {"only": value})

    return make


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_distinguishes_the_identity_a_wrong_credential_and_none(labels_of, scheme):
    """The report's matrix uses it, so all places of a credential count."""
    labels = labels_of(scheme, "astrid:the=right&one")

    assert labels.of(carrying(REQUEST, scheme, "astrid:the=right&one")) == "astrid"
    assert labels.of(carrying(REQUEST, scheme, "astrid:another")) == WRONG_CREDENTIAL
    assert labels.of(REQUEST) is None


def test_another_scheme_in_the_same_header_is_a_wrong_credential(labels_of):
    """`Basic` in place of a token counts as a credential."""
    labels = labels_of(SCHEMES["bearer"], "token")

    assert labels.of(REQUEST.with_headers([("authorization", "Basic dG9rZW4=")])) == WRONG_CREDENTIAL
