"""Read from source which errors the functions of a package raise: their statuses, codes and members.

Read are errors that are raised by the name of a class: of the package, mapped in its `errors`, or HTTPException of Starlette
and ProblemException of Connexion.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from relay.contract.diagnostics import SourceLocation
from relay.project.module_source import Assigned, Defined, Function, Module
from relay.project.package_source import Sources
from relay.project.syntax import code, dotted, nodes
from relay.server.errors import ErrorReport
from relay.validation.errors import ApiError

from .handler_lookup import below, lookup
from .static_values import UNREAD, Resolve, Unknown, evaluate

_STATUS_ARGUMENTS = {
    "starlette.exceptions.HTTPException": "status_code",
    "connexion.exceptions.ProblemException": "status",
}
"""The argument with the status of exceptions that the server answers by themselves."""

_PROBLEM_MEMBERS = ("type", "title", "instance")
"""The arguments of Connexion's ProblemException that become members; `ext` has others."""

_MESSAGE = "What went wrong"
_ATTRIBUTES = frozenset(("status", "code", "message", "members", "__init__"))
"""The members that are read of a class."""


@dataclass(frozen=True, slots=True)
class UnreadMembers(Mapping[str, Any]):
    """Members whose names source does not show; reading them raises Unknown."""

    place: SourceLocation

    def __getitem__(self, _name: str) -> Any:
        raise Unknown

    def __iter__(self) -> Iterator[str]:
        raise Unknown

    def __len__(self) -> int:
        raise Unknown


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that a handler raises by class name, and the place of the `raise`."""

    report: ErrorReport
    name: str
    place: SourceLocation


class PackageErrors:
    """The errors of a package, whose classes are made anew, with what source shows of them."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._made: dict[cst.CSTNode, Any] = {}
        self._others: dict[str, type] = {}
        self._mapped = dict(self._exported())

    def raised_by(self, function: Function) -> Iterator[Raised]:
        """Yield the errors with a status that a function raises by the name of a class."""
        module = function.module
        for node in _raises(function.node.body):
            called = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
            name = dotted(called) if called is not None else ""
            report = self._report(module, node.exc, name) if node.exc is not None and name else None
            if report is not None:
                yield Raised(report, name, module.place(node))

    def _report(self, module: Module, raised: cst.BaseExpression, name: str) -> ErrorReport | None:
        kind = self._class(module, name)
        if kind is None:
            return None
        if (report := self._declared(kind, module, raised)) is not None:
            return report
        if (known := next((one for one in kind.__mro__ if one in self._mapped), None)) is not None:
            return self._mapped[known]
        argument = _STATUS_ARGUMENTS.get(module.whole_name(name))
        if not isinstance(raised, cst.Call) or argument is None:
            return None
        return self._http_report(module, raised, argument)

    def _declared(self, kind: type, module: Module, raised: cst.BaseExpression) -> ErrorReport | None:
        """Return the error that a class declares, with the members of a `raise` if it is one."""
        status, code, message = (getattr(kind, word, None) for word in ("status", "code", "message"))
        if not isinstance(status, int) or not 400 <= status <= 599:
            return None
        members = self._members(kind, module, raised)
        return ErrorReport(int(status), str(code or "CODE"), str(message or _MESSAGE), members=members)

    def _exported(self) -> Iterator[tuple[type, ErrorReport]]:
        """Yield each exception class in `errors`, and its error, as far as source shows them."""
        match lookup(self._sources, "", "errors"):
            case module, Assigned(cst.Dict() as mapping):
                for element in mapping.elements:
                    if isinstance(element, cst.DictElement):
                        kind = self._class(module, dotted(element.key))
                        report = self._mapped_report(module, element.value)
                        if kind is not None and report is not None:
                            yield kind, report

    def _mapped_report(self, module: Module, value: cst.BaseExpression) -> ErrorReport | None:
        if name := dotted(value):
            kind = self._class(module, name)
            return None if kind is None else self._declared(kind, module, value)
        match self._value(module, value):
            case (int(status), str(code), str(message)) if 400 <= status <= 599:
                return ErrorReport(status, code, message)
        return None

    def _class(self, module: Module, name: str) -> type | None:
        """Return the class that a module uses a name for; a class of another package is one without attributes."""
        whole = module.whole_name(name)
        known = self._defined(module, name)
        if known is None and whole:
            known = self._others.setdefault(whole, type(whole, (), {}))
        elif known is None and name not in module.bindings:
            known = getattr(builtins, name, None)
        return known if isinstance(known, type) else None

    def _defined(self, module: Module, name: str) -> Any:
        """Return a class of the package by the name that a module uses for it, or ApiError; None for any other."""
        first, _, rest = name.partition(".")
        bound = module.bindings.get(first)
        whole = module.whole_name(name)
        if whole == "relay.ApiError":
            return ApiError
        if not name or (rest and not whole) or (bound is None and hasattr(builtins, first)):
            return None  # a built-in exception, as in every stub
        source, _, member = (whole if rest else f"{module.name}.{name}").rpartition(".")
        inside = below(self._sources, source)
        match lookup(self._sources, inside, member) if inside is not None else None:
            case found, Defined(node):
                return self._once(node, lambda: self._class_of(found, node))
        return None

    def _class_of(self, module: Module, node: cst.ClassDef) -> Any:
        bases = filter(None, (self._class(module, dotted(base.value)) for base in node.bases))
        own: dict[str, Any] = {}
        for name, bound in module.bound_in(node.body.body):
            if name in _ATTRIBUTES:
                own[name] = self._value(module, bound.value) if isinstance(bound, Assigned) else bound
                if own[name] is UNREAD and name != "members":
                    own[name] = None
        try:
            return type(node.name.value, tuple(bases), own)
        except TypeError:  # bases that do not fit together, which Python refuses too
            return UNREAD

    def _once(self, node: cst.CSTNode, make: Callable[[], Any]) -> Any:
        """Return what is made of a node; UNREAD while it is made, for source may refer to itself."""
        if node not in self._made:
            self._made[node] = UNREAD
            self._made[node] = make()
        return self._made[node]

    def _members(self, kind: type, module: Module, raised: cst.BaseExpression) -> Mapping[str, Any]:
        """Return the members of an error; a value that source does not show is UNREAD."""
        call: cst.BaseExpression | None = raised
        found, place = getattr(kind, "members", {}), module.place(raised)
        if isinstance(made := getattr(kind, "__init__", None), Function):
            module, call = made.module, _base_call(made)
        passed = call.args if isinstance(call, cst.Call) else ()
        for one in passed:
            if one.keyword is not None and one.keyword.value == "members" and dotted(one.value) != "None":
                found = self._value(module, one.value, kind)
        is_read = isinstance(found, Mapping) and all(isinstance(key, str) for key in found)
        if not is_read or call is None or any(one.star == "**" for one in passed):
            return UnreadMembers(place)
        return found

    def _value(self, module: Module, node: cst.BaseExpression, own: type | None = None) -> Any:
        """Return the value of an expression of a module, UNREAD if source does not show it; `own` is the class of `self`."""
        try:
            return evaluate(node, self._resolve(module, own), is_partial=True)
        except Unknown:
            return UNREAD

    def _resolve(self, module: Module, own: type | None) -> Resolve:
        def resolve(name: str) -> Any:
            bound = module.bindings.get(name)
            if isinstance(bound, Assigned) and name.isupper():  # others may be local
                return self._once(bound.value, lambda: self._value(module, bound.value))
            found = own if name in ("self", "cls") else self._defined(module, name)
            if found is None:
                raise KeyError(name)
            return found

        return resolve

    def _http_report(self, module: Module, call: cst.Call, argument: str) -> ErrorReport | None:
        named = {one.keyword.value: one.value for one in call.args if one.keyword is not None}
        if argument == "status_code" and call.args and call.args[0].keyword is None:
            named[argument] = call.args[0].value
        status = self._value(module, named[argument]) if argument in named else None
        if not isinstance(status, int) or not 400 <= status <= 599:
            return None
        members: Mapping[str, Any] = {}
        if argument == "status":  # of a ProblemException
            found = {name: self._value(module, named[name]) for name in _PROBLEM_MEMBERS if name in named}
            more = self._value(module, named["ext"]) if "ext" in named else {}
            is_read = isinstance(more, dict) and all(one.keyword is not None for one in call.args)
            members = {**found, **more} if is_read else UnreadMembers(module.place(call))
        return ErrorReport(status, "CODE", _MESSAGE, members=members)


def _base_call(made: Function) -> cst.Call | None:
    """Return the only `super().__init__(…)` of an `__init__` that sets no members itself; None for others."""
    body = made.node.body
    calls = [call for call in nodes(body, cst.Call) if code(call.func) == "super().__init__"]
    targets: list[cst.CSTNode] = [one.target for one in nodes(body, cst.AssignTarget)]
    targets += [one.target for one in nodes(body, cst.AnnAssign)]
    return calls[0] if len(calls) == 1 and "self.members" not in map(dotted, targets) else None


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
    """Return True for a statement that may catch what its body raises."""
    if isinstance(node, cst.With):
        calls = [item.item.func for item in node.items if isinstance(item.item, cst.Call)]
        return any(dotted(call).rpartition(".")[2] == "suppress" for call in calls)
    return isinstance(node, cst.Try | cst.TryStar) and bool(node.handlers)
