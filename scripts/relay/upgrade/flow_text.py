"""Writes values on one line, or in braces and brackets, as JSON is; and scalars in the quotes of the file."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from relay.importer.yaml_text import inline

from .layout import Source, shifted
from .tree import Entry, Map, Seq

_WORD = r"(?:[A-Za-z0-9_./+:-]*[A-Za-z0-9_./+-])?"
_PLAIN = re.compile(rf"[A-Za-z_/]{_WORD}(?: [A-Za-z0-9_/]{_WORD})*|[0-9]+\.[0-9]+\.[0-9]+")
_RESERVED = re.compile(r"true|false|null|yes|no|on|off|y|n", re.IGNORECASE)


class FlowWriter:
    """Writes the values of one file that are in flow style, and finds out what is as it was."""

    def __init__(self, source: Source, *, shares: bool) -> None:
        self._source = source
        self._shares = shares
        self._clean: dict[int, tuple[Any, bool]] = {}

    def is_untouched(self, value: Any, entry: Entry) -> bool:
        """Return True if the text of an entry still is that of its value."""
        if not self._shares and (entry.is_alias or entry.source.has_anchor(entry.value)):
            return False
        if isinstance(value, Map | Seq):
            return value.node is entry.value and (entry.is_alias or self._is_clean(value))
        if isinstance(value, list):  # the objects of a merge key
            return True
        return _same(value, entry.built)

    def _is_clean(self, value: Map | Seq) -> bool:
        if id(value) not in self._clean:
            found = self._is_clean_map(value) if isinstance(value, Map) else self._is_clean_seq(value)
            self._clean[id(value)] = value, found
        return self._clean[id(value)][1]

    def _is_clean_map(self, value: Map) -> bool:
        own = [key for key in value if key in value.entries]
        if value.kept or own != [key for key, _ in value.initial] or len(own) != len(value):
            return False
        return all(
            value.entries[key] is entry and self.is_untouched(value[key], entry)
            for key, entry in value.initial
        )

    def _is_clean_seq(self, value: Seq) -> bool:
        return value.entries == [*value.initial] and all(map(self.is_untouched, value, value.initial))

    def is_written(self, value: Any, entry: Entry) -> bool:
        """Return True if the text of an entry has the value, which may have another key now."""
        is_flow = not isinstance(value, Map | Seq) or value.is_flow
        return is_flow and not entry.is_alias and self.is_untouched(value, entry)

    def written(self, entry: Entry, base: str) -> str:
        """Return the text of an entry's value, without its anchor."""
        source = entry.source
        begin, stop = source.value_begin(entry.value), entry.offsets[3]
        return shifted(source.text[begin:stop], source.indentation(entry.offsets[1]), base)

    def value(self, value: Any, base: str, *, is_multi: bool, like: Entry | None = None) -> str:
        """Return a value; `base` indents its line, `is_multi` says whether the lists around it have several lines."""
        if not isinstance(value, Map | Seq):
            return self.scalar(value, self._quote(like))
        if not value:
            return "{}" if isinstance(value, Map) else "[]"
        if not value.is_flow:
            return self._dumped(value)
        return self._collection(value, base, is_multi=is_multi)

    def _quote(self, like: Entry | None) -> str:
        """Return the quote in which the former value of an entry was written."""
        if like is None or not isinstance(like.value, yaml.ScalarNode) or like.is_alias:
            return ""
        begin = like.source.text[like.value.start_mark.index : like.value.start_mark.index + 1]
        return begin if begin in "'\"" else ""

    def scalar(self, value: Any, quote: str = "") -> str:
        """Return a scalar, in quotes where it needs them, or where `quote` says which."""
        if self._source.is_json or not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        if not quote and _PLAIN.fullmatch(value) and not _RESERVED.fullmatch(value):
            return value
        if (quote or self._source.quote) == "'" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        return inline(value)

    def _dumped(self, value: Map | Seq) -> str:
        """Return a value on one line whose text is in block style."""
        if isinstance(value, Map):
            return (
                "{"
                + ", ".join(f"{self.scalar(key)}: {self._inner(item)}" for key, item in value.items())
                + "}"
            )
        return "[" + ", ".join(map(self._inner, value)) + "]"

    def _inner(self, value: Any) -> str:
        return self._dumped(value) if isinstance(value, Map | Seq) else self.scalar(value)

    def _collection(self, value: Map | Seq, base: str, *, is_multi: bool) -> str:
        gaps = _Gaps(value, self._source, base, is_multi=is_multi and self._source.is_json)
        entries = [value.entries.get(key) for key in value] if isinstance(value, Map) else value.entries
        keys = list(value) if isinstance(value, Map) else [None] * len(value)
        items = value.values() if isinstance(value, Map) else value
        parts = [gaps.opening]
        before: Entry | None = None
        for number, (key, item, entry) in enumerate(zip(keys, items, entries, strict=True)):
            if number:
                parts.append(gaps.between(before, entry))
            parts.append(self._member(key, item, entry, gaps))
            before = entry
        opened, closed = "{}" if isinstance(value, Map) else "[]"
        return opened + "".join(parts) + gaps.closing + closed

    def _member(self, key: str | None, value: Any, entry: Entry | None, gaps: _Gaps) -> str:
        if entry is not None and not entry.is_flow:  # a shared object, which is in block style elsewhere
            entry = None if isinstance(value, Map | Seq) or entry.value.style in ("|", ">") else entry
        name = "" if key is None else self._name(key, entry)
        base = gaps.indentation_of(entry)
        if entry is not None and self.is_untouched(value, entry):
            written = (
                entry.source.text[entry.offsets[2] : entry.offsets[3]].strip()
                if entry.is_alias
                else self.written(entry, base)
            )
        else:
            written = self.value(value, base, is_multi=gaps.is_multi, like=entry)
        return name + written

    def _name(self, key: str, entry: Entry | None) -> str:
        if entry is not None and isinstance(entry.key, yaml.ScalarNode):
            _, at, inside, *_ = entry.offsets
            text = entry.source.text
            colon = text[inside : entry.value.start_mark.index] if not entry.is_alias else " "
            space = colon if colon.strip() == "" and "\n" not in colon else " "
            if entry.key.value == key and entry.is_flow:
                return text[at:inside] + space
        return f"{self.scalar(key)}:{self._source.space}"


