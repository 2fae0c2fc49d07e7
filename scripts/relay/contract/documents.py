"""Reads YAML and JSON files strictly and keeps the location of every value.

OpenAPI 3.0 requires YAML 1.2's core schema (specification, "Format"): a date stays a string, `no` stays a
string, and keys are strings. Templates are not rendered.
"""

from __future__ import annotations

import codecs
import errno
import math
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from . import limits
from .diagnostics import Diagnostic, SetupError, SourceLocation
from .limits import MAX_BYTES, MAX_DEPTH, MAX_DIGITS

Pointer = tuple[str, ...]
"""A JSON pointer (RFC 6901), split and unescaped."""


def address_message(text: str) -> str | None:
    """Say that a contract's path is an address, and what to do; None for a path."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is None:
        return None
    return "this is an address, and contracts are read from files: download it first; `relay import` reads documentation pages"


class _Loader(yaml.CSafeLoader):
    """libyaml's parser with YAML 1.2's rules for which plain scalars are not strings."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 -- PyYAML's own class attribute


for _tag, _pattern, _first in [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
]:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


_TOO_MANY = f"has more than {limits.MAX_VALUES:,} values up to here; split it, or write it shorter"
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels; move parts into components and use $ref"
_COLLECTIONS = frozenset(["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"])


class Document:
    """One file: its bytes, its YAML nodes, its plain data, and the location of each value."""

    def __init__(self, path: Path, source: bytes, root: yaml.Node, built: _Built) -> None:
        self.path = path
        self.source = source
        self.data = built.data
        self.size = built.nodes
        self.root = root
        self._name = display(path)
        self._children: dict[yaml.Node, dict[str, tuple[yaml.Mark, yaml.Node]]] = {}

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the location of the value at `pointer`, or of its nearest existing parent."""
        node = self.root
        mark = node.start_mark
        for token in pointer:
            child = self._child(node, token)
            if child is None:
                break
            mark, node = child
        return SourceLocation(self._name, mark.line + 1, mark.column + 1)

    def _child(self, node: yaml.Node, token: str) -> tuple[yaml.Mark, yaml.Node] | None:
        """Return a child of a node and its mark; the keys of a mapping are indexed when it is first asked."""
        if isinstance(node, yaml.MappingNode):
            if node not in self._children:
                self._children[node] = {
                    key.value: (key.start_mark, value)
                    for key, value in reversed(node.value)
                    if isinstance(key, yaml.ScalarNode)
                }
            return self._children[node].get(token)
        if isinstance(node, yaml.SequenceNode) and len(token) < 10 and token.isdecimal():
            index = int(token)
            return (node.value[index].start_mark, node.value[index]) if index < len(node.value) else None
        return None


def _place(path: Path, mark: Any) -> SourceLocation:
    """Convert a mark of PyYAML or libyaml to a location."""
    return SourceLocation(display(path), mark.line + 1, mark.column + 1)


def display(path: Path) -> str:
    """Return a path for messages: relative to the working directory if that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def read_document(path: Path) -> Document:
    """Read one YAML or JSON file.

    Raises SetupError if the file cannot be read, is not YAML, or contains a duplicate key, a tag, or a value
    that JSON cannot represent.
    """
    document, problems = parse_document(path)
    if problems:
        raise SetupError(problems)
    return document


def parse_document(path: Path, *, quotes: bool = True) -> tuple[Document, list[Diagnostic]]:
    """Read one YAML or JSON file; return the document and its errors, which quote the file only if `quotes`.

    The first of two duplicate keys is used; a value that JSON cannot represent is None. Raises SetupError if
    the file cannot be read or is not YAML.
    """
    try:
        source = _read(path)
    except OSError as exc:
        raise SetupError(
            [Diagnostic(display(path), f"cannot be read: {exc.strerror}", "unreadable")]
        ) from exc
    except ValueError as exc:  # NUL, or what has no bytes in UTF-8
        raise SetupError([Diagnostic(repr(str(path)), "is not the name of a file", "unreadable")]) from exc
    return parse_source(path, source, quotes=quotes)


