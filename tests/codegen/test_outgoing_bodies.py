"""Names of the bodies of webhooks and callbacks: `scripts/relay/codegen/type_schemas.py`."""

from __future__ import annotations

import pytest

from relay.codegen import types_module
from relay.codegen.types_module import generate_types
from support.hosting import contract, operation
from support.scaffolded import read
from support.wild import generate_here

EVENT = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


@pytest.fixture(autouse=True)
def _generate_in_this_process(monkeypatch):
    monkeypatch.setattr(types_module, "generated", generate_here)


def sending(schema, media_type="application/json"):
    body = {"content": {media_type: {"schema": schema}}}
    return {"requestBody": body, "responses": {"204": {"description": ""}}}


def document(paths=None, version="3.1.0", **rest):
    """A contract of a later version."""
    return {**contract(paths or {}, **rest), "openapi": version}


def source_of(*args, **rest):
    source = generate_types(read(document(*args, **rest))).source
    return "\n".join(line for line in source.split("\n") if line)


def test_a_webhook_has_a_type_with_its_name():
    """And with its method, if that is not the usual one."""
    webhooks = {
        "new.pet": {"post": sending(EVENT), "put": sending({"type": "string"})},
        "sold-webhook": {"post": sending(EVENT)},
    }

    source = source_of(webhooks=webhooks)

    assert "class NewPetWebhook(TypedDict):\n    id: int" in source
    assert "NewPetPutWebhook: TypeAlias = str" in source
    assert "class SoldWebhook(TypedDict):" in source


def test_a_component_keeps_its_name():
    source = source_of(
        webhooks={"pet": {"post": sending({"$ref": "#/components/schemas/pet_webhook"})}},
        components={"schemas": {"pet_webhook": EVENT}},
    )

    assert "class PetWebhook(TypedDict):" in source
    assert "PetWebhook2: TypeAlias = PetWebhook" in source


def test_a_path_item_may_be_a_component():
    source = source_of(
        webhooks={"pet": {"$ref": "#/components/pathItems/Sent"}},
        components={"pathItems": {"Sent": {"post": sending(EVENT)}}},
    )

    assert "class PetWebhook(TypedDict):" in source


def test_a_callback_has_the_name_of_its_operation_unless_it_is_shared():
    """Two operations often call the same callback differently, and one callback alike."""
    shared = {"$ref": "#/components/callbacks/Shipped"}
    paths = {
        "/a": {
            "post": operation(
                "subscribe",
                callbacks={"onEvent": {"{$request.body#/url}": {"post": sending(EVENT)}}, "onShip": shared},
            )
        },
        "/b": {"post": operation("again", callbacks={"later": shared})},
    }
    callbacks = {"Shipped": {"{$request.body#/url}": {"post": sending({"type": "integer"})}}}

    source = source_of(paths, components={"callbacks": callbacks})

    assert "class SubscribeOnEventCallback(TypedDict):" in source
    assert source.count("ShippedCallback") == 1
    assert "Again" not in source


@pytest.mark.parametrize("media_type", ["text/plain", "image/png"])
def test_a_body_without_a_shape_has_no_type(media_type):
    """It is a text or bytes, whatever its schema says."""
    assert (
        source_of(webhooks={"pet": {"post": sending(EVENT, media_type)}})
        == "from __future__ import annotations"
    )


def test_callbacks_of_3_0_have_no_type():
    """The types of contracts of 3.0 stay as they are."""
    callbacks = {"onEvent": {"{$request.body#/url}": {"post": sending(EVENT)}}}

    source = source_of({"/a": {"post": operation("subscribe", callbacks=callbacks)}}, version="3.0.3")

    assert "Callback" not in source
