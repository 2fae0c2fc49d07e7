"""The methods of operations: the fields of a Path Item Object, and other names in its `additionalOperations`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .parsed import Pointer
from .pointers import lookup

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


def operations_in(item: dict[str, Any]) -> Iterator[tuple[str, Pointer, dict[str, Any]]]:
    """Yield the method, in lower case, the pointer and the value of each operation of a Path Item Object."""
    for method, at in methods_in(item):
        if isinstance(raw := lookup(item, at), dict):
            yield method, at, raw


def methods_in(item: dict[str, Any]) -> Iterator[tuple[str, Pointer]]:
    """Yield the method and the pointer of each value where a Path Item Object has an operation."""
    yield from ((method, (method,)) for method in METHODS if method in item)
    additional = item.get(ADDITIONAL)
    for name in additional if isinstance(additional, dict) else ():
        yield method_named(name), (ADDITIONAL, name)


def method_named(name: str) -> str:
    """Return the method of a name in a Path Item Object: in lower case, unless it has both cases."""
    return name.lower() if name.isupper() else name


def operation_pointer(at: Pointer) -> Pointer:
    """Return the pointer of the operation that a pointer in a Path Item Object leads into; () for none."""
    if at[:1] == (ADDITIONAL,):
        return at[:2] if len(at) > 1 else ()
    return at[:1] if at and at[0] in METHODS else ()


def in_request(method: str) -> str:
    """Return a method as requests have it; methods are case-sensitive, and those in lower case are names of fields."""
    return method.upper() if method.islower() else method
