"""Writes a tree as text: what no step changed keeps every byte, what moved is indented anew."""

import re
from itertools import chain
from typing import Any

import yaml

from .flow_text import FlowWriter
from .source_text import SourceText, shifted
from .text_tree import Entry, Map, New, Seq
from .yaml_text import block

_NEW = re.compile(r"\A([^\n]*\n)((?:[ \t]*\r?\n)+)")
"""The line of a new key, and the blank lines before the first member of its value, which belong before the key."""


class Writer:
    """Writes the tree of one file; with `shares`, aliases and merge keys stay."""

    def __init__(self, source: SourceText, *, shares: bool) -> None:
        self._source = source
        self._shares = shares
        self._flow = FlowWriter(source, shares=shares)

    def written(self, root: Any) -> bytes:
        """Return the bytes of the file."""
        source = self._source
        if not isinstance(root, Map | Seq) or root.is_flow:
            first, last = source.root.start_mark.index, source.root.end_mark.index
            inner = self._flow.value(root, "", is_multi=False)
        else:  # the first comments and `---` are of the file
            entries = [entry for _, entry in root.initial] if isinstance(root, Map) else [*root.initial]
            first, last = source.line_begin(entries[0].at), entries[-1].end
            inner = self._lines(root, "")
            if last == len(source.text) and not source.text.endswith("\n"):
                inner = inner.removesuffix(source.newline)
        return (source.mark + source.text[:first] + inner + source.text[last:]).encode()

    def _lines(self, value: Map | Seq, base: str) -> str:
        """Return a collection as lines that are indented by `base`."""
        if isinstance(value, Map):
            return "".join(self._members(value, base))
        items = zip(value, value.entries, strict=True)
        return "".join(self._item(item, entry, base) for item, entry in items)

    def _members(self, value: Map, base: str) -> list[str]:
        members, has_merge = self._own(value)
        lines = [self._entry("<<", value.merge.built, value.merge, base)] if has_merge and value.merge else []
        for key, item in members.items():
            lines += self._comments(value.kept.get(key, []), base)
            lines.append(self._entry(key, item, value.entries.get(key), base))
        return lines + self._comments(value.kept.get(None, []), base)

    def _comments(self, comments: list[str], base: str) -> list[str]:
        return [f"{base}{comment}{self._source.newline}" for comment in comments]

    def _own(self, value: Map) -> tuple[dict[str, Any], bool]:
        """Return the members to write, and whether the merge key is written for the others."""
        inherited = dict(chain.from_iterable(base.items() for base in reversed(value.bases)))
        if value.merge is None or not self._shares or not inherited.keys() <= value.keys():
            return value, False
        own = {
            key: item
            for key, item in value.items()
            if key in value.entries or key not in inherited or not _same(item, inherited[key])
        }
        return own, True

    def _entry(self, key: str, value: Any, entry: Entry | None, base: str) -> str:
        if isinstance(value, New):
            return self._new({key: value.data}, entry, base)
        if entry is None or entry.is_flow:
            written = f"{base}{self._flow.scalar(key)}:{self._after(value, entry, base)}"
            return _NEW.sub(r"\2\1", written, count=1)
        lead = self._lead(entry, base)
        is_named = isinstance(entry.key, yaml.ScalarNode) and key in (entry.key.value, "<<")
        if is_named and self._flow.is_untouched(value, entry):
            return lead + self._as_it_was(entry, base)
        name = entry.source.text[entry.at : entry.inside] if is_named else f"{self._flow.scalar(key)}:"
        return lead + base + name + self._after(value, entry, base)

    def _as_it_was(self, entry: Entry, base: str) -> str:
        """Return the lines of an entry, with a line break at the end, which the last one of a file may not have."""
        text = base + shifted(entry.source.text[entry.at : entry.end], " " * entry.column, base)
        return text if text.endswith("\n") else text + self._source.newline

    def _new(self, member: Any, entry: Entry | None, base: str) -> str:
        """Return the lines of an entry with new data, and the comments around its former value."""
        newline = self._source.newline
        lines = block(member, len(base)).replace("\n", newline)
        if entry is None or entry.is_flow:
            return lines
        trailing = self._trailing(entry)
        if (
            trailing and lines.count("\n") > 1
        ):  # at the end of a text of several lines it would be a part of that
            lines = f"{base}{trailing.lstrip()}{newline}{lines}"
        else:
            lines = f"{lines.removesuffix(newline)}{trailing}{newline}"
        return self._lead(entry, base) + lines + self._tail(entry, base)

    def _lead(self, entry: Entry, base: str) -> str:
        """Return the comments before an entry; those before the first entry of the file are the file's."""
        lead = entry.source.text[entry.begin : entry.source.line_begin(entry.at)]
        if entry.is_first or not lead:
            return ""
        return shifted("\n" + lead, " " * entry.column, base)[1:] if lead.strip() else lead

    def _item(self, value: Any, entry: Entry | None, base: str) -> str:
        if isinstance(value, New):
            return self._new([value.data], entry, base)
        if entry is None or entry.is_flow or entry.key is not None:
            return self._dashed(value, base, "- ")
        source, lead = entry.source, self._lead(entry, base)
        if self._flow.is_untouched(value, entry):
            return lead + self._as_it_was(entry, base)
        is_block = isinstance(value, Map | Seq) and not value.is_flow
        if is_block and value.node is entry.value:
            begin = source.value_begin(value.node)
            if source.line_begin(begin) < entry.at and not entry.is_alias:
                dash = source.text[entry.at : begin]
                return lead + self._dashed(value, base, dash) + self._tail(entry, base)
        elif is_block and value:
            return lead + self._dashed(value, base, "- ")
        return lead + base + "-" + self._after(value, entry, base)

    def _dashed(self, value: Any, base: str, dash: str) -> str:
        """Return an item whose value begins on the line of its dash."""
        if not (isinstance(value, Map | Seq) and value and not value.is_flow):
            return f"{base}{dash}{self._flow.value(value, base, is_multi=False)}{self._source.newline}"
        inner = base + " " * len(dash)
        return base + dash + self._lines(value, inner).lstrip("\r\n")[len(inner) :]

    def _after(self, value: Any, entry: Entry | None, base: str) -> str:
        """Return what follows the colon of a key, or a dash: a value with its lines, and the comments after it."""
        newline, trailing, tail = self._source.newline, self._trailing(entry), self._tail(entry, base)
        if isinstance(value, Map | Seq) and value and not value.is_flow:
            offset = self._source.item_offset if isinstance(value, Seq) else len(self._source.unit)
            offset = offset if value.offset is None else value.offset
            is_same = entry is not None and not entry.is_flow and value.node is entry.value
            anchor = f" {self._anchor(entry)}".rstrip() if is_same else ""
            return f"{anchor}{trailing}{newline}{self._lines(value, base + ' ' * offset)}{tail}"
        if entry is not None and self._flow.is_written(value, entry):
            written = self._flow.written(entry, base)
        else:
            written = self._flow.value(value, base, is_multi=False, like=entry)
        anchor = self._anchor(entry) if entry is not None and getattr(value, "node", 0) is entry.value else ""
        kept = value.kept.get(None, []) if isinstance(value, Map) and not value else []
        lines = "".join(self._comments(kept, base + self._source.unit))
        return f"{_blanks(entry)}{anchor}{written}{trailing}{newline}{lines}{tail}"

    def _anchor(self, entry: Entry | None) -> str:
        if entry is None or entry.is_alias or not self._shares:
            return ""
        source, node = entry.source, entry.value
        anchor = source.text[node.start_mark.index : source.value_begin(node)].strip()
        return anchor + " " * source.has_anchor(node)

    def _trailing(self, entry: Entry | None) -> str:
        """Return the comment on the line of an entry's key, or after its value, with the blanks before it."""
        if entry is None or entry.is_flow:
            return ""
        source, stop = entry.source, entry.stop
        if not entry.is_alias and isinstance(entry.value, yaml.CollectionNode):
            if entry.value.value and not entry.value.flow_style:
                has_anchor = source.has_anchor(entry.value)
                stop = source.anchor_end(entry.value) if has_anchor else entry.inside
        elif source.line_begin(stop) > source.line_begin(entry.inside) and entry.is_block_scalar:
            return ""
        rest = source.text[stop : source.line_end(stop)]
        return rest if rest.lstrip().startswith("#") else ""

    def _tail(self, entry: Entry | None, base: str) -> str:
        """Return the comments on the lines after an entry that belong to it."""
        if entry is None or entry.is_flow:
            return ""
        text = entry.source.text[entry.source.next_line(entry.stop) : entry.end]
        return shifted("\n" + text, " " * entry.column, base)[1:]


def _blanks(entry: Entry | None) -> str:
    """Return the blanks between a key and its value on one line, which may align values."""
    if entry is None or entry.is_flow or entry.is_alias or entry.key is None:
        return " "
    found = entry.source.text[entry.inside : entry.value.start_mark.index]
    return found if found and not found.strip(" ") else " "


def _same(one: Any, other: Any) -> bool:
    return one is other or (not isinstance(one, Map | Seq) and type(one) is type(other) and one == other)
