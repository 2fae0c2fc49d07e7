"""Schemas and class names for the documented headers of successes and redirections.

The class of a shared response has its name (`OrderCreated` → `OrderCreatedHeaders`), any other the
operation's and the status (`CreateOrder201Headers`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from relay.contract.model import Contract, Operation, Parameter, Response, Schema
from relay.contract.pointers import parse_pointer
from relay.validation.coercion import types_of

from .class_names import class_name, free_name
from .documented_results import is_final, success_key

_TEXT = {"type": "string"}
_SCALARS = frozenset({"integer", "number", "boolean"})


def header_schemas(contract: Contract, taken: Collection[str]) -> dict[tuple[str, str], tuple[str, Schema]]:
    """Return name and schema of the class of each response's headers, by operation id and key of `responses`.

    `taken` are the class names that others have.
    """
    found: dict[tuple[str, str], tuple[str, Schema]] = {}
    by_reference: dict[str, str] = {}
    names = set(taken)
    for operation, key, response in _responses(contract):
        reference = _reference(contract, operation, key)
        pointer = parse_pointer(reference[1:]) if reference else ()
        is_shared = pointer[:2] == ("components", "responses") and len(pointer) == 3
        wanted = class_name(pointer[2] if is_shared else f"{operation.id}_{key}")
        name = by_reference.get(reference) or free_name([f"{wanted}Headers"], names)
        names.add(name)
        if reference:
            by_reference[reference] = name
        found[operation.id, key] = name, _schema(contract, response)
    return found


def _responses(contract: Contract) -> Iterator[tuple[Operation, str, Response]]:
    for operation in contract.operations:
        for key, response in operation.responses.items():
            if response.headers and (is_final(key) or key == success_key(operation)):
                yield operation, key, response


def _reference(contract: Contract, operation: Operation, key: str) -> str:
    """Return the `$ref` of a response; '' if it is written in place."""
    responses = contract.raw(operation).get("responses", {}).items()
    return next((str(raw.get("$ref", "")) for name, raw in responses if str(name).lower() == key.lower()), "")


def _schema(contract: Contract, response: Response) -> Schema:
    return {
        "type": "object",
        "required": [header.name for header in response.headers if header.required],
        "properties": {header.name: _value(contract, header) for header in response.headers},
    }


def _value(contract: Contract, header: Parameter) -> dict[str, Any]:
    """Return the schema of a header's value as a handler gives it: text, unless it is a number or boolean.

    Only Set-Cookie may have several lines (RFC 9110 section 5.3).
    """
    if header.name.lower() == "set-cookie":
        return {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
    if header.media_type is not None:
        return _TEXT
    if contract.version == "3.0":  # a header has one type there
        kinds = [contract.resolve(header.schema).get("type", "string")]
    else:
        kinds = sorted(types_of(header.schema, contract) - {"null"})  # null is not sent
    if len(kinds) <= 1:
        return {"type": kinds[0]} if kinds and kinds[0] in _SCALARS else _TEXT
    return {"anyOf": [*({"type": kind} for kind in kinds if kind in _SCALARS), _TEXT]}
