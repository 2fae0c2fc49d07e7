"""A large contract in the style of a payment provider: hundreds of schemas that refer to one another.

With its default size it has 450 operations and 800 schemas, of which each reaches nearly all others, in 4 MB.
"""

from collections.abc import Iterator
from typing import Any

from .documents import STRING, query, ref

Schema = dict[str, Any]

_PER_RESOURCE = 5
_TEXT = {**STRING, "maxLength": 5000}
_STRIDES = (1, 7, 31, 101, 211, 307, 401, 499)  # how far apart the schemas are that refer to one another
_PROSE = (
    "This field is part of the public interface of the resource and keeps its meaning in all later versions. "
    "Its value is set when the resource is created, and changes only where the operation says so. "
)


def payment_style(operations: int = 450, schemas: int = 800) -> dict[str, Any]:
    """Return a contract with so many operations, five for a resource, and schemas, at least one for a resource."""
    resources = -(-operations // _PER_RESOURCE)
    names = [_name(number) for number in range(max(schemas - 4, resources))]
    components = {_name(number): _resource(number, names) for number in range(len(names))}
    paths: dict[str, Any] = {}
    for count, (path, method, operation) in enumerate(_operations(names[:resources])):
        if count < operations:
            paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.0.3",
        "info": {"title": "Payments", "version": "2026-11-01"},
        "servers": [{"url": "https://payments.example/"}],
        "security": [{"basic": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {**components, **_shared(names)},
        },
    }


def _name(number: int) -> str:
    """Return the name of a schema: `ledger.entry_0`, as every fourth has a dot, or `charge_1`."""
    return f"{('ledger.entry', 'charge', 'invoice', 'transfer')[number % 4]}_{number}"


def _resource(number: int, names: list[str]) -> Schema:
    """Return the schema of a resource, which refers to eight others in the ways that such contracts do."""
    others = [names[(number + stride) % len(names)] for stride in _STRIDES]
    outcome = {
        "reason": {**_TEXT, "nullable": True},
        "review": _expandable(others[6]),
        "rule": {"anyOf": [ref(others[7])], "nullable": True},
    }
    return {
        "type": "object",
        "title": names[number],
        "description": _PROSE * 4,
        "required": ["id", "object", "created", "livemode"],
        "properties": {
            "id": {"type": "string", "maxLength": 5000, "description": _PROSE},
            "object": {"type": "string", "enum": [names[number]], "description": _PROSE},
            "created": {"type": "integer", "format": "unix-time", "description": _PROSE},
            "livemode": {"type": "boolean", "description": _PROSE},
            "amount": {"type": "integer", "description": _PROSE},
            "status": {"type": "string", "enum": ["open", "paid", f"void_{number}"], "description": _PROSE},
            "note": {"type": "string", "maxLength": 5000, "nullable": True, "description": _PROSE},
            "metadata": {
                "type": "object",
                "additionalProperties": {**STRING, "maxLength": 500},
                "description": _PROSE,
            },
            "source": {**_expandable(others[0]), "description": _PROSE},
            "parent": {**_expandable(others[1], "deleted"), "nullable": True, "description": _PROSE},
            "latest": {"anyOf": [ref(others[2])], "nullable": True, "description": _PROSE},
            "details": ref(others[3]),
            "entries": _listing(ref(others[4]), number),
            "history": {"type": "array", "items": _expandable(others[5]), "description": _PROSE},
            "method": ref("method"),
            "outcome": {"type": "object", "properties": outcome},
        },
        "x-expandableFields": ["source", "parent", "latest", "entries", "history"],
    }


def _expandable(*names: str) -> Schema:
    """Return the schema of a field that is an id, or the object itself."""
    return {"anyOf": [_TEXT, *map(ref, names)]}


def _listing(items: Schema, number: int) -> Schema:
    return {
        "type": "object",
        "description": _PROSE,
        "required": ["data", "has_more", "object", "url"],
        "properties": {
            "data": {"type": "array", "items": items},
            "has_more": {"type": "boolean"},
            "object": {"type": "string", "enum": ["list"]},
            "url": {"type": "string", "maxLength": 5000, "pattern": f"^/v1/r{number}"},
        },
    }


def _shared(names: list[str]) -> dict[str, Schema]:
    """Return the schemas that all resources refer to."""
    deleted = {"id": _TEXT, "deleted": {"type": "boolean", "enum": [True]}}
    kinds = {f"method_{kind}": names[index * 17 % len(names)] for index, kind in enumerate(("card", "bank"))}
    mapping = {name: f"#/components/schemas/{name}" for name in kinds}
    fields = {
        "type": {"type": "string", "enum": ["api_error", "card_error"]},
        "message": {"type": "string", "maxLength": 40000},
        "source": ref(names[0]),
    }
    error = {"type": "object", "required": ["type"], "properties": fields}
    return {
        "error": {"type": "object", "required": ["error"], "properties": {"error": error}},
        "deleted": {"type": "object", "required": [*deleted], "properties": deleted},
        "method": {
            "oneOf": [ref(name) for name in kinds],
            "discriminator": {"propertyName": "type", "mapping": mapping},
        },
        **{
            name: {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"type": "string", "enum": [name]}, "owner": _expandable(target)},
            }
            for name, target in kinds.items()
        },
    }


