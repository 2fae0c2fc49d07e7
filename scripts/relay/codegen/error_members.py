"""Read from source which members an error adds to its body: those of its class, or those of one `raise`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Never

import libcst as cst

from relay.contract.diagnostics import SourceLocation
from relay.project.module_source import Assigned, Defined, Function, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted, nodes

from .raised_classes import class_binding, package_class
from .static_evaluation import UNREAD, Unknown, evaluate_literal

_COPIES = frozenset(["dict", "MappingProxyType", "types.MappingProxyType"])
_PROBLEM_MEMBERS = ("type", "title", "instance")
"""The arguments of Connexion's ProblemException that become members; `ext` has others."""


_DEPTH = 20
"""Steps from a name to another; source may refer to itself."""


class UnreadMembers(Mapping[str, Any]):
    """Members whose names source does not show; reading them raises Unknown."""

    def __init__(self, place: SourceLocation) -> None:
        self.place = place

    def __getitem__(self, _name: str) -> Never:
        raise Unknown

    def __iter__(self) -> Iterator[str]:
        raise Unknown

    def __len__(self) -> int:
        raise Unknown

    def __repr__(self) -> str:
        return f"<unread at {self.place}>"


def class_members(sources: Sources, module: Module, found: Defined) -> Mapping[str, Any]:
    """Return the members of an error that is raised by the name of its class; those of a call are `raised_members`."""
    return raised_members(sources, module, (module, found), found.node.name)


def raised_members(
    sources: Sources, module: Module, kind: tuple[Module, Defined], raised: cst.BaseExpression
) -> Mapping[str, Any]:
    """Return the members of an error of a class that a module raises; a value that source does not show is UNREAD.

    They are UnreadMembers if source does not show their names.
    """
    try:
        return _Members(sources, module, kind).of(raised)
    except Unknown:
        return UnreadMembers(module.place(raised))


def problem_members(sources: Sources, module: Module, call: cst.Call) -> Mapping[str, Any]:
    """Return the members of a ProblemException of Connexion; UnreadMembers if source does not show their names."""
    reader = _Members(sources, module, None)
    named = {one.keyword.value: one.value for one in call.args if one.keyword is not None}
    found = {name: reader.value(named[name]) for name in _PROBLEM_MEMBERS if name in named}
    if any(one.keyword is None for one in call.args):
        return UnreadMembers(module.place(call))
    try:
        return {**found, **(reader.mapping(named["ext"]) if "ext" in named else {})}
    except Unknown:
        return UnreadMembers(module.place(call))


class _Members:
    """Reads expressions in the source of a module; `kind` is the class of an error."""

    def __init__(
        self, sources: Sources, module: Module, kind: tuple[Module, Defined] | None, depth: int = 0
    ) -> None:
        self._sources = sources
        self._module = module
        self._kind = kind
        self._depth = depth

    def _in(self, module: Module, kind: tuple[Module, Defined] | None) -> _Members:
        if self._depth == _DEPTH:
            raise Unknown
        return _Members(self._sources, module, kind, self._depth + 1)

    def of(self, raised: cst.BaseExpression) -> dict[str, Any]:
        """Return the members of an error of the class: the argument of a call or of its `__init__`, or its attribute."""
        made = self._class_binding("__init__")
        if made is not None:
            return self._made(*made)
        return self.argument(raised) if isinstance(raised, cst.Call) else self.declared()

    def _made(self, module: Module, bound: Any) -> dict[str, Any]:
        """Return the members that the `__init__` of the class passes to that of ApiError."""
        if not isinstance(bound, Function):
            raise Unknown
        body = bound.node.body
        made = [call for call in nodes(body, cst.Call) if _is_base_call(call)]
        targets = [
            *(one.target for one in nodes(body, cst.AssignTarget)),
            *(one.target for one in nodes(body, cst.AnnAssign)),
        ]
        if len(made) != 1 or "self.members" in map(dotted, targets):
            raise Unknown
        return self._in(module, self._kind).argument(made[0])

    def argument(self, call: cst.Call) -> dict[str, Any]:
        """Return the members that a call passes, else those of the class."""
        for one in call.args:
            if one.star == "**":
                raise Unknown
            if one.keyword is not None and one.keyword.value == "members":
                return self.declared() if dotted(one.value) == "None" else self.mapping(one.value)
        return self.declared()

    def declared(self) -> dict[str, Any]:
        """Return the members that the class declares or inherits."""
        found = self._class_binding("members")
        if found is None:
            return {}
        module, bound = found
        if not isinstance(bound, Assigned):
            raise Unknown
        return self._in(module, None).mapping(bound.value)

    def _class_binding(self, name: str) -> Any:
        return class_binding(self._sources, *self._kind, name) if self._kind is not None else None

    def mapping(self, node: cst.BaseExpression) -> dict[str, Any]:
        """Return a mapping of text; raise Unknown if its keys are not known."""
        match node:
            case cst.Dict():
                return {key: value for one in node.elements for key, value in self._element(one).items()}
            case cst.BinaryOperation(operator=cst.BitOr()):
                return {**self.mapping(node.left), **self.mapping(node.right)}
            case cst.Call() if dotted(node.func) in _COPIES:
                return {key: value for one in node.args for key, value in self._copied(one).items()}
            case cst.Attribute(value=holder, attr=cst.Name(value="members")):
                return self._of_class(holder)
            case cst.Name(value=name) if isinstance(bound := self._module.bindings.get(name), Assigned):
                if name.isupper():  # others may be local
                    return self._in(self._module, self._kind).mapping(bound.value)
        raise Unknown

    def _element(self, element: cst.BaseDictElement) -> dict[str, Any]:
        if not isinstance(element, cst.DictElement):
            return self.mapping(element.value)
        key = self.value(element.key)
        if not isinstance(key, str):
            raise Unknown
        return {key: self.value(element.value)}

    def _copied(self, argument: cst.Arg) -> dict[str, Any]:
        if argument.keyword is not None:
            return {argument.keyword.value: self.value(argument.value)}
        return self.mapping(argument.value)

    def _of_class(self, holder: cst.BaseExpression) -> dict[str, Any]:
        name = dotted(holder)
        if name in ("self", "cls"):
            return self.declared()
        if self._module.whole_name(name) == "relay.ApiError":
            return {}
        found = package_class(self._sources, self._module, name) if name else None
        if found is None:
            raise Unknown
        return self._in(found[0], found).declared()

    def value(self, node: cst.BaseExpression) -> Any:
        """Return the value of an expression; UNREAD if source does not show it."""
        try:
            return self.mapping(node) if isinstance(node, cst.Dict) else self._plain(node)
        except Unknown:
            return UNREAD

    def _plain(self, node: cst.BaseExpression) -> Any:
        bound = self._module.bindings.get(name := dotted(node))
        return evaluate_literal(bound.value if isinstance(bound, Assigned) and name.isupper() else node)


def _is_base_call(call: cst.Call) -> bool:
    """Return True for `super().__init__(…)`."""
    match call.func:
        case cst.Attribute(value=cst.Call(func=cst.Name(value="super")), attr=cst.Name(value="__init__")):
            return True
    return False
