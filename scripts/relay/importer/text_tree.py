"""The values of a contract's files, with the text that each was written as.

An import and a step of an upgrade change them as they would change plain data. A value that moves takes its text along:
its comments, its quotes and its layout. ruamel.yaml does not keep those: it writes every collection with one indentation,
flow style on one line and with its own blanks, comments at other columns, and JSON as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .source_text import SourceText

_COMMENT = re.compile(r"(?<!\S)#[^\r\n]*")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Where a member of an object, or an item of a list, is written; an item has no key.

    Offsets of the text: `begin` to `at` are the comments before it, `at` is its key or its dash, its value is
    between `inside` and `stop`, and what follows it begins at `end`. `column` is -1 in flow style.
    """

    source: SourceText
    key: yaml.ScalarNode | None
    value: Any
    begin: int
    at: int
    inside: int
    stop: int
    end: int
    column: int
    built: Any
    is_alias: bool

    @property
    def is_flow(self) -> bool:
        """True if it is written in flow style."""
        return self.column < 0

    @property
    def is_first(self) -> bool:
        """True for the first one of a file; the comments before it are the file's."""
        return self.begin == 0 and self.column == 0

    @property
    def is_block_scalar(self) -> bool:
        """True for a scalar that is written on lines of its own, after `|` or `>`."""
        return isinstance(self.value, yaml.ScalarNode) and self.value.style in ("|", ">")

    def comments(self, *, has_inner: bool = True) -> list[str]:
        """Return all its comments: before it, on its line and, with `has_inner`, in its value."""
        source = self.source
        if source.is_json:
            return []
        begin = self.at if self.is_flow or self.is_first else self.begin
        if not has_inner and not self.is_flow:
            gaps = [(begin, source.line_end(self.inside)), (source.next_line(self.stop), self.end)]
        else:
            scalars = [] if self.is_alias else sorted(_scalars(self.value))
            if self.key is not None:
                scalars.insert(0, (self.key.start_mark.index, self.key.end_mark.index))
            ends = [begin, *(stop for _, stop in scalars)]
            gaps = [*zip(ends, [*(start for start, _ in scalars), self.end], strict=True)]
        return [comment for start, stop in gaps for comment in _COMMENT.findall(source.text[start:stop])]


class Link(NamedTuple):
    """The target of a `$ref`, and where it was written and led to: two files, and a pointer in the second."""

    target: Any
    at: tuple[Path, Path, tuple[str, ...]]


class Node:
    """The base of objects and lists: their origin in a file, None for a new one, and their style."""

    node: yaml.CollectionNode | None = None
    source: SourceText | None = None
    offset: int | None = None
    """How far its lines are indented from those of its parent; None for a new one, and in flow style."""

    is_flow: bool = False


