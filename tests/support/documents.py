"""Parts of OpenAPI documents, as tests write them."""

from typing import Any

STRING = {"type": "string"}


def contract(paths: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """An OpenAPI document around some paths."""
    return {"openapi": "3.0.3", "info": {"title": "Test", "version": "1"}, "paths": paths, **rest}


def operation(operation_id: str, **rest: Any) -> dict[str, Any]:
    """An operation of the tag Things that answers any JSON."""
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}
    return {"operationId": operation_id, "tags": ["Things"], "responses": answer, **rest}


def ref(name: str) -> dict[str, str]:
    """A reference to a component's schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def query(name: str, schema: Any = STRING, location: str = "query", **rest: Any) -> dict[str, Any]:
    """A parameter of the query, or of another location; `rest` are its other fields."""
    return {"name": name, "in": location, "schema": schema, **rest}


def json_of(schema: Any, **media: Any) -> dict[str, Any]:
    """A response, or a request body, with JSON content; `media` are more fields of its Media Type Object."""
    return {"description": "ok", "content": {"application/json": {"schema": schema, **media}}}


def with_json_body(direction: str, schema: Any, schemas: Any = None) -> dict[str, Any]:
    """A contract of one operation whose request or response has a JSON body; `schemas` are its components."""
    if direction == "request":
        fields = {"requestBody": json_of(schema), "responses": {"204": {"description": "ok"}}}
    else:
        fields = {"responses": {"200": json_of(schema)}}
    return contract({"/a": {"post": {"operationId": "x", **fields}}}, components={"schemas": schemas or {}})
