"""Find the errors that a handler raises by the name of a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from relay.contract.diagnostics import SourceLocation
from relay.project.module_source import Function
from relay.project.package_source import Sources
from relay.project.syntax import dotted
from relay.server.errors import ErrorReport

from .error_members import raised_members
from .mapped_errors import MappedErrors
from .raised_classes import class_report, package_class


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that a handler raises by class name, and the place of the `raise`."""

    report: ErrorReport
    name: str
    place: SourceLocation


def raised_errors(sources: Sources, function: Function, mapped: MappedErrors) -> Iterator[Raised]:
    """Yield the errors with a status that a function raises by the name of a class, of the package or mapped by it."""
    for node in _raises(function.node.body):
        target = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
        name = dotted(target) if target is not None else ""
        found = package_class(sources, function.module, name) if name else None
        report = class_report(sources, *found) if found is not None else None
        if report is not None and found is not None and node.exc is not None:
            report = replace(report, members=raised_members(sources, function.module, found, node.exc))
        if report is None and node.exc is not None and name:
            report = mapped.of(function.module, node.exc)
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
