"""Builds the tree of a file: each value with the text that it was written as."""

from __future__ import annotations

import re
from typing import Any

import yaml

from .layout import Source
from .tree import Entry, Map, Seq

_DASH = re.compile(r"(?:\s|(?<!\S)#[^\n]*|&[^\s#]+)*?(-)(?=\s|\Z)")
_COLON = re.compile(r"\s*:")


def build(source: Source, *, shares: bool) -> Any:
    """Return the root of a file's tree.

    With `shares`, an alias is the same object as its anchor, and merge keys stay; else each use is an object of its
    own.
    """
    return _Builder(source, shares=shares).root()


class _Builder:
    def __init__(self, source: Source, *, shares: bool) -> None:
        self._source = source
        self._shares = shares
        self._built: dict[yaml.Node, Any] = {}
        self._ends: dict[int, int] = {}
        self._found: dict[int, tuple[int, int]] = {}
        """Floor and column of each node where it has its anchor, which comes before its aliases."""

    def root(self) -> Any:
        node = self._source.root
        value = self._value(node, self._source.document.data, 0, -1)
        if isinstance(value, Map | Seq):
            value.offset = 0
        return value

    def _value(self, node: Any, data: Any, floor: int, outer: int) -> Any:
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
        if not value.is_flow:
            value.offset = self._column(node) - max(outer, 0)
        if isinstance(value, Map):
            self._fill_map(value, node, data, floor)
        else:
            self._fill_seq(value, node, data, floor)
        return value

    def _column(self, node: yaml.CollectionNode) -> int:
        """Return the column of a block collection's lines."""
        text = self._source.text
        if text[node.start_mark.index] != "&":
            return int(node.start_mark.column)
        first = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
        return len(self._source.indentation(first.start_mark.index))

    def _fill_map(self, value: Map, node: yaml.MappingNode, data: dict[str, Any], floor: int) -> None:
        column = -1 if value.is_flow else self._column(node)
        bases: list[Map] = []
        begin = self._first(node, floor) if not value.is_flow else node.start_mark.index
        for key, item in node.value:
            colon = _COLON.match(self._source.text, key.end_mark.index)
            inside = colon.end() if colon else key.end_mark.index
            is_merge = not self._source.is_json and key.tag.endswith(":merge")
            is_alias = item.start_mark.index < key.start_mark.index
            at = self._key_begin(node, key)
            if is_merge:
                built: Any = self._merged(item)
                bases += built
            else:
                built = self._value(item, data[key.value], inside, column)
            stop = self._stop(item, inside, is_alias=is_alias)
            end = self._end(stop, column)
            entry = Entry(self._source, key, item, (begin, at, inside, stop, end), column, built, is_alias)
            begin = end
            if is_merge:
                value.merge = entry
            else:
                value[key.value] = built
                value.entries[key.value] = entry
        self._ends[id(node)] = begin
        self._inherit(value, bases, data)
        value.initial = tuple(value.entries.items())

    def _key_begin(self, node: yaml.MappingNode, key: yaml.Node) -> int:
        """Return where a key begins; before a long one, a `?` does."""
        start: int = key.start_mark.index
        if node.flow_style:
            return start
        line = self._source.text[self._source.line_begin(start) : start].rstrip(" ")
        is_long = line.endswith("?") and not line[:-1].strip(" -:?")
        return self._source.line_begin(start) + len(line) - 1 if is_long else start

    def _merged(self, item: yaml.Node) -> list[Any]:
        """Return the objects of a merge key."""
        nodes = item.value if isinstance(item, yaml.SequenceNode) else [item]
        return [self._built.get(node) for node in nodes] if self._shares else []

    def _inherit(self, value: Map, bases: list[Map], data: dict[str, Any]) -> None:
        """Give an object the members of its merge keys."""
        inherited = [key for key in data if key not in value]
        if self._shares:
            value.bases = tuple(bases)
            value.update({key: next(base[key] for base in bases if key in base) for key in inherited})
            return
        written = dict(_written(value.node))
        for key in inherited:
            node, item = written[key]
            value[key] = self._value(item, data[key], node.end_mark.index, -1)

    def _fill_seq(self, value: Seq, node: yaml.SequenceNode, data: list[Any], floor: int) -> None:
        column = -1 if value.is_flow else self._column(node)
        begin = self._first(node, floor) if not value.is_flow else node.start_mark.index
        before = floor
        for item, plain in zip(node.value, data, strict=True):
            at = inside = item.start_mark.index
            if not value.is_flow:
                dash = _DASH.match(self._source.text, before)
                assert dash is not None  # an item of a block list has one
                at, inside = dash.start(1), dash.end(1)
            is_alias = item.start_mark.index < (before if value.is_flow else at)
            built = self._value(item, plain, inside, column)
            stop = self._stop(item, inside, is_alias=is_alias)
            end = self._end(stop, column)
            entry = Entry(self._source, None, item, (begin, at, inside, stop, end), column, built, is_alias)
            value.add(built, entry)
            begin = before = end
        self._ends[id(node)] = begin
        value.initial = tuple(one for one in value.entries if one is not None)

    def _first(self, node: yaml.CollectionNode, floor: int) -> int:
        """Return where the lines of a block collection begin: after the line of its key, its dash or its anchor."""
        first = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
        start: int = min(node.start_mark.index, first.start_mark.index)
        if self._source.line_begin(start) <= floor and self._source.text[start] != "&":
            return start
        return self._source.next_line(floor)

    def _stop(self, item: Any, inside: int, *, is_alias: bool) -> int:
        """Return where a value ends; that of a block collection is the begin of a line."""
        if is_alias:
            return self._source.alias_end(inside)
        if isinstance(item, yaml.ScalarNode):
            return self._source.scalar_end(item)
        is_block = item.value and not item.flow_style
        return self._ends[id(item)] if is_block else int(item.end_mark.index)

    def _end(self, stop: int, column: int) -> int:
        """Return where an entry ends: in block style after its line, and after the comments that belong to it."""
        return stop if column < 0 else self._after_comments(self._source.next_line(stop), column + 1)

    def _after_comments(self, at: int, column: int) -> int:
        """Return the offset after the comments that are indented by at least `column`."""
        text, line = self._source.text, at
        while line < len(text):
            following = self._source.next_line(line + 1) if text[line] != "\n" else line + 1
            content = text[line:following].strip()
            if content.startswith("#") and len(self._source.indentation(line)) >= column:
                at = following
            elif content:
                break
            line = following
        return at


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
