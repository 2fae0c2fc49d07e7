"""Bodies of OpenAPI 3.1, where `format: binary` has given way to media types: `relay.validation.binary_schemas`."""

import pytest

from support.hosting import assert_problem, calling, contract, operation

FILE = {"type": "string", "contentMediaType": "image/png"}
OCTETS = {"type": "string", "contentMediaType": "application/octet-stream"}
FORM = {
    "type": "object",
    "properties": {
        "picture": FILE,
        "anything": {},
        "optional": {"anyOf": [{"type": "string", "format": "binary"}, {"type": "null"}]},
        "several": {"type": "array", "items": OCTETS},
        "note": {},
        "settings": {"type": "string", "contentMediaType": "application/json"},
        "key": {"type": "string", "contentEncoding": "base64"},
    },
}
FORMS = {"multipart/form-data": {"schema": FORM, "encoding": {"note": {"contentType": "text/plain"}}}}
CONTENTS = {"form": FORMS, "raw": {"application/octet-stream": {}}, "any": {"image/*": {"schema": FILE}}}
DOCUMENT = contract(
    {
        f"/{name}": {"post": operation(f"take_{name}", requestBody={"required": True, "content": content})}
        for name, content in CONTENTS.items()
    },
    openapi="3.1.1",
)
THINGS = """
from relay import Upload

def kind(value):
    if isinstance(value, list):
        return [kind(one) for one in value]
    return f"file of {value.size}" if isinstance(value, Upload) else value

async def take_form(body):
    return {name: kind(value) for name, value in body.items()}

async def take_raw(body):
    return len(body)

take_any = take_raw
"""


@pytest.fixture
async def client(hosted):
    async with calling(hosted()) as found:
        yield found


@pytest.mark.parametrize("name", ["picture", "anything", "optional"])
async def test_a_field_that_is_no_text_is_a_file(client, name):
    parts = [(name, ("x.png", b"\x89PNG", "image/png"))]
    nameless = [(name, (None, b"\x89PNG"))]
    assert (await client.post("/form", files=parts)).json() == {name: "file of 4"}
    assert (await client.post("/form", files=nameless)).json() == {name: "file of 4"}


async def test_files_may_be_several(client):
    parts = [("several", ("a", b"1")), ("several", ("b", b"22"))]
    assert (await client.post("/form", files=parts)).json() == {"several": ["file of 1", "file of 2"]}


async def test_a_field_that_the_encoding_calls_text_is_text(client):
    """Its `contentType` replaces the one that a schema without a type has."""
    assert (await client.post("/form", files=[("note", (None, b"hi"))])).json() == {"note": "hi"}


async def test_texts_of_forms_are_checked(client):
    good = [("settings", (None, b'{"a": 1}')), ("key", (None, b"YQ=="))]
    bad = [("settings", (None, b"{")), ("key", (None, b"YQ"))]
    assert (await client.post("/form", files=good)).json() == {"settings": '{"a": 1}', "key": "YQ=="}
    problem = assert_problem(await client.post("/form", files=bad), 400, "VALIDATION_ERROR")
    assert {one["rule"] for one in problem["errors"]} == {"contentMediaType", "contentEncoding"}


@pytest.mark.parametrize(
    ("path", "media_type"), [("/raw", "application/octet-stream"), ("/any", "image/png")]
)
async def test_a_body_that_is_no_text_is_bytes(client, path, media_type):
    answer = await client.post(path, content=b"\xff\x00", headers={"Content-Type": media_type})
    assert answer.json() == 2
