"""The types of streams of items: an async iterator of the type of an item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relay.contract.model import Contract, RequestBody, Response
from relay.validation.media_types import kind_of_items

from .annotations import Type, of_schema, union

STREAM = "AsyncIterator"

_PLAIN = "Iterator"

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
    return union(Type(_PLAIN, one.parts, "abc") if one.name == STREAM else one for one in members)


def can_read(name: str, *, is_async: bool) -> bool:
    """Return True if a function can read the items of a stream with a type's name."""
    return name.startswith("Async") == is_async
