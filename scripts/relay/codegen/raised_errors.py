"""Read from source which errors the functions of a package raise: their statuses, codes and members.

Read are errors that are raised by the name of a class: of the package, mapped in its `errors`, or HTTPException of Starlette
and ProblemException of Connexion.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import libcst as cst

from relay.contract.diagnostics import SourceLocation
from relay.project.module_source import Assigned, Bound, Defined, Function, Imported, Module
from relay.project.package_source import Sources
from relay.project.syntax import code, dotted, nodes
from relay.server.errors import ErrorReport

from .handler_lookup import below, lookup
from .static_values import UNREAD, Resolve, Unknown, evaluate, literal

_Class = tuple[Module, Defined]

_STATUS_ARGUMENTS = {
    "starlette.exceptions.HTTPException": "status_code",
    "connexion.exceptions.ProblemException": "status",
}
"""The argument with the status of exceptions that the server answers by themselves."""

_PROBLEM_MEMBERS = ("type", "title", "instance")
"""The arguments of Connexion's ProblemException that become members; `ext` has others."""

_MESSAGE = "What went wrong"
_DEPTH = 20
"""Steps from a name to another; source may refer to itself."""


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
    """The errors of a package."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
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
        if (report := self._of_class(module, name, raised)) is not None:
            return report
        known = next((one for one in self._names(module, name) if one in self._mapped), None)
        if known is not None:
            return self._mapped[known]
        argument = _STATUS_ARGUMENTS.get(module.whole_name(name))
        if not isinstance(raised, cst.Call) or argument is None:
            return None
        return self._http_report(module, raised, argument)

    def _of_class(
        self, module: Module, name: str, raised: cst.BaseExpression | None = None
    ) -> ErrorReport | None:
        """Return the error that a class of the package declares, with the members of a `raise` if there is one."""
        found = self._class(module, name)
        status, code, message = (self._attribute(found, word) for word in ("status", "code", "message"))
        if found is None or not isinstance(status, int) or not 400 <= status <= 599:
            return None
        members = self._members(
            module if raised is not None else found[0], found, raised or found[1].node.name
        )
        return ErrorReport(int(status), str(code or "CODE"), str(message or _MESSAGE), members=members)

    def _exported(self) -> Iterator[tuple[str, ErrorReport]]:
        """Yield the whole name and the error of each exception class in `errors`, as far as source shows them."""
        match lookup(self._sources, "", "errors"):
            case module, Assigned(cst.Dict() as mapping):
                for element in mapping.elements:
                    if isinstance(element, cst.DictElement):
                        name = next(self._names(module, dotted(element.key)), None)
                        report = self._mapped_report(module, element.value)
                        if name is not None and report is not None:
                            yield name, report

    def _mapped_report(self, module: Module, value: cst.BaseExpression) -> ErrorReport | None:
        if name := dotted(value):
            return self._of_class(module, name)
        match _plain(value):
            case (int(status), str(code), str(message)) if 400 <= status <= 599:
                return ErrorReport(status, code, message)
        return None

    def _class(self, module: Module, name: str) -> _Class | None:
        """Find a class of the package by the name that a module uses for it."""
        first, _, rest = name.partition(".")
        inside: str | None = below(self._sources, module.name)
        bound = module.bindings.get(first)
        if not name or (bound is None and hasattr(builtins, first)):
            return None  # a built-in exception, as in every stub
        if rest:
            if not isinstance(bound, Imported):
                return None
            source, _, first = module.whole_name(name).rpartition(".")
            inside = below(self._sources, source)
        match lookup(self._sources, inside, first) if inside is not None else None:
            case found, Defined() as definition:
                return found, definition
        return None

    def _binding(
        self, found: _Class, name: str, seen: tuple[cst.ClassDef, ...] = ()
    ) -> tuple[Module, Bound] | None:
        """Return what a name of a class is bound to, own or inherited, and the module that binds it."""
        module, definition = found
        bound = dict(module.bound_in(definition.node.body.body)).get(name)
        if bound is not None:
            return module, bound
        bases = (self._class(module, dotted(base.value)) for base in definition.node.bases)
        above = (one for one in bases if one is not None and one[1].node not in seen)
        inherited = (self._binding(one, name, (*seen, definition.node)) for one in above)
        return next(filter(None, inherited), None)

    def _attribute(self, found: _Class | None, name: str) -> Any:
        binding = self._binding(found, name) if found is not None else None
        value = _plain(binding[1].value) if binding and isinstance(binding[1], Assigned) else None
        return None if value is UNREAD else value

    def _names(self, module: Module, name: str) -> Iterator[str]:
        """Yield the whole names of a class and of the classes that it extends, nearest first."""
        pending = [(module, name)]
        seen: set[str] = set()
        while pending:
            here, one = pending.pop(0)
            found = self._class(here, one)
            whole = _whole_name(here, one, found)
            if not whole or whole in seen:
                continue
            seen.add(whole)
            yield whole
            if found is not None:
                pending += [(found[0], dotted(base.value)) for base in found[1].node.bases]
            elif whole.startswith("builtins."):
                yield from (f"builtins.{above.__name__}" for above in getattr(builtins, one).__mro__[1:])

    def _members(self, module: Module, found: _Class, raised: cst.BaseExpression) -> Mapping[str, Any]:
        """Return the members of an error of a class that a module raises; a value that source does not show is UNREAD."""
        try:
            made = self._binding(found, "__init__")
            if made is not None:
                return self._passed(made[0], found, _base_call(made[1]))
            is_call = isinstance(raised, cst.Call)
            return self._passed(module, found, raised) if is_call else self._declared_members(found, 0)
        except Unknown:
            return UnreadMembers(module.place(raised))

    def _passed(self, module: Module, found: _Class, call: Any) -> dict[str, Any]:
        for one in call.args:
            if one.star == "**":
                raise Unknown
            if one.keyword is not None and one.keyword.value == "members" and dotted(one.value) != "None":
                return self._mapping(module, one.value, found, 0)
        return self._declared_members(found, 0)

    def _declared_members(self, found: _Class, depth: int) -> dict[str, Any]:
        match self._binding(found, "members"):
            case None:
                return {}
            case module, Assigned(value):
                return self._mapping(module, value, None, depth)
        raise Unknown

    def _mapping(
        self, module: Module, node: cst.BaseExpression, own: _Class | None, depth: int
    ) -> dict[str, Any]:
        """Return a mapping in the source of a module; `own` is the class of `self`. Raises Unknown."""
        found = evaluate(node, self._resolve(module, own, depth), is_partial=True)
        if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
            raise Unknown
        return dict(found)

    def _value(self, module: Module, node: cst.BaseExpression) -> Any:
        try:
            return evaluate(node, self._resolve(module, None, 0), is_partial=True)
        except Unknown:
            return UNREAD

    def _resolve(self, module: Module, own: _Class | None, depth: int) -> Resolve:
        if depth == _DEPTH:
            raise Unknown

        def resolve(name: str) -> Any:
            bound = module.bindings.get(name)
            if isinstance(bound, Assigned) and name.isupper():  # others may be local
                is_mapping = isinstance(bound.value, cst.Dict)
                return (
                    self._mapping(module, bound.value, own, depth + 1) if is_mapping else _plain(bound.value)
                )
            if module.whole_name(name) == "relay.ApiError":
                return SimpleNamespace(members={})
            found = own if name in ("self", "cls") else self._class(module, name)
            if found is None:
                raise KeyError(name)
            return SimpleNamespace(members=self._declared_members(found, depth + 1))

        return resolve

    def _http_report(self, module: Module, call: cst.Call, argument: str) -> ErrorReport | None:
        named = {one.keyword.value: one.value for one in call.args if one.keyword is not None}
        if argument == "status_code" and call.args and call.args[0].keyword is None:
            named[argument] = call.args[0].value
        status = _plain(named[argument]) if argument in named else None
        if not isinstance(status, int) or not 400 <= status <= 599:
            return None
        members: Mapping[str, Any] = {}
        if argument == "status":  # of a ProblemException
            found = {name: self._value(module, named[name]) for name in _PROBLEM_MEMBERS if name in named}
            more = self._value(module, named["ext"]) if "ext" in named else {}
            is_read = isinstance(more, dict) and all(one.keyword is not None for one in call.args)
            members = {**found, **more} if is_read else UnreadMembers(module.place(call))
        return ErrorReport(status, "CODE", _MESSAGE, members=members)


def _plain(node: cst.BaseExpression) -> Any:
    try:
        return literal(node)
    except Unknown:
        return UNREAD


def _base_call(bound: Bound) -> cst.Call:
    """Return the only `super().__init__(…)` of an `__init__` that sets no members itself; raise Unknown for others."""
    body = bound.node.body if isinstance(bound, Function) else cst.Pass()
    made = [call for call in nodes(body, cst.Call) if code(call.func) == "super().__init__"]
    targets: list[cst.CSTNode] = [one.target for one in nodes(body, cst.AssignTarget)]
    targets += [one.target for one in nodes(body, cst.AnnAssign)]
    if len(made) != 1 or "self.members" in map(dotted, targets):
        raise Unknown
    return made[0]


def _whole_name(module: Module, name: str, found: _Class | None) -> str:
    """Return the name of a class with its module; '' if it is not known."""
    if found is not None:
        return f"{found[0].name}.{found[1].node.name.value}"
    if whole := module.whole_name(name):
        return whole
    kind = getattr(builtins, name, None) if name not in module.bindings else None
    return f"builtins.{name}" if isinstance(kind, type) and issubclass(kind, BaseException) else ""


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
