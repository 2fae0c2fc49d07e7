"""The names of the objects that a package gives to its handlers, read from source."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from relay.project.package_source import Sources

from .handler_lookup import Unread, is_plain, resolve


def collaborator_names(sources: Sources) -> frozenset[str] | Unread:
    """Return the names of the package's `collaborators` and of its `scope`; Unread if source does not show them."""
    names: frozenset[str] = frozenset()
    for export in ("collaborators", "scope"):
        found = _given_names(sources, export)
        if isinstance(found, Unread):
            return found
        names |= found
    return names


def _given_names(sources: Sources, export: str) -> frozenset[str] | Unread:
    """Return the names that a function of the package yields or returns."""
    function = resolve(sources, "", export)
    if function is None:
        return frozenset()
    if isinstance(function, Unread):
        return function
    names: set[str] = set()
    yields, returns = (list(_nodes(function.node.body, kind)) for kind in (cst.Yield, cst.Return))
    results = yields or returns
    if not results or not is_plain(sources, function):
        return Unread(function.module, function.node)
    for node in results:
        if not isinstance(node.value, cst.Dict):
            return Unread(function.module, node)
        for element in node.value.elements:
            key = element.key if isinstance(element, cst.DictElement) else None
            if not isinstance(key, cst.SimpleString):
                return Unread(function.module, node)
            names.add(str(key.evaluated_value))
    return frozenset(names)


def _nodes(node: cst.CSTNode, kind: type[cst.Yield | cst.Return]) -> Iterator[cst.Yield | cst.Return]:
    """Yield the `yield` expressions or `return` statements of a function, without those of inner functions."""
    if isinstance(node, kind):
        yield node
    for child in node.children:
        if not isinstance(child, cst.FunctionDef | cst.Lambda | cst.ClassDef):
            yield from _nodes(child, kind)
