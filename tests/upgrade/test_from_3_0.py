"""OpenAPI 3.0 to 3.1, apart from schemas: `scripts/relay/upgrade/from_3_0.py` and `from_3_1.py`."""

import json

import pytest

from support.hosting import contract
from support.upgrading import findings_of, rewritten, upgraded

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


KEPT = "OpenAPI 3.1 has no `itemSchema`, so it had no effect; now the body is a stream of such items: remove it if you do not mean it"
BODY = "        '200':\n          content:\n"


@pytest.mark.parametrize(
    ("version", "text", "found", "changed"),
    [
        pytest.param(
            "3.0.3",
            "paths:\n  /a: {$ref: '#/paths/~1b', summary: s, get: {responses: {}}}\n  /b: {post: {responses: {}}}\n",
            ["no-effect c.yaml:4:3: `get` next to a path's $ref had no effect, so it was removed; move it into the path that the $ref leads to"],
            {", get: {responses: {}}": ""},
            id="3.0 leaves it open what is next to the $ref of a path, and 3.1 adds it",
        ),
        pytest.param(
            "3.0.3",
            """\
paths:
  /a:
    post:
      requestBody:
        content:
          multipart/form-data:
            encoding: {a: {style: form, contentType: text/plain, explode: false}, b: {allowReserved: true}}
          application/x-www-form-urlencoded:
            encoding: {a: {style: pipeDelimited, explode: false}}
      responses: {}
""",
            [
                f"no-effect c.yaml:{at}: `{word}` had no effect in a multipart body, so it was removed; add it again if you mean it"
                for word, at in [("style", "9:24"), ("explode", "9:24"), ("allowReserved", "9:54")]
            ],
            {"style: form, ": "", ", explode: false}, b": "}, b", "{allowReserved: true}": "{}"},
            id="3.0 reads styles only in URL-encoded forms; from 3.1 on a part would have another text",
        ),
        pytest.param(
            "3.0.3",
            """\
paths: {}
components:
  schemas:
    A:
      $ref: '#/components/schemas/B'
      description: stays
      nullable: true
    B:
      type: object
      patternProperties: {x: {}}
""",
            [
                "no-effect c.yaml:6:5: `nullable` next to a $ref had no effect in OpenAPI 3.0, so it was removed; write `anyOf` with the $ref and `type: 'null'` if you mean it",
                "no-effect c.yaml:9:5: OpenAPI 3.0 has no `patternProperties` in schemas, so it was removed; add it again if you mean it",
            ],
            {"      nullable: true\n": "", "      patternProperties: {x: {}}\n": ""},
            id="what had no effect in a schema would have one in 3.1",
        ),
        pytest.param(
            "3.1.0",
            """\
jsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base
paths:
  /{a}:
    parameters:
      - {name: a, in: path, required: true, schema: {type: [string, 'null']}, allowReserved: true}
    query: {responses: {}}
""",
            [
                "no-effect c.yaml:5:3: OpenAPI 3.1 has no `query`, so it was removed; add it again if you mean it",
                "no-effect c.yaml:7:9: `allowReserved` had an effect only in a query, so it was removed; add it again if you mean it",
            ],
            {"3.1/dialect/base": "3.2/dialect/2025-09-17", ", allowReserved: true": "", "    query: {responses: {}}\n": ""},
            id="3.2 adds to 3.1, and only what 3.1 ignored is removed",
        ),
        pytest.param(
            "3.1.0",
            f"""\
paths:
  /a:
    get:
      responses:
{BODY}\
            text/event-stream: {{itemSchema: {{type: object}}}}
            multipart/mixed: {{itemSchema: {{}}, itemEncoding: {{contentType: image/png}}}}
            multipart/related: {{itemEncoding: {{contentType: image/png}}}}
""",
            [
                f"gains-effect c.yaml:9:33: {KEPT}",
                f"gains-effect c.yaml:10:31: {KEPT}",
                "no-effect c.yaml:11:13: OpenAPI 3.1 has no `itemEncoding`, so it was removed; add it again if you mean it",
            ],
            {"related: {itemEncoding: {contentType: image/png}}": "related: {}"},
            id="frameworks export items of a stream in contracts of 3.1 that are of 3.2 in all but name",
        ),
    ],
)  # fmt: skip
def test_removes_and_reports_what_had_no_effect(tmp_path, version, text, found, changed):
    to, after = ("3.2", "3.2.0") if version == "3.1.0" else ("3.1", "3.1.1")
    text = f"openapi: {version} # as it is\ninfo: {{title: T, version: '1'}}\n{text}"

    assert findings_of(tmp_path, {"c.yaml": text}, to) == found
    for old, new in {version: after, **changed}.items():
        assert old in text
        text = text.replace(old, new, 1)
    assert rewritten((tmp_path / "c.yaml").read_text(), to) == text


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
