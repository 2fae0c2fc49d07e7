"""Swagger 2.0 to OpenAPI: `scripts/relay/upgrade/swagger_2*.py`."""

import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from relay.contract.documents import parse_document
from relay.upgrade.plan import plan_upgrade
from support.upgrading import data_of, findings_of, rewritten, upgraded

PETSTORE = """\
# Petstore, for tests

swagger: "2.0"   # the version
info: {title: Petstore, version: '1.0'}
# The public host
host: petstore.example.com
basePath: /v1
schemes: [https, http]
consumes: [application/json]
produces:
  - application/json # always
paths:
  /pets:
    get:
      operationId: list_pets
      parameters:
        - $ref: '#/parameters/Limit'
        - name: tags
          in: query
          type: array
          items: {type: string}
      responses:
        200:
          # all of them
          description: ok
          schema:
            type: array
            items:
              $ref: '#/definitions/Pet'
          examples:
            application/json: [{name: Tom}]
        default:
          $ref: '#/responses/Error'
    post:
      # add one
      parameters:
        - $ref: '#/parameters/Pet'
      responses:
        201: {description: made}
definitions:
  # A pet
  Pet:
    type: object
    discriminator: kind
    required: [name, kind]
    properties:
      name:   {type: string, x-nullable: true}
      kind: { type: string }
      mother:
        # of its own kind
        $ref: '#/definitions/Pet'
parameters:
  Limit:
    name: limit
    in: query
    # how many
    type: integer
    minimum: 0 # more than this
    exclusiveMinimum: true
  Pet:
    name: pet
    in: body
    required: true
    schema: {$ref: '#/definitions/Pet'}
responses:
  Error:
    description: wrong
    schema:
      type: object
# the end
"""

UPGRADED = """\
# Petstore, for tests

openapi: "3.1.1"   # the version
info: {title: Petstore, version: '1.0'}
# The public host
servers:
  - url: https://petstore.example.com/v1
  - url: http://petstore.example.com/v1
# always
paths:
  /pets:
    get:
      operationId: list_pets
      parameters:
        - $ref: '#/components/parameters/Limit'
        - name: tags
          in: query
          explode: false
          schema:
            type: array
            items: {type: string}
      responses:
        200:
          # all of them
          description: ok
          content:
            application/json:
              schema:
                type: array
                items:
                  $ref: '#/components/schemas/Pet'
              example: [{name: Tom}]
        default:
          $ref: '#/components/responses/Error'
    post:
      # add one
      requestBody:
        $ref: '#/components/requestBodies/Pet'
      responses:
        201: {description: made}
components:
  schemas:
    # A pet
    Pet:
      type: object
      discriminator:
        propertyName: kind
      required: [name, kind]
      properties:
        name:   {type: [string, 'null']}
        kind: { type: string }
        mother:
          # of its own kind
          $ref: '#/components/schemas/Pet'
  requestBodies:
    Pet:
      x-body-name: pet
      required: true
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Pet'}
  parameters:
    Limit:
      name: limit
      in: query
      schema:
        # how many
        type: integer
        exclusiveMinimum: 0 # more than this
  responses:
    Error:
      description: wrong
      content:
        application/json:
          schema:
            type: object
# the end
"""


