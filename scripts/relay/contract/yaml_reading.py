"""Reads YAML by the rules of version 1.2 and keeps the location of every value.

OpenAPI 3.0 requires YAML 1.2's core schema (specification, "Format"): a date stays a string, `no` stays a
string, and keys are strings. Templates are not rendered.
It is one module because values and their locations come from the same nodes, after one check of their depth.
"""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from . import limits
from .diagnostics import Diagnostic, SetupError, SourceLocation, place_parts
from .limits import MAX_DEPTH
from .parsed import (
    TOO_DEEP,
    TOO_MANY,
    NotANumber,
    Parsed,
    Pointer,
    display,
    duplicate_key,
    located,
    parse_float,
    parse_integer,
    template_fault,
)


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


_COLLECTIONS = frozenset(["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"])
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MISREAD = re.compile("[\x7f-\x9f\u2028\u2029]")
"""Characters that libyaml refuses, or takes for the end of a line as YAML 1.1 does; in YAML 1.2 they are text."""

_REASONS = {
    "but found another document": "a second document begins; a contract is one, without `---` after it",
    "second occurrence": "an anchor is defined twice; rename one",
    "found invalid Unicode character escape code": "found an escape of a surrogate; write the character itself",
    "found unknown escape character": "found an unknown escape in double quotes; double the backslash, or use single quotes",
    "found character that cannot start any token": "found a character that begins no value; quote the text, or indent with spaces instead of tabs",
    "found a tab character that violates indentation": "found a tab in the indentation; use spaces",
    "did not find expected alphabetic or numeric character": "found `*` or `&` without a name; quote the text",
    "mapping values are not allowed in this context": "found ': ' where no key can be; quote the text, or correct the indentation",
}
"""Parser messages that do not say what to do, and what we say."""


def parse_yaml(path: Path, text: str, *, quotes: bool) -> Parsed:
    """Parse a text; errors quote it only if `quotes`. Raises SetupError if it is empty or not YAML."""
    if found := _FORBIDDEN.search(text):
        reason = "found a control character; remove it, or write it as an escape in double quotes"
        raise _not_yaml(located(path, text, found.start()), reason)
    stand_ins = _stand_ins(text)
    if stand_ins:
        text = text.translate({ord(character): ord(one) for one, character in stand_ins.items()})
    root = _root(path, text)
    _restore(root, stand_ins)
    builder = _Builder(path, quotes=quotes)
    built = builder.build(root)
    problems = builder.problems
    lines = [place_parts(one.where)[1] for one in problems]
    if problems and (template := template_fault(path, text, lines)) is not None:
        line = place_parts(template.where)[1]
        problems = [template, *(one for one in problems if place_parts(one.where)[1] != line)]
    return Parsed(built.data, built.nodes, YamlPlaces(root), problems, root)


def _root(path: Path, text: str) -> yaml.Node:
    try:
        _check_depth(path, text)
        loader = _Loader(text)
        try:
            root: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = _place(path, mark) if mark else display(path)
        if (template := template_fault(path, text, [place_parts(place)[1]])) is not None:
            raise SetupError([template]) from exc
        reason = exc.problem or exc.context or "parse error"
        raise _not_yaml(place, _REASONS.get(reason, reason)) from exc
    if root is None:
        raise SetupError([Diagnostic(display(path), "is empty", "yaml")])
    return root


def _not_yaml(place: SourceLocation | str, reason: str) -> SetupError:
    return SetupError([Diagnostic(place, f"is not YAML: {reason}", "yaml")])


def _stand_ins(text: str) -> dict[str, str]:
    """Return a private-use character that the text does not have for each one that libyaml misreads."""
    if text.isascii() and "\x7f" not in text:
        return {}
    misread = sorted(set(_MISREAD.findall(text)))
    private = map(chr, chain(range(0xE000, 0xF900), range(0xF0000, 0x10FFFE)))
    return dict(zip((one for one in private if one not in text), misread, strict=False)) if misread else {}


def _restore(root: yaml.Node, stand_ins: dict[str, str]) -> None:
    if not stand_ins:
        return
    table = {ord(one): character for one, character in stand_ins.items()}
    pending, known = [root], {root}
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.ScalarNode):
            node.value = node.value.translate(table)
            continue
        inner = chain.from_iterable(node.value) if isinstance(node, yaml.MappingNode) else node.value
        found = set(inner) - known
        known |= found
        pending += found


