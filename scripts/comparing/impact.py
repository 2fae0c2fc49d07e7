"""Which handlers and tests name what changed; read from their source, nothing is imported."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from handlers._host.binding import function_name, slug
from handlers._host.contract import Contract, Operation
from handlers._host.documents import display
from handlers._host.problems import Place

from .changes import Change
from .operations import OperationKey, operation_key

_ANY = "\0"  # stands in a text for what is only known when it runs


class Source:
    """The words of a Python file: names, attributes, arguments and texts, with the first line of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_bytes())

    @cached_property
    def words(self) -> Mapping[str, int]:
        """Each word and the line it first stands on; docstrings are prose, and left out."""
        lines: dict[str, int] = {}
        for word, line in self._found():
            lines[word] = min(line, lines.get(word, line))
        return lines

    def _found(self) -> Iterator[tuple[str, int]]:
        prose = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word):
                    yield word, node.lineno
                case ast.arg(arg=word) | ast.keyword(arg=str(word)):
                    yield word, node.lineno
                case ast.Constant(value=str(word)) if id(node) not in prose:
                    yield word, node.lineno
                case ast.JoinedStr():
                    parts = [part.value if isinstance(part, ast.Constant) else _ANY for part in node.values]
                    yield "".join(map(str, parts)), node.lineno

    @cached_property
    def paths(self) -> Mapping[str, int]:
        """The words that may be the path of a request."""
        return {word: line for word, line in self.words.items() if "/" in word and not re.search(r"\s", word)}

    @cached_property
    def functions(self) -> Mapping[str, int]:
        """Each function at the top of the file, and its line."""
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        return {node.name: node.lineno for node in self.tree.body if isinstance(node, kinds)}

    def names(self, names: Iterable[str]) -> list[str]:
        """Return the names of properties and parameters that the file has, or has in snake case."""
        return [name for name in names if name in self.words or slug(name) in self.words]


@dataclass(frozen=True, slots=True)
class Impact:
    """A line of a file that names an operation, and the changes of it that the file names."""

    source: Source
    line: int
    operation: Operation
    changes: tuple[Change, ...]

    @property
    def place(self) -> Place:
        """Where the function is, or where the file first names the operation."""
        return Place(display(self.source.path), self.line, 1)

    @property
    def names(self) -> list[str]:
        """The properties and parameters that changed and that the file names."""
        of_all = (change.names[str(self.operation)] for change in self.changes)
        return sorted(self.source.names(frozenset().union(*of_all)))


def find_impact(
    changes: Iterable[Change], old: Contract, new: Contract, package: Path, tests: Path
) -> list[Impact]:
    """Return what names the operations that changed, and, of a property or parameter, its name.

    What cannot be read as Python is left out; whoever runs it finds that.
    """
    sources = _Sources(package, tests)
    by_operation: defaultdict[OperationKey, list[Change]] = defaultdict(list)
    operations: dict[OperationKey, Operation] = {}
    for change in changes:
        for operation in change.operations:
            operations[operation_key(operation)] = operation
            by_operation[operation_key(operation)].append(change)
    before = {operation_key(operation): operation for operation in old.operations}
    bases = {old.base_path, new.base_path}
    return [
        impact
        for key, operation in operations.items()
        for impact in sources.naming(operation, before.get(key, operation), by_operation[key], bases)
    ]


class _Sources:
    def __init__(self, package: Path, tests: Path) -> None:
        self._package = package
        self._tests = list(_read(sorted(tests.rglob("*.py"))))
        self._modules: dict[Path, Source | None] = {}

    def naming(
        self, operation: Operation, known: Operation, changes: list[Change], bases: set[str]
    ) -> Iterator[Impact]:
        """Return what names an operation, as it is or as it was known, and what of it changed."""
        both = list({one.pointer: one for one in (operation, known)}.values())
        names = {function_name(one) for one in both}
        for tag in dict.fromkeys(one.tag for one in both):
            source = self._module(self._package / f"{slug(tag)}.py")
            lines = [source.functions[name] for name in names & source.functions.keys()] if source else []
            if source and lines and (named := _named(source, operation, changes)):
                yield Impact(source, lines[0], operation, named)
        paths = [_path(one, bases) for one in both]
        words = names.union(one.id for one in both)
        for source in self._tests:
            lines = list(_mentions(source, words, paths))
            if lines and (named := _named(source, operation, changes)):
                yield Impact(source, min(lines), operation, named)

    def _module(self, path: Path) -> Source | None:
        if path not in self._modules:
            self._modules[path] = next(_read([path] if path.is_file() else []), None)
        return self._modules[path]


def _read(paths: Iterable[Path]) -> Iterator[Source]:
    for path in paths:
        try:
            yield Source(path)
        except (OSError, SyntaxError, ValueError):
            continue


def _named(source: Source, operation: Operation, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes of an operation itself, and those of properties and parameters that a file names."""
    return tuple(
        change
        for change in changes
        if source.names(change.names[str(operation)])
        or (not change.names[str(operation)] and change.where == str(change.operation))
    )


def _mentions(source: Source, words: Iterable[str], paths: Iterable[re.Pattern[str]]) -> Iterator[int]:
    """Return the lines on which a file has one of the words, or a text that is one of the paths."""
    yield from (source.words[word] for word in words if word in source.words)
    for path in paths:
        yield from (line for word, line in source.paths.items() if path.match(word))


def _path(operation: Operation, bases: Iterable[str]) -> re.Pattern[str]:
    """Return what an operation's path looks like in source: with any values, below any host."""
    template = "".join(
        rf"(?:[^/?#]+|{_ANY})" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]*\})", operation.path)
    )
    before = "|".join([*map(re.escape, bases), rf"[^/]*{_ANY}"])
    return re.compile(rf"(?:https?://[^/]*)?(?:{before}){template}(?:[?#].*)?\Z", re.DOTALL)