def swagger(paths, **rest):
    return {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": paths, **rest}


def operation_after(operation, **rest):
    found = upgraded(swagger({"/a": {"post": {"responses": {}, **operation}}}, **rest))
    return found["paths"]["/a"]["post"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_rewrites_a_document_in_its_layout(newline):
    """Comments, quotes, order and blank lines move along; the result is what a person would have written."""
    assert rewritten(PETSTORE.replace("\n", newline)) == UPGRADED.replace("\n", newline)
    validate(data_of(UPGRADED))


def test_blank_lines_stay_between_parts():
    """A part that moves into a new one takes its comments along, and its blank lines come before both."""
    text = """\
swagger: '2.0'
info: {title: T, version: '1'}
paths: {}

# what is kept
definitions:

  A: {type: object}

securityDefinitions:
  b: {type: basic}
"""

    assert (
        rewritten(text)
        == """\
openapi: '3.1.1'
info: {title: T, version: '1'}
paths: {}

components:
  # what is kept
  schemas:

    A: {type: object}

  securitySchemes:
    b: {type: http, scheme: basic}
"""
    )


@pytest.mark.parametrize(
    "options", [{"indent": 2}, {"indent": 4}, {"indent": "\t"}, {"separators": (",", ":")}, {}]
)
def test_keeps_the_indentation_of_json(options):
    before, after = (json.dumps(data_of(text), **options) for text in (PETSTORE, UPGRADED))

    found = rewritten(before, name="c.json")

    assert json.dumps(json.loads(found), **options) == found
    assert json.loads(found) == json.loads(after)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_loses_no_comment(seed):
    """Wherever comments and blank lines are: on lines of their own, after values, at any indentation."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    lines, comments = [], 0
    for line in re.sub(r" +#.*|^#.*", "", PETSTORE, flags=re.MULTILINE).splitlines():
        indent = len(line) - len(line.lstrip())
        if chance.random() < 0.2:
            lines.append(" " * chance.choice([0, indent, indent + 2]) + f"# c{comments}.")
            comments += 1
        if chance.random() < 0.3 and line:
            line += f"  # c{comments}."  # noqa: PLW2901 -- one line more or less
            comments += 1
        lines.append(line)

    found = rewritten("\n".join([*lines, ""]))

    assert sorted(re.findall(r"# c\d+\.", found)) == sorted(f"# c{number}." for number in range(comments))
    assert data_of(found) == data_of(UPGRADED)


@pytest.mark.parametrize(
    ("fields", "urls"),
    [
        ({"host": "a.example", "basePath": "/v1", "schemes": ["https"]}, ["https://a.example/v1"]),
        ({"host": "a.example:8080", "basePath": "/"}, ["//a.example:8080"]),
        ({"basePath": "/v1"}, ["/v1"]),
    ],
)
def test_writes_host_path_and_schemes_as_servers(fields, urls):
    assert [one["url"] for one in upgraded(swagger({}, **fields))["servers"]] == urls


ITEMS = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("where", "written", "style"),
    [
        ("query", {}, {"explode": False}),
        ("query", {"collectionFormat": "csv"}, {"explode": False}),
        ("query", {"collectionFormat": "multi"}, {}),
        ("query", {"collectionFormat": "ssv"}, {"style": "spaceDelimited"}),
        ("query", {"collectionFormat": "pipes"}, {"style": "pipeDelimited"}),
        ("path", {"collectionFormat": "csv"}, {}),
        ("header", {}, {}),
    ],
)
def test_writes_formats_of_lists_as_styles(where, written, style):
    found = operation_after({"parameters": [{"name": "p", "in": where, **ITEMS, **written}]})

    assert found["parameters"] == [{"name": "p", "in": where, "schema": ITEMS, **style}]


URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
FILE = {"name": "file", "in": "formData", "type": "file", "required": True, "description": "d"}
TAGS = {"name": "tags", "in": "formData", **ITEMS, "collectionFormat": "multi"}
TEXT = {"schema": {"type": "string"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"schemes": ["wss"]}, {"servers": [{"url": "wss://a.example/v1"}]}, id="servers in place of the document's"),
        pytest.param(
            {"parameters": [{"name": "p", "in": "query", "description": "d", "type": "string", "maxLength": 3, "default": "a", "allowEmptyValue": True, "x-a": 1}]},
            {"parameters": [{"name": "p", "in": "query", "description": "d", "schema": {"type": "string", "maxLength": 3, "default": "a"}, "allowEmptyValue": True, "x-a": 1}]},
            id="what describes values is a schema",
        ),
        pytest.param(
            {"consumes": [MULTIPART], "parameters": [FILE, TAGS, {"name": "ids", "in": "formData", **ITEMS}]},
            {"requestBody": {"required": True, "content": {MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"contentMediaType": "application/octet-stream", "description": "d"}, "tags": ITEMS, "ids": ITEMS},
                },
                "encoding": {"ids": {"style": "form", "explode": False}},
            }}}},
            id="a form: files are bytes, and how a list is written goes to the encoding",
        ),
        *(
            pytest.param(
                {"produces": produces, "responses": {"200": {"description": "", "schema": {"type": "file"}}}},
                {"responses": {"200": {"description": "", "content": {name: {}}}}},
                id=f"a file is bytes of {name}",
            )
            for produces, name in [(["image/png"], "image/png"), ([], "application/octet-stream")]
        ),
        pytest.param(
            {"produces": ["text/plain", "text/csv"], "responses": {
                "200": {"description": "", **TEXT, "headers": {"X": {"type": "integer"}}, "examples": {"text/csv": "a,b"}},
                "202": {"description": "no content"},
                "default": {"$ref": "#/responses/Error"},
            }},
            {"responses": {
                "200": {
                    "description": "",
                    "content": {"text/plain": TEXT, "text/csv": {**TEXT, "example": "a,b"}},
                    "headers": {"X": {"schema": {"type": "integer"}}},
                },
                "202": {"description": "no content"},
                "default": {"description": "e", "content": {name: {"schema": {"type": "object"}} for name in ("text/plain", "text/csv")}},
            }},
            id="a shared response in other media types is written out, and examples belong to media types",
        ),
    ],
)  # fmt: skip
def test_rewrites_operations(before, after):
    shared = {"Error": {"description": "e", "schema": {"type": "object"}}}

    found = operation_after(before, responses=shared, host="a.example", basePath="/v1", schemes=["https"])

    assert found == {"responses": {}, **after}


@pytest.mark.parametrize(
    ("kind", "consumes", "names"),
    [
        ("string", [], [URLENCODED]),
        ("file", [], [MULTIPART]),
        ("string", ["application/json"], [URLENCODED]),
        ("string", [MULTIPART, URLENCODED], [MULTIPART, URLENCODED]),
    ],
)
def test_chooses_the_media_types_of_a_form(kind, consumes, names):
    fields = [{"name": "a", "in": "formData", "type": kind}]

    found = operation_after({"consumes": consumes, "parameters": fields})

    assert list(found["requestBody"]["content"]) == names


def test_writes_shared_bodies_and_fields_where_they_are_used():
    """A shared body is a component; with other media types it is written out, as the fields of forms are."""
    shared = {
        "Body": {"name": "body", "in": "body", "schema": {"type": "object"}},
        "Field": {"name": "token", "in": "formData", "type": "string"},
    }
    uses = {"/json": ("Body", {}), "/xml": ("Body", {"consumes": ["text/xml"]}), "/form": ("Field", {})}
    paths = {
        path: {"post": {"parameters": [{"$ref": f"#/parameters/{name}"}], "responses": {}, **rest}}
        for path, (name, rest) in uses.items()
    }

    found = upgraded(swagger(paths, parameters=shared))

    schema = {"schema": {"type": "object"}}
    field = {"type": "object", "properties": {"token": {"type": "string"}}}
    assert {path: item["post"]["requestBody"] for path, item in found["paths"].items()} == {
        "/json": {"$ref": "#/components/requestBodies/Body"},
        "/xml": {"content": {"text/xml": schema}},
        "/form": {"content": {URLENCODED: {"schema": field}}},
    }
    assert found["components"] == {"requestBodies": {"Body": {"content": {"application/json": schema}}}}


SHARED_FIELD = """\
swagger: '2.0'
info: {title: T, version: '1'}
paths:
  /a:
    post: {parameters: [{$ref: '#/parameters/Token'}], responses: {}}
parameters:
  # how many
  Limit: {name: limit, in: query, type: integer}
  # the form's
  Token: {name: token, in: formData, type: string} # secret
"""


def test_comments_about_a_shared_field_go_to_the_form_that_has_it():
    """Among the parameters they would be about another one; a form on one line has no place for them."""
    form = "\n      parameters:\n        - $ref: '#/parameters/Token' # here\n      responses: {}"
    block = re.sub(r" \{parameters.*", form, SHARED_FIELD)
    limit = "    # how many\n    Limit: {name: limit, in: query, schema: {type: integer}}\n"

    found = rewritten(block)

    assert (
        "                # the form's\n                # secret\n                # here\n                token: {"
        in found
    )
    assert found.endswith(limit)
    assert rewritten(SHARED_FIELD).endswith(f"{limit}    # the form's\n    # secret\n")


def test_gives_each_operation_the_body_of_its_path():
    """From 3.0 on, a path has no body; an operation's own one counts."""
    shared = [{"name": "body", "in": "body", **TEXT}]
    own = {"parameters": [{"name": "b", "in": "body", "schema": {}}], "responses": {}}

    found = upgraded(swagger({"/a": {"parameters": shared, "put": {"responses": {}}, "post": own}}))

    one, other = {"application/json": TEXT}, {"application/json": {"schema": {}}}
    assert found["paths"]["/a"] == {
        "put": {"requestBody": {"content": one}, "responses": {}},
        "post": {"requestBody": {"x-body-name": "b", "content": other}, "responses": {}},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"type": "basic"}, {"type": "http", "scheme": "basic"}),
        ({"type": "apiKey", "name": "k", "in": "header"}, {"type": "apiKey", "name": "k", "in": "header"}),
        *(
            ({"type": "oauth2", "flow": flow, **found}, {"type": "oauth2", "flows": {name: found}})
            for flow, name, urls in [
                ("implicit", "implicit", ["authorizationUrl"]),
                ("password", "password", ["tokenUrl"]),
                ("application", "clientCredentials", ["tokenUrl"]),
                ("accessCode", "authorizationCode", ["authorizationUrl", "tokenUrl"]),
            ]
            for found in [{**dict.fromkeys(urls, "https://a/"), "scopes": {"a": "A"}}]
        ),
    ],
)
def test_rewrites_security_schemes(before, after):
    found = upgraded(swagger({}, securityDefinitions={"s": before}, security=[{"s": []}]))

    assert found["components"]["securitySchemes"] == {"s": after}
    assert found["security"] == [{"s": []}]


