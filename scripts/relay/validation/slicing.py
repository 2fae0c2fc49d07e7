"""Validates and serialises long arrays of a response in slices; other requests run between two slices."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from relay.contract.documents import Pointer
from relay.contract.model import Schema
from relay.contract.schema_words import SAME_VALUE

from .schemas import SchemaCompiler
from .validators import Validator

SLICE = 512
"""Number of array items validated and serialised at once."""

_WHOLE_VALUE_KEYWORDS = SAME_VALUE.union(
    "enum uniqueItems contains prefixItems unevaluatedItems unevaluatedProperties".split()
)
"""Keywords by which a part of the items or of the properties may be valid where the whole is not, or the reverse."""
_LENGTH_KEYWORDS = frozenset({"minItems", "maxItems"})
_HOLE = b"\0"  # a byte that JSON text cannot contain (RFC 8259 section 7)


@dataclass(frozen=True, slots=True)
class _Array:
    """An array schema whose value is valid if its length and each of its slices are valid."""

    slices: Validator
    shortest: int
    longest: float

    async def serialise(self, items: list[Any]) -> list[bytes] | None:
        """Serialise an array in pieces; return None if it is not valid as a plain value."""
        items = [*items]  # the handler's list may change between two slices
        if not self.shortest <= len(items) <= self.longest:
            return None
        pieces: list[bytes] = []
        for start in range(0, len(items), SLICE):
            await asyncio.sleep(0)
            piece = items[start : start + SLICE]
            if not self.slices.takes(piece):
                return None
            pieces.append(b"".join((b"," if start else b"[", memoryview(orjson.dumps(piece))[1:-1])))
        return [*pieces, b"]"]


class Slicer:
    """Serialises bodies that are, or have, long arrays, one at a time: several would use more memory."""

    def __init__(self, whole: Validator, root: _Array | None, properties: Mapping[str, _Array]) -> None:
        self._whole = whole
        self._root = root
        self._properties = properties
        self._turn = asyncio.Lock()

    def is_for(self, body: Any) -> bool:
        """Return True if a body contains a long array."""
        if type(body) is dict:
            return any(_is_long(body.get(name)) for name in self._properties)
        return self._root is not None and _is_long(body)

    async def serialise(self, body: Any) -> list[bytes] | None:
        """Serialise a body in pieces; return None if it is not valid as a plain value."""
        async with self._turn:
            if self._root is not None and type(body) is list:
                return await self._root.serialise(body)
            return await self._serialise_object(body)

    async def _serialise_object(self, body: dict[str, Any]) -> list[bytes] | None:
        short = {**body}  # each long array is cut to `minItems`
        arrays: dict[str, list[bytes]] = {}
        for name, items in [*body.items()]:
            if name in self._properties and _is_long(items):
                array = self._properties[name]
                pieces = await array.serialise(items)
                if pieces is None:
                    return None
                arrays[name] = pieces
                short[name] = items[: array.shortest]
        if not self._whole.takes(short):
            return None
        frame = orjson.dumps({**short, **dict.fromkeys(arrays, orjson.Fragment(_HOLE))})
        first, *rest = frame.split(_HOLE)
        output = [first]
        for pieces, after in zip(arrays.values(), rest, strict=True):
            output += [*pieces, after]
        return output


def slicer(schema: Schema, whole: Validator, compiler: SchemaCompiler, pointer: Pointer) -> Slicer | None:
    """Return the slicer of a schema's bodies; None if its arrays can only be validated as a whole."""

    def array(schema: Schema) -> _Array | None:
        schema = compiler.contract.resolve(schema)
        if "items" not in schema or _WHOLE_VALUE_KEYWORDS & schema.keys():
            return None
        part = {key: value for key, value in schema.items() if key not in _LENGTH_KEYWORDS}
        slices = compiler.compile(part, "response", pointer)
        if slices is None:
            return None
        return _Array(slices, schema.get("minItems", 0), schema.get("maxItems", math.inf))

    schema = compiler.contract.resolve(schema)
    if _WHOLE_VALUE_KEYWORDS & schema.keys():
        return None
    found = {name: array(part) for name, part in schema.get("properties", {}).items()}
    root, properties = array(schema), {name: one for name, one in found.items() if one is not None}
    return Slicer(whole, root, properties) if root or properties else None


def _is_long(value: Any) -> bool:
    return type(value) is list and len(value) > SLICE
