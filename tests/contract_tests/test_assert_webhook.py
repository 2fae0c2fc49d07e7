"""Bodies of webhooks and callbacks in a team's own tests: `relay.testing`."""

import re

import pytest

from relay.testing import assert_callback, assert_webhook
from support.hosting import contract, host, operation

PET = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": ["string", "null"]}},
}
CONTENT = {
    "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}},
    "text/plain": {"schema": {"type": "string", "maxLength": 3}},
}
SENT = {"requestBody": {"content": CONTENT}, "responses": {"204": {"description": ""}}}
CALLBACKS = {"onSold": {"{$request.body#/url}": {"put": SENT}}}


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    paths = {"/pets": {"post": operation("add_pet", callbacks=CALLBACKS)}}
    more = {"webhooks": {"newPet": {"post": SENT}}, "components": {"schemas": {"Pet": PET}}}
    return host(tmp_path, contract(paths, openapi="3.1.0", **more), settings={"missing": ["stub"]})


def test_a_body_that_the_contract_describes_passes(app):
    assert_webhook(app, "newPet", {"id": 1, "name": None})
    assert_webhook(app, "newPet", {"name": "Rex"})
    assert_webhook(app, "newPet", "Rex", media_type="text/plain; charset=utf-8")


def test_a_body_that_violates_the_contract_fails_with_all_violations(app):
    with pytest.raises(AssertionError) as raised:
        assert_webhook(app, "newPet", {"name": 12345})

    assert str(raised.value).startswith("/name: the value is not of type")
    assert "12345" not in str(raised.value)


def test_a_callback_is_found_by_its_operation(app):
    for name in ("add_pet", "POST /pets"):
        assert_callback(app, name, "onSold", {"name": "Rex"}, method="PUT")

    with pytest.raises(AssertionError, match="/name"):
        assert_callback(app, "add_pet", "onSold", {}, method="PUT")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "newpet"}, "the contract has no POST of the webhook 'newpet'; it has POST of the webhook 'newPet'"),
        ({"name": "newPet", "method": "PUT"}, "no PUT of the webhook 'newPet'"),
        ({"name": "newPet", "media_type": "text/csv"}, "no body of text/csv; it has application/json, text/plain"),
    ],
)  # fmt: skip
def test_what_is_not_documented_is_named(app, wrong, message):
    with pytest.raises(LookupError, match=re.escape(message)):
        assert_webhook(app, body={}, **wrong)


def test_a_callback_of_another_operation_is_not_taken(app):
    with pytest.raises(LookupError, match="it has PUT of the callback 'onSold' of POST /pets"):
        assert_callback(app, "add_dog", "onSold", {})
