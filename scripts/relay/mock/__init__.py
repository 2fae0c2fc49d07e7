"""Mock responses made from the contract, for operations without a handler.

A client selects one with the headers Prefer (RFC 7240) and Accept (RFC 9110 section 12.5.1): `code=404` for the
response of a status, `example=name` for one of its examples, and a media type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from relay.contract.model import Operation
from relay.validation.http import BODILESS, HeaderList, Response, header
from relay.validation.media_types import TOKEN, elements, parameters, quoted, read_accept, unquoted
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler

from .prepared_responses import ResponsePreparer

_MARK = b"x-mock"
_STATUS = re.compile("[2-5][0-9]{2}")
_TOKEN = re.compile(TOKEN)
_VALUE = re.compile(rf'{TOKEN}|"(?:[^"\\]|\\.)*+"|')


class Mock:
    """The mock responses of one operation; all are prepared at start."""

    def __init__(self, operation: Operation, compiler: SchemaCompiler, encoder: ResponseEncoder) -> None:
        self._operation = operation
        preparer = ResponsePreparer(operation, compiler, encoder)
        self._prepared = {
            response.pointer: preparer.of(response) for response in operation.responses.values()
        }
        documented = [max(statuses.start, 200) for statuses, _ in operation.statuses() if statuses.stop > 200]
        success = [] if operation.response(encoder.success) is None else [encoder.success]
        self._usual = min(success or documented, default=0)
        if not self._usual:
            message = f"{operation} documents no final status, so it cannot be mocked; document one"
            compiler.warn(operation.pointer, message, "mock")

    def answer(self, headers: HeaderList) -> Response | None:
        """Return the response that the headers select, or the usual one; None if no value was found for it."""
        preferences = read_preferences(preferred) if (preferred := header(headers, b"prefer")) else {}
        applied: dict[str, str] = {}
        status = self._usual
        code = preferences.get("code", "")
        if _STATUS.fullmatch(code) and self._operation.response(int(code)) is not None:
            status, applied["code"] = int(code), code
        response = self._operation.response(status)
        prepared = None if response is None else self._prepared[response.pointer]
        if prepared is None:
            return None
        name = preferences.get("example", "")
        contents = [] if status in BODILESS else prepared.contents
        answer = Response(status, prepared.headers, b"")
        if contents:
            content = contents[0]
            if len(contents) > 1:  # else Accept is not read
                content = prepared.choose(read_accept(header(headers, b"accept") or "*/*"), name)
            answer = content.named.get(name, content.usual)
            if name in content.named:
                applied["example"] = name
        mock_headers = {_MARK: b"true"}
        if applied:
            mock_headers[b"preference-applied"] = write_preferences(applied).encode("latin-1")
        documented = [line for line in answer.headers if line[0] not in mock_headers]
        return Response(status, [*documented, *mock_headers.items()], answer.body)


def read_preferences(header: str) -> dict[str, str]:
    """Return preference → value by names in lower case; the first of equal names is used (RFC 7240 section 2)."""
    found: dict[str, str] = {}
    for element in elements(header):
        preference, _parameters = parameters(element)
        name, _, value = (part.strip() for part in preference.partition("="))
        if _TOKEN.fullmatch(name) and _VALUE.fullmatch(value):
            found.setdefault(name.lower(), unquoted(value))
    return found


def write_preferences(applied: Mapping[str, str]) -> str:
    """Return the value of Preference-Applied (section 3)."""
    return ", ".join(f"{name}={quoted(value)}" for name, value in applied.items())
