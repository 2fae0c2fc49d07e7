"""Answers that an operation gives and does not document."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract, Operation

from .lint_rules import finding


def check_responses(contract: Contract) -> Iterator[Diagnostic]:
    """Find operations that document no success, or not the failures that any service has."""
    for operation in contract.operations:
        pointer = (*operation.pointer, "responses")
        if not any(operation.response(status) for status in range(200, 400)):
            message = f"{operation} documents no success; add its 2xx answer"
            yield finding(contract, "missing-success-response", pointer, message)
        missing = [str(status) for status in _failures(operation) if operation.response(status) is None]
        if missing:
            message = f"{operation} can answer {_listed(missing)}; document it, or `default`"
            yield finding(contract, "missing-error-response", pointer, message)


def _failures(operation: Operation) -> Iterator[int]:
    if operation.parameters or operation.body:
        yield 400
    if operation.security:
        yield 401
    yield 500


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
