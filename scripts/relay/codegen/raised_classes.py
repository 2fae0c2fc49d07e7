"""Find exception classes of a package by name, and what they declare."""

from __future__ import annotations

import builtins
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from relay.project.module_source import Assigned, Bound, Defined, Imported, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted
from relay.server.errors import ErrorReport

from .handler_lookup import below, lookup
from .static_evaluation import Unknown, evaluate_literal

if TYPE_CHECKING:
    import libcst as cst


def package_class(sources: Sources, module: Module, name: str) -> tuple[Module, Defined] | None:
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


def class_report(sources: Sources, module: Module, found: Defined) -> ErrorReport | None:
    """Return the report of an exception class; None if it has no error status (400 to 599)."""
    values = {}
    for name in ("status", "code", "message"):
        try:
            values[name] = _literal(_attribute(sources, module, found, name))
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


def _attribute(sources: Sources, module: Module, found: Defined, name: str) -> cst.BaseExpression:
    """Return the value of a class attribute, own or inherited; raise Unknown if no class sets it."""
    binding = class_binding(sources, module, found, name)
    if binding is None or not isinstance(binding[1], Assigned):
        raise Unknown
    return binding[1].value


def class_binding(
    sources: Sources, module: Module, found: Defined, name: str, seen: tuple[cst.ClassDef, ...] = ()
) -> tuple[Module, Bound] | None:
    """Return what a name of a class is bound to, and the module of the class that binds it; None if none does."""
    bound = dict(module.bound_in(found.node.body.body)).get(name)
    if bound is not None:
        return module, bound
    for base in found.node.bases:
        above = package_class(sources, module, dotted(base.value))
        if above is not None and above[1].node not in seen:
            inherited = class_binding(sources, *above, name, (*seen, found.node))
            if inherited is not None:
                return inherited
    return None