class _Gaps:
    """The text between the members of a collection in flow style."""

    def __init__(self, value: Map | Seq, source: Source, base: str, *, is_multi: bool) -> None:
        self._base = self._old = self.indentation = base
        written = [entry for _, entry in value.initial] if isinstance(value, Map) else [*value.initial]
        self._entries = [entry for entry in written if entry.is_flow]
        self._next = dict(zip(self._entries, [*self._entries[1:], None], strict=False))
        self.is_multi = is_multi
        self.opening = f"{source.newline}{base}{source.unit}" if is_multi else ""
        self.closing = f"{source.newline}{base}" if is_multi else ""
        self._separator = "," + (self.opening or source.space)
        if self._entries and value.node is not None and value.source is not None:
            self._take_over(value.node, value.source)
        elif is_multi:
            self.indentation = base + source.unit

    def _take_over(self, node: yaml.Node, source: Source) -> None:
        """Take the blanks and line breaks that the collection has in its file."""
        first, last = self._entries[0], self._entries[-1]
        self._old = source.indentation(node.start_mark.index)
        self.opening = self._moved(source.text[source.value_begin(node) + 1 : first.offsets[1]])
        closing = source.text[last.offsets[4] : node.end_mark.index - 1]
        self.closing = self._moved(re.sub(r"^\s*,", "", closing))
        self.is_multi = "\n" in self.opening
        if self.is_multi:
            own = source.indentation(first.offsets[1])
            self.indentation = self._base + own.removeprefix(self._old)
        second = self._gap(*self._entries[:2]) if len(self._entries) > 1 else "#"
        default = "," + (self.opening if self.is_multi else source.space)
        self._separator = default if "#" in second else second

    def indentation_of(self, entry: Entry | None) -> str:
        """Return the indentation of a member's line; members of one collection may differ in it."""
        if entry is None or entry not in self._next:
            return self.indentation
        own = entry.source.indentation(entry.offsets[1])
        return self._base + own.removeprefix(self._old) if own.startswith(self._old) else self.indentation

    def between(self, before: Entry | None, after: Entry | None) -> str:
        """Return what separates two members: what did, if they are neighbours in the file."""
        if before is None or after is None or self._next.get(before) is not after:
            return self._separator
        return self._gap(before, after)

    def _gap(self, before: Entry, after: Entry) -> str:
        return self._moved(before.source.text[before.offsets[4] : after.offsets[1]])

    def _moved(self, text: str) -> str:
        return shifted(f"{text}.", self._old, self._base)[:-1]  # the last line may have blanks only


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
