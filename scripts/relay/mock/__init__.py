"""Mock responses made from the contract, for operations without a handler.

A client selects one with the header Prefer (RFC 7240): `code=404` for the response of a status,
`example=name` for one of its examples.
"""

from __future__ import annotations

from relay.contract.model import Contract, Operation
from relay.validation.http import HeaderList, Response, header
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler

from .prefer import read_preferences, write_preferences
from .prepared_responses import BODILESS, ResponsePreparer

_MARK = b"x-mock"


class Mock:
    """The mock responses of one operation; all are prepared at start."""

    def __init__(
        self, operation: Operation, contract: Contract, compiler: SchemaCompiler, encoder: ResponseEncoder
    ) -> None:
        preparer = ResponsePreparer(operation, contract, compiler, encoder)
        prepared = {response.pointer: preparer.of(response) for response in operation.responses.values()}
        self._by_status = {
            status: found
            for status in range(200, 600)
            if (response := operation.response(status)) is not None
            and (found := prepared[response.pointer]) is not None
            and (status not in BODILESS or not found.usual.body)
        }
        self._usual = min(self._by_status, key=lambda status: (status != encoder.success, status), default=0)
        if not any(prepared.values()) and not compiler.problems:
            message = f"{operation} documents no final status, so it cannot be mocked; document one"
            compiler.problems.append(contract.problem(operation.pointer, message, "mock"))

    def answer(self, headers: HeaderList) -> Response:
        """Return the response that the header Prefer selects; unknown preferences are ignored."""
        preferences = read_preferences(header(headers, b"prefer") or "")
        applied: dict[str, str] = {}
        status = self._usual
        code = preferences.get("code", "")
        if len(code) == 3 and code.isdecimal() and int(code) in self._by_status:
            status, applied["code"] = int(code), code
        prepared = self._by_status[status]
        answer = prepared.usual
        if (name := preferences.get("example", "")) in prepared.named:
            answer, applied["example"] = prepared.named[name], name
        mock_headers = {_MARK: b"true"}
        if applied:
            mock_headers[b"preference-applied"] = write_preferences(applied).encode("latin-1")
        documented = [line for line in answer.headers if line[0] not in mock_headers]
        return Response(status, [*documented, *mock_headers.items()], answer.body)
