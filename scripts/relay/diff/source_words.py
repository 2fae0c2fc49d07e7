"""Indexes the words of Python files; reads their source without importing it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from relay.contract.names import argument_word, slug

ANY = "\0"
"""Placeholder in a string for an f-string expression."""


class Source:
    """The names, attributes, arguments and strings of a file; empty if it cannot be read or is not Python."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def words(self) -> Mapping[str, int]:
        """Each word and its first line; docstrings are excluded."""
        lines: dict[str, int] = {}
        for word, line in self._found():
            lines[word] = min(line, lines.get(word, line))
        return lines

    @cached_property
    def paths(self) -> Mapping[str, int]:
        """The words that may be the path of a request."""
        return {word: line for word, line in self.words.items() if "/" in word and not re.search(r"\s", word)}

    @cached_property
    def functions(self) -> Mapping[str, int]:
        """Each top-level function and its line."""
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        return {node.name: node.lineno for node in self._tree.body if isinstance(node, kinds)}

    def names(self, names: Iterable[str]) -> list[str]:
        """Return the given names that occur in the file, unchanged or in snake case."""
        return [
            name
            for name in names
            if name in self.words or {slug(name), argument_word(name)} & self.words.keys()
        ]

    def may_contain(self, text: str) -> bool:
        """Return True if all words of a text occur in the file, prose included; a cheap check before parsing."""
        return self._all_words.issuperset(_words(text))

    @cached_property
    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError:
            return b""

    @cached_property
    def _all_words(self) -> frozenset[str]:
        return _words(self._bytes.decode(errors="replace"))

    @cached_property
    def _tree(self) -> ast.Module:
        with warnings.catch_warnings(action="ignore"):  # about the user's file
            try:
                return ast.parse(self._bytes)
            except (SyntaxError, ValueError):
                return ast.Module([], [])

    def _found(self) -> Iterator[tuple[str, int]]:
        prose = {id(node.value) for node in ast.walk(self._tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self._tree):
            match node:
                case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word):
                    yield word, node.lineno
                case ast.arg(arg=word) | ast.keyword(arg=str(word)):
                    yield word, node.lineno
                case ast.Constant(value=str(word)) if id(node) not in prose:
                    yield word, node.lineno
                case ast.JoinedStr():
                    parts = [part.value if isinstance(part, ast.Constant) else ANY for part in node.values]
                    yield "".join(map(str, parts)), node.lineno


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))
