"""Files of requests in generated types and signatures: `scripts/relay/codegen/type_schemas.py`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from relay.codegen.types_module import generate_types
from support.compiled import read
from support.hosting import contract, operation
from support.running import ROOT
from support.scaffolded import handler_findings, regenerated, state_of, text

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
TO_PHOTO = {"$ref": "#/components/schemas/Photo"}


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


@pytest.mark.parametrize(
    "other",
    [
        {"application/json": TO_PHOTO},
        {"multipart/form-data": TO_PHOTO, "application/json": {"type": "array", "items": TO_PHOTO}},
        {"multipart/form-data": TO_PHOTO, "application/json": {"$ref": "#/components/schemas/Album"}},
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
    sources = regenerated(state_of(posting({"video/*": FILE, "application/json": {"type": "object"}})))[
        0
    ].sources

    assert "async def add(*, body: Upload | dict[str, Any]) -> Any:" in text(sources, "things")
    assert "from ._types import Upload\n" in text(sources, "things")


@pytest.mark.parametrize(
    ("header", "annotation"),
    [
        ("", "bytes"),
        ("from relay import Upload", "Upload"),
        ("import relay", "relay.Upload"),
        ("import relay", "'relay.Upload'"),
        ("from ._types import Upload", "Upload"),
    ],
)
def test_a_handler_may_take_bytes_or_an_upload(header, annotation):
    """The server passes what the annotation says."""
    things = f"{header}\n\nasync def add(body: {annotation}):\n    return None\n"

    assert handler_findings(state_of(posting({"video/mp4": FILE}), things=things)) == []


def test_another_annotation_is_reported():
    """It would be wrong for every request."""
    things = "async def add(body: str):\n    return None\n"

    ((rule, _),) = handler_findings(state_of(posting({"video/mp4": FILE}), things=things))

    assert rule == "argument-annotation"


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
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--cache-dir",
        str(tmp_path / "cache"),
        "handlers",
    ]

    checked = subprocess.run(
        command,
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


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
