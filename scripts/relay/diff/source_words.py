"""Python files by the words in them, read from their source: nothing is imported."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from relay.server.binding import slug

ANY = "\0"
"""Stands in a text for what is only known when it runs."""


class Source:
    """A file's names, attributes, arguments and texts; one that cannot be read, or is not Python, has none."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def words(self) -> Mapping[str, int]:
        """Each word and the line it first stands on; docstrings are prose, and left out."""
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
        """Each function at the top of the file, and its line."""
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        return {node.name: node.lineno for node in self._tree.body if isinstance(node, kinds)}

    def names(self, names: Iterable[str]) -> list[str]:
        """Return the names of properties and parameters that the file has, or has in snake case."""
        return [name for name in names if name in self.words or slug(name) in self.words]

    def may_hold(self, text: str) -> bool:
        """Whether all that is a word in a text is one in the file, prose included: asked before it is parsed."""
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
        with warnings.catch_warnings(action="ignore"):  # of a file that is not ours to mend
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
