"""Compare the error responses of a package with the responses that the contract documents."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import libcst as cst

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.contract.json_text import json_bytes
from relay.contract.model import Contract, Operation, Response
from relay.project.module_source import Assigned, Defined, Function, Imported, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted
from relay.server.errors import ErrorReport, Unauthenticated, problem_details
from relay.validation import media_types as media
from relay.validation.errors import ApiError, InvalidRequest
from relay.validation.schemas import SchemaCompiler
from relay.validation.violations import Violation

from .handler_lookup import Handlers, Unread, below, lookup, resolve
from .static_evaluation import Unknown, evaluate_function, evaluate_literal

_DETAILS = ({"in": "query", "path": "/limit", "rule": "maximum", "message": "the value is too large"},)


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that a handler raises by class name, and the place of the `raise`."""

    report: ErrorReport
    name: str
    place: SourceLocation


def error_response_findings(handlers: Handlers) -> list[Diagnostic]:
    """Return undocumented errors that handlers raise, and error bodies that violate the contract."""
    raised = {
        operation.id: list(_raised(handlers.sources, handler))
        for operation in handlers.contract.operations
        if isinstance(handler := handlers.of(operation), Function)
    }
    return [
        *_undocumented(handlers.contract, raised),
        *_Bodies(handlers.contract, handlers.sources).findings(raised),
    ]


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


def _raised(sources: Sources, function: Function) -> Iterator[Raised]:
    """Yield the errors with a status that a function raises by the name of a class of the package."""
    for node in _raises(function.node.body):
        target = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
        name = dotted(target) if target is not None else ""
        found = _class(sources, function.module, name) if name else None
        report = _report(sources, *found) if found is not None else None
        if report is not None:
            yield Raised(report, name, function.module.place(node))


