"""The parts of a handler's result: body, status, headers and media type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from relay.contract.model import Parameter

from .errors import ResponseViolation
from .http import HeaderList, is_field
from .parameters import ParameterDecoder
from .raw_texts import Raw, by_name
from .schemas import SchemaCompiler
from .violations import Violation

HeaderLines = list[tuple[str, str]]
"""Headers as text; names are in lower case, and repeated for each line of a header."""


class HeaderDecoder:
    """Compiled decoder of documented headers of one response."""

    def __init__(self, headers: Iterable[Parameter], compiler: SchemaCompiler) -> None:
        self._decoders = [ParameterDecoder(header, compiler) for header in headers]

    def violations(self, headers: Iterable[tuple[str, str]]) -> list[Violation]:
        """Return the violations of a response's headers, whose names are in lower case."""
        lines = by_name(headers)
        failures: list[Violation] = []
        for decoder in self._decoders:
            name = decoder.parameter.name
            values = lines.get(name.lower(), [])
            if (
                name.lower() != "set-cookie" and values
            ):  # that cannot be joined to a list (RFC 9110 section 5.3)
                values = [", ".join(values)]
            for raw in [{name: [value]} for value in values] or [{}]:
                decoder.decode(Raw(raw), {}, "", failures)
        return failures


def header_lines(headers: Mapping[str, Any] | None) -> HeaderLines:
    """Return a handler's headers as lines, lists as several. Raises ResponseViolation for other types of values."""
    return [
        (name.lower(), _text(name, one))
        for name, value in (headers or {}).items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]


def without(name: str, lines: HeaderLines) -> tuple[str | None, HeaderLines]:
    """Return the last value of a header, None if it is absent, and the other headers."""
    found = [value for key, value in lines if key == name]
    return (found[-1], [one for one in lines if one[0] != name]) if found else (None, lines)


def field_lines(lines: Iterable[tuple[str, str]]) -> HeaderList:
    """Return headers as bytes. Raises ResponseViolation for one that could inject a header or a response."""
    lines = [*lines]
    wrong = [name for name, value in lines if not is_field(name, value) or name == "connection"]
    if wrong:
        message = "a handler must not set this header, or its name or value is invalid"
        raise ResponseViolation([Violation(f"/{name}", "header", message) for name in dict.fromkeys(wrong)])
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in lines]


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    message = "a header must be a string, a number, a boolean or a list of these"
    raise ResponseViolation.at(f"/{name}", "header", message)


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
        case (body, status) | (body, status, None):
            return Parts(body, _status(status))
        case (body, status, Mapping() as headers):
            return Parts(body, _status(status), header_lines(headers))
    message = "a tuple must be (body, status), (body, headers) or (body, status, headers); return an array as a list"
    raise ResponseViolation.at("", "status", message)


def _status(status: Any) -> int:
    if not isinstance(status, int):
        raise ResponseViolation.at("", "status", "the status of a response must be an integer")
    return int(status)