def _operations(names: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the operations of resources: path, method, Operation Object."""
    for number, name in enumerate(names):
        whole, one = f"/v1/r{number}", f"/v1/r{number}/{{id}}"
        item = query("id", _TEXT, "path", required=True)
        yield whole, "get", _operation(f"List{number}", _listing(ref(name), number), _filters())
        yield whole, "post", _operation(f"Create{number}", ref(name), [], _form(number))
        yield one, "get", _operation(f"Get{number}", ref(name), [item, _expand()])
        yield one, "post", _operation(f"Update{number}", ref(name), [item], _form(number))
        yield one, "delete", _operation(f"Delete{number}", ref("deleted"), [item])


def _operation(
    id_: str, schema: Schema, parameters: list[Any], body: dict[str, Any] | None = None
) -> dict[str, Any]:
    responses = {"200": ("Successful response.", schema), "default": ("Error response.", ref("error"))}
    return {
        "operationId": id_,
        "description": _PROSE,
        "parameters": parameters,
        **({"requestBody": body} if body else {}),
        "responses": {
            status: {"description": text, "content": {"application/json": {"schema": schema}}}
            for status, (text, schema) in responses.items()
        },
    }


def _filters() -> list[dict[str, Any]]:
    bounds = {name: {"type": "integer"} for name in ("gt", "gte", "lt", "lte")}
    created = {"anyOf": [{"type": "object", "properties": bounds}, {"type": "integer"}]}
    return [
        query("created", created, style="deepObject", explode=True),
        query("limit", {"type": "integer"}),
        query("starting_after", _TEXT),
    ]


def _expand() -> dict[str, Any]:
    return query("expand", {"type": "array", "items": STRING})


def _form(number: int) -> dict[str, Any]:
    """Return a form whose objects are encoded as `address[city]=…`."""
    address = {"type": "object", "properties": dict.fromkeys(("city", "line1", "country"), _TEXT)}
    properties: dict[str, Any] = {
        "amount": {"type": "integer", "minimum": 0, "description": _PROSE},
        "currency": {"type": "string", "pattern": "^[a-z]{3}$", "description": _PROSE},
        "address": {"anyOf": [address, {"type": "string", "enum": [""]}], "description": _PROSE},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "mode": {"type": "string", "enum": ["automatic", f"manual_{number}"], "description": _PROSE},
    }
    encoding = {name: {"style": "deepObject", "explode": True} for name in ("address", "metadata")}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {"content": {"application/x-www-form-urlencoded": {"schema": schema, "encoding": encoding}}}