NO_EQUAL = """\
swagger: '2.0'
info: {title: T, version: '1'}
schemes: [https]
paths:
  /a:
    post:
      parameters:
        - {name: a, in: query, type: array, items: {type: string}, collectionFormat: tsv}
        - name: b
          in: query
          type: array
          items: {type: array, items: {type: string}}
        - {name: c, in: formData, type: integer, allowEmptyValue: true}
      responses: {}
definitions:
  A: {oneOf: [{type: string}]}
parameters:
  Unused: {name: d, in: formData, type: string}
"""


def test_reports_what_has_no_equal(tmp_path):
    assert findings_of(tmp_path, {"c.yaml": NO_EQUAL}) == [
        "no-effect c.yaml:24:5: Swagger 2.0 has no `oneOf` in schemas, so it was removed; add it again if you mean it",
        "no-equal c.yaml:20:17: a field of a form cannot be empty unless its schema accepts an empty string; take such a string, or leave it out",
        "no-equal c.yaml:7:11: `collectionFormat: tsv` has no equal here, and the list is comma-separated now; change the clients, or take a string",
        "no-equal c.yaml:13:21: a list in a list has no style; take a string, and describe its syntax with `pattern`",
        "no-equal c.yaml:1:1: `schemes` (https) without `host` is no address; write the whole one into `servers`",
        "no-equal c.yaml:1:1: the form's field 'Unused' is not used; a request body contains its fields, so it was removed",
    ]


