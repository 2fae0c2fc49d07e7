"""Compare the bodies of errors with those that the contract documents: `render_error` is called once for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.json_text import json_bytes
from relay.contract.model import Contract, Operation, Response
from relay.validation import media_types as media
from relay.validation.errors import ApiError, InvalidRequest, UnsupportedMediaType
from relay.validation.schemas import SchemaCompiler

from .errors import (
    SAMPLE_DETAILS,
    BodyTooLarge,
    BodyTooSlow,
    ErrorReport,
    RenderError,
    Unauthenticated,
    declared,
    problem_details,
)
from .functions import code_place


class ErrorBodies:
    """Renders the errors of a contract's operations, and validates what is documented of them."""

    def __init__(self, contract: Contract, compiler: SchemaCompiler, render: RenderError) -> None:
        self._contract = contract
        self._compiler = compiler
        self._render = render

    def findings(self, package_errors: Sequence[ErrorReport] = ()) -> Iterator[Diagnostic]:
        """Yield a warning for each documented body that an error does not have; one for equal content and reason.

        One of `package_errors` is reported if none of them is what an operation documents for their status: each is
        raised by some operations only.
        """
        seen: set[bytes] = set()
        for operation in self._contract.operations:
            for reports in _reports(operation, package_errors):
                response = operation.response(reports[0].status)
                if response is None or not any(map(_can_be_written, response.content)):
                    continue  # no `render_error` can change that
                # The constructor of the package's may be given more members.
                wrong = [self._wrong(response, one, is_whole=one not in package_errors) for one in reports]
                if all(wrong) and (key := json_bytes([response.content, wrong[0][1:]])) not in seen:
                    seen.add(key)
                    yield self._finding(operation, response, wrong[0])

    def _wrong(self, response: Response, report: ErrorReport, *, is_whole: bool) -> tuple[str, ...]:
        """Return the parts of a message, around the operation, on the body of an error; none if it is documented."""
        form = f"{report.status} with details" if report.details else f"{report.status}"
        try:
            body, media_type = self._render(report)
            body = orjson.loads(orjson.dumps(body))
        except Exception as exc:  # noqa: BLE001 -- a package's own, whatever it is
            return f"render_error() fails with {type(exc).__name__} for a {form} of ", ""
        schema = media.find(media_type, media.by_name(response.content))
        if schema is None:
            without = f"without {media_type}, the media type of its error bodies"
            return "", f" documents {report.status} {without}"
        validator = self._compiler.compile(schema, "response", response.pointer)
        violations = validator.violations(body) if validator is not None else []
        found = [one for one in violations if is_whole or one.rule != "required"]
        if not found:
            return ()
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        first = f"{found[0].rule} at '{found[0].path or '/'}'{more}"
        return f"the body of a {form} violates the schema of ", f": {first}"

    def _finding(self, operation: Operation, response: Response, parts: Sequence[str]) -> Diagnostic:
        documented = self._contract.place(response.pointer)
        is_own = self._render is not problem_details
        where, other = (code_place(self._render), documented) if is_own else (documented, None)
        return Diagnostic(where, f"{operation}".join(parts), "error-body", Severity.WARNING, other)


def _can_be_written(media_type: str) -> bool:
    return media.is_json(media_type) or media_type.startswith(("text/plain", "*/", "application/*", "text/*"))


def _reports(operation: Operation, package_errors: Sequence[ErrorReport]) -> Iterator[list[ErrorReport]]:
    """Yield each error of Relay that an operation responds with, then the package's by their status."""
    own = [*_own_errors(operation)]
    yield from ([one] for one in own)
    for status in sorted({one.status for one in package_errors} - {one.status for one in own}):
        yield [one for one in package_errors if one.status == status]


def _own_errors(operation: Operation) -> Iterator[ErrorReport]:
    kinds: list[type[ApiError]] = [ApiError]
    kinds += [Unauthenticated] if operation.security else []
    kinds += [BodyTooSlow, BodyTooLarge, UnsupportedMediaType] if operation.body else []
    kinds += [InvalidRequest] if operation.parameters or operation.body else []
    for kind in kinds:
        report = ErrorReport(kind.status, kind.code, kind.message)
        yield report
        if kind is InvalidRequest:
            yield replace(report, details=SAMPLE_DETAILS)


def package_errors(package: str, mapped: Iterable[ErrorReport]) -> list[ErrorReport]:
    """Return the errors that a package declares: its subclasses of ApiError, and those that it maps others to."""
    kinds: list[type[Any]] = [ApiError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    own = (kind for kind in kinds if f"{kind.__module__}.".startswith(f"{package}."))
    return [*filter(None, map(declared, own)), *mapped]
