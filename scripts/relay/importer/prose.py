"""Separate the wording of a contract, which we own, from its structure, which the publisher owns."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.pointers import NAMED, is_data


def is_wording(key: str, value: Any) -> bool:
    """Return True for a key of an OpenAPI object that is prose; `properties` may use the same names for schemas."""
    return isinstance(value, {"summary": str, "description": str, "externalDocs": dict}.get(key, ()))


def structure(value: Any, *, named: bool = False) -> Any:
    """Return a part of a contract without its wording; `named` if its keys are user-chosen names."""
    if isinstance(value, list):
        return [structure(item) for item in value]
    if not isinstance(value, dict):
        return value
    if named:
        return {name: structure(item) for name, item in value.items()}
    return {
        key: item if is_data(key) else structure(item, named=key in NAMED)
        for key, item in value.items()
        if not is_wording(key, item)
    }


def canonical(value: Any) -> str:
    """Return plain data as JSON that does not depend on the order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def same(one: Any, other: Any) -> bool:
    """Return True if two values are the same data; unlike `==`, true is not 1."""
    return canonical(one) == canonical(other)


def digest(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def difference(ours: Any, theirs: Any, at: Pointer = ()) -> Pointer:
    """Return the pointer of the first difference between two structures."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        pairs = [(key, ours.get(key, ...), theirs.get(key, ...)) for key in {**theirs, **ours}]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(str(index), *pair) for index, pair in enumerate(zip(ours, theirs, strict=True))]
    else:
        return at
    for key, one, other in pairs:
        if one is ... or other is ...:
            return (*at, key)
        if not same(one, other):
            return difference(one, other, (*at, key))
    return at


def reworded(ours: Any, theirs: Any, *, named: bool = False) -> Any:
    """Return `theirs` with our wording wherever both describe the same thing.

    Our wording of an object is kept if its scalars and lists of scalars are the same; objects inside it
    are compared on their own.
    """
    if same(structure(ours, named=named), structure(theirs, named=named)):
        return ours
    if isinstance(ours, list) and isinstance(theirs, list):
        partners = dict(zip(_identities(ours), ours, strict=True))
        return [
            reworded(partners.get(identity, item), item)
            for identity, item in zip(_identities(theirs), theirs, strict=True)
        ]
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return theirs
    if named:
        return {name: reworded(ours.get(name, item), item) for name, item in theirs.items()}
    worded = ours if same(_own(ours), _own(theirs)) else theirs
    merged = {
        key: item if is_data(key) else reworded(ours.get(key, item), item, named=key in NAMED)
        for key, item in theirs.items()
        if not is_wording(key, item) or key in worded
    }
    return {**merged, **{key: item for key, item in worded.items() if is_wording(key, item)}}


def _identities(items: list[Any]) -> Iterator[str]:
    """Yield the identity of each item of a list: its name and `in`, or else its structure."""
    for item in items:
        has_name = isinstance(item, dict) and "name" in item
        yield canonical([item["name"], item.get("in")] if has_name else structure(item))


def _own(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object's structure without the objects inside it."""
    parts = (
        (key, item, item if isinstance(item, list) else [item]) for key, item in structure(value).items()
    )
    return {key: item for key, item, inner in parts if not any(isinstance(part, dict) for part in inner)}
