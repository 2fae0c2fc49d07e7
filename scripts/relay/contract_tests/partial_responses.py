"""Responses that HTTP allows for a documented 200: a part of it, or the statement that it has not changed."""

from __future__ import annotations

from relay.contract.model import Operation, Response

from .exchanges import Exchange

MULTIPART = "multipart/byteranges"
"""The media type of several parts (RFC 9110 section 14.6)."""

_PART = frozenset(["range"])
_CONDITIONS = frozenset(["if-none-match", "if-modified-since", "if-match", "if-unmodified-since"])
_ASKED_BY = {206: _PART, 416: _PART, 304: _CONDITIONS, 412: _CONDITIONS}


def whole_of(exchange: Exchange, operation: Operation) -> Response | None:
    """Return the documented 200 of a GET to which a range or conditional request gets another status.

    None if the request asked for none, or if the status is documented itself: a 4XX also by its range or `default`.
    """
    status, request = exchange.status, exchange.request
    asked = {name.lower() for name, _ in request.headers}
    if request.method.upper() != "GET" or _ASKED_BY.get(status, frozenset()).isdisjoint(asked):
        return None
    documented = operation.response(status) if status >= 400 else operation.responses.get(str(status))
    return operation.response(200) if documented is None else None
