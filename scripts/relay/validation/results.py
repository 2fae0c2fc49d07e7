"""What a handler returned, taken apart: body, status, headers and media type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import ResponseViolation
from .response_headers import HeaderLines, header_lines
from .violations import Violation

NO_BODY: Any = object()
"""The body of a result that has none, whatever is documented; None is null where a body is documented."""


PLAIN = frozenset([dict, list, str, bytes, int, float, bool, type(None)])
"""The types of bodies that need no conversion, as far as the type of the whole says."""


class Parts(NamedTuple):
    """The parts of a result; `status` is None for the default one, `media_type` if the headers or the contract say it."""

    body: Any
    status: int | None = None
    lines: HeaderLines = []  # noqa: RUF012 -- it is never changed
    media_type: str | None = None


def split(result: Any) -> Parts:
    """Take apart a body, (body, status), (body, headers) or (body, status, headers). Raises ResponseViolation."""
    if type(result) is not tuple:
        return Parts(result)
    match result:
        case (body, Mapping() as headers):
            return Parts(body, None, header_lines(headers))
        case (body, status):
            return Parts(body, _status(status))
        case (body, status, None):
            return Parts(body, _status(status))
        case (body, status, Mapping() as headers):
            return Parts(body, _status(status), header_lines(headers))
    message = "a tuple must be (body, status), (body, headers) or (body, status, headers); return an array as a list"
    raise ResponseViolation([Violation("", "status", message)])


def _status(status: Any) -> int:
    """Return a status that is an int or an `http.HTTPStatus`."""
    if not isinstance(status, int):
        raise ResponseViolation([Violation("", "status", "the status of a response must be an integer")])
    return int(status)
