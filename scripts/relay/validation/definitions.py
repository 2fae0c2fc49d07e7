"""The translated schemas that `$ref`s lead to, and what is true of all schemas that one reaches.

In a large contract nearly every schema reaches nearly all others, so what they have in common is found once for
all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from relay.contract.model import Schema

T = TypeVar("T")


class Translated(NamedTuple):
    """A schema in draft 4, and its `$ref`s as written in the contract.

    `error` says why it cannot be compiled, whatever its `$ref`s lead to; `has_formats` is True if it uses a
    format that the library does not have.
    """

    schema: Schema
    refs: set[str]
    error: str | None
    has_formats: bool


class Definitions:
    """The targets of the `$ref`s of one direction, each translated when it is first reached."""

    def __init__(self, translated: Callable[[str], Translated]) -> None:
        self._translated = translated
        self._found: dict[str, Translated] = {}
        self._users: defaultdict[str, list[str]] = defaultdict(list)
        self._errors: dict[str, str] = {}  # by each `$ref` that reaches one
        self._formatted: dict[str, str] = {}

    def of(self, refs: set[str]) -> dict[str, Schema]:
        """Return the targets of some `$ref`s, and of all `$ref`s in them."""
        self._reach(refs)
        definitions: dict[str, Schema] = {}
        pending = set(refs)
        while pending:
            ref = pending.pop()
            found = self._found[ref]
            definitions[ref] = found.schema
            pending.update(found.refs.difference(definitions))
        return definitions

    def error(self, refs: set[str]) -> str | None:
        """Return why one of the schemas that some `$ref`s reach cannot be compiled; None if all can."""
        self._reach(refs)
        return next((self._errors[ref] for ref in sorted(refs) if ref in self._errors), None)

    def have_formats(self, refs: set[str]) -> bool:
        """Return True if a schema that some `$ref`s reach uses a format that the library does not have."""
        self._reach(refs)
        return any(ref in self._formatted for ref in refs)

    def _reach(self, refs: Iterable[str]) -> None:
        """Translate what some `$ref`s reach, and note for each what is true of what it reaches."""
        new: list[str] = []
        pending = [*refs]
        while pending:
            ref = pending.pop()
            if ref not in self._found:
                new.append(ref)
                found = self._found[ref] = self._translated(ref)
                pending += found.refs
                for target in found.refs:
                    self._users[target].append(ref)
        for ref in new:
            self._note(ref)

    def _note(self, ref: str) -> None:
        """Note what is true of a schema and of what it refers to, also for all schemas that reach it."""
        found = self._found[ref]
        error = found.error or next((self._errors[one] for one in found.refs if one in self._errors), None)
        if error is not None:
            self._spread(ref, self._errors, error)
        if found.has_formats or not self._formatted.keys().isdisjoint(found.refs):
            self._spread(ref, self._formatted, "")

    def _spread(self, ref: str, noted: dict[str, T], value: T) -> None:
        pending = [ref]
        while pending:
            user = pending.pop()
            if user not in noted:
                noted[user] = value
                pending += self._users[user]
