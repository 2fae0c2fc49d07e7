"""Read from source which statuses the errors have that handlers raise, and compare them with those that are documented.

Read are errors that are raised by the name of a class: of the package, mapped in its `errors`, or HTTPException of Starlette
and ProblemException of Connexion.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any

import libcst as cst

from relay.contract.diagnostics import Diagnostic, Severity
from relay.project.module_source import Assigned, Defined, Function, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted

from .handler_lookup import Handlers, lookup, meaning

_STATUS_ARGUMENTS = {
    "starlette.exceptions.HTTPException": "status_code",
    "connexion.exceptions.ProblemException": "status",
}
"""The argument with the status of exceptions that the server answers by themselves."""


def undocumented_errors(handlers: Handlers) -> Iterator[Diagnostic]:
    """Yield each `raise` of a handler whose status, below 500, the contract does not document."""
    errors = _Errors(handlers.sources)
    for operation in handlers.contract.operations:
        handler = handlers.of(operation)
        if not isinstance(handler, Function):
            continue
        for node in _raises(handler.node.body):
            status = errors.status(handler.module, node.exc)
            if status is not None and 400 <= status < 500 and operation.response(status) is None:
                message = (
                    f"{_name(node.exc)} has status {status}, which {operation} does not document; the server "
                    f"responds 500 instead: document {status}, or raise a documented error"
                )
                documented = handlers.contract.place((*operation.pointer, "responses"))
                place = handler.module.place(node)
                yield Diagnostic(place, message, "undocumented-error", Severity.ERROR, documented)


@dataclass(frozen=True, slots=True)
class _Class:
    """A class by its whole name; its definition, if it is the package's."""

    name: str
    module: Module | None = None
    node: cst.ClassDef | None = None


class _Errors:
    """The statuses of the exception classes of a package, and of those that its `errors` maps."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._mapped = dict(self._exported())

    def status(self, module: Module, raised: cst.BaseExpression | None) -> int | None:
        """Return the status of a raised expression; None if it has none, or source does not show it."""
        name = _name(raised)
        argument = _STATUS_ARGUMENTS.get(module.whole_name(name))
        if argument is not None:
            return _http_status(module, raised, argument) if isinstance(raised, cst.Call) else None
        kinds = [*self._kinds(module, name, ())]
        declared = (status for kind in kinds for status in _declared(kind))
        mapped = filter(None, (self._mapped.get(one.name) for one in kinds))
        return next(chain(declared, mapped), None)

    def _exported(self) -> Iterator[tuple[str, int | None]]:
        """Yield the name of each exception class in `errors`, and the status of its error."""
        match lookup(self._sources, "", "errors"):
            case module, Assigned(cst.Dict() as mapping):
                for element in mapping.elements:
                    if isinstance(element, cst.DictElement):
                        kind = next(self._kinds(module, dotted(element.key), ()), None)
                        if kind is not None:
                            yield kind.name, self._mapped_status(module, element.value)

    def _mapped_status(self, module: Module, value: cst.BaseExpression) -> int | None:
        match value:
            case cst.Tuple(elements=[first, *_]):
                return _number(module, first.value)
        kinds = self._kinds(module, dotted(value), ())
        return next((status for kind in kinds for status in _declared(kind)), None)

    def _kinds(self, module: Module, name: str, seen: tuple[_Class, ...]) -> Iterator[_Class]:
        """Yield the class that a module uses a name for, then its bases."""
        whole = module.whole_name(name)
        match meaning(self._sources, module, name):
            case found, Defined(node):
                one = _Class(f"{found.name}.{node.name.value}", found, node)
                if one not in seen:
                    yield one
                    for base in node.bases:
                        yield from self._kinds(found, dotted(base.value), (*seen, one))
            case _ if whole:
                yield _Class(whole)
            case _ if isinstance(kind := getattr(builtins, name, None), type) and name not in module.bindings:
                yield from (_Class(one.__name__) for one in kind.__mro__)


def _declared(kind: _Class) -> Iterator[int | None]:
    """Yield the status that the body of a class binds; None for one that source does not show."""
    if kind.module is not None and kind.node is not None:
        for name, bound in kind.module.bound_in(kind.node.body.body):
            if name == "status":
                yield _number(kind.module, bound.value) if isinstance(bound, Assigned) else None


def _http_status(module: Module, call: cst.Call, argument: str) -> int | None:
    named = {one.keyword.value: one.value for one in call.args if one.keyword is not None}
    if argument == "status_code" and call.args and call.args[0].keyword is None:
        named[argument] = call.args[0].value
    return _number(module, named[argument]) if argument in named else None


def _number(module: Module, node: cst.BaseExpression, seen: tuple[str, ...] = ()) -> int | None:
    """Return the status that an expression is: a number, a name of HTTPStatus, or a constant of its module."""
    match node:
        case cst.Integer():
            return int(node.evaluated_value)
        case cst.Attribute(value=holder, attr=cst.Name(value=name)) if dotted(holder).endswith("HTTPStatus"):
            return HTTPStatus.__members__.get(name)
        case cst.Name(value=name) if name.isupper() and name not in seen:  # others may be local
            bound = module.bindings.get(name)
            return _number(module, bound.value, (*seen, name)) if isinstance(bound, Assigned) else None
    return None


def _name(raised: cst.BaseExpression | None) -> str:
    """Return the dotted name of a raised class; '' for any other expression."""
    called = raised.func if isinstance(raised, cst.Call) else raised
    return dotted(called) if called is not None else ""


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
