"""Generates contracts of any size in the style of public APIs, to measure how the tools scale."""

from typing import Any

_PER_TAG = 10  # operations: two resources a tag, five operations each


def public_style(operations: int) -> dict[str, Any]:
    """Return an OpenAPI 3.0 document with `operations` operations: lists, reads and writes of resources by tag."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Diagnostic": _problem()}
    for number in range(operations):
        resource, kind = divmod(number, 5)
        name, tag = f"Resource{resource}", f"Area {resource * 5 // _PER_TAG}"
        if kind == 0:
            schemas |= _schemas(name)
        method, path, operation = _operation(kind, name, tag)
        paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.0.3",
        "info": {"title": f"{operations} operations", "version": "1.0.0"},
        "servers": [{"url": "/v1"}],
        "security": [{"bearerAuth": []}],
        "tags": [{"name": f"Area {number}"} for number in range(-(-operations // _PER_TAG))],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {"Diagnostic": _json("What went wrong", "Diagnostic")},
            "parameters": {
                "limit": {
                    "name": "limit",
                    "in": "query",
                    "description": "How many at most",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
                }
            },
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(kind: int, name: str, tag: str) -> tuple[str, str, dict[str, Any]]:
    plural = f"/{name.lower()}s"
    single = f"{plural}/{{{name.lower()}Id}}"
    ident = {
        "name": f"{name.lower()}Id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    limit = {"$ref": "#/components/parameters/limit"}
    cursor = {"name": "pageCursor", "in": "query", "schema": {"type": "string", "maxLength": 64}}
    body = {"required": True, "content": {"application/json": {"schema": _ref(f"{name}Input")}}}
    method, path, verb, rest, answer = (
        ("get", plural, "list", {"parameters": [limit, cursor]}, {"200": _json("A page", f"{name}Page")}),
        ("post", plural, "create", {"requestBody": body}, {"201": _json("Made", name)}),
        ("get", single, "get", {"parameters": [ident]}, {"200": _json("Found", name)}),
        (
            "put",
            single,
            "replace",
            {"parameters": [ident], "requestBody": body},
            {"200": _json("Kept", name)},
        ),
        ("delete", single, "delete", {"parameters": [ident]}, {"204": {"description": "Gone"}}),
    )[kind]
    statuses = ["400", "401", "403", "404", *(["415"] if "requestBody" in rest else []), "500"]
    problems = {status: {"$ref": "#/components/responses/Diagnostic"} for status in statuses}
    return (
        method,
        path,
        {
            "tags": [tag],
            "summary": f"{verb.capitalize()} {name}",
            "operationId": f"{verb}{name}{'s' if verb == 'list' else ''}",
            **rest,
            "responses": {**answer, **problems},
        },
    )


def _schemas(name: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "title": {"type": "string", "minLength": 1, "maxLength": 80},
        "state": {"type": "string", "enum": ["draft", "live", "gone"]},
        "rank": {"type": "integer", "minimum": 0},
        "labels": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
        "note": {"type": "string", "nullable": True},
    }
    own = {"id": {"type": "string", "format": "uuid"}, "createdAt": {"type": "string", "format": "date-time"}}
    return {
        f"{name}Input": {"type": "object", "required": ["title", "state"], "properties": fields,
                         "additionalProperties": False},
        name: {"type": "object", "required": ["id", "title", "state"], "properties": {**own, **fields},
               "additionalProperties": False, "example": {"id": "8c5a2f4e-4a0d-4a51-9d83-2c3f7c0e9f11",
                                                          "title": f"A {name}", "state": "live", "rank": 3}},
        f"{name}Page": {"type": "object", "required": ["items"], "additionalProperties": False,
                        "properties": {"items": {"type": "array", "items": _ref(name)},
                                       "nextCursor": {"type": "string", "nullable": True}}},
    }  # fmt: skip


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "errors": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, name: str) -> dict[str, Any]:
    media_type = "application/problem+json" if name == "Diagnostic" else "application/json"
    return {"description": description, "content": {media_type: {"schema": _ref(name)}}}
