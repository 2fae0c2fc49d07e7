"""Compare the error responses of a package with the responses that the contract documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.contract.documents import display
from relay.contract.json_text import json_bytes
from relay.contract.model import Contract, Operation, Response, Schema
from relay.contract.parsed import Pointer
from relay.contract.pointers import escape
from relay.contract.schema_words import CHOICES, CONDITIONAL, inner_schemas
from relay.project.module_source import Function
from relay.project.package_source import Sources
from relay.server.error_shapes import SAMPLE_DETAILS
from relay.server.errors import ErrorReport, Unauthenticated, problem_details
from relay.validation import media_types as media
from relay.validation.errors import ApiError, InvalidRequest
from relay.validation.schemas import SchemaCompiler
from relay.validation.violations import Violation

from .handler_lookup import Handlers, Unread, resolve
from .package_files import error_shapes
from .raised_errors import PackageErrors, Raised, UnreadMembers
from .static_values import UNREAD, Unknown, function_of

_DECIDING = frozenset([*CHOICES, *CONDITIONAL, "not", "dependentSchemas", "discriminator"])
"""Keywords by which one value decides what another may be."""


def error_response_findings(handlers: Handlers) -> list[Diagnostic]:
    """Return undocumented errors that handlers raise, and error bodies that violate the contract."""
    errors = PackageErrors(handlers.sources)
    found = {one.id: handlers.of(one) for one in handlers.contract.operations}
    raised = {name: [*errors.raised_by(one)] for name, one in found.items() if isinstance(one, Function)}
    bodies = _Bodies(handlers.contract, handlers.sources)
    return [*_undocumented(handlers.contract, raised), *bodies.findings(raised)]


def _undocumented(contract: Contract, raised: dict[str, list[Raised]]) -> Iterator[Diagnostic]:
    for operation in contract.operations:
        for one in raised.get(operation.id, []):
            if one.report.status < 500 and operation.response(one.report.status) is None:
                yield Diagnostic(
                    one.place,
                    f"{one.name} has status {one.report.status}, which {operation} does not document; the server "
                    f"responds 500 instead: document {one.report.status}, or raise a documented error",
                    "undocumented-error",
                    Severity.ERROR,
                    contract.place((*operation.pointer, "responses")),
                )


_UNREAD_MEMBERS = "the members of this error cannot be read from source; its body was not checked"


class _Bodies:
    """Validates the package's error bodies against each schema that documents them."""

    def __init__(self, contract: Contract, sources: Sources) -> None:
        self._contract = contract
        self._compiler = SchemaCompiler(contract)
        self._sources = sources
        self._render = resolve(sources, "", "render_error")
        self._rendered = function_of(self._render) if isinstance(self._render, Function) else problem_details
        self._notes: list[Diagnostic] = []

    def findings(self, raised: dict[str, list[Raised]]) -> list[Diagnostic]:
        """Return the bodies that violate the contract: one finding for the same schema and violations.

        What the contract documents in no form that can be written is left out, as no `render_error` can change that.
        One warning counts the operations that document another body for a status than most do.
        """
        if isinstance(self._render, Unread):
            return [self._unread(self._render.module.end)]
        refused = [
            (operation, report, key, finding)
            for operation in self._contract.operations
            for report in _error_reports(operation, [one.report for one in raised.get(operation.id, [])])
            for key, finding in self._refused(operation, report)
        ]
        if not refused:
            return self._first_notes()
        shapes = error_shapes(self._contract, {report.status for _, report, _, _ in refused})
        others = {report.status: {*shapes.others(report.status)} for _, report, _, _ in refused}
        by_key: dict[bytes, Diagnostic] = {}
        uncommon: dict[str, Operation] = {}
        for operation, report, key, finding in refused:
            if operation.id in others[report.status]:
                uncommon.setdefault(operation.id, operation)
            elif shapes.documents(operation.id, report.status):
                by_key.setdefault(key, finding)
        found = [*by_key.values()]
        if self._render is None:
            found = [replace(one, message=f"{one.message}: {self._how_to_render()}") for one in found[:1]]
        if uncommon:
            found.append(self._uncommon([*uncommon.values()]))
        return [*found, *self._first_notes()]

    def _first_notes(self) -> list[Diagnostic]:
        return [*{one.message: one for one in reversed(self._notes)}.values()]

    def _how_to_render(self) -> str:
        package = display(self._sources.paths.get("", self._sources.folder / "__init__.py"))
        errors = self._sources.module("_errors")
        if errors is None:
            return "run `relay regenerate`, which writes a render_error()"
        if isinstance(errors.bindings.get("render_error"), Function):
            return f"add `from ._errors import render_error` to {package}"
        return f"write a render_error() into {display(errors.path)}, and import it in {package}"

    def _uncommon(self, operations: list[Operation]) -> Diagnostic:
        count = f"{len(operations)} operation{'s' * (len(operations) != 1)}"
        message = (
            f"{count} document{'s' * (len(operations) == 1)} other bodies of errors than most, such as {operations[0]}; "
            "render_error() writes the common ones for them too"
        )
        where = self._contract.place((*operations[0].pointer, "responses"))
        return Diagnostic(where, message, "error-body", Severity.WARNING)

    def _unread(self, place: SourceLocation) -> Diagnostic:
        message = "the result of render_error() cannot be read from its source; error bodies were not checked"
        return Diagnostic(place, message, "unread-error-body", Severity.INFO)

    def _refused(self, operation: Operation, report: ErrorReport) -> Iterator[tuple[bytes, Diagnostic]]:
        response = operation.response(report.status)
        rendered = self._body(report) if response is not None else None
        if response is None or rendered is None:
            return
        body, media_type = rendered
        schema = media.find(media_type, media.by_name(response.content))
        if schema is None:
            message = f"{operation} documents {report.status} without {media_type}, the media type of its error bodies"
            yield json_bytes([sorted(response.content), media_type]), self._finding(response, message)
            return
        validator = self._compiler.compile(schema, "response", response.pointer)
        unread: list[str] = []
        known = _known(body, (), unread)
        if validator is None or (unread and _has_choices(schema, self._contract)):
            return
        found = validator.violations(known)
        within = tuple(f"{place}/" for place in unread)
        if violations := [one for one in found if not f"{one.path}/".startswith(within)]:
            key = json_bytes([schema, media_type, [(one.path, one.rule) for one in violations]])
            yield key, self._finding(response, _violation_message(operation, report, violations))

    def _body(self, report: ErrorReport) -> tuple[object, str] | None:
        """Return the body and media type of a report; None, and a note, if the source does not show them."""
        try:
            match self._rendered(report):
                case (body, str(media_type)):
                    return body, media_type
        except Unknown:
            pass
        if isinstance(report.members, UnreadMembers):
            note = Diagnostic(report.members.place, _UNREAD_MEMBERS, "unread-error-body", Severity.INFO)
            self._notes.append(note)
        elif isinstance(self._render, Function):
            self._notes.append(self._unread(self._render.place))
        return None

    def _finding(self, response: Response, message: str) -> Diagnostic:
        where = self._contract.place(response.pointer)
        if isinstance(self._render, Function):
            return Diagnostic(self._render.place, message, "error-body", other=where)
        return Diagnostic(where, message, "error-body")


