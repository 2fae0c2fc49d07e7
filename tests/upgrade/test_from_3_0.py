"""OpenAPI 3.0 to 3.1, apart from schemas: `scripts/relay/upgrade/from_3_0.py` and `binary_bodies.py`."""

from __future__ import annotations

import json

import pytest

from support.hosting import contract
from support.upgrading import data_of, findings_of, rewritten, upgraded

BINARY = {"type": "string", "format": "binary"}


def content_after(name, schema, components=None):
    operation = {"requestBody": {"content": {name: {"schema": schema}}}, "responses": {}}
    document = contract({"/a": {"post": operation}}, components={"schemas": components or {}})
    found = upgraded(document)
    body = found["paths"]["/a"]["post"]["requestBody"]
    return body["content"][name], found["components"]["schemas"]


@pytest.mark.parametrize("name", ["application/octet-stream", "image/png"])
def test_describes_bytes_by_their_media_type_alone(name):
    """Bytes are no string of JSON (OpenAPI 3.1.1, "Migrating binary descriptions from OAS 3.0")."""
    assert content_after(name, BINARY)[0] == {}
    assert content_after(name, {**BINARY, "description": "d"})[0] == {
        "schema": {"contentMediaType": name, "description": "d"}
    }


def test_describes_the_files_of_forms():
    form = {
        "allOf": [
            {"$ref": "#/components/schemas/Form"},
            {"properties": {"more": {"type": "array", "items": BINARY}, "text": {"type": "string"}}},
        ]
    }

    media, schemas = content_after("multipart/form-data", form, {"Form": {"properties": {"file": BINARY}}})

    file = {"contentMediaType": "application/octet-stream"}
    assert schemas["Form"] == {"properties": {"file": file}}
    assert media["schema"]["allOf"][1]["properties"] == {
        "more": {"type": "array", "items": file},
        "text": {"type": "string"},
    }


@pytest.mark.parametrize("name", ["application/json", "*/*", "text/csv"])
def test_leaves_binary_texts_as_they_are(name):
    """In JSON they are strings; a range is read as bytes because of the format."""
    assert content_after(name, BINARY)[0] == {"schema": BINARY}


def test_removes_what_a_path_has_next_to_its_ref(tmp_path):
    """3.0 leaves it open what it means, and 3.1 adds it to the path that is referred to."""
    text = """\
openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a: {$ref: '#/paths/~1b', summary: s, get: {responses: {}}}
  /b: {post: {responses: {}}}
"""

    assert findings_of(tmp_path, {"c.yaml": text}) == [
        "no-effect c.yaml:4:3: `get` next to a path's $ref had no effect, so it was removed; move it into the path that the $ref leads to"
    ]


def test_removes_the_styles_of_multipart_bodies(tmp_path):
    """3.0 reads them only in URL-encoded forms; from 3.1 on a part would have another text."""
    text = """\
openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a:
    post:
      requestBody:
        content:
          multipart/form-data:
            encoding:
              a: {style: form, contentType: text/plain, explode: false}
              b:
                # the list
                allowReserved: true
          application/x-www-form-urlencoded:
            encoding: {a: {style: pipeDelimited, explode: false}}
      responses: {}
"""
    words = ["style", "explode", "allowReserved"]
    places = ["10:15", "10:15", "11:15"]

    assert findings_of(tmp_path, {"c.yaml": text}) == [
        f"no-effect c.yaml:{at}: `{word}` had no effect in a multipart body, so it was removed; add it again if you mean it"
        for word, at in zip(words, places, strict=True)
    ]
    content = data_of(rewritten(text))["paths"]["/a"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["encoding"] == {"a": {"contentType": "text/plain"}, "b": {}}
    assert content["application/x-www-form-urlencoded"]["encoding"]["a"] == {
        "style": "pipeDelimited",
        "explode": False,
    }


def test_keeps_the_styles_of_fields_of_swagger(tmp_path):
    """There a list of a multipart form has a format, as that of any form."""
    field = {"name": "a", "in": "formData", "type": "array", "items": {"type": "string"}}
    operation = {"consumes": ["multipart/form-data"], "parameters": [field], "responses": {}}
    document = {
        "swagger": "2.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/a": {"post": operation}},
    }

    assert findings_of(tmp_path, {"c.json": json.dumps(document)}) == []
    body = upgraded(document)["paths"]["/a"]["post"]["requestBody"]
    assert body["content"]["multipart/form-data"]["encoding"] == {"a": {"style": "form", "explode": False}}


