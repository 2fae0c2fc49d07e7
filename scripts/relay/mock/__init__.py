"""Answers made from the contract, for an operation that has no function yet.

A client chooses with the header Prefer (RFC 7240): `code=404` for the answer of a status,
`example=name` for one of its examples.
"""

from __future__ import annotations

from relay.contract.model import Contract, Operation
from relay.validation.http import Answer, HeaderList, header
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler

from .prefer import read_preferences, write_preferences
from .prepared_responses import BODILESS, CannedAnswers

_MARK = b"x-mock"


class Mock:
    """The answers of one operation; all of them are made at start."""

    def __init__(
        self, operation: Operation, contract: Contract, compiler: SchemaCompiler, encoder: ResponseEncoder
    ) -> None:
        answers = CannedAnswers(operation, contract, compiler, encoder)
        made = {response.pointer: answers.of(response) for response in operation.responses.values()}
        self._by_status = {
            status: found
            for status in range(200, 600)
            if (response := operation.response(status)) is not None
            and (found := made[response.pointer]) is not None
            and (status not in BODILESS or not found.usual.body)
        }
        self._usual = min(self._by_status, key=lambda status: (status != encoder.success, status), default=0)
        if not any(made.values()) and not compiler.problems:
            message = f"{operation} documents no final status, so nothing can be answered for it"
            compiler.problems.append(contract.problem(operation.pointer, message, "mock"))

    def answer(self, headers: HeaderList) -> Answer:
        """Return the answer that the request's Prefer asks for; what cannot be had is passed over."""
        wanted = read_preferences(header(headers, b"prefer") or "")
        applied: dict[str, str] = {}
        status = self._usual
        code = wanted.get("code", "")
        if len(code) == 3 and code.isdecimal() and int(code) in self._by_status:
            status, applied["code"] = int(code), code
        made = self._by_status[status]
        answer = made.usual
        if (name := wanted.get("example", "")) in made.named:
            answer, applied["example"] = made.named[name], name
        own = {_MARK: b"true"}
        if applied:
            own[b"preference-applied"] = write_preferences(applied).encode("latin-1")
        documented = [line for line in answer.headers if line[0] not in own]
        return Answer(status, [*documented, *own.items()], answer.body)
