"""Drops read-only properties from requests: clients often send back what they got, changed in one place.

OpenAPI 3.0.3 says that such properties SHOULD NOT be sent. The validator accepts any value for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from relay.contract.model import Schema

from .schema_graph import Choice, Graph, Node
from .schemas import SchemaCompiler
from .validators import Accepts

Drop = Callable[[Any], None]
"""Takes a valid value, and removes its read-only properties."""


class ReadOnly:
    """Finds what to drop for the schemas of one contract."""

    def __init__(self, compiler: SchemaCompiler) -> None:
        self._compiler = compiler
        self._graph = Graph(compiler, "read-only", self._hidden, self._verdict)

    def of(self, schema: Schema) -> Drop | None:
        """Return the function for the values of a schema; None if it has no read-only properties, or they are refused."""
        if self._compiler.strictness.read_only:
            return None
        root = self._graph.of(schema)
        return None if root is None else lambda value: _drop(root, value)

    def _hidden(self, schema: Schema) -> Mapping[str, Any]:
        is_hidden = self._compiler.translator.is_hidden
        properties = schema.get("properties", {})
        return {name: part for name, part in properties.items() if is_hidden(part, "request")}

    def _verdict(self, branch: Schema) -> Accepts:
        validator = self._compiler.compile(branch, "request", ())

        def accepts(value: Any) -> bool:
            try:
                return validator is not None and validator.accepts(value)
            except ValueError:  # a file of a form
                return False

        return accepts


def _drop(root: Node, value: Any) -> None:
    """Remove the read-only properties; all are found before the first is removed, since they may decide a choice."""
    found: list[tuple[dict[str, Any], str]] = []
    visited: set[tuple[int, int]] = set()
    pending = [(root, value)]
    while pending:
        node, value = pending.pop()
        if (key := (id(node), id(value))) in visited:
            continue
        visited.add(key)
        if isinstance(value, dict):
            found += [(value, name) for name in node.own if name in value]
        pending += node.within(value)
        pending += [(part, value) for part in node.parts]
        pending += [(branch, value) for choice in node.choices for branch in _meant(choice, value)]
    for owner, name in found:
        owner.pop(name, None)


def _meant(choice: Choice, value: Any) -> Iterable[Node]:
    """Return the branches that apply to a value, as the validator decides it."""
    if (named := choice.named(value)) is not None:
        return [named]
    return [node for node in choice.branches if node.leads and choice.verdicts[id(node)](value)]
