"""The operations of plain documents: which fields of a Path Item Object they are in, and what they are called."""

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.methods import ADDITIONAL, METHODS, operations_in
from relay.contract.pointers import lookup, parse_pointer
from relay.contract.versions import version_of

_OPERATIONS = frozenset([*METHODS, ADDITIONAL])


def written_item(document: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a Path Item Object with what its `$ref` leads to; in 3.0, without what is next to the `$ref`."""
    item: dict[str, Any] = document["paths"][path]
    keeps_siblings = version_of(document) != "3.0"
    while isinstance(ref := item.get("$ref"), str):
        siblings = {key: value for key, value in item.items() if key != "$ref" and keeps_siblings}
        item = {**lookup(document, parse_pointer(ref[1:])), **siblings}
    return item


def shared_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a Path Item Object that all its operations share."""
    return {key: value for key, value in item.items() if key not in _OPERATIONS}


def operation_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a Path Item Object that have its operations."""
    return {key: value for key, value in item.items() if key in _OPERATIONS}


def operations_of(data: Mapping[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Yield the pointer and the value of each operation of a document."""
    for path, item in (data.get("paths") or {}).items():
        if not path.startswith("x-"):
            for _, at, value in operations_in(item):
                yield ("paths", path, *at), value


def part_name(pointer: Pointer) -> str:
    """Return the name of an operation, a path, or a component for a message."""
    match pointer:
        case ("paths", path, method):
            return f"{method.upper()} {path}"
        case ("paths", path, _, method):
            return f"{method} {path}"
        case ("paths", path):
            return f"the shared part of {path}"
        case _:
            return "/".join(pointer)
