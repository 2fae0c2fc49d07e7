"""YAML and JSON files read strictly, with the place of every value.

YAML 1.2's core schema is what OpenAPI 3.0 asks for (specification, "Format"): a date stays a
string, `no` stays a string, and keys are strings. Nothing is ever rendered as a template.
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
"""How many values a file may expand to; aliases of aliases grow past any file size."""

MAX_DEPTH = 100
"""How deep values may be nested; whatever reads a document after it was built may recurse."""

Pointer = tuple[str, ...]
"""A JSON pointer (RFC 6901), split and unescaped."""


def address_message(text: str) -> str | None:
    """Say that a contract's path is an address, and what to do; None for a path."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is None:
        return None
    return f"{text} is an address, and contracts are read from files: download it first; `relay import` reads documentation pages"


class _Loader(yaml.CSafeLoader):
    """libyaml's parser with YAML 1.2's idea of which plain words are not strings."""

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


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels; name parts of it and refer to them"
_COLLECTIONS = frozenset(["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"])


class Document:
    """One file: its bytes, its nodes, its plain data, and the place of each value by JSON pointer."""

    def __init__(self, path: Path, source: bytes, root: yaml.Node, data: Any) -> None:
        self.path = path
        self.source = source
        self.data = data
        self.root = root

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return where the value at `pointer` stands, or its nearest parent that exists."""
        node = self.root
        mark = node.start_mark
        for token in pointer:
            child = _child(node, token)
            if child is None:
                break
            mark, node = child
        return _place(self.path, mark)


def _place(path: Path, mark: Any) -> SourceLocation:
    """Return a mark of either parser's as a place."""
    return SourceLocation(display(path), mark.line + 1, mark.column + 1)


def display(path: Path) -> str:
    """Return a path as a person would type it here: relative where that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def read_document(path: Path) -> Document:
    """Read one YAML or JSON file.

    Raises SetupError for a file that cannot be read, is not YAML, holds a key twice, a tag, or a
    value that JSON does not have.
    """
    document, problems = parse_document(path)
    if problems:
        raise SetupError(problems)
    return document


def parse_document(path: Path) -> tuple[Document, list[Diagnostic]]:
    """Read one YAML or JSON file as far as it goes: what it holds, and what of it is wrong.

    The first of two equal keys counts, and what no JSON has is None. Raises SetupError for a file
    that cannot be read or is not YAML at all.
    """
    try:
        source = path.read_bytes()
    except OSError as exc:
        raise SetupError(
            [Diagnostic(display(path), f"cannot be read: {exc.strerror}", "unreadable")]
        ) from exc
    return parse_source(path, source)


def parse_source(path: Path, source: bytes) -> tuple[Document, list[Diagnostic]]:
    """Read what stands in a file, or is to stand there, as `parse_document` does."""
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
        reason = exc.problem or exc.context or "it cannot be parsed"
        raise SetupError([Diagnostic(place, f"is not YAML: {reason}", "yaml")]) from exc
    except yaml.YAMLError as exc:
        raise SetupError([Diagnostic(display(path), "is not YAML in UTF-8", "yaml")]) from exc


def _check_depth(path: Path, source: bytes) -> None:
    """Raise SetupError where values are nested too deeply: libyaml would take the whole process with it.

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
                assert event.start_mark is not None  # the parser knows where it is
                raise SetupError([Diagnostic(_place(path, event.start_mark), _TOO_DEEP, "yaml")])
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1


class _Built(NamedTuple):
    """A value, how many values it expands to, and how many levels there are in it."""

    data: Any
    nodes: int = 1
    levels: int = 0


class _Builder:
    """Nodes → plain data; an alias is built once and shared."""

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
            self._problem(node, "an alias that contains itself; write the value out")
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
            return _around([built.data for built in values], values)
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
                self._problem(key, "a key must be a plain word")
            elif key.tag.endswith(":merge"):
                for source in value if isinstance(value, list) else [value]:
                    if isinstance(source, dict):
                        merged = {**source, **merged}
                    else:
                        self._problem(item, "'<<' takes a mapping, or a list of mappings")
            elif key.value in mapping:
                first = keys[key.value].start_mark.line + 1
                self._problem(
                    key, f"the key '{key.value}' stands in line {first}, too; keep one", "duplicate-key"
                )
            else:
                mapping[key.value] = value
                keys[key.value] = key
        return _around({**merged, **mapping} if merged else mapping, values)

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
            self._problem(node, "a number that JSON does not have; quote it if it is a string")
        else:
            self._problem(node, f"the tag {node.tag} is not allowed; a contract is plain data")
        return None


def _around(data: Any, values: list[_Built]) -> _Built:
    """Return a collection with the size of what is in it."""
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
