"""Finds the handlers and tests that name what changed; reads their source without importing it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from relay.contract.diagnostics import SourceLocation
from relay.contract.documents import display
from relay.contract.model import Contract, Operation

from .changes import Change
from .operation_diff import OperationKey, operation_key
from .source_words import ANY, Source


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
    by_operation: defaultdict[OperationKey, list[Change]] = defaultdict(list)
    operations: dict[OperationKey, Operation] = {}
    for change in changes:
        for operation in change.operations:
            operations[operation_key(operation)] = operation
            by_operation[operation_key(operation)].append(change)
    before = {operation_key(operation): operation for operation in old.operations}
    return [
        Impact(source, line, operation, relevant)
        for key, operation in operations.items()
        for source, line in files.naming(operation, before.get(key, operation))
        if (relevant := _relevant(source, operation, by_operation[key]))
    ]


class _Files:
    """The source files of handlers and tests; `bases` are the base paths of the contracts."""

    def __init__(self, package: Path, tests: Path, bases: set[str]) -> None:
        self._package = package
        self._tests = [Source(path) for path in sorted(tests.rglob("*.py"))]
        self._modules: dict[str, Source] = {}
        self._bases = bases

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
                *(source.words[word] for word in words if source.may_contain(word) and word in source.words),
                *(line for one in both for line in self._requests(source, one)),
            ]
            if lines:
                yield source, min(lines)

    def _requests(self, source: Source, operation: Operation) -> list[int]:
        """Return the lines with a string that is the operation's path, with any values and any host."""
        parts = re.split(r"(\{[^}]*\})", operation.path)
        if not source.may_contain(" ".join(parts[::2])):
            return []
        template = "".join(rf"(?:[^/?#]+|{ANY})" if part[:1] == "{" else re.escape(part) for part in parts)
        before = "|".join([*map(re.escape, self._bases), rf"[^/]*{ANY}"])
        path = re.compile(rf"(?:https?://[^/]*)?(?:{before}){template}(?:[?#].*)?\Z", re.DOTALL)
        return [line for word, line in source.paths.items() if path.match(word)]


def _relevant(source: Source, operation: Operation, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes of the operation itself, and of the properties and parameters that a file names.

    A part added to a request is not named by any file yet, so it is relevant to each file that names the operation.
    """
    return tuple(
        change
        for change in changes
        if source.names(change.names[operation.pointer])
        or (not change.names[operation.pointer] and change.where == str(change.operation))
        or (change.rule.endswith("-added") and change.rule.startswith(("parameter-", "request-")))
    )
