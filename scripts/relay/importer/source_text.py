"""The text of a file, YAML or JSON: its nodes, its lines, its indentation and its quotes, and where a value ends."""

import json
import re
from array import array
from bisect import bisect_right

import yaml

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import Document, display
from relay.contract.json_reading import TOKEN

_SEQUENCE = re.compile(r"^( *)[^\s#-][^\n]*:[ \r]*\n(\1 *)- ", re.MULTILINE)
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+")
_BLANK = re.compile(r"\s*")
_INDENTATION = re.compile(r"[ \t]*")
_ALIAS = re.compile(r"\s*\*[^\s,\[\]{}]+")


class SourceText:
    """One file of the contract."""

    def __init__(self, document: Document) -> None:
        try:
            text = document.source.decode()
        except UnicodeDecodeError as exc:
            raise SetupError([Diagnostic(document.place(()), "is not UTF-8; save it as UTF-8")]) from exc
        self.document = document
        self.mark = "\ufeff" if text.startswith("\ufeff") else ""
        self.text = text.removeprefix(self.mark)
        self.is_json = document.is_json
        self.root: yaml.Node = document.root or _json_root(self.text)
        self._lines = array("L", [0, *(found.end() for found in re.finditer("\n", self.text))])
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        indented = re.search(r"\n([ \t]+)[^\s#-]", self.text)
        self.unit = indented[1] if indented else "  "
        items = _SEQUENCE.search(self.text)
        self.item_offset = len(items[2]) - len(items[1]) if items else len(self.unit)
        self.quote = '"' if self.is_json or self.text.count('"') > self.text.count("'") else "'"
        self.space = "" if self.is_json and "\n" not in self.text.strip() and '": ' not in self.text else " "

    def place(self, mark: yaml.Mark) -> SourceLocation:
        """Return the location of a mark."""
        return SourceLocation(display(self.document.path), mark.line + 1, mark.column + 1)

    def line_begin(self, at: int) -> int:
        """Return the offset at which the line of an offset begins."""
        return self._lines[bisect_right(self._lines, at) - 1]

    def line_end(self, at: int) -> int:
        """Return the offset of the line's end, without its line break."""
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def next_line(self, at: int) -> int:
        """Return the offset of the first line that begins at or after an offset."""
        if at == 0 or self.text[at - 1] == "\n":
            return at
        return self.text.find("\n", at) + 1 or len(self.text)

    def _end(self, pattern: re.Pattern[str], at: int) -> int:
        """Return where a pattern that is written at an offset ends; the offset if it is not."""
        found = pattern.match(self.text, at)
        return found.end() if found else at

    def indentation(self, at: int) -> str:
        """Return the blanks at the begin of an offset's line."""
        begin = self.line_begin(at)
        return self.text[begin : self._end(_INDENTATION, begin)]

    def column(self, node: yaml.CollectionNode) -> int:
        """Return the column of a block collection's lines; an anchor or a tag may come before them."""
        if self.text[node.start_mark.index] not in "&!":
            return int(node.start_mark.column)
        return len(self.indentation(first_node(node).start_mark.index))

    def after_comments(self, at: int, column: int) -> int:
        """Return the offset after the comments that are indented by at least `column`."""
        line = at
        while line < len(self.text):
            following = self.next_line(line + 1) if self.text[line] != "\n" else line + 1
            content = self.text[line:following].strip()
            if content.startswith("#") and len(self.indentation(line)) >= column:
                at = following
            elif content:
                break
            line = following
        return at

    def alias_end(self, inside: int) -> int:
        """Return where an alias ends that follows a key or a dash."""
        return self._end(_ALIAS, inside)

    def scalar_end(self, node: yaml.ScalarNode) -> int:
        """Return where a scalar ends, without the blank lines after a block scalar that do not belong to it."""
        start, end = node.start_mark.index, node.end_mark.index
        written = self.text[start:end]
        is_open = node.style in ("|", ">") and "+" not in written.partition("\n")[0]
        return int(start + len(written.rstrip()) if is_open else end)

    def has_anchor(self, node: yaml.Node) -> bool:
        """Return True if a value has an anchor."""
        return not self.is_json and self.text[node.start_mark.index : node.start_mark.index + 1] == "&"

    def anchor_end(self, node: yaml.Node) -> int:
        """Return where the anchor of a value ends, or the value begins if it has none."""
        start: int = node.start_mark.index
        return self._end(_ANCHOR, start) if self.has_anchor(node) else start

    def value_begin(self, node: yaml.Node) -> int:
        """Return where a value begins, without its anchor."""
        start: int = node.start_mark.index
        return self._end(_BLANK, self.anchor_end(node)) if self.has_anchor(node) else start


def shifted(text: str, old: str, new: str) -> str:
    """Return lines that were indented by `old`, indented by `new`; the first line has no indentation."""
    if old == new:
        return text
    first, *rest = text.split("\n")
    blank = " \t"
    lines = [
        line if not line.strip() else new + (line[len(old) :] if line.startswith(old) else line.lstrip(blank))
        for line in rest
    ]
    return "\n".join([first, *lines])


def first_node(owner: yaml.CollectionNode) -> yaml.Node:
    """Return the first key or item of a collection."""
    node: yaml.Node = owner.value[0][0] if isinstance(owner, yaml.MappingNode) else owner.value[0]
    return node


def _json_root(text: str) -> yaml.Node:
    """Return the root node of a text that is JSON, made of nodes like those of YAML."""
    builder = _Builder(text)
    containers: list[yaml.CollectionNode] = [yaml.SequenceNode("", [])]
    root = containers[0].value
    keys: list[yaml.ScalarNode] = []  # of the members that have no value yet
    for token in TOKEN.finditer(text):
        match token.lastgroup:
            case "colon":
                keys.append(builder.scalar(token))
            case "close":
                containers.pop().end_mark = builder.mark(token.end())
            case "open":
                kind = yaml.MappingNode if token["open"] == "{" else yaml.SequenceNode
                collection = kind("", [], builder.mark(token.start()), flow_style=True)
                _add(containers[-1], keys, collection)
                containers.append(collection)
            case _:
                _add(containers[-1], keys, builder.scalar(token))
    node: yaml.Node = root[0]
    return node


class _Builder:
    """Makes nodes of the tokens of a text, in its order, so that lines are counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = self._line_start = self._counted = 0

    def scalar(self, token: re.Match[str]) -> yaml.ScalarNode:
        written = token["string"]
        value = token["bare"] if written is None else json.loads(written)
        end = token.end("bare" if written is None else "string")
        return yaml.ScalarNode("", value, self.mark(token.start()), self.mark(end))

    def mark(self, offset: int) -> yaml.Mark:
        if (lines := self._text.count("\n", self._counted, offset)) > 0:
            self._line += lines
            self._line_start = self._text.rfind("\n", self._counted, offset) + 1
        self._counted = offset
        return yaml.Mark("", offset, self._line, offset - self._line_start, None, 0)


def _add(container: yaml.CollectionNode, keys: list[yaml.ScalarNode], node: yaml.Node) -> None:
    container.value.append((keys.pop(), node) if isinstance(container, yaml.MappingNode) else node)
