"""Find the errors that a handler raises by the name of a class of its package."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import libcst as cst

from relay.contract.diagnostics import SourceLocation
from relay.project.module_source import Assigned, Defined, Function, Imported, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted
from relay.server.errors import ErrorReport

from .handler_lookup import below, lookup
from .static_evaluation import Unknown, evaluate_literal


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that a handler raises by class name, and the place of the `raise`."""

    report: ErrorReport
    name: str
    place: SourceLocation


def raised_errors(sources: Sources, function: Function) -> Iterator[Raised]:
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
