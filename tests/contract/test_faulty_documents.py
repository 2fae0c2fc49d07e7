"""Any fault in a document of OpenAPI 3.2: `relay.contract.sound_part` works around it, or leaves operations out."""

import copy
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.contract.bundling import Bundle
from relay.contract.documents import parse_source
from relay.contract.methods import CARRIED, in_request, methods_in, operations_of
from relay.contract.pointers import exists, lookup
from relay.contract.sound_part import SoundPart
from relay.contract.structure import structure_violations
from support.schemas import pointers

TEXT = """\
openapi: 3.2.0
$self: https://example.com/openapi
jsonSchemaDialect: https://spec.openapis.org/oas/3.2/dialect/2025-09-17
info: {title: T, version: '1', summary: s, license: {name: x, identifier: MIT}, contact: {name: c, url: https://c.example, email: a@b.example}}
servers: [{url: 'https://{host}/v1', name: main, variables: {host: {default: a.example, enum: [a.example]}}}]
tags: [{name: T, summary: s, kind: nav}, {name: U, parent: T, externalDocs: {url: https://d.example}}]
security: [{key: []}]
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}, {$ref: '#/components/parameters/Page'}]
    get:
      operationId: getA
      tags: [T]
      parameters:
        - {name: X-Trace, in: header, schema: {type: [string, 'null'], minLength: 1}, example: a}
        - {name: c, in: cookie, style: cookie, schema: {}}
        - {name: f, in: query, style: deepObject, explode: true, allowEmptyValue: false, schema: {type: object}, examples: {one: {dataValue: {a: 1}, serializedValue: 'f[a]=1'}}}
      responses:
        '200':
          summary: ok
          description: ok
          headers: {X-Rate: {schema: {type: integer}, deprecated: true}, ETag: {$ref: '#/components/headers/ETag'}}
          links: {next: {operationId: getA, parameters: {id: 5}, server: {url: /}}, other: {$ref: '#/components/links/L'}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/A', description: d}, examples: {e: {value: 1}, r: {$ref: '#/components/examples/E'}}}
            application/jsonl: {$ref: '#/components/mediaTypes/Stream'}
        4XX: {$ref: '#/components/responses/R'}
        default: {description: e}
      security: [{key: []}, {login: [read]}]
    post:
      deprecated: false
      requestBody:
        required: true
        content:
          multipart/form-data: {schema: {type: object, properties: {a: {type: string}}}, encoding: {a: {contentType: text/plain, headers: {H: {schema: {}}}, style: form, explode: true}}}
          multipart/mixed: {itemSchema: {}, prefixEncoding: [{contentType: a/b}], itemEncoding: {contentType: a/b}}
      responses: {'204': {description: n}}
      callbacks:
        onDone:
          '{$request.body#/url}': {post: {requestBody: {$ref: '#/components/requestBodies/B'}, responses: {'200': {description: ok}}}}
          '{$request.body#/x}': {$ref: '#/components/pathItems/Shared'}
        ref: {$ref: '#/components/callbacks/C'}
      externalDocs: {url: https://x.example}
    query:
      operationId: queryA
      requestBody: {$ref: '#/components/requestBodies/B'}
      security: []
    additionalOperations:
      COPY: {operationId: copyA, responses: {'200': {description: ok}}}
  /b: {$ref: '#/components/pathItems/Shared', summary: s}
  /c:
    $ref: '#/components/pathItems/Shared'
    delete: {responses: {'204': {description: n}}, security: [{login: []}]}
  /q:
    get: {parameters: [{name: q, in: querystring, content: {application/json: {schema: {type: object}}}}]}
webhooks:
  made: {$ref: '#/components/pathItems/Shared'}
  own: {post: {requestBody: {content: {application/json: {schema: true}}}, responses: {'200': {description: ok}}}}
components:
  pathItems:
    Shared:
      parameters: [{name: z, in: query, schema: {type: integer}}]
      get: {responses: {'200': {description: ok}}}
      put: {responses: {'200': {description: ok}}, security: [{login: [write]}]}
  mediaTypes: {Stream: {itemSchema: {$ref: '#/components/schemas/A'}}}
  parameters: {Page: {name: page, in: query, schema: {type: integer, default: 1}}}
  headers: {ETag: {content: {text/plain: {schema: {type: string}}}}}
  links: {L: {operationRef: '#/paths/~1q/get'}}
  examples: {E: {externalValue: https://e.example}}
  responses: {R: {description: bad}}
  requestBodies: {B: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}
  callbacks: {C: {'{$url}': {post: {responses: {'200': {description: ok}}}}}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login: {type: oauth2, flows: {deviceAuthorization: {deviceAuthorizationUrl: https://d.example, tokenUrl: https://t.example, scopes: {read: r, write: w}}}}
    mtls: {type: mutualTLS}
    oidc: {type: openIdConnect, openIdConnectUrl: https://o.example}
    bearer: {type: http, scheme: bearer, bearerFormat: JWT}
  schemas:
    A:
      type: object
      properties: {id: {type: integer, exclusiveMinimum: 0}, kind: {const: a}, tags: {type: array, prefixItems: [{type: string}], items: false, contains: {type: string}, minContains: 1}}
      patternProperties: {'^x': {type: string}}
      additionalProperties: false
      unevaluatedProperties: false
      if: {required: [id]}
      then: {properties: {id: true}}
      else: {not: {}}
      dependentSchemas: {id: {minProperties: 1}}
      dependentRequired: {id: [kind]}
      propertyNames: {maxLength: 10}
      required: [id]
      discriminator: {propertyName: kind, mapping: {a: '#/components/schemas/B'}, defaultMapping: B}
      xml: {name: a, nodeType: element}
      examples: [{id: 1}]
      $defs: {inner: {type: [string, 'null'], contentMediaType: application/json, contentSchema: {type: object}}}
      oneOf: [{$ref: '#/components/schemas/B'}, {type: object}]
      myKeyword: 5
    B: {allOf: [{$ref: '#/components/schemas/A'}], $anchor: b, nullable: true}
    T: true
"""