class Map(dict[str, Any], Node):
    """An object."""

    def __init__(
        self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), *, is_flow: bool = False
    ) -> None:
        super().__init__(values)
        self.is_flow = is_flow
        self.entries: dict[str, Entry] = {}
        self.initial: tuple[tuple[str, Entry], ...] = ()
        self.bases: tuple[Map, ...] = ()  # the objects of its merge key, the first of which is preferred
        self.merge: Entry | None = None
        self.kept: dict[str | None, list[str]] = {}
        """Comments of removed members, by the key that follows them now; None is the end."""

        self.link: Link | None = None

    def put(self, key: str, value: Any, entry: Entry | None = None, *, before: str | None = None) -> None:
        """Set a new member before another one, or at the end."""
        after = [] if before is None else list(self)[list(self).index(before) :]
        rest = [(name, self.pop(name)) for name in after]
        self[key] = value
        self.update(rest)
        if entry is not None:
            self.entries[key] = entry

    def take(self, key: str) -> tuple[Any, Entry | None]:
        """Remove a member that moves elsewhere, and return its value and its text."""
        if key in self.kept:  # the comments of removed members that came before it stay
            self._keep(self.kept.pop(key), self.following(key))
        return self.pop(key), self.entries.pop(key, None)

    def move(self, key: str, to: Map, name: str | None = None) -> None:
        """Move a member to the end of another object; nothing if there is none."""
        if key in self:
            to.put(name or key, *self.take(key))

    def keep(self, entry: Entry | None, before: str | None, *, is_empty: bool = False) -> None:
        """Keep the comments of a removed entry before a member; with `is_empty`, not those in its value."""
        self._keep(entry.comments(has_inner=not is_empty) if entry is not None else [], before)

    def _keep(self, comments: list[str], before: str | None) -> None:
        if comments:
            self.kept[before] = [*comments, *self.kept.get(before, [])]

    def rename(self, key: str, name: str) -> None:
        """Give a member another key, at its place."""
        members = [(name if one == key else one, value) for one, value in self.items()]
        self.clear()
        self.update(members)
        if key in self.entries:
            self.entries[name] = self.entries.pop(key)
        if key in self.kept:
            self.kept[name] = self.kept.pop(key)

    def drop(self, key: str, *, is_empty: bool = False) -> None:
        """Remove a member, if there is one; its comments stay, of an emptied one only those around it."""
        if key in self:
            self.keep(self.entries.pop(key, None), self.following(key), is_empty=is_empty)
            self.take(key)

    def gather(self, keys: Iterable[str], name: str, *, at: str | None = None) -> Map | None:
        """Move members into a new object, at the place of one of them, by default the first; None if there are none."""
        found = [key for key in self if key in keys]
        if not found:
            return None
        inner = Map(is_flow=self.is_flow)
        self.put(name, inner, before=at if at in found else found[0])
        for key in found:
            self.move(key, inner)
        return inner

    def objects(self, key: str) -> list[tuple[str, Map]]:
        """Return the objects in the map of names that a member is; none for another value."""
        names = self.get(key)
        return [one for one in names.items() if isinstance(one[1], Map)] if isinstance(names, Map) else []

    def following(self, key: str) -> str | None:
        """Return the key after another one."""
        keys = list(self)
        return next(iter(keys[keys.index(key) + 1 :]), None)


class Seq(list[Any], Node):
    """A list; each item has its text at the same index."""

    def __init__(self, values: Iterable[Any] = (), *, is_flow: bool = False) -> None:
        super().__init__(values)
        self.is_flow = is_flow
        self.entries: list[Entry | None] = [None] * len(self)
        self.initial: tuple[Entry, ...] = ()

    def add(self, value: Any, entry: Entry | None = None) -> None:
        """Add an item at the end."""
        self.append(value)
        self.entries.append(entry)

    def take(self, index: int) -> tuple[Any, Entry | None]:
        """Remove an item and return it with its text."""
        return self.pop(index), self.entries.pop(index)


class New(NamedTuple):
    """Plain data in place of a value of a tree, which has no text yet."""

    data: Any


def _scalars(node: yaml.Node) -> list[tuple[int, int]]:
    """Return where the scalars in a value begin and end; those of aliases are elsewhere and do no harm."""
    found, pending, known = [], [node], {id(node)}
    while pending:
        one = pending.pop()
        if isinstance(one, yaml.ScalarNode):
            found.append((one.start_mark.index, one.end_mark.index))
            continue
        for inner in chain.from_iterable(one.value) if isinstance(one, yaml.MappingNode) else one.value:
            if id(inner) not in known and inner.start_mark.index >= node.start_mark.index:
                known.add(id(inner))
                pending.append(inner)
    return found


def copied(value: Any) -> Any:
    """Return a deep copy of a value, which takes the same text."""
    if isinstance(value, Map):
        new: Any = Map((key, copied(item)) for key, item in value.items())
        new.entries, new.link = dict(value.entries), value.link
        new.kept = {key: [*lines] for key, lines in value.kept.items()}
    elif isinstance(value, Seq):
        new = Seq(map(copied, value))
        new.entries = [*value.entries]
    else:
        return value
    new.node, new.source, new.offset = value.node, value.source, value.offset
    new.is_flow, new.initial = value.is_flow, value.initial
    return new


def plain(value: Any) -> Any:
    """Return a value as plain data."""
    if isinstance(value, Map):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Seq):
        return [plain(item) for item in value]
    return value.data if isinstance(value, New) else value
