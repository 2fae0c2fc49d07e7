"""Writes a tree as text: what no step changed keeps every byte, what moved is indented anew."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import yaml

from .flow_text import FlowWriter
from .layout import Source, shifted
from .tree import Entry, Map, Seq

_NEW = re.compile(r"\A([^\n]*\n)((?:[ \t]*\r?\n)+)")
"""The line of a new key, and the blank lines before the first member of its value, which belong before the key."""


class Writer:
    """Writes the tree of one file; with `shares`, aliases and merge keys stay."""

    def __init__(self, source: Source, *, shares: bool) -> None:
        self._source = source
        self._shares = shares
        self._flow = FlowWriter(source, shares=shares)

    def written(self, root: Any) -> bytes:
        """Return the bytes of the file."""
        source = self._source
        if not isinstance(root, Map | Seq) or root.is_flow:
            start, end = source.root.start_mark.index, source.root.end_mark.index
            text = source.text[:start] + self._flow.value(root, "", is_multi=False) + source.text[end:]
            return (source.mark + text).encode()
        first, last = self._limits(root)
        text = source.text[:first] + self._lines(root, "") + source.text[last:]
        if not source.text.endswith("\n"):
            text = text.removesuffix(source.newline)
        return (source.mark + text).encode()

    def _limits(self, root: Map | Seq) -> tuple[int, int]:
        """Return where the entries of the root begin and end; the first comments and `---` are of the file."""
        entries = [entry for _, entry in root.initial] if isinstance(root, Map) else [*root.initial]
        return self._source.line_begin(entries[0].offsets[1]), entries[-1].offsets[4]

    def _lines(self, value: Map | Seq, base: str) -> str:
        """Return a collection as lines that are indented by `base`."""
        return self._map(value, base) if isinstance(value, Map) else self._seq(value, base)

    def _map(self, value: Map, base: str) -> str:
        members, merges = self._own(value)
        lines = [self._entry("<<", value.merge.built, value.merge, base)] if merges and value.merge else []
        for key, item in members.items():
            lines += self._comments(value.kept.get(key, []), base)
            lines.append(self._entry(key, item, value.entries.get(key), base))
        lines += self._comments(value.kept.get(None, []), base)
        return "".join(lines)

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
        if entry is None or entry.is_flow:
            written = f"{base}{self._flow.scalar(key)}:{self._after(value, entry, base)}"
            return _NEW.sub(r"\2\1", written, count=1)
        source = entry.source
        _begin, at, inside, _, end = entry.offsets
        old = " " * entry.column
        lead = self._lead(entry, base)
        is_named = isinstance(entry.key, yaml.ScalarNode) and (key in (entry.key.value, "<<"))
        if is_named and self._flow.is_untouched(value, entry):
            return lead + base + self._ended(shifted(source.text[at:end], old, base))
        name = source.text[at:inside] if is_named else f"{self._flow.scalar(key)}:"
        return lead + base + name + self._after(value, entry, base)

    def _lead(self, entry: Entry, base: str) -> str:
        """Return the comments before an entry; those before the first entry of the file are the file's."""
        _source, (begin, *_) = entry.source, entry.offsets
        lead = entry.lead
        if (begin == 0 and entry.column == 0) or not lead:
            return ""
        return shifted("\n" + lead, " " * entry.column, base)[1:] if lead.strip() else lead

    def _seq(self, value: Seq, base: str) -> str:
        return "".join(
            self._item(item, entry, base) for item, entry in zip(value, value.entries, strict=True)
        )

    def _item(self, value: Any, entry: Entry | None, base: str) -> str:
        if entry is None or entry.is_flow or entry.key is not None:
            return self._dashed(value, base, "- ")
        source = entry.source
        _, at, inside, _, end = entry.offsets
        lead = self._lead(entry, base)
        if self._flow.is_untouched(value, entry):
            return lead + base + self._ended(shifted(source.text[at:end], " " * entry.column, base))
        node = getattr(value, "node", None)
        begin = source.value_begin(node) if node is not None and node is entry.value else inside
        is_inline = isinstance(value, Map | Seq) and not value.is_flow and source.line_begin(begin) < at
        if is_inline and node is entry.value and not entry.is_alias:
            return lead + self._dashed(value, base, source.text[at:begin]) + self._tail(entry, base)
        if isinstance(value, Map | Seq) and not value.is_flow and value and node is not entry.value:
            return lead + self._dashed(value, base, "- ")
        return lead + base + "-" + self._after(value, entry, base)

    def _dashed(self, value: Any, base: str, dash: str) -> str:
        """Return an item whose value begins on the line of its dash."""
        if not (isinstance(value, Map | Seq) and value and not value.is_flow):
            return f"{base}{dash}{self._flow.value(value, base, is_multi=False)}{self._source.newline}"
        inner = base + " " * len(dash)
        lines = self._lines(value, inner).lstrip("\r\n")
        return base + dash + lines[len(inner) :]

    def _after(self, value: Any, entry: Entry | None, base: str) -> str:
        """Return what follows the colon of a key, or a dash: a value with its lines, and the comments after it."""
        newline = self._source.newline
        if isinstance(value, Map | Seq) and value and not value.is_flow:
            lines = self._lines(value, base + " " * self._offset(value))
            return f"{self._header(value, entry)}{newline}{lines}{self._tail(entry, base)}"
        if entry is not None and self._flow.is_written(value, entry):
            written = self._flow.written(entry, base)
        else:
            written = self._flow.value(value, base, is_multi=False, like=entry)
        anchor = self._anchor(entry) if entry is not None and getattr(value, "node", 0) is entry.value else ""
        blanks = self._blanks(entry)
        kept = value.kept.get(None, []) if isinstance(value, Map) and not value else []
        lines = "".join(self._comments(kept, base + self._source.unit))
        return f"{blanks}{anchor}{written}{self._trailing(entry)}{newline}{lines}{self._tail(entry, base)}"

    def _blanks(self, entry: Entry | None) -> str:
        """Return the blanks between a key and its value on one line, which may align values."""
        if entry is None or entry.is_flow or entry.is_alias or entry.key is None:
            return " "
        found = entry.source.text[entry.offsets[2] : entry.value.start_mark.index]
        return found if found and not found.strip(" ") else " "

    def _offset(self, value: Map | Seq) -> int:
        if value.offset is not None:
            return value.offset
        return self._source.item_offset if isinstance(value, Seq) else len(self._source.unit)

    def _anchor(self, entry: Entry) -> str:
        source, start = entry.source, entry.value.start_mark.index
        if not self._shares or entry.is_alias:
            return ""
        return source.text[start : source.value_begin(entry.value)].strip() + " " * source.has_anchor(
            entry.value
        )

    def _header(self, value: Map | Seq, entry: Entry | None) -> str:
        """Return what is on the line of a key whose value is on the next lines: an anchor, a comment."""
        if entry is None or entry.is_flow:
            return ""
        is_same = value.node is entry.value and not entry.is_alias
        anchor = f" {self._anchor(entry)}".rstrip() if is_same else ""
        return anchor + self._trailing(entry)

    def _trailing(self, entry: Entry | None) -> str:
        """Return the comment on the line of an entry's key, or after its value, with the blanks before it."""
        if entry is None or entry.is_flow:
            return ""
        source, (_, _, inside, stop, _) = entry.source, entry.offsets
        if not entry.is_alias and isinstance(entry.value, yaml.CollectionNode):
            has_lines = bool(entry.value.value) and not entry.value.flow_style
            stop = inside if has_lines else stop
            if has_lines and source.has_anchor(entry.value):
                stop = source.anchor_end(entry.value)
        elif source.line_begin(stop) > source.line_begin(inside) and entry.value.style in ("|", ">"):
            return ""
        rest = source.text[stop : source.line_end(stop)]
        return rest if rest.lstrip().startswith("#") else ""

    def _tail(self, entry: Entry | None, base: str) -> str:
        """Return the comments on the lines after an entry that belong to it."""
        if entry is None or entry.is_flow:
            return ""
        *_, stop, end = entry.offsets
        begin = entry.source.next_line(stop)
        return shifted("\n" + entry.source.text[begin:end], " " * entry.column, base)[1:]

    def _ended(self, text: str) -> str:
        """Return lines with a line break at their end, which the last line of a file may not have."""
        return text if text.endswith("\n") else text + self._source.newline


def _same(one: Any, other: Any) -> bool:
    return one is other or (not isinstance(one, Map | Seq) and type(one) is type(other) and one == other)