DOCUMENT = yaml.safe_load(TEXT)


POINTERS = [one for one, _ in pointers(DOCUMENT) if one not in ((), ("openapi",))]
FOREIGN = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1.5, "", "x", "get", [], {}, [None], ["x"], [{}], {"x": 1}, {"type": "strng"}),
        *({"$ref": target} for target in (5, "#/nowhere", "#/components/schemas/A", "#/paths/~1b")),
        {"$ref": "#/components/pathItems/Shared"},
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    "x get query schema content type in $ref items POST security parameters x-y additionalOperations encoding examples "
    "example callbacks links exclusiveMinimum".split()
)


@st.composite
def changes(draw):
    """A change of the document: a value is replaced, removed or renamed, or one is added next to it."""
    pointer, value, name = draw(st.sampled_from(POINTERS)), draw(FOREIGN), draw(NAMES)
    return draw(st.sampled_from([replaced, removed, renamed, added])), pointer, value, name


def replaced(parent, key, value, _name):
    parent[key] = value


def removed(parent, key, _value, _name):
    del parent[key]


def renamed(parent, key, _value, name):
    if isinstance(parent, dict):
        parent[name] = parent.pop(key)


def added(parent, _key, value, name):
    if isinstance(parent, dict):
        parent[name] = value
    else:
        parent.append(value)


def changed(change, pointer, value, name):
    document = copy.deepcopy(DOCUMENT)
    parent = document
    for key in pointer[:-1]:
        parent = parent[key]
    change(parent, pointer[-1], copy.deepcopy(value), name)
    return document


def bundled(document):
    return Bundle(parse_source(Path("/c.json"), json.dumps(document).encode())[0])


def operations(document):
    """Return the operations of paths and of the path item that they share, by their pointers."""
    paths = document["paths"] if isinstance(document.get("paths"), dict) else {}
    found = {}
    for at in [("components", "pathItems", "Shared"), *(("paths", path) for path in paths)]:
        for one in methods_in(lookup(document, at)) if exists(document, at) else ():
            found[*at, *one.within] = lookup(document, (*at, *one.within))
    return found


def inherits(operation):
    return isinstance(operation, dict) and "security" not in operation


def test_the_document_has_no_fault():
    """So every fault that is found is one of the change."""
    bundle = bundled(DOCUMENT)
    assert not bundle.problems
    assert not structure_violations(bundle)


@pytest.mark.slow
@settings(max_examples=300)
@given(changes())
def test_a_document_with_any_fault_becomes_sound(change):
    """No fault may stop the start, or make an operation public; and a document that is changed has an error to show for it."""
    document = changed(*change)
    bundle = bundled(document)

    part = SoundPart(bundle)

    assert not structure_violations(bundle)
    assert part.faults or bundle.problems or bundle.data == bundled(document).data
    before, after = operations(document), operations(bundle.data)
    assert {at: inherits(one) for at, one in after.items()} == {at: inherits(before[at]) for at in after}
    if any(map(inherits, after.values())):
        assert bundle.data.get("security") == document.get("security")


@pytest.mark.slow
@settings(max_examples=200)
@given(changes())
def test_an_operation_that_is_removed_is_left_out(change):
    """Requests to it are answered with 501, and not as if the contract had never had it."""
    bundle = bundled(changed(*change))
    before = methods(bundle.data)
    left_out = {(one.path, one.method) for one in SoundPart(bundle).left_out}
    missing = {(path, method) for path, method in before - methods(bundle.data) if path.startswith("/")}
    assert {one for one in missing if (one[0], "") not in left_out} <= left_out


def methods(document):
    paths = document.get("paths")
    return {
        (path, one.method)
        for path in (paths if isinstance(paths, dict) else ())
        for one in operations_of(document, path)
        if in_request(one.method) in CARRIED
    }


@pytest.mark.slow
@pytest.mark.parametrize("pointer", [one for one in POINTERS if {"callbacks", "webhooks", "links"} & {*one}])
@pytest.mark.parametrize("value", [None, 5, "x", [], {"x": 1}, {"$ref": "#/nowhere"}])
def test_what_is_not_served_leaves_out_no_operation(pointer, value):
    """Webhooks, callbacks and links describe what others do."""
    bundle = bundled(changed(replaced, pointer, value, ""))
    assert SoundPart(bundle).left_out == []


@pytest.mark.parametrize("version", ["3.0.3", "3.1.1"])
@pytest.mark.parametrize("at", [(), ("paths", "/a", "get")])
def test_a_reference_in_place_of_a_requirement_makes_no_operation_public(version, at):
    """An empty requirement would stand for its missing target, and that one is met without any credential."""
    operation = {"responses": {"200": {"description": "ok"}}}
    document = {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": operation}},
    }
    lookup(document, at)["security"] = [{"$ref": "#/nowhere"}]

    bundle = bundled(document)
    part = SoundPart(bundle)

    assert len(part.left_out) == 1
    assert not operations(bundle.data)
