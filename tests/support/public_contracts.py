"""Generates contracts of any size in the style of public APIs, to measure how the tools scale."""

from typing import Any

from .documents import STRING, contract, operation, query, ref

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
        method, path, described = _operation(kind, name, tag)
        paths.setdefault(path, {})[method] = described
    limits = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    components = {
        "schemas": schemas,
        "responses": {"Diagnostic": _json("What went wrong", "Diagnostic")},
        "parameters": {"limit": query("limit", limits, description="How many at most")},
        "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    }
    return contract(
        paths,
        info={"title": f"{operations} operations", "version": "1.0.0"},
        servers=[{"url": "/v1"}],
        security=[{"bearerAuth": []}],
        tags=[{"name": f"Area {number}"} for number in range(-(-operations // _PER_TAG))],
        components=components,
    )


def _operation(kind: int, name: str, tag: str) -> tuple[str, str, dict[str, Any]]:
    whole = f"/{name.lower()}s"
    single = f"{whole}/{{{name.lower()}Id}}"
    ident = {"parameters": [query(f"{name.lower()}Id", {**STRING, "format": "uuid"}, "path", required=True)]}
    listed = {
        "parameters": [
            {"$ref": "#/components/parameters/limit"},
            query("pageCursor", {**STRING, "maxLength": 64}),
        ]
    }
    body = {"requestBody": {"required": True, "content": _json("", f"{name}Input")["content"]}}
    method, path, id_, given, answer = (
        ("get", whole, f"list{name}s", listed, {"200": _json("A page", f"{name}Page")}),
        ("post", whole, f"create{name}", body, {"201": _json("Made", name)}),
        ("get", single, f"get{name}", ident, {"200": _json("Found", name)}),
        ("put", single, f"replace{name}", {**ident, **body}, {"200": _json("Kept", name)}),
        ("delete", single, f"delete{name}", ident, {"204": {"description": "Gone"}}),
    )[kind]
    statuses = ["400", "401", "403", "404", *(["415"] if "requestBody" in given else []), "500"]
    problems = {status: {"$ref": "#/components/responses/Diagnostic"} for status in statuses}
    summary = f"{id_.partition(name)[0].capitalize()} {name}"
    return (
        method,
        path,
        operation(id_, tags=[tag], summary=summary, **given, responses={**answer, **problems}),
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
                        "properties": {"items": {"type": "array", "items": ref(name)},
                                       "nextCursor": {"type": "string", "nullable": True}}},
    }  # fmt: skip


def _problem() -> dict[str, Any]:
    texts = dict.fromkeys(("type", "title", "detail", "code"), STRING)
    errors = {"type": "array", "items": {"type": "object", "additionalProperties": True}}
    properties = {**texts, "status": {"type": "integer"}, "errors": errors}
    return {"type": "object", "required": ["type", "title", "status", "code"], "properties": properties}


def _json(description: str, name: str) -> dict[str, Any]:
    media_type = "application/problem+json" if name == "Diagnostic" else "application/json"
    return {"description": description, "content": {media_type: {"schema": ref(name)}}}
