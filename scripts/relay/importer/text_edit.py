"""Edit the text of a YAML or JSON file to contain new data; unchanged values keep every byte.

Comments, quotes, line breaks and the order of keys are not in the data, so the file is never dumped as
a whole: each change inserts, replaces or removes text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Document, parse_source

from .prose import same
from .source_text import SourceText, first_node
from .yaml_text import block, inline


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def rewrite(document: Document, wanted: Any) -> bytes:
    """Return the document's source, edited so that it contains `wanted`.

    Raises SetupError if the edited text would not read back as `wanted`, as with shared aliases.
    """
    written = _Editor(document).edited(wanted).encode()
    try:
        again, problems = parse_source(document.path, written)
    except SetupError as exc:
        raise _cannot_edit(document) from exc
    if problems or not same(again.data, wanted):
        raise _cannot_edit(document)
    return written


def _cannot_edit(document: Document) -> SetupError:
    message = "cannot be edited in place: write out the values of its aliases, merge keys and tags"
    return SetupError([Diagnostic(document.place(()), message)])


class _Editor:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._source = SourceText(document)
        self._text = self._source.text

    def edited(self, new: Any) -> str:
        edits = self._value(self._source.root, self._document.data, new)
        if edits is None:
            raise _cannot_edit(self._document)
        parts, done = [self._source.mark], 0
        for edit in sorted(edits, key=lambda edit: edit[:2]):  # stable: deeper edits come first
            parts += [self._text[done : edit.start], edit.text.replace("\n", self._source.newline)]
            done = edit.end
        return "".join([*parts, self._text[done:]])

    def _value(self, node: yaml.Node, old: Any, new: Any) -> list[_Edit] | None:
        """Return the edits inside a value; None if the whole value must be replaced."""
        if same(old, new):
            return []
        if isinstance(node, yaml.MappingNode) and node.value and isinstance(new, dict) and new:
            return self._mapping(node, old, new)
        if isinstance(node, yaml.SequenceNode) and node.value and isinstance(new, list):
            return self._sequence(node, old, new)
        return None

    def _mapping(
        self, node: yaml.MappingNode, old: dict[str, Any], new: dict[str, Any]
    ) -> list[_Edit] | None:
        """Return the edits of a mapping; a new key is inserted after its predecessor in `new`."""
        entries = {key.value: (key, value) for key, value in node.value}
        last = previous = node.value[-1][0].value
        edits: list[_Edit] = []
        added: dict[str, dict[str, Any]] = {}
        for name, value in new.items():
            if name not in old:
                added.setdefault(previous, {})[name] = value
                continue
            if name in entries:
                edits += self._entry(node, *entries[name], old[name], value)
                previous = name
            elif not same(old[name], value):  # the key comes from a merge key
                return None
        for name in old.keys() - new.keys():
            if name not in entries or node.flow_style or not self._begins_line(entries[name][0]):
                return None
            key, value = entries[name]
            start = key.start_mark.index - key.start_mark.column
            edits.append(_Edit(start, self._source.next_line(self._end(value, key)), ""))
        for name, values in added.items():
            key, value = entries[name]
            edits.append(self._insert_after(node, self._end(value, key), values, last=name == last))
        return edits

    def _entry(
        self, owner: yaml.CollectionNode, key: yaml.Node, value: yaml.Node, old: Any, new: Any
    ) -> list[_Edit]:
        edits = [] if same(old, new) else None if _is_alias(value, key) else self._value(value, old, new)
        if edits is not None:
            return edits
        if owner.flow_style:
            written = inline(new, _indent(owner, key))
            return [_Edit(value.start_mark.index, value.end_mark.index, written)]
        column = self._source.column(owner)  # the column of the key, or of the `?` before a long key
        written = block({key.value: new}, column).removesuffix("\n").lstrip(" ")
        start = key.start_mark.index - key.start_mark.column + column
        return [_Edit(start, self._end(value, key), written)]

    def _sequence(self, node: yaml.SequenceNode, old: list[Any], new: list[Any]) -> list[_Edit] | None:
        if len(new) < len(old):
            return None
        found = [self._value(*item) for item in zip(node.value, old, new, strict=False)]
        if None in found:
            return None
        edits = [edit for inside in found for edit in inside or []]
        if added := new[len(old) :]:
            edits.append(self._insert_after(node, self._end(node.value[-1], node), added, last=True))
        return edits

    def _insert_after(self, owner: yaml.CollectionNode, end: int, added: Any, *, last: bool) -> _Edit:
        """Return the edit that inserts entries into a collection after the entry that ends at `end`."""
        if owner.flow_style:
            indent = _indent(owner, first_node(owner))
            written = inline(added, None if indent is None else indent - 2)[1:-1].rstrip()
            return _Edit(end, end, "," + (" " if indent is None else "") + written)
        column = self._source.column(owner)
        at = self._source.next_line(end)
        if last:
            at = self._source.after_comments(at, column + isinstance(owner, yaml.SequenceNode))
        written = block(added, column)
        if at == len(self._text) and not self._text.endswith("\n"):
            written = "\n" + written.removesuffix("\n")
        return _Edit(at, at, written)

    def _end(self, node: yaml.Node, after: yaml.Node | None = None) -> int:
        """Return where a value that follows `after` ends, without the comments and blank lines after it."""
        if after is not None and _is_alias(node, after):
            return self._source.line_end(after.end_mark.index)
        if isinstance(node, yaml.ScalarNode):
            return self._source.scalar_end(node)
        if not isinstance(node, yaml.CollectionNode) or node.flow_style:
            return int(node.end_mark.index)
        before, value = node.value[-1] if isinstance(node, yaml.MappingNode) else (node, node.value[-1])
        return self._end(value, before)

    def _begins_line(self, node: yaml.Node) -> bool:
        start = node.start_mark.index
        return not self._text[start - node.start_mark.column : start].strip()


def _is_alias(value: yaml.Node, after: yaml.Node) -> bool:
    """Return True for an alias: its node starts before the key or item that it follows."""
    return bool(value.start_mark.index < after.start_mark.index)


def _indent(owner: yaml.CollectionNode, first: yaml.Node) -> int | None:
    """Return the indentation of a flow collection's lines; None if it is on one line."""
    return first.start_mark.column if owner.start_mark.line != owner.end_mark.line else None
