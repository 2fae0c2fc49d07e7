"""Checks for responses that an operation can give but does not document."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract, Operation
from relay.validation import media_types as media

from .lint_rules import finding

_EVERY = "*/*"
"""The range of all media types; with it, none is refused."""


def check_responses(contract: Contract) -> Iterator[Diagnostic]:
    """Yield operations that document no success, no body of it, or not the errors that every server can return."""
    for operation in contract.operations:
        pointer = (*operation.pointer, "responses")
        if not any(operation.response(status) for status in range(200, 400)):
            message = f"{operation} documents no success response; add a 2xx response"
            yield finding(contract, "missing-success-response", pointer, message)
        for status in _without_content(operation):
            message = (
                f"{status} of {operation} documents no content, so its handler must return no body; "
                "document the body, or respond with 204"
            )
            yield finding(contract, "missing-content", (*pointer, status), message)
        missing = [str(status) for status in _error_statuses(operation) if operation.response(status) is None]
        if missing:
            message = f"{operation} can respond with {_listed(missing)}; document it, or `default`"
            yield finding(contract, "missing-error-response", pointer, message)


def _without_content(operation: Operation) -> Iterator[str]:
    """Yield the statuses of successes that usually have a body and document none."""
    if operation.method != "head":
        for status in ("200", "201", "202", "203"):
            response = operation.responses.get(status)
            if response is not None and not response.content:
                yield status


def _error_statuses(operation: Operation) -> Iterator[int]:
    if operation.parameters or operation.body:
        yield 400
    if operation.security:
        yield 401
    if operation.body and _EVERY not in map(media.essence, operation.body.content):
        yield 415
    yield 500


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
