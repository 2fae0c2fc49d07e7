"""Builds the nodes of a JSON text, as PyYAML builds those of YAML, so that one editor serves both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from relay.contract.json_reading import TOKEN

if TYPE_CHECKING:
    import re


def json_root(text: str) -> yaml.Node:
    """Return the root node of a text that is JSON."""
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
