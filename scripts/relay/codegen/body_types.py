"""The types of bodies that are lists by themselves: streams of items, and parts by position (OpenAPI 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.model import Contract, RequestBody, Response, Schema
from relay.validation import encoding_objects as encodings
from relay.validation.binary_schemas import is_file
from relay.validation.media_types import kind_of_items

from .annotations import BYTES, STR, UPLOAD, Type, of_schema, union

STREAM = "AsyncIterator"

SAME = frozenset("AsyncIterator AsyncIterable AsyncGenerator Iterator Iterable Generator".split())
"""Types that an author may choose for a stream, sync or async; they are read as the one that is written."""


def is_stream(documented: Response | RequestBody, media_type: str) -> bool:
    """Return True for a media type whose items are described, and are known how to separate."""
    return media_type in documented.items and kind_of_items(media_type) is not None


def streams(
    documented: Response | RequestBody, contract: Contract, names: Mapping[str, str]
) -> Iterator[tuple[Type, Type]]:
    """Yield the type of each stream of items, and that of a list of its items."""
    for media_type, schema in documented.items.items():
        if is_stream(documented, media_type):
            item = of_schema(schema, contract, names)
            yield Type(STREAM, (item,), "abc"), Type("list", (item,))


def read_by(kind: Type, *, is_async: bool) -> Type:
    """Return the type of an argument with the streams that a function can read: a plain one has no `async for`."""
    if is_async:
        return kind
    members = kind.parts if kind.name == "|" else (kind,)
    return union(Type("Iterator", one.parts, "abc") if one.name == STREAM else one for one in members)


def can_read(name: str, *, is_async: bool) -> bool:
    """Return True if a function can read the items of a stream with a type's name."""
    return name.startswith("Async") == is_async


def parts_type(
    documented: Response | RequestBody, media_type: str, contract: Contract, names: Mapping[str, str]
) -> Type | None:
    """Return the type of a list of parts, whose files are uploads in a request; None for another body."""
    raw, _ = contract.follow((*documented.pointer, "content", media_type))
    if not encodings.has_parts(media_type, raw, contract):
        return None
    has_uploads = isinstance(documented, RequestBody) and UPLOAD.name not in names.values()
    return _Parts(contract, names, UPLOAD if has_uploads else BYTES).of_list(raw["schema"], raw)


class _Parts:
    def __init__(self, contract: Contract, names: Mapping[str, str], file: Type) -> None:
        self._contract, self._names, self._file = contract, names, file

    def of_list(self, schema: Schema, owner: Mapping[str, Any]) -> Type:
        first, others = encodings.DescribedParts.of(owner, (), schema, self._contract)
        most = self._contract.resolve(schema).get("maxItems")
        types = [*map(self._part, first[:most])]
        if (most is None or most > len(first)) and others.schema.get("not") != {}:
            types.append(self._part(others))
        return Type("list", (union(types),))

    def _part(self, part: encodings.DescribedPart) -> Type:
        schema, encoding, _ = part
        listed = encodings.content_types(encoding)
        if encodings.is_nested(schema, encoding, self._contract):
            if encodings.is_by_position(listed[0], schema, self._contract):
                return self.of_list(schema, encoding)
        elif is_file(schema, self._contract, listed):
            return self._file
        return of_schema(schema, self._contract, self._names).replaced(BYTES, STR)
