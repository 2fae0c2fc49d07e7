"""Generates deterministic strings that match a regular expression."""

from __future__ import annotations

import functools
import re
import string
import warnings
from collections.abc import Callable, Iterator
from re import _compiler, _parser  # type: ignore[attr-defined]  # the standard library's parser; not in the stubs
from typing import Any

from relay.validation.patterns import translated

MAX_STEPS = 10_000
"""Maximum number of steps per string; an expression can require more than fits into memory."""

_READABLE = string.ascii_letters + string.digits + "-_. " + string.punctuation


class NoText(Exception):
    """The expression cannot be parsed, or no string can be generated for it."""


def matching(pattern: str, least: int, variant: int = 0) -> Iterator[str]:
    """Yield candidates for a pattern, if possible of length `least`; lookaround is ignored. Raises NoText."""
    if (text := translated(pattern).text) is None:
        return  # the pattern is not asserted
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # FutureWarning: the validator accepts this syntax
            tree = _parser.parse(text)
    except (re.error, OverflowError, RecursionError) as exc:
        raise NoText from exc
    shortest = _Writer(variant, 0).write(tree)
    yield shortest
    missing = least - len(shortest)
    for more in range(missing, missing + 4):
        if more > 0:
            yield _Writer(variant, more).write(tree)
    yield shortest.ljust(least, "a")


class _Writer:
    """Generates one string for a parsed expression; `more` is the number of repetitions it may add."""

    def __init__(self, variant: int, more: int) -> None:
        self._variant = variant
        self._more = more
        self._steps = 0
        self._groups: dict[int, str] = {}
        self._kinds: dict[str, Callable[[Any], str]] = {
            "LITERAL": chr,
            "NOT_LITERAL": lambda code: self._choose([(_parser.NEGATE, None), (_parser.LITERAL, code)]),
            "ANY": lambda _: self._choose([(_parser.NEGATE, None)]),
            "IN": self._choose,
            **dict.fromkeys(
                ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"), lambda repeat: self._repeat(*repeat)
            ),
            "SUBPATTERN": lambda group: self._group(group[0], group[-1]),
            "ATOMIC_GROUP": self.write,
            "GROUPREF": lambda group: self._groups.get(group, ""),
            "BRANCH": lambda branch: self.write(branch[1][self._digit(len(branch[1]))]),
            **dict.fromkeys(("AT", "ASSERT", "ASSERT_NOT"), lambda _: ""),
        }

    def write(self, tree: Any) -> str:
        """Return a string for a part of the expression. Raises NoText."""
        self._count(len(tree))
        try:
            return "".join(self._kinds[str(kind)](value) for kind, value in tree)
        except KeyError as exc:
            raise NoText from exc

    def _group(self, number: int | None, tree: Any) -> str:
        text = self.write(tree)
        if number is not None:
            self._groups[number] = text
        return text

    def _repeat(self, least: int, most: int, tree: Any) -> str:
        added = min(int(most) - int(least), self._more)
        self._more -= added
        return "".join(self.write(tree) for _ in range(least + added))

    def _choose(self, items: list[tuple[Any, Any]]) -> str:
        """Choose a character of a class: a readable one, else the first of a range."""
        self._count(len(items))
        choices = _choices(tuple(items))
        return choices[self._digit(len(choices))]

    def _digit(self, base: int) -> int:
        """Take the next digit, in the given base, from the variant."""
        self._variant, digit = divmod(self._variant, base)
        return digit

    def _count(self, steps: int) -> None:
        self._steps += steps or 1
        if self._steps > MAX_STEPS:
            raise NoText


@functools.lru_cache(1024)
def _choices(items: tuple[tuple[Any, Any], ...]) -> list[str]:
    """Return characters of a class: the readable ones, else the first of each range."""
    state = _parser.State()
    state.flags = re.UNICODE
    is_in = _compiler.compile(_parser.SubPattern(state, [(_parser.IN, [*items])])).match
    choices = [char for char in _READABLE if is_in(char)]
    if not choices and items[0][0] is not _parser.NEGATE:
        first = [(kind, what) for kind, what in items if kind is not _parser.CATEGORY]
        choices = [chr(what if kind is _parser.LITERAL else what[0]) for kind, what in first]
    return choices or [" "]