def _error_reports(operation: Operation, raised: Iterable[ErrorReport]) -> Iterator[ErrorReport]:
    if operation.parameters or operation.body:
        invalid = ErrorReport(InvalidRequest.status, InvalidRequest.code, InvalidRequest.message)
        yield from (invalid, replace(invalid, details=SAMPLE_DETAILS))
    for kind in (Unauthenticated, ApiError) if operation.security else (ApiError,):
        yield ErrorReport(kind.status, kind.code, kind.message)
    yield from raised


def _violation_message(operation: Operation, report: ErrorReport, violations: list[Violation]) -> str:
    first = violations[0]
    form = " with details" if report.details else ""
    more = f" and {len(violations) - 1} more" if len(violations) > 1 else ""
    return (
        f"the body of a {report.status}{form} violates the schema of {operation}: "
        f"{first.rule} at '{first.path or '/'}'{more}"
    )


def _known(value: Any, place: Pointer, unread: list[str]) -> Any:
    """Return a body with null for each value that source does not show; `unread` gets their places."""
    if value is UNREAD:
        unread.append("".join(f"/{escape(token)}" for token in place))
        return None
    if isinstance(value, dict):
        return {name: _known(one, (*place, str(name)), unread) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one, (*place, str(index)), unread) for index, one in enumerate(value)]
    return value


def _has_choices(schema: Schema, contract: Contract) -> bool:
    """Return True if a value may decide what another value within a schema may be."""
    todo: list[Any] = [schema]
    seen: set[int] = set()
    while todo:
        one = todo.pop()
        if isinstance(one, dict) and id(one) not in seen:
            seen.add(id(one))
            if _DECIDING & one.keys():
                return True
            todo += [
                *(part for _, part in inner_schemas(one)),
                *([contract.resolve(one)] if "$ref" in one else []),
            ]
    return False