def _read(path: Path) -> bytes:
    """Return the content of a regular file; a device or a pipe may never end. Raises OSError and ValueError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        source = file.read(MAX_BYTES + 1)
    if len(source) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_BYTES >> 20} MiB")
    return source


def parse_source(path: Path, source: bytes, *, quotes: bool = True) -> tuple[Document, list[Diagnostic]]:
    """Parse the bytes of a file, existing or planned, as `parse_document` does."""
    try:
        _check_depth(path, source)
        loader = _Loader(source)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        if root is None:
            raise SetupError([Diagnostic(display(path), "is empty", "yaml")])
        builder = _Builder(path, quotes=quotes)
        return Document(path, source, root, builder.build(root)), builder.problems
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = _place(path, mark) if mark else display(path)
        reason = exc.problem or exc.context or "parse error"
        raise SetupError([Diagnostic(place, f"is not YAML: {reason}", "yaml")]) from exc
    except (yaml.YAMLError, UnicodeError) as exc:
        raise SetupError([Diagnostic(display(path), "is not YAML in UTF-8", "yaml")]) from exc


def _check_depth(path: Path, source: bytes) -> None:
    """Raise SetupError if values are nested too deeply: libyaml would crash the process.

    libyaml scans ahead of its events, and newer versions stop at a depth of their own. What stands before an
    error is checked first, so that the message and the place are the same with every version.
    """
    try:
        _check_levels(path, source)
    except yaml.MarkedYAMLError as exc:
        if exc.problem_mark is not None:
            with suppress(yaml.YAMLError):
                _check_levels(path, _text(source)[: exc.problem_mark.index])
        raise


def _text(source: bytes) -> str:
    """Return the characters that libyaml counts in a file."""
    is_utf_16 = source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return source.decode("utf-16" if is_utf_16 else "utf-8-sig", "replace")


def _check_levels(path: Path, source: bytes | str) -> None:
    """Raise SetupError for too many levels, or for too many values, before any is built."""
    values = 0
    levels: list[int] = []  # 0 in a list; in a mapping, 1 before a key and 2 before a value
    for event in yaml.parse(source, Loader=_Loader):
        if isinstance(event, yaml.NodeEvent):
            values += not levels or levels[-1] != 1
            if levels and levels[-1]:
                levels[-1] = 3 - levels[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            levels.append(int(isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
        if len(levels) > MAX_DEPTH or values > limits.MAX_VALUES:
            assert event.start_mark is not None  # libyaml sets it on every event
            message = _TOO_DEEP if len(levels) > MAX_DEPTH else _TOO_MANY
            raise SetupError([Diagnostic(_place(path, event.start_mark), message, "yaml")])


class _Built(NamedTuple):
    """A value, the number of values it expands to, and its depth."""

    data: Any
    nodes: int = 1
    levels: int = 0


class _Builder:
    """Converts YAML nodes to plain data; an alias is built once and shared."""

    def __init__(self, path: Path, *, quotes: bool) -> None:
        self.problems: list[Diagnostic] = []
        self._path = path
        self._quotes = quotes
        self._merged = 0
        self._built: dict[yaml.Node, _Built] = {}
        self._building: set[yaml.Node] = set()

    def build(self, root: yaml.Node) -> _Built:
        """Return the value of the root. Raises SetupError if it has too many values to be read further."""
        built = self._value(root)
        most = limits.expanded(len(self._built))
        if built.nodes > most:
            message = (
                f"expands through its aliases to more than {most:,} values; split it, or write it shorter"
            )
            self._problem(root, message)
            raise SetupError(self.problems)
        return built

    def _problem(self, node: yaml.Node, message: str, rule: str = "yaml") -> None:
        self.problems.append(Diagnostic(_place(self._path, node.start_mark), message, rule))

    def _value(self, node: yaml.Node) -> _Built:
        if node in self._building:
            self._problem(node, "the alias contains itself; write the value out")
            return _Built(None)
        known = self._built.get(node)
        if known is None:
            self._building.add(node)
            known = self._built[node] = self._new(node)
            self._building.discard(node)
        elif len(self._building) + known.levels > MAX_DEPTH:
            self._problem(node, _TOO_DEEP)
            return _Built(None)
        return known

    def _new(self, node: yaml.Node) -> _Built:
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
            self._tag(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            values = [self._value(item) for item in node.value]
            return _collection([built.data for built in values], values)
        return _Built(self._scalar(node))

    def _mapping(self, node: yaml.MappingNode) -> _Built:
        mapping: dict[str, Any] = {}
        keys: dict[str, yaml.Node] = {}
        merged: dict[str, Any] = {}
        values: list[_Built] = []
        for key, item in node.value:
            built = self._value(item)
            values.append(built)
            value = built.data
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, "a key must be a scalar")
            elif key.tag.endswith(":merge"):
                for source in value if isinstance(value, list) else [value]:
                    if isinstance(source, dict):
                        self._count_merged(item, len(source) + len(merged))
                        merged = {**source, **merged}
                    else:
                        self._problem(item, "'<<' needs a mapping or a list of mappings")
            elif key.value in mapping:
                first = keys[key.value].start_mark.line + 1
                which = f" '{key.value}'" if self._quotes else ""
                self._problem(key, f"duplicate key{which}, first in line {first}; keep one", "duplicate-key")
            else:
                mapping[key.value] = value
                keys[key.value] = key
        return _collection({**merged, **mapping} if merged else mapping, values)

    def _count_merged(self, node: yaml.Node, entries: int) -> None:
        """Count the entries that merge keys copy. Raises SetupError for too many."""
        self._merged += entries
        if self._merged > limits.MAX_VALUES:
            message = f"its merge keys copy more than {limits.MAX_VALUES:,} values; write fewer of them"
            raise SetupError([Diagnostic(_place(self._path, node.start_mark), message, "yaml")])

    def _tag(self, node: yaml.Node) -> None:
        which = f"the tag {node.tag}" if self._quotes else "a tag"
        self._problem(node, f"{which} is not allowed; a contract is plain data")

    def _scalar(self, node: yaml.Node) -> Any:
        text: str = node.value
        kind = node.tag.rpartition(":")[2] if node.tag.startswith("tag:yaml.org,2002:") else node.tag
        try:
            match kind:
                case "str" | "merge":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int" | "float":
                    return _integer(text) if kind == "int" else _float(text)
        except ValueError as exc:
            reason = str(exc) if exc.args[0] == _TOO_LONG else "JSON cannot represent this number"
            self._problem(node, f"{reason}; quote it if it is a string")
            return None
        self._tag(node)
        return None


_TOO_LONG = f"an integer has at most {MAX_DIGITS} digits"


def _integer(text: str) -> int:
    """Parse an integer. Raises ValueError for one that is too long or no integer."""
    if len(text.lstrip("+-")) > MAX_DIGITS:
        raise ValueError(_TOO_LONG)
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _float(text: str) -> float:
    """Parse a number. Raises ValueError for infinity, NaN, and a number that would become 0."""
    number = float(text.lstrip("+"))
    if not math.isfinite(number) or (number == 0 and re.match(r"[-+]?[0.]*[1-9]", text)):
        raise ValueError(text)
    return number


def _collection(data: Any, values: list[_Built]) -> _Built:
    """Return a built collection with the size and depth of its values."""
    nodes = 1 + sum(built.nodes for built in values)
    return _Built(data, nodes, 1 + max((built.levels for built in values), default=0))