class YamlPlaces:
    """The places of the values of a YAML file: of a mapping's value, that of its key."""

    def __init__(self, root: yaml.Node) -> None:
        self._root = root
        self._children: dict[yaml.Node, dict[str, tuple[yaml.Mark, yaml.Node]]] = {}

    def find(self, pointer: Pointer) -> tuple[int, int]:
        """Return line and column of the value at `pointer`, or of its nearest existing parent."""
        node = self._root
        mark = node.start_mark
        for token in pointer:
            child = self._child(node, token)
            if child is None:
                break
            mark, node = child
        return mark.line + 1, mark.column + 1

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
    return SourceLocation(display(path), mark.line + 1, mark.column + 1)


def _check_depth(path: Path, text: str) -> None:
    """Raise SetupError if values are nested too deeply: libyaml would crash the process.

    libyaml scans ahead of its events, and newer versions stop at a depth of their own. What stands before an
    error is checked first, so that the message and the place are the same with every version.
    """
    try:
        _check_levels(path, text)
    except yaml.MarkedYAMLError as exc:
        if exc.problem_mark is not None:
            with suppress(yaml.YAMLError):
                _check_levels(path, text[: exc.problem_mark.index])
        raise


def _check_levels(path: Path, text: str) -> None:
    """Raise SetupError for too many levels, or for too many values, before any is built."""
    values = 0
    levels: list[int] = []  # 0 in a list; in a mapping, 1 before a key and 2 before a value
    for event in yaml.parse(text, Loader=_Loader):
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
            message = TOO_DEEP if len(levels) > MAX_DEPTH else TOO_MANY
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
            reason = "expands through its aliases to more than"
            self._problem(root, f"{reason} {most:,} values; split it, or write it shorter")
            raise SetupError(self.problems)
        return built

    def _problem(self, node: yaml.Node, message: str, rule: str = "yaml") -> None:
        self.problems.append(Diagnostic(_place(self._path, node.start_mark), message, rule))

    def _value(self, node: yaml.Node) -> _Built:
        known = self._built.get(node)
        if node in self._building:
            self._problem(node, "the alias contains itself; write the value out")
            return _Built(None)
        if known is not None and len(self._building) + known.levels > MAX_DEPTH:
            self._problem(node, TOO_DEEP)
            return _Built(None)
        if known is None:
            self._building.add(node)
            known = self._built[node] = self._new(node)
            self._building.discard(node)
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
            values.append(self._value(item))
            value = values[-1].data
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, "a key must be a scalar")
            elif key.tag.endswith(":merge"):
                merged = self._merge(item, value, merged)
            elif key.value in mapping:
                first = keys[key.value].start_mark.line + 1
                self._problem(key, duplicate_key(key.value, first, quotes=self._quotes), "duplicate-key")
            else:
                mapping[key.value] = value
                keys[key.value] = key
        return _collection({**merged, **mapping} if merged else mapping, values)

    def _merge(self, item: yaml.Node, value: Any, merged: dict[str, Any]) -> dict[str, Any]:
        """Return merged entries with those of a merge key's value. Raises SetupError for too many of all."""
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                self._problem(item, "'<<' needs a mapping or a list of mappings")
                continue
            self._merged += len(source) + len(merged)
            if self._merged > limits.MAX_VALUES:
                message = f"its merge keys copy more than {limits.MAX_VALUES:,} values; write fewer of them"
                raise SetupError([Diagnostic(_place(self._path, item.start_mark), message, "yaml")])
            merged = {**source, **merged}
        return merged

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
                    return parse_integer(text) if kind == "int" else parse_float(text)
        except ValueError as exc:  # also that of a tag on what is no number
            self._problem(node, str(exc if isinstance(exc, NotANumber) else NotANumber()))
            return None
        self._tag(node)
        return None


def _collection(data: Any, values: list[_Built]) -> _Built:
    nodes = 1 + sum(built.nodes for built in values)
    return _Built(data, nodes, 1 + max((built.levels for built in values), default=0))
