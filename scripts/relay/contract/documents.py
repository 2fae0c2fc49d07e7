"""Reads YAML and JSON files strictly and keeps the location of every value.

OpenAPI 3.0 requires YAML 1.2's core schema (specification, "Format"): a date stays a string, `no` stays a
string, and keys are strings. Templates are not rendered.
"""

from __future__ import annotations

import codecs
import math
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .diagnostics import Diagnostic, SetupError, SourceLocation

MAX_NODES = 2_000_000
"""Maximum number of values a file may expand to; nested aliases can exceed any file size."""

MAX_DEPTH = 100
"""Maximum nesting of values; the code that reads a document may recurse."""

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


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels; move parts into components and use $ref"
_COLLECTIONS = frozenset(["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"])


class Document:
    """One file: its bytes, its YAML nodes, its plain data, and the location of each value."""

    def __init__(self, path: Path, source: bytes, root: yaml.Node, data: Any) -> None:
        self.path = path
        self.source = source
        self.data = data
        self.root = root

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the location of the value at `pointer`, or of its nearest existing parent."""
        node = self.root
        mark = node.start_mark
        for token in pointer:
            child = _child(node, token)
            if child is None:
                break
            mark, node = child
        return _place(self.path, mark)


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


def parse_document(path: Path) -> tuple[Document, list[Diagnostic]]:
    """Read one YAML or JSON file; return the document and its errors.

    The first of two duplicate keys is used; a value that JSON cannot represent is None. Raises SetupError if
    the file cannot be read or is not YAML.
    """
    try:
        source = path.read_bytes()
    except OSError as exc:
        raise SetupError(
            [Diagnostic(display(path), f"cannot be read: {exc.strerror}", "unreadable")]
        ) from exc
    return parse_source(path, source)


def parse_source(path: Path, source: bytes) -> tuple[Document, list[Diagnostic]]:
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
        builder = _Builder(path)
        return Document(path, source, root, builder.build(root)), builder.problems
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = _place(path, mark) if mark else display(path)
        reason = exc.problem or exc.context or "parse error"
        raise SetupError([Diagnostic(place, f"is not YAML: {reason}", "yaml")]) from exc
    except yaml.YAMLError as exc:
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
    level = 0
    for event in yaml.parse(source, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
            if level > MAX_DEPTH:
                assert event.start_mark is not None  # libyaml sets it on every event
                raise SetupError([Diagnostic(_place(path, event.start_mark), _TOO_DEEP, "yaml")])
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1


class _Built(NamedTuple):
    """A value, the number of values it expands to, and its depth."""

    data: Any
    nodes: int = 1
    levels: int = 0


class _Builder:
    """Converts YAML nodes to plain data; an alias is built once and shared."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Diagnostic] = []
        self._path = path
        self._built: dict[yaml.Node, _Built] = {}
        self._building: set[yaml.Node] = set()

    def build(self, root: yaml.Node) -> Any:
        built = self._value(root)
        if built.nodes > MAX_NODES:
            self._problem(root, f"expands to more than {MAX_NODES:,} values through its aliases")
        return built.data

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
            self._problem(node, f"the tag {node.tag} is not allowed; a contract is plain data")
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
                        merged = {**source, **merged}
                    else:
                        self._problem(item, "'<<' needs a mapping or a list of mappings")
            elif key.value in mapping:
                first = keys[key.value].start_mark.line + 1
                self._problem(
                    key, f"duplicate key '{key.value}', first in line {first}; keep one", "duplicate-key"
                )
            else:
                mapping[key.value] = value
                keys[key.value] = key
        return _collection({**merged, **mapping} if merged else mapping, values)

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
                case "int":
                    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
                case "float" if math.isfinite(number := float(text.lstrip("+"))):
                    return number
        except ValueError:
            pass
        if kind in ("int", "float"):
            self._problem(node, "JSON cannot represent this number; quote it if it is a string")
        else:
            self._problem(node, f"the tag {node.tag} is not allowed; a contract is plain data")
        return None


def _collection(data: Any, values: list[_Built]) -> _Built:
    """Return a built collection with the size and depth of its values."""
    nodes = 1 + sum(built.nodes for built in values)
    return _Built(data, nodes, 1 + max((built.levels for built in values), default=0))


def _child(node: yaml.Node, token: str) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == token:
                return key.start_mark, value
    elif isinstance(node, yaml.SequenceNode) and token.isdecimal() and int(token) < len(node.value):
        item = node.value[int(token)]
        return item.start_mark, item
    return None
