"""Builds the tree of a file: each value with the text that it was written as."""

import re
from typing import Any

import yaml

from .source_text import SourceText, first_node
from .text_tree import Entry, Map, Seq

_DASH = re.compile(r"(?:\s|(?<!\S)#[^\n]*|&[^\s#]+)*?(-)(?=\s|\Z)")
_COLON = re.compile(r"\s*:")


def build(source: SourceText, *, shares: bool) -> Any:
    """Return the root of a file's tree; with `shares`, aliases are one object, and merge keys stay."""
    value = _Builder(source, shares=shares).value(source.root, source.document.data, 0, -1)
    if isinstance(value, Map | Seq):
        value.offset = 0
    return value


class _Builder:
    def __init__(self, source: SourceText, *, shares: bool) -> None:
        self._source = source
        self._text = source.text
        self._shares = shares
        self._built: dict[yaml.Node, Any] = {}
        self._ends: dict[int, int] = {}
        self._found: dict[int, tuple[int, int]] = {}
        """Floor and column of each node where it has its anchor, which comes before its aliases."""

    def value(self, node: Any, data: Any, floor: int, outer: int) -> Any:
        """Return the value of a node; `floor` is where the text before it ends, `outer` its parent's column."""
        if isinstance(node, yaml.ScalarNode):
            return data
        if self._shares and node in self._built:
            return self._built[node]
        floor, outer = self._found.setdefault(id(node), (floor, outer))
        value: Map | Seq = Map() if isinstance(node, yaml.MappingNode) else Seq()
        self._built[node] = value
        value.node, value.source = node, self._source
        value.is_flow = bool(node.flow_style) or not node.value
        column, begin = -1, node.start_mark.index
        if not value.is_flow:
            column, begin = self._source.column(node), self._first(node, floor)
            value.offset = column - max(outer, 0)
        fill: Any = self._fill_map if isinstance(value, Map) else self._fill_seq
        self._ends[id(node)] = fill(value, node, data, column, begin, floor)
        return value

    def _fill_map(
        self, value: Map, node: yaml.MappingNode, data: dict[str, Any], column: int, begin: int, _floor: int
    ) -> int:
        """Add the members of an object, and return where it ends."""
        bases: list[Map] = []
        for key, item in node.value:
            colon = _COLON.match(self._text, key.end_mark.index)
            inside = colon.end() if colon else key.end_mark.index
            is_merge = not self._source.is_json and key.tag.endswith(":merge")
            if is_merge:
                nodes = item.value if isinstance(item, yaml.SequenceNode) else [item]
                built: Any = [self._built.get(node) for node in nodes] if self._shares else []
            else:
                built = self.value(item, data[key.value], inside, column)
            is_alias = item.start_mark.index < key.start_mark.index
            at = self._key_begin(node, key)
            ends = self._ends_of(item, inside, column, is_alias=is_alias)
            entry = Entry(self._source, key, item, begin, at, inside, *ends, column, built, is_alias)
            begin = entry.end
            if is_merge:
                bases += built
                value.merge = entry
            else:
                value[key.value] = built
                value.entries[key.value] = entry
        self._inherit(value, bases, data)
        value.initial = tuple(value.entries.items())
        return begin

    def _key_begin(self, node: yaml.MappingNode, key: yaml.Node) -> int:
        """Return where a key begins; before a long one, a `?` does."""
        start: int = key.start_mark.index
        line = self._text[self._source.line_begin(start) : start].rstrip(" ")
        is_long = not node.flow_style and line.endswith("?") and not line[:-1].strip(" -:?")
        return self._source.line_begin(start) + len(line) - 1 if is_long else start

    def _inherit(self, value: Map, bases: list[Map], data: dict[str, Any]) -> None:
        """Give an object the members of its merge keys."""
        inherited = [key for key in data if key not in value]
        if self._shares:
            value.bases = tuple(bases)
            value.update({key: next(base[key] for base in bases if key in base) for key in inherited})
            return
        written = dict(_written(value.node)) if inherited else {}
        for key in inherited:
            node, item = written[key]
            value[key] = self.value(item, data[key], node.end_mark.index, -1)

    def _fill_seq(
        self, value: Seq, node: yaml.SequenceNode, data: list[Any], column: int, begin: int, floor: int
    ) -> int:
        """Add the items of a list, and return where it ends."""
        before = floor
        for item, plain in zip(node.value, data, strict=True):
            at = inside = item.start_mark.index
            if not value.is_flow:
                dash = _DASH.match(self._text, before)
                assert dash is not None  # an item of a block list has one
                at, inside = dash.start(1), dash.end(1)
            is_alias = item.start_mark.index < (before if value.is_flow else at)
            built = self.value(item, plain, inside, column)
            ends = self._ends_of(item, inside, column, is_alias=is_alias)
            entry = Entry(self._source, None, item, begin, at, inside, *ends, column, built, is_alias)
            value.add(built, entry)
            begin = before = entry.end
        value.initial = tuple(one for one in value.entries if one is not None)
        return begin

    def _first(self, node: yaml.CollectionNode, floor: int) -> int:
        """Return where the lines of a block collection begin: after the line of its key, its dash or its anchor."""
        start: int = min(node.start_mark.index, first_node(node).start_mark.index)
        if self._source.line_begin(start) <= floor and self._text[start] != "&":
            return start
        return self._source.next_line(floor)

    def _ends_of(self, item: Any, inside: int, column: int, *, is_alias: bool) -> tuple[int, int]:
        """Return where a value and its entry end; a block collection ends at the begin of a line."""
        if is_alias:
            stop = self._source.alias_end(inside)
        elif isinstance(item, yaml.ScalarNode):
            stop = self._source.scalar_end(item)
        else:
            stop = self._ends[id(item)] if item.value and not item.flow_style else int(item.end_mark.index)
        return stop, stop if column < 0 else self._source.after_comments(
            self._source.next_line(stop), column + 1
        )


def _written(node: Any) -> list[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    """Return the members of an object, those of its merge keys first; of two with one key, the last counts."""
    merged: list[tuple[str, tuple[yaml.Node, yaml.Node]]] = []
    own = []
    for key, item in node.value:
        if key.tag.endswith(":merge"):
            sources = item.value if isinstance(item, yaml.SequenceNode) else [item]
            merged = [*(member for source in reversed(sources) for member in _written(source)), *merged]
        else:
            own.append((key.value, (key, item)))
    return [*merged, *own]
