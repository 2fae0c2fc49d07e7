"""Compare the bodies of errors with those that the contract documents: `render_error` is called once for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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


@dataclass(eq=False)
class _Error:
    """An error, and what `render_error` makes of it: called once, for all operations that document the error."""

    report: ErrorReport
    render: RenderError
    is_whole: bool = True
    """False for an error of the package, whose constructor may be given more members."""

    @cached_property
    def rendered(self) -> tuple[Any, str] | Exception:
        """The body, as JSON has it, and the media type; the exception if there is none."""
        try:
            body, media_type = self.render(self.report)
            return orjson.loads(orjson.dumps(body)), media_type
        except Exception as exc:  # noqa: BLE001 -- a package's own, whatever it is
            return exc


class ErrorBodies:
    """Renders the errors of a contract's operations, and validates what is documented of them."""

    def __init__(self, contract: Contract, compiler: SchemaCompiler, render: RenderError) -> None:
        self._contract = contract
        self._compiler = compiler
        self._render = render

    def findings(self, package_errors: Iterable[ErrorReport] = ()) -> Iterator[Diagnostic]:
        """Yield a warning for each documented body that an error does not have; one for equal content and reason.

        One of `package_errors` is reported if none of them is what an operation documents for their status: each is
        raised by some operations only.
        """
        own = {kind: [_Error(one, self._render) for one in _reports(kind)] for kind in _OWN}
        raised: dict[int, list[_Error]] = {}
        for report in sorted(package_errors, key=lambda one: one.status):
            raised.setdefault(report.status, []).append(_Error(report, self._render, is_whole=False))
        seen: set[bytes] = set()
        for operation in self._contract.operations:
            kinds = [*_own_kinds(operation)]
            others = raised.keys() - {kind.status for kind in kinds}
            groups = [[error] for kind in kinds for error in own[kind]]
            groups += [errors for status, errors in raised.items() if status in others]
            for errors in groups:
                response = operation.response(errors[0].report.status)
                if response is None or not any(map(_can_be_written, response.content)):
                    continue  # no `render_error` can change that
                wrong = [self._wrong(response, one) for one in errors]
                if all(wrong) and (key := json_bytes([response.content, wrong[0][1:]])) not in seen:
                    seen.add(key)
                    yield self._finding(operation, response, wrong[0])

    def _wrong(self, response: Response, error: _Error) -> tuple[str, ...]:
        """Return the parts of a message, around the operation, on the body of an error; none if it is documented."""
        status, rendered = error.report.status, error.rendered
        form = f"{status} with details" if error.report.details else f"{status}"
        if isinstance(rendered, Exception):
            return f"render_error() fails with {type(rendered).__name__} for a {form} of ", ""
        body, media_type = rendered
        schema = media.find(media_type, media.by_name(response.content))
        if schema is None:
            return "", f" documents {status} without {media_type}, the media type of its error bodies"
        validator = self._compiler.compile(schema, "response", response.pointer)
        violations = validator.violations(body) if validator is not None else []
        found = [one for one in violations if error.is_whole or one.rule != "required"]
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


_OWN = (ApiError, Unauthenticated, BodyTooSlow, BodyTooLarge, UnsupportedMediaType, InvalidRequest)


def _own_kinds(operation: Operation) -> Iterator[type[ApiError]]:
    """Yield the errors of Relay that an operation's clients may get."""
    yield ApiError
    if operation.security:
        yield Unauthenticated
    if operation.body:
        yield from (BodyTooSlow, BodyTooLarge, UnsupportedMediaType)
    if operation.parameters or operation.body:
        yield InvalidRequest


def _reports(kind: type[ApiError]) -> list[ErrorReport]:
    report = ErrorReport(kind.status, kind.code, kind.message)
    return [report, *([replace(report, details=SAMPLE_DETAILS)] if kind is InvalidRequest else [])]


def package_errors(package: str, mapped: Iterable[ErrorReport]) -> list[ErrorReport]:
    """Return the errors that a package declares: its subclasses of ApiError, and those that it maps others to."""
    kinds: list[type[Any]] = [ApiError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    own = (kind for kind in kinds if f"{kind.__module__}.".startswith(f"{package}."))
    return [*filter(None, map(declared, own)), *mapped]
