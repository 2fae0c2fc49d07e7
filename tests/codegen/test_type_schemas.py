"""Schemas that types are generated from, with sent bodies and uploads: `scripts/relay/codegen/type_schemas.py`."""

from __future__ import annotations

import pytest

from relay.codegen.types_module import generate_types
from support.hosting import contract, operation, ref
from support.scaffolded import handler_findings, read, regenerated, state_of, text, typed_strictly

pytestmark = pytest.mark.usefixtures("generated_here")

EVENT = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def sending(schema, media_type="application/json"):
    body = {"content": {media_type: {"schema": schema}}}
    return {"requestBody": body, "responses": {"204": {"description": ""}}}


def source_of(paths=None, version="3.1.0", **rest):
    """The generated source of a contract of a later version, without blank lines."""
    source = generate_types(read(contract(paths or {}, openapi=version, **rest))).source
    return "\n".join(line for line in source.split("\n") if line)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("webhook", "components", "more"),
    [
        ({"post": sending(ref("pet_webhook"))}, {"schemas": {"pet_webhook": EVENT}}, "PetWebhook2: TypeAlias = PetWebhook"),
        ({"$ref": "#/components/pathItems/Sent"}, {"pathItems": {"Sent": {"post": sending(EVENT)}}}, ""),
    ],
    ids=["a component keeps its name", "a path item may be a component"],
)  # fmt: skip
def test_a_webhook_next_to_components(webhook, components, more):
    source = source_of(webhooks={"pet": webhook}, components=components)

    assert "class PetWebhook(TypedDict):" in source
    assert more in source


def test_a_callback_has_the_name_of_its_operation_unless_it_is_shared():
    """Two operations often call the same callback differently, and one callback alike."""
    shared = {"$ref": "#/components/callbacks/Shipped"}
    own = {"onEvent": {"{$request.body#/url}": {"post": sending(EVENT)}}, "onShip": shared}
    operations = {"subscribe": own, "again": {"later": shared}}
    paths = {f"/{name}": {"post": operation(name, callbacks=one)} for name, one in operations.items()}
    callbacks = {"Shipped": {"{$request.body#/url}": {"post": sending({"type": "integer"})}}}

    source = source_of(paths, components={"callbacks": callbacks})

    assert "class SubscribeOnEventCallback(TypedDict):" in source
    assert source.count("ShippedCallback") == 1
    assert "Again" not in source


@pytest.mark.parametrize("media_type", ["text/plain", "image/png"])
def test_a_body_without_a_shape_has_no_type(media_type):
    """It is a text or bytes, whatever its schema says."""
    source = source_of(webhooks={"pet": {"post": sending(EVENT, media_type)}})

    assert source == "from __future__ import annotations"


def test_callbacks_of_3_0_have_no_type():
    """The types of contracts of 3.0 stay as they are."""
    callbacks = {"onEvent": {"{$request.body#/url}": {"post": sending(EVENT)}}}

    source = source_of({"/a": {"post": operation("subscribe", callbacks=callbacks)}}, version="3.0.3")

    assert "Callback" not in source


FILE = {"type": "string", "format": "binary"}
PHOTO = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": FILE,
        "more": {"type": "array", "items": FILE},
        "cover": {**FILE, "nullable": True},
        "title": {"type": "string"},
        "back": {"allOf": [FILE], "nullable": True},
    },
}
TO_PHOTO = ref("Photo")


def posting(content, **more):
    """A contract whose operation `add` takes bodies of these media types."""
    body = {"required": True, "content": {name: {"schema": schema} for name, schema in content.items()}}
    schemas = {"Photo": PHOTO, **more}
    return contract({"/a": {"post": operation("add", requestBody=body)}}, components={"schemas": schemas})


