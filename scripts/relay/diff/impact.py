"""Finds the handlers and tests that name what changed; reads their source without importing it."""

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from relay.contract.diagnostics import SourceLocation
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.contract.names import argument_word, slug

from .changes import Change
from .operation_diff import operation_key

_ANY = "\0"  # placeholder in a string for an f-string expression


class Source:
    """The names, attributes, arguments and strings of a file; empty if it cannot be read or is not Python."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._bytes = path.read_bytes()
        except OSError:
            self._bytes = b""

    @cached_property
    def words(self) -> Mapping[str, int]:
        """Each word and its first line; docstrings are excluded."""
        lines: dict[str, int] = {}
        for word, line in _words(self._tree):
            lines[word] = min(line, lines.get(word, line))
        return lines

    @cached_property
    def functions(self) -> Mapping[str, int]:
        """Each top-level function and its line."""
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        return {node.name: node.lineno for node in self._tree.body if isinstance(node, kinds)}

    def names(self, names: Iterable[str]) -> list[str]:
        """Return the given names that occur in the file, unchanged or in snake case."""
        spellings = {name: {name, slug(name), argument_word(name)} for name in names}
        return [name for name, known in spellings.items() if known & self.words.keys()]

    @cached_property
    def prose(self) -> frozenset[str]:
        """All words of the text; to look here first is cheaper than to parse."""
        return frozenset(re.findall(r"\w+", self._bytes.decode(errors="replace")))

    @cached_property
    def _tree(self) -> ast.Module:
        with warnings.catch_warnings(action="ignore"):  # about the user's file
            try:
                return ast.parse(self._bytes)
            except (SyntaxError, ValueError):
                return ast.Module([], [])


def _words(tree: ast.Module) -> Iterator[tuple[str, int]]:
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
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


@dataclass(frozen=True, slots=True)
class Impact:
    """A line of a file that names an operation, and the changes that affect it."""

    source: Source
    line: int
    operation: Operation
    changes: tuple[Change, ...]

    @property
    def place(self) -> SourceLocation:
        """The location of the function, or of the first mention of the operation in the file."""
        return SourceLocation(display(self.source.path), self.line, 1)

    @property
    def names(self) -> list[str]:
        """The changed properties and parameters that the file names."""
        changed = (change.names[self.operation.pointer] for change in self.changes)
        return sorted(self.source.names(frozenset().union(*changed)))


def find_impact(
    changes: Iterable[Change], old: Contract, new: Contract, package: Path, tests: Path
) -> list[Impact]:
    """Return the lines that name a changed operation and, if a property or parameter changed, its name."""
    files = _Files(package, tests, {old.base_path, new.base_path})
    before = {operation_key(operation): operation for operation in old.operations}
    affected = defaultdict(list)
    operations = {}
    for change in changes:
        for operation in change.operations:
            operations[operation_key(operation)] = operation
            affected[operation_key(operation)].append(change)
    return [
        Impact(source, line, operation, relevant)
        for key, operation in operations.items()
        for source, line in files.naming(operation, before.get(key, operation))
        if (relevant := _relevant(source, operation, affected[key]))
    ]


class _Files:
    """The source files of handlers and tests; `bases` are the base paths of the contracts."""

    def __init__(self, package: Path, tests: Path, bases: set[str]) -> None:
        self._package = package
        self._tests = [Source(path) for path in sorted(tests.rglob("*.py"))]
        self._modules: dict[str, Source] = {}
        self._before = "|".join([*map(re.escape, bases), rf"[^/\s]*{_ANY}"])

    def naming(self, operation: Operation, known: Operation) -> Iterator[tuple[Source, int]]:
        """Yield the lines that name an operation, by its new or old name: its function, and tests."""
        both = {(one.function, one.module, one.path): one for one in (operation, known)}.values()
        names = {one.function for one in both}
        for module in dict.fromkeys(one.module for one in both):
            source = self._modules.setdefault(module, Source(self._package / f"{module}.py"))
            yield from ((source, source.functions[name]) for name in names & source.functions.keys())
        words = names.union(one.id for one in both)
        for source in self._tests:
            lines = [
                source.words[word]
                for word in words
                if source.prose.issuperset(re.findall(r"\w+", word)) and word in source.words
            ]
            lines += [line for one in both for line in self._requests(source, one)]
            if lines:
                yield source, min(lines)

    def _requests(self, source: Source, operation: Operation) -> list[int]:
        """Return the lines with a string that is the operation's path, with any values and any host."""
        parts = re.split(r"(\{[^}]*\})", operation.path)
        if not source.prose.issuperset(re.findall(r"\w+", " ".join(parts[::2]))):
            return []
        template = "".join(rf"(?:[^/?#\s]+|{_ANY})" if part[:1] == "{" else re.escape(part) for part in parts)
        path = re.compile(rf"(?:https?://[^/\s]*)?(?:{self._before}){template}(?:[?#]\S*)?\Z")
        return [line for word, line in source.words.items() if "/" in word and path.match(word)]


def _relevant(source: Source, operation: Operation, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes of the operation, of what the file names, and new parts of requests, which no file names yet."""
    return tuple(
        change
        for change in changes
        if source.names(change.names[operation.pointer])
        or (not change.names[operation.pointer] and change.where == str(change.operation))
        or (change.rule.endswith("-added") and change.rule.startswith(("parameter-", "request-")))
    )