def test_visits_callbacks_headers_and_parameters():
    old, new = {"type": "string", "nullable": True}, {"type": ["string", "null"]}

    def operation(schema):
        return {
            "parameters": [{"name": "p", "in": "query", "content": {"application/json": {"schema": schema}}}],
            "requestBody": {
                "content": {
                    "multipart/form-data": {"encoding": {"a": {"headers": {"X": {"schema": schema}}}}}
                }
            },
            "responses": {"200": {"description": "", "headers": {"X": {"schema": schema}}}},
            "callbacks": {
                "c": {"{$url}": {"post": {"responses": {"2XX": {"content": {"a/b": {"schema": schema}}}}}}}
            },
        }

    found = upgraded(contract({"/a": {"get": operation(old)}}))

    assert found["paths"] == {"/a": {"get": operation(new)}}


def test_leaves_data_as_it_is():
    data = {"type": "string", "nullable": True, "example": 1}
    document = contract({"/a": {"x-a": data}}, **{"x-b": {"schema": data}})
    document["components"] = {"schemas": {"S": {"default": data, "enum": [data], "x-c": data}}}

    assert upgraded(document) == {**document, "openapi": "3.1.1"}


def test_3_2_changes_the_version(tmp_path):
    """It adds to 3.1; only what 3.1 ignored is removed."""
    text = """\
openapi: 3.1.0 # dialect
info: {title: T, version: '1'}
jsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base
paths:
  /{a}:
    parameters:
      - {name: a, in: path, required: true, schema: {type: [string, 'null']}, allowReserved: true}
    query: {responses: {}}
"""

    assert findings_of(tmp_path, {"c.yaml": text}, "3.2") == [
        "no-effect c.yaml:5:3: OpenAPI 3.1 has no `query`, so it was removed; add it again if you mean it",
        "no-effect c.yaml:7:9: `allowReserved` had an effect only in a query, so it was removed; add it again if you mean it",
    ]


def test_3_2_keeps_the_items_of_a_stream(tmp_path):
    """Frameworks export them in contracts of 3.1 that are of 3.2 in all but name."""
    text = """\
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a:
    get:
      responses:
        '200':
          description: ok
          content:
            text/event-stream: {itemSchema: {type: object}}
            multipart/mixed: {itemSchema: {}, itemEncoding: {contentType: image/png}}
            multipart/related: {itemEncoding: {contentType: image/png}}
"""
    kept = "OpenAPI 3.1 has no `itemSchema`, so it had no effect; now the body is a stream of such items: remove it if you do not mean it"

    assert findings_of(tmp_path, {"c.yaml": text}, "3.2") == [
        f"gains-effect c.yaml:10:33: {kept}",
        f"gains-effect c.yaml:11:31: {kept}",
        "no-effect c.yaml:12:13: OpenAPI 3.1 has no `itemEncoding`, so it was removed; add it again if you mean it",
    ]
    assert rewritten(text, "3.2") == text.replace("3.1.0", "3.2.0").replace(
        "{itemEncoding: {contentType: image/png}}", "{}"
    )


@pytest.mark.parametrize(
    ("name", "schema", "is_reported"),
    [
        ("multipart/mixed", "{type: array, items: {type: integer}}", True),
        ("multipart/related; boundary=x", "{prefixItems: [{}]}", True),
        ("multipart/mixed", "{$ref: '#/components/schemas/A'}", True),
        ("multipart/mixed", "{anyOf: [{type: [array, 'null']}, {type: string}]}", True),
        ("multipart/mixed", "{type: object}", False),
        ("multipart/mixed", "{type: object, items: {}}", False),
        ("multipart/form-data", "{type: array}", False),
        ("application/json", "{type: array}", False),
    ],
)
@pytest.mark.parametrize(
    ("version", "where"), [("3.0.3", "requestBody"), ("3.1.0", "requestBody"), ("3.1.0", "response")]
)
def test_reports_bodies_that_become_lists_of_their_parts(tmp_path, name, schema, is_reported, version, where):
    """A handler had the bytes; the schema has to go if it is to have them still."""
    content = f"{{content: {{'{name}': {{schema: {schema}}}}}}}"
    operation = {
        "requestBody": f"{{requestBody: {content}, responses: {{}}}}",
        "response": f"{{responses: {{'200': {content}}}}}",
    }
    text = f"""\
openapi: {version}
info: {{title: T, version: '1'}}
paths: {{/a: {{post: {operation[where]}}}}}
components: {{schemas: {{A: {{type: array, items: {{$ref: '#/components/schemas/A'}}}}}}}}
"""

    found = findings_of(tmp_path, {"c.yaml": text}, "3.2")
    assert [one.split()[0] for one in found if "prefixItems" not in one] == ["parts-listed"] * (
        is_reported and not (version == "3.0.3" and "prefixItems" in schema)
    )
    assert findings_of(tmp_path, {"c.yaml": text}, "3.1") == [
        one for one in found if "parts-listed" not in one
    ]
