"""Writes values on one line, or in braces and brackets, as JSON is; and scalars in the quotes of the file."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from .source_text import SourceText, shifted
from .text_tree import Entry, Map, New, Seq
from .yaml_text import inline

_WORD = r"(?:[A-Za-z0-9_./+:-]*[A-Za-z0-9_./+-])?"
_PLAIN = re.compile(rf"[A-Za-z_/]{_WORD}(?: [A-Za-z0-9_/]{_WORD})*|[0-9]+\.[0-9]+\.[0-9]+")
_RESERVED = re.compile(r"true|false|null|yes|no|on|off|y|n", re.IGNORECASE)


class FlowWriter:
    """Writes the values of one file that are in flow style, and finds out what is as it was."""

    def __init__(self, source: SourceText, *, shares: bool) -> None:
        self._source = source
        self._shares = shares
        self._clean: dict[int, tuple[Any, bool]] = {}

    def is_untouched(self, value: Any, entry: Entry) -> bool:
        """Return True if the text of an entry still is that of its value."""
        if not self._shares and (entry.is_alias or entry.source.has_anchor(entry.value)):
            return False
        if isinstance(value, Map | Seq):
            return value.node is entry.value and (entry.is_alias or self._is_clean(value))
        is_merged = isinstance(value, list)  # the objects of a merge key
        return is_merged or (type(value) is type(entry.built) and bool(value == entry.built))

    def _is_clean(self, value: Map | Seq) -> bool:
        if id(value) not in self._clean:
            if isinstance(value, Map):
                own = [(key, value.entries[key]) for key in value if key in value.entries]
                is_same = not value.kept and own == [*value.initial] and len(own) == len(value)
                inner = [(value[key], entry) for key, entry in own]
            else:
                is_same = value.entries == [*value.initial]
                inner = [*zip(value, value.initial, strict=is_same)]
            is_clean = is_same and all(self.is_untouched(*one) for one in inner)
            self._clean[id(value)] = value, is_clean
        return self._clean[id(value)][1]

    def is_written(self, value: Any, entry: Entry) -> bool:
        """Return True if the text of an entry has the value, which may have another key now."""
        is_flow = not isinstance(value, Map | Seq) or value.is_flow
        return is_flow and not entry.is_alias and self.is_untouched(value, entry)

    def written(self, entry: Entry, base: str) -> str:
        """Return the text of an entry's value, without its anchor."""
        source = entry.source
        text = source.text[source.value_begin(entry.value) : entry.stop]
        return shifted(text, source.indentation(entry.at), base)

    def value(self, value: Any, base: str, *, is_multi: bool, like: Entry | None = None) -> str:
        """Return a value; `base` indents its line, `is_multi` says whether the lists around it have several lines."""
        if isinstance(value, New):
            return inline(value.data, 0 if is_multi else None).replace("\n", self._source.newline + base)
        if not isinstance(value, Map | Seq):
            return self.scalar(value, _quote(like))
        if not value:
            return "{}" if isinstance(value, Map) else "[]"
        return self._collection(value, base, is_multi=is_multi and value.is_flow)

    def scalar(self, value: Any, quote: str = "") -> str:
        """Return a scalar, in quotes where it needs them, or where `quote` says which."""
        if self._source.is_json or not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        if not quote and _PLAIN.fullmatch(value) and not _RESERVED.fullmatch(value):
            return value
        if (quote or self._source.quote) == "'" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        return inline(value)

    def _collection(self, value: Map | Seq, base: str, *, is_multi: bool) -> str:
        gaps = _Gaps(value, self._source, base, is_multi=is_multi and self._source.is_json)
        members: list[tuple[str | None, Any, Entry | None]]
        if isinstance(value, Map):
            members = [(key, item, value.entries.get(key)) for key, item in value.items()]
        else:
            members = [(None, item, entry) for item, entry in zip(value, value.entries, strict=True)]
        parts = [gaps.opening]
        for number, (key, item, entry) in enumerate(members):
            if number:
                parts.append(gaps.between(members[number - 1][2], entry))
            parts.append(self._member(key, item, entry, gaps))
        opened, closed = "{}" if isinstance(value, Map) else "[]"
        return opened + "".join(parts) + gaps.closing + closed

    def _member(self, key: str | None, value: Any, entry: Entry | None, gaps: _Gaps) -> str:
        if (
            entry is not None and not entry.is_flow
        ):  # its text is in block style, and may have commas and brackets
            entry = None
        name = "" if key is None else self._name(key, entry)
        base = gaps.indentation_of(entry)
        if entry is None or not self.is_untouched(value, entry):
            return name + self.value(value, base, is_multi=gaps.is_multi, like=entry)
        if entry.is_alias:
            return name + entry.source.text[entry.inside : entry.stop].strip()
        return name + self.written(entry, base)

    def _name(self, key: str, entry: Entry | None) -> str:
        if entry is not None and isinstance(entry.key, yaml.ScalarNode) and entry.key.value == key:
            text = entry.source.text
            colon = " " if entry.is_alias else text[entry.inside : entry.value.start_mark.index]
            is_blank = not colon.strip() and "\n" not in colon
            return text[entry.at : entry.inside] + (colon if is_blank else " ")
        return f"{self.scalar(key)}:{self._source.space}"


def _quote(like: Entry | None) -> str:
    """Return the quote in which the former value of an entry was written."""
    if like is None or not isinstance(like.value, yaml.ScalarNode) or like.is_alias:
        return ""
    begin = like.source.text[like.value.start_mark.index : like.value.start_mark.index + 1]
    return begin if begin in "'\"" else ""


class _Gaps:
    """The text between the members of a collection in flow style."""

    def __init__(self, value: Map | Seq, source: SourceText, base: str, *, is_multi: bool) -> None:
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

    def _take_over(self, node: yaml.Node, source: SourceText) -> None:
        """Take the blanks and line breaks that the collection has in its file."""
        first, last = self._entries[0], self._entries[-1]
        self._old = source.indentation(node.start_mark.index)
        self.opening = self._moved(source.text[source.value_begin(node) + 1 : first.at])
        self.closing = self._moved(re.sub(r"^\s*,", "", source.text[last.end : node.end_mark.index - 1]))
        self.is_multi = "\n" in self.opening
        if self.is_multi:
            self.indentation = self._base + source.indentation(first.at).removeprefix(self._old)
        self._separator = "," + (self.opening if self.is_multi else source.space)
        if len(self._entries) > 1 and "#" not in (second := self._gap(*self._entries[:2])):
            self._separator = second

    def indentation_of(self, entry: Entry | None) -> str:
        """Return the indentation of a member's line; members of one collection may differ in it."""
        own = entry.source.indentation(entry.at) if entry is not None and entry in self._next else None
        if own is None or not own.startswith(self._old):
            return self.indentation
        return self._base + own.removeprefix(self._old)

    def between(self, before: Entry | None, after: Entry | None) -> str:
        """Return what separates two members: what did, if they are neighbours in the file."""
        if before is None or after is None or self._next.get(before) is not after:
            return self._separator
        return self._gap(before, after)

    def _gap(self, before: Entry, after: Entry) -> str:
        return self._moved(before.source.text[before.end : after.at])

    def _moved(self, text: str) -> str:
        return shifted(f"{text}.", self._old, self._base)[:-1]  # the last line may have blanks only
