"""The names of the objects that a package gives to its handlers, read from source."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from relay.project.package_source import Sources

from .handler_lookup import Unread, is_plain, resolve


def collaborator_names(sources: Sources) -> frozenset[str] | None:
    """Return the names of the package's `collaborators` and of its `scope`; None if source does not show them."""
    names: set[str] = set()
    for export in ("collaborators", "scope"):
        function = resolve(sources, "", export)
        if function is None:
            continue
        if isinstance(function, Unread) or not is_plain(sources, function):
            return None
        body = function.node.body
        results = [*_nodes(body, cst.Yield)] or [*_nodes(body, cst.Return)]
        values = [one.value for one in results]
        keys = [
            element.key if isinstance(element, cst.DictElement) else None
            for value in values
            for element in (value.elements if isinstance(value, cst.Dict) else [None])
        ]
        texts = [str(key.evaluated_value) for key in keys if isinstance(key, cst.SimpleString)]
        if not results or len(texts) < len(keys):
            return None
        names |= {*texts}
    return frozenset(names)


def _nodes(node: cst.CSTNode, kind: type[cst.Yield | cst.Return]) -> Iterator[cst.Yield | cst.Return]:
    """Yield the `yield` expressions or `return` statements of a function, without those of inner functions."""
    if isinstance(node, kind):
        yield node
    for child in node.children:
        if not isinstance(child, cst.FunctionDef | cst.Lambda | cst.ClassDef):
            yield from _nodes(child, kind)