def test_files_of_forms_are_uploads():
    """In lists, and where null is allowed; other fields stay as they are."""
    types = generate_types(read(posting({"multipart/form-data": TO_PHOTO})))

    assert "from relay import Upload as Upload\n" in types.source
    assert "    file: Upload\n" in types.source
    assert "    more: NotRequired[list[Upload]]\n" in types.source
    assert "    cover: NotRequired[Upload | None]\n" in types.source
    assert "    title: NotRequired[str]\n" in types.source
    assert "    back: NotRequired[Upload | None]\n" in types.source


@pytest.mark.slow
@pytest.mark.parametrize(
    "other",
    [
        {"application/json": TO_PHOTO},
        {"multipart/form-data": TO_PHOTO, "application/json": {"type": "array", "items": TO_PHOTO}},
        {"multipart/form-data": TO_PHOTO, "application/json": ref("Album")},
        {"multipart/form-data": {"type": "object"}},
    ],
)
def test_a_component_that_other_bodies_use_keeps_bytes(other):
    """There, it has no uploads."""
    album = {"type": "object", "properties": {"photos": {"type": "array", "items": TO_PHOTO}}}

    types = generate_types(read(posting(other, Album=album)))

    assert "Upload" not in types.source
    assert "    file: bytes\n" in types.source


def test_a_component_with_the_name_of_the_class_leaves_it_out():
    """One name has one meaning."""
    document = posting({"image/png": FILE}, Upload={"type": "object"})

    assert "from relay" not in generate_types(read(document)).source
    assert "async def add(*, body: bytes)" in text(regenerated(state_of(document))[0].sources, "things")


def test_a_new_handler_of_a_binary_body_takes_an_upload():
    """It does not hold the body in memory; the generated types have the class."""
    state, _ = regenerated(state_of(posting({"video/*": FILE, "application/json": {"type": "object"}})))
    sources = state.sources

    assert "async def add(*, body: Upload | dict[str, Any]) -> Any:" in text(sources, "things")
    assert "from ._types import Upload\n" in text(sources, "things")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "annotation", "found"),
    [
        ("", "bytes", []),
        ("from relay import Upload", "Upload", []),
        ("import relay", "relay.Upload", []),
        ("import relay", "'relay.Upload'", []),
        ("from ._types import Upload", "Upload", []),
        ("", "str", ["argument-annotation"]),
    ],
)
def test_a_handler_may_take_bytes_or_an_upload_and_nothing_else(header, annotation, found):
    """The server passes what the annotation says; another one would be wrong for every request."""
    things = f"{header}\n\nasync def add(body: {annotation}):\n    return None\n"

    findings = handler_findings(state_of(posting({"video/mp4": FILE}), things=things))

    assert [rule for rule, _ in findings] == found


@pytest.mark.slow
def test_mypy_knows_the_class_in_a_handler(tmp_path):
    """An explicit re-export: mypy --strict refuses others."""
    types = generate_types(read(posting({"multipart/form-data": TO_PHOTO})))
    package = tmp_path / "handlers"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "_types.py").write_text(types.source, "utf-8")
    (package / "things.py").write_text(
        "from ._types import Photo, Upload\n\n"
        "def add(*, body: Photo) -> int:\n"
        "    photo: Upload = body['file']\n"
        "    return photo.size + photo.read().count(b'x')\n",
        "utf-8",
    )

    assert typed_strictly(tmp_path, "-p", "handlers").startswith("Success")


def test_files_of_openapi_3_1_are_uploads_too():
    """They have a media type, or no type at all; `format: binary` is what most frameworks still write."""
    photo = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "contentMediaType": "image/png"},
            "more": {"type": "array", "items": {}},
            "cover": {"anyOf": [FILE, {"type": "null"}]},
            "code": {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
        },
    }
    document = {**posting({"multipart/form-data": TO_PHOTO}, Photo=photo), "openapi": "3.1.1"}
    types = generate_types(read(document))

    assert "    file: Upload\n" in types.source
    assert "    more: NotRequired[list[Upload]]\n" in types.source
    assert "    cover: NotRequired[Upload | None]\n" in types.source
    assert "    code: NotRequired[str]\n" in types.source
