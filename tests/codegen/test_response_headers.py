"""Classes for the headers of responses, `scripts/relay/codegen/response_headers.py`."""

from __future__ import annotations

from relay.codegen.types_module import generate_types
from support.hosting import contract, operation
from support.scaffolded import read

HEADERS = {
    "Location": {"required": True, "schema": {"type": "string", "format": "uri"}},
    "X-Count": {"schema": {"$ref": "#/components/schemas/Count"}},
    "Set-Cookie": {"schema": {"type": "string"}},
    "X-Filter": {"content": {"application/json": {"schema": {"type": "integer"}}}},
    "Content-Type": {"schema": {"type": "string"}},
}


def test_a_header_has_the_type_that_a_handler_gives_it():
    """Numbers are written as text by the server, all else by the handler; several cookies are a list."""
    made = {"description": "", "headers": HEADERS}
    responses = {"201": made, "204": {"description": ""}, "404": made}
    components = {"schemas": {"Count": {"type": "integer"}}}
    document = contract({"/a": {"post": operation("make-it", responses=responses)}}, components=components)

    types = generate_types(read(document))

    assert types.headers == {("make-it", "201"): "MakeIt201Headers"}
    assert '        "Location": str,\n' in types.source
    assert '        "X-Count": NotRequired[int],\n' in types.source
    assert '        "Set-Cookie": NotRequired[str | list[str]],\n' in types.source
    assert '        "X-Filter": NotRequired[str],\n' in types.source
    assert "Content-Type" not in types.source
    assert {"MakeIt201Headers", "Count"} <= types.classes


def test_a_contract_without_schemas_may_have_headers():
    """Its generated module has nothing else."""
    found = {"description": "", "headers": {"ETag": {"schema": {"type": "string"}}}}
    document = contract({"/a": {"get": operation("show", responses={"200": found})}})

    types = generate_types(read(document))

    assert "class Show200Headers(TypedDict):\n    ETag: NotRequired[str]\n" in types.source
    assert types.names == {}


def test_the_class_of_a_schema_keeps_its_name():
    """Handlers use it; the class of the headers gets another one."""
    found = {"description": "", "headers": {"ETag": {"schema": {"type": "string"}}}}
    document = contract(
        {"/a": {"get": operation("show", responses={"200": found})}},
        components={"schemas": {"show200_headers": {"type": "object"}}},
    )

    types = generate_types(read(document))

    assert types.names == {"show200_headers": "Show200Headers"}
    assert types.headers == {("show", "200"): "Show200Headers2"}