@pytest.mark.parametrize(
    ("field", "is_reported"),
    [
        ({"type": "string"}, False),
        ({"type": "string", "format": "password", "maxLength": 3}, False),
        ({"type": "string", "format": "byte"}, False),
        ({"type": "string", "enum": ["", "a"]}, False),
        ({"type": "file"}, False),
        ({"type": "string", "format": "date"}, True),
        ({"type": "string", "format": "uuid"}, True),
        ({"type": "string", "minLength": 1}, True),
        ({"type": "string", "pattern": "^a"}, True),
        ({"type": "string", "enum": ["a"]}, True),
        ({"type": "array", "items": {"type": "string"}}, True),
        ({"type": "integer"}, True),
    ],
)
def test_reports_fields_that_could_be_empty_and_no_longer_can(tmp_path, field, is_reported):
    """`allowEmptyValue` allowed an empty text whatever the field was; a schema of 3.1 refuses one."""
    parameter = {"name": "a", "in": "formData", **field, "allowEmptyValue": True}
    document = swagger({"/a": {"post": {"parameters": [parameter], "responses": {}}}})

    found = findings_of(tmp_path, {"c.json": json.dumps(document)})
    assert [one.split()[0] for one in found] == ["no-equal"] * is_reported


NULLABLE = """\
swagger: '2.0'
info: {title: T, version: '1'}
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, type: string, enum: [red], x-nullable: true}
      responses: {}
definitions:
  Color: {type: string, enum: [red, blue], x-nullable: true}
  Car:
    properties:
      color:
        $ref: '#/definitions/Color'
        x-nullable: true
"""