def _raises(node: Any) -> Iterator[cst.Raise]:
    """Yield the `raise` statements below a node, without those of inner functions."""
    if isinstance(node, cst.Raise):
        yield node
    elif not isinstance(node, cst.FunctionDef | cst.ClassDef):
        inner = () if _may_catch(node) else getattr(node, "body", ())
        parts = [*inner] if isinstance(inner, Sequence) else [inner]
        parts += [getattr(node, name, None) for name in ("orelse", "finalbody")]
        for part in [*parts, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
            if part is not None and not isinstance(part, cst.BaseExpression):
                yield from _raises(part)


def _may_catch(node: cst.CSTNode) -> bool:
    """Whether a statement may catch what its body raises."""
    if isinstance(node, cst.With):
        calls = [item.item.func for item in node.items if isinstance(item.item, cst.Call)]
        return any(dotted(call).rpartition(".")[2] == "suppress" for call in calls)
    return isinstance(node, cst.Try | cst.TryStar) and bool(node.handlers)


def _class(sources: Sources, module: Module, name: str) -> tuple[Module, Defined] | None:
    """Find a class of the package by the name that a module uses for it."""
    first, _, rest = name.partition(".")
    inside: str | None = below(sources, module.name)
    bound = module.bindings.get(first)
    if bound is None and hasattr(builtins, first):
        return None  # a built-in exception, as in every stub
    if rest and isinstance(bound, Imported):
        source, _, first = module.whole_name(name).rpartition(".")
        inside = below(sources, source)
    found = lookup(sources, inside, first) if inside is not None else None
    if isinstance(found, tuple) and isinstance(found[1], Defined):
        return found[0], found[1]
    return None


def _report(sources: Sources, module: Module, found: Defined) -> ErrorReport | None:
    """Return the report of an exception class; None if it has no error status (400 to 599)."""
    values = {}
    for name in ("status", "code", "message"):
        try:
            values[name] = _literal(_attribute(sources, module, found, name, ()))
        except Unknown:
            values[name] = None
    status, code, message = values.values()
    if isinstance(status, int) and 400 <= status <= 599:
        return ErrorReport(status, str(code or "CODE"), str(message or "What went wrong"))
    return None


def _literal(node: cst.BaseExpression) -> Any:
    """Return the value of a literal or of an `HTTPStatus` member; raise Unknown for any other."""
    holder, _, name = dotted(node).removesuffix(".value").rpartition(".")
    if holder.rpartition(".")[2] == "HTTPStatus" and name in HTTPStatus.__members__:
        return HTTPStatus[name].value
    return evaluate_literal(node)


def _attribute(
    sources: Sources, module: Module, found: Defined, name: str, seen: tuple[cst.ClassDef, ...]
) -> cst.BaseExpression:
    """Return the value of a class attribute, own or inherited; raise Unknown if no class sets it."""
    bound = dict(module.bound_in(found.node.body.body)).get(name)
    if isinstance(bound, Assigned):
        return bound.value
    for base in found.node.bases:
        above = _class(sources, module, dotted(base.value))
        if above is not None and above[1].node not in seen:
            try:
                return _attribute(sources, *above, name, (*seen, found.node))
            except Unknown:
                continue
    raise Unknown


class _Bodies:
    """Validates the package's error bodies against each schema that documents them."""

    def __init__(self, contract: Contract, sources: Sources) -> None:
        self._contract = contract
        self._compiler = SchemaCompiler(contract)
        self._render = resolve(sources, "", "render_error")
        self._unknown: list[Function] = []

    def findings(self, raised: dict[str, list[Raised]]) -> list[Diagnostic]:
        """Return the bodies that violate the contract: one finding for the same schema and violations."""
        if isinstance(self._render, Unread):
            return [self._unread(self._render.module.end)]
        by_key: dict[bytes, Diagnostic] = {}
        for operation in self._contract.operations:
            for report in _error_reports(operation, [one.report for one in raised.get(operation.id, [])]):
                for key, finding in self._refused(operation, report):
                    by_key.setdefault(key, finding)
        return [*by_key.values(), *(self._unread(function.place) for function in self._unknown[:1])]

    def _unread(self, place: SourceLocation) -> Diagnostic:
        message = "the result of render_error() cannot be read from its source; error bodies were not checked"
        return Diagnostic(place, message, "unread-error-body", Severity.INFO)

    def _refused(self, operation: Operation, report: ErrorReport) -> Iterator[tuple[bytes, Diagnostic]]:
        response = operation.response(report.status)
        rendered = self._rendered(report) if response is not None else None
        if response is None or rendered is None:
            return
        body, media_type = rendered
        schema = media.find(media.essence(media_type), media.by_name(response.content))
        if schema is None:
            message = f"{operation} documents {report.status} without {media_type}, the media type of its error bodies"
            yield json_bytes([sorted(response.content), media_type]), self._finding(response, message)
            return
        validator = self._compiler.compile(schema, "response", response.pointer)
        if validator is not None and (violations := validator.violations(body)):
            key = json_bytes([schema, media_type, [(one.path, one.rule) for one in violations]])
            yield key, self._finding(response, _violation_message(operation, report, violations))

    def _rendered(self, report: ErrorReport) -> tuple[object, str] | None:
        if not isinstance(self._render, Function):
            return problem_details(report)
        try:
            result = evaluate_function(self._render, report)
        except Unknown:
            result = None
        match result:
            case (body, str(media_type)):
                return body, media_type
        self._unknown.append(self._render)
        return None

    def _finding(self, response: Response, message: str) -> Diagnostic:
        where = self._contract.place(response.pointer)
        if isinstance(self._render, Function):
            return Diagnostic(self._render.place, message, "error-body", Severity.ERROR, where)
        return Diagnostic(where, message, "error-body", Severity.ERROR)


def _error_reports(operation: Operation, raised: Iterable[ErrorReport]) -> Iterator[ErrorReport]:
    """Yield the errors that an operation can respond with, with and without details."""
    if operation.parameters or operation.body:
        yield _plain(InvalidRequest)
        yield ErrorReport(400, InvalidRequest.code, InvalidRequest.message, _DETAILS)
    if operation.security:
        yield _plain(Unauthenticated)
    yield _plain(ApiError)
    yield from raised


def _plain(kind: type[ApiError]) -> ErrorReport:
    return ErrorReport(kind.status, kind.code, kind.message)


def _violation_message(operation: Operation, report: ErrorReport, violations: list[Violation]) -> str:
    first = violations[0]
    form = " with details" if report.details else ""
    more = f" and {len(violations) - 1} more" if len(violations) > 1 else ""
    return (
        f"the body of a {report.status}{form} violates the schema of {operation}: "
        f"{first.rule} at '{first.path or '/'}'{more}"
    )
