"""The operations of Path Item Objects as they are written: in the fields of methods, and in `additionalOperations`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from .parsed import Pointer
from .pointers import chain, found_at, lookup

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
"""The fields of a Path Item Object that have an operation; `query` since OpenAPI 3.2 (RFC 10008)."""

ADDITIONAL = "additionalOperations"

CARRIED = frozenset(
    (
        "ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS "
        "PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND UNLINK UNLOCK "
        "UNSUBSCRIBE"
    ).split()
)
"""The methods whose requests the HTTP parser of the transport reads."""


class WrittenOperation(NamedTuple):
    """Where a Path Item Object has an operation: its method, in lower case unless it has both cases, and its pointer."""

    method: str
    within: Pointer


def operations_in(item: Any) -> Iterator[tuple[str, Pointer, dict[str, Any]]]:
    """Yield the method, the pointer and the value of each operation of a Path Item Object."""
    for method, at in methods_in(item):
        if isinstance(raw := lookup(item, at), dict):
            yield method, at, raw


def methods_in(item: Any) -> Iterator[WrittenOperation]:
    """Yield where a Path Item Object has an operation, whatever its value; nothing for what is no object."""
    if not isinstance(item, dict):
        return
    yield from (WrittenOperation(method, (method,)) for method in METHODS if method in item)
    additional = item.get(ADDITIONAL)
    yield from map(_additional, additional if isinstance(additional, dict) else ())


def operation_at(within: Pointer) -> WrittenOperation | None:
    """Return the operation that a pointer in a Path Item Object leads into; None for what all operations share."""
    if within[:1] == (ADDITIONAL,):
        return _additional(within[1]) if len(within) > 1 else None
    return WrittenOperation(within[0], within[:1]) if within and within[0] in METHODS else None


def _additional(name: str) -> WrittenOperation:
    return WrittenOperation(name.lower() if name.isupper() else name, (ADDITIONAL, name))


def in_request(method: str) -> str:
    """Return a method as requests have it; methods are case-sensitive, and those in lower case are names of fields."""
    return method.upper() if method.islower() else method


def operations_of(document: Any, path: str) -> list[WrittenOperation]:
    """Return the operations of a path, its own and those of the path items that its `$ref` leads to."""
    items = [found_at(document, at) for at in chain(document, ("paths", path))]
    return [*dict.fromkeys(one for item in items for one in methods_in(item))]


def paths_by_item(document: Any) -> dict[Pointer, list[str]]:
    """Return the paths to which each path item belongs, by the item's pointer; an item may be that of another path."""
    found: defaultdict[Pointer, list[str]] = defaultdict(list)
    paths = document.get("paths")
    for path in paths if isinstance(paths, dict) else ():
        for pointer in chain(document, ("paths", path)):
            found[pointer].append(path)
    return found
