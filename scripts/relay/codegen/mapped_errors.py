"""Read from source which errors stand for exceptions of other libraries: the package's `errors`, and HTTPException."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from relay.project.module_source import Assigned, Defined, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted
from relay.server.errors import ErrorReport

from .error_members import class_members, problem_members
from .handler_lookup import lookup
from .raised_classes import class_report, package_class
from .static_evaluation import Unknown, evaluate_literal

_STATUS_ARGUMENTS = {
    "starlette.exceptions.HTTPException": "status_code",
    "connexion.exceptions.ProblemException": "status",
}
"""The argument with the status of exceptions that the server answers by themselves."""


class MappedErrors:
    """The errors for exception classes that have no status of their own."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._reports = dict(self._exported())

    def of(self, module: Module, raised: cst.BaseExpression) -> ErrorReport | None:
        """Return the error for what a module raises; None if it is not mapped, or source does not show it."""
        call = raised if isinstance(raised, cst.Call) else None
        name = dotted(call.func if call else raised)
        known = next((one for one in self._names(module, name) if one in self._reports), None)
        if known is not None:
            return self._reports[known]
        argument = _STATUS_ARGUMENTS.get(module.whole_name(name))
        report = _http_report(call, argument) if call is not None and argument is not None else None
        if call is None or report is None or argument != "status":
            return report
        return replace(report, members=problem_members(self._sources, module, call))

    def _exported(self) -> Iterator[tuple[str, ErrorReport]]:
        """Yield the whole name and the error of each exception class in `errors`, as far as source shows them."""
        found = lookup(self._sources, "", "errors")
        if not isinstance(found, tuple) or not isinstance(found[1], Assigned):
            return
        module, mapping = found[0], found[1].value
        for element in mapping.elements if isinstance(mapping, cst.Dict) else ():
            if isinstance(element, cst.DictElement):
                name = next(self._names(module, dotted(element.key)), None)
                report = self._report(module, element.value)
                if name is not None and report is not None:
                    yield name, report

    def _report(self, module: Module, value: cst.BaseExpression) -> ErrorReport | None:
        if name := dotted(value):
            found = package_class(self._sources, module, name)
            report = class_report(self._sources, *found) if found is not None else None
            if report is None or found is None:
                return None
            return replace(report, members=class_members(self._sources, *found))
        try:
            match evaluate_literal(value):
                case (int(status), str(code), str(message)) if 400 <= status <= 599:
                    return ErrorReport(status, code, message)
        except Unknown:
            pass
        return None

    def _names(self, module: Module, name: str) -> Iterator[str]:
        """Yield the whole names of a class and of the classes that it extends, nearest first."""
        pending = [(module, name)]
        seen: set[str] = set()
        while pending:
            here, one = pending.pop(0)
            found = package_class(self._sources, here, one) if one else None
            whole = _whole_name(here, one, found)
            if not whole or whole in seen:
                continue
            seen.add(whole)
            yield whole
            if found is not None:
                pending += [(found[0], dotted(base.value)) for base in found[1].node.bases]
            elif whole.startswith("builtins."):
                kind = getattr(builtins, one)
                yield from (f"builtins.{above.__name__}" for above in kind.__mro__[1:])


def _whole_name(module: Module, name: str, found: tuple[Module, Defined] | None) -> str:
    """Return the name of a class with its module; '' if it is not known."""
    if found is not None:
        return f"{found[0].name}.{found[1].node.name.value}"
    if whole := module.whole_name(name):
        return whole
    kind = getattr(builtins, name, None) if name not in module.bindings else None
    return f"builtins.{name}" if isinstance(kind, type) and issubclass(kind, BaseException) else ""


def _http_report(call: cst.Call, argument: str) -> ErrorReport | None:
    """Return the report of an exception that is called with a literal status."""
    for position, one in enumerate(call.args):
        is_first = position == 0 and one.keyword is None and argument == "status_code"
        if is_first or (one.keyword is not None and one.keyword.value == argument):
            try:
                status = evaluate_literal(one.value)
            except Unknown:
                return None
            is_error = isinstance(status, int) and 400 <= status <= 599
            return ErrorReport(status, "CODE", "What went wrong") if is_error else None
    return None