def test_reports_null_that_was_not_accepted(tmp_path):
    enum = "`x-nullable` had no effect next to an `enum` without null, so it was removed; add null to the `enum` and the `type` if you mean it"
    ref = "`x-nullable` next to a $ref had no effect, so it was removed; write `anyOf` with the $ref and `type: 'null'` if you mean it"

    assert findings_of(tmp_path, {"c.yaml": NULLABLE}) == [
        f"no-effect c.yaml:14:9: {ref}",
        f"no-effect c.yaml:11:5: {enum}",
        f"no-effect c.yaml:7:32: {enum}",
    ]
    schemas = data_of(rewritten(NULLABLE))["components"]["schemas"]
    assert schemas == {
        "Color": {"type": "string", "enum": ["red", "blue"]},
        "Car": {"properties": {"color": {"$ref": "#/components/schemas/Color"}}},
    }


def test_follows_refs_into_other_files(tmp_path):
    """Each file is rewritten by what the contract uses it for; `$ref`s lead to where their targets are now."""
    files = {
        "swagger.yaml": """\
swagger: '2.0'
info: {title: T, version: '1'}
paths:
  /pets: {$ref: paths/pets.yaml}
definitions:
  Pet: {type: object, properties: {owner: {$ref: 'models.json#/Owner'}}}
""",
        "paths/pets.yaml": """\
# the pets
post:
  parameters:
    - $ref: ../shared.yaml#/pet   # shared
    - {name: dry, in: query, type: boolean}
  responses:
    200: {description: ok, schema: {$ref: '../swagger.yaml#/definitions/Pet'}}
""",
        "shared.yaml": "pet: {name: pet, in: body, schema: {$ref: 'swagger.yaml#/definitions/Pet'}}\n",
        "models.json": '{\n  "Owner": {"type": "object", "x-nullable": true}\n}\n',
        "unrelated.yaml": "definitions: {A: {x-nullable: true}}\n",
    }

    assert findings_of(tmp_path, files) == []
    after = plan_upgrade(tmp_path / "swagger.yaml").after

    assert {path.relative_to(tmp_path).as_posix(): content.decode() for path, content in after.items()} == {
        "swagger.yaml": """\
openapi: '3.1.1'
info: {title: T, version: '1'}
paths:
  /pets: {$ref: paths/pets.yaml}
components:
  schemas:
    Pet: {type: object, properties: {owner: {$ref: 'models.json#/Owner'}}}
""",
        "paths/pets.yaml": """\
# the pets
post:
  parameters:
    - {name: dry, in: query, schema: {type: boolean}}
  requestBody:
    $ref: ../shared.yaml#/pet   # shared
  responses:
    200: {description: ok, content: {application/json: {schema: {$ref: '../swagger.yaml#/components/schemas/Pet'}}}}
""",
        "shared.yaml": "pet: {x-body-name: pet, content: {application/json: "
        "{schema: {$ref: 'swagger.yaml#/components/schemas/Pet'}}}}\n",
        "models.json": '{\n  "Owner": {"type": ["object", "null"]}\n}\n',
    }
    assert parse_document(tmp_path / "unrelated.yaml")[0].data == {"definitions": {"A": {"x-nullable": True}}}


def test_follows_refs_to_any_place():
    """A body was a parameter in a list; what refers into it finds it in its content."""
    paths = {
        "/a": {"post": {"parameters": [{"name": "body", "in": "body", "schema": {"type": "object"}}], "responses": {}}},
        "/b": {"get": {"responses": {"200": {"description": "", "schema": {"$ref": "#/paths/~1a/post/parameters/0/schema"}}}}},
    }  # fmt: skip

    found = upgraded(swagger(paths))

    schema = found["paths"]["/b"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/paths/~1a/post/requestBody/content/application~1json/schema"}
