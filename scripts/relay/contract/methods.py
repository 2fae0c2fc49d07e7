"""The methods of operations: the fields of a Path Item Object, and other names in its `additionalOperations`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .parsed import Pointer

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
    for method in METHODS:
        if isinstance(raw := item.get(method), dict):
            yield method, (method,), raw
    additional = item.get(ADDITIONAL)
    for name, raw in additional.items() if isinstance(additional, dict) else ():
        if isinstance(raw, dict):
            yield name.lower() if name.isupper() else name, (ADDITIONAL, name), raw
