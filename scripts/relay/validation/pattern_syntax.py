r"""Reads regular expressions as engines of ECMA 262 take them, and writes them with the syntax that all engines share.

Annex B of ECMA 262 takes what Unicode mode refuses: `{` and `]` as text, `\-` as `-`, `[\w-.]`. Beyond it, some
syntax of other languages has only one meaning: `\A`, `\Z`, `(?i)`, `(?P<name>…)`, `[[:alpha:]]`, possessive
quantifiers, which are read as greedy ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from .character_sets import ANY, NEWLINES, Ranges, complement, has_case, literal, members, written
from .pattern_escapes import Property, Scanner, Unclear

MAX_GROUPS = 100
"""Nesting of groups."""


Piece = str | Property
"""A part of a pattern: text, or a property, which not all engines have."""


class Repeated(NamedTuple):
    """A pattern that is one character class, repeated; it starts and ends the text, or not."""

    is_start: bool
    characters: list[Piece]
    least: int
    most: int | None
    is_end: bool


class Syntax(NamedTuple):
    """A pattern that was read; `notes` say what is probably a mistake."""

    pieces: list[Piece]
    notes: list[str]
    repeated: Repeated | None


class _Group(NamedTuple):
    start: int
    flags: str
    number: int | None
    is_assertion: bool


_CAPTURING = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\.|\[(?:\\.|[^\]\\])*+(?:\]|\Z)|(?P<group>\((?!\?|\*))|\(\?P?[<'](?![=!])(?P<name>\w*)[>']",
    re.DOTALL,
)
_DELIMITED = re.compile(r"/(\^.*|.*\$)/([dgimsuvy]*)", re.DOTALL)
_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d{1,30})(?:(,)(\d{0,30}))?\})([?+]?)", re.ASCII)
_DASHED = re.compile(r"\{\d+\s*[-.;]+\s*\d+\}", re.ASCII)
_NO_LEAST = re.compile(r"\{,\d+\}", re.ASCII)
_NAMED = re.compile(r"\(\?(?:P?<(\w+)>|'(\w+)')")
_FLAGS = re.compile(r"\(\?([imsxu]*)(?:-([imsxu]*))?([:)])")


_NAME = re.compile(r"<(\w+)>|\{(\w+)\}|'(\w+)'")


_NEVER = written(complement(ANY), is_negated=False)
_LINE_END = f"(?:\\r\\n|{written([*NEWLINES, (11, 12), (0x85, 0x85)], is_negated=False)})"


def read(pattern: str) -> Syntax:
    """Read a pattern. Raises Unclear."""
    notes: list[str] = []
    flags = ""
    if delimited := _DELIMITED.fullmatch(pattern):
        pattern, flags = delimited[1], delimited[2]
        notes.append("is written between the delimiters /…/, which are no part of a pattern")
    return _Reader(pattern, flags, notes).read()


class _Reader(Scanner):
    """Reads one pattern from left to right; `_last` is where the part starts that a quantifier repeats."""

    def __init__(self, text: str, flags: str, notes: list[str]) -> None:
        super().__init__(text)
        self._flags = flags
        self._notes = notes
        self._out: list[Piece] = []
        self._last: int | None = None
        self._is_assertion = False
        self._groups: list[_Group] = []
        self._closed: set[int] = set()
        self._count = 0
        self._kinds: list[str] = []  # of the parts outside of groups
        self._times: tuple[int, int | None] = (1, 1)
        found = [match for match in _CAPTURING.finditer(text) if match["group"] or match["name"] is not None]
        self._total = len(found)
        self._names: dict[str, list[int]] = {}
        for number, match in enumerate(found, 1):
            self._names.setdefault(match["name"] or "", []).append(number)

    def read(self) -> Syntax:
        """Return the pieces. Raises Unclear."""
        while self._at < len(self._text):
            char = self._text[self._at]
            if (step := self._STEPS.get(char)) is not None:
                step(self)
            elif char not in "*+?{" or not self._quantifier():
                self._at += 1
                self._character(ord(char))
        if self._groups:
            raise Unclear("a group is not closed")
        return Syntax(self._out, self._notes, self._repeated())

    def _repeated(self) -> Repeated | None:
        kinds = "".join(self._kinds)
        if not re.fullmatch(r"\^?c\*\$?", kinds):
            return None
        is_start, is_end = kinds[0] == "^", kinds[-1] == "$"
        characters = self._out[is_start : len(self._out) - 1 - is_end]
        return Repeated(is_start, characters, *self._times, is_end)

    def _add(self, *pieces: Piece, kind: str, is_repeatable: bool = True) -> None:
        self._last = len(self._out) if is_repeatable else None
        self._is_assertion = False
        self._out += pieces
        self._note(kind)

    def _note(self, kind: str) -> None:
        if not self._groups:
            self._kinds.append(kind)

    def _character(self, code: int) -> None:
        if 0xD800 <= code <= 0xDFFF:
            self._add(_NEVER, kind="c")
        elif "i" in self._flags and chr(code).lower() != chr(code).upper():
            self._add(f"(?i:{literal(code)})", kind="c")
        else:
            self._add(literal(code), kind="c")

    def _set(
        self, ranges: Ranges, properties: tuple[Property, ...] = (), *, is_negated: bool = False
    ) -> None:
        """Add a class."""
        if not properties:
            text = written(ranges, is_negated=is_negated)
            is_open = "i" in self._flags and has_case(ranges)
            self._add(f"(?i:{text})" if is_open else text, kind="c")
            return
        start, end = ("(?i:[", "])") if "i" in self._flags else ("[", "]")
        self._add(start + "^" * is_negated, *properties, members(ranges) + end, kind="c")

    def _dot(self) -> None:
        self._at += 1
        self._set(ANY if "s" in self._flags else complement(NEWLINES))

    def _anchor(self) -> None:
        char = self._text[self._at]
        self._at += 1
        self._add(f"(?m:{char})" if "m" in self._flags else char, kind=char, is_repeatable=False)
        if "m" in self._flags:
            self._note("m")

    def _either(self) -> None:
        self._at += 1
        self._add("|", kind="|", is_repeatable=False)

    # Quantifiers

    def _quantifier(self) -> bool:
        """Read a quantifier; return False if there is none, and a brace is text."""
        if _DASHED.match(self._text, self._at):
            raise Unclear("a quantifier is written {1,5}, with a comma")
        if match := _NO_LEAST.match(self._text, self._at):
            self._notes.append(f"contains the text {match[0]}, which is no quantifier; write {{0,…}}")
        if (match := self._matched(_QUANTIFIER)) is None:
            return False
        if self._last is None:
            raise Unclear("a quantifier has nothing to repeat")
        sign, least, comma, most, mode = match.groups()
        times: tuple[int, int | None] = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign or "", (0, 0))
        if not sign:
            times = int(least), (int(most) if most else None) if comma else int(least)
        if times[1] is not None and times[1] < times[0]:
            raise Unclear("the numbers of a quantifier are out of order")
        self._repeat(times, sign or match[0].removesuffix(mode), "?" if mode == "?" else "")
        return True

    def _repeat(self, times: tuple[int, int | None], text: str, mode: str) -> None:
        assert self._last is not None
        if not self._is_assertion:
            self._out.append(text + mode)
        elif times[0] == 0:  # an assertion that need not hold says nothing
            del self._out[self._last :]
        self._last, self._times = None, times
        self._note("*")

    # Groups

    def _open(self) -> None:
        if len(self._groups) == MAX_GROUPS:
            raise Unclear(f"its groups nest deeper than {MAX_GROUPS} levels")
        text = self._text
        if self._comment() or self._inline_flags():
            return
        for opening in ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"):
            if text.startswith(opening, self._at):
                self._at += len(opening)
                self._enter("(?:" if opening == "(?>" else opening, is_assertion=opening[-1] in "=!")
                return
        if text.startswith("(?P=", self._at) and (match := self._matched(re.compile(r"\(\?P=(\w+)\)"))):
            self._named_reference(match[1])
        elif self._matched(_NAMED):
            self._enter("(", is_capturing=True)
        elif text.startswith(("(?", "(*"), self._at):
            raise Unclear(f"'{text[self._at : self._at + 3]}' is no group of ECMA 262")
        else:
            self._at += 1
            self._enter("(", is_capturing=True)

    def _enter(
        self, text: str, *, is_capturing: bool = False, is_assertion: bool = False, flags: str | None = None
    ) -> None:
        number = None
        if is_capturing:
            self._count += 1
            number = self._count
        self._note("(")
        self._groups.append(_Group(len(self._out), self._flags, number, is_assertion))
        self._flags = self._flags if flags is None else flags
        self._out.append(text)
        self._last = None

    def _close(self) -> None:
        if not self._groups:
            raise Unclear("a group is closed that was not opened")
        self._at += 1
        group = self._groups.pop()
        self._out.append(")")
        self._last, self._flags, self._is_assertion = group.start, group.flags, group.is_assertion
        if group.number is not None:
            self._closed.add(group.number)

    def _comment(self) -> bool:
        if not self._text.startswith("(?#", self._at):
            return False
        end = self._text.find(")", self._at)
        if end < 0:
            raise Unclear("a comment is not closed")
        self._at = end + 1
        return True

    def _inline_flags(self) -> bool:
        """Read `(?i)`, which holds to the end of the group, or `(?i:`."""
        start = self._at
        match = self._matched(_FLAGS)
        if match is None or match[0] == "(?:":
            self._at = start
            return False
        on, off, end = match.groups()
        if "x" in on:
            raise Unclear("the flag x changes what spaces mean")
        flags = "".join(set(self._flags + on) - set(off or ""))
        if end == ")":
            self._flags = flags
        else:
            self._enter("(?:", flags=flags)
        return True

    def _reference(self, number: int) -> None:
        """Refer to a group; before its end it is empty."""
        if number not in self._closed:
            self._add("", kind="r")
        else:
            text = f"(?:\\{number})"
            self._add(f"(?i:\\{number})" if "i" in self._flags else text, kind="r")

    def _named_reference(self, name: str) -> None:
        numbers = self._names.get(name, [])
        if len(numbers) != 1:
            raise Unclear(f"it refers to a group '{name}' that is missing, or not the only one")
        self._reference(numbers[0])

    # Escapes

    def _escape(self) -> None:
        if (ranges := self._surrogates()) is not None:
            self._set(ranges)
            return
        self._at += 1
        letter = self._text[self._at : self._at + 1]
        if letter in _OUTSIDE:
            self._at += 1
            _OUTSIDE[letter](self)
        elif letter.isdecimal() and letter.isascii() and letter != "0":
            self._number()
        elif letter == "k" and self._names.keys() - {""}:
            self._at += 1
            match = self._matched(_NAME)
            self._named_reference("" if match is None else next(filter(None, match.groups())))
        else:
            found = self._escaped()
            if isinstance(found, int):
                self._character(found)
            elif isinstance(found, Property):
                self._set([], (found,))
            else:
                self._set(found)

    def _number(self) -> None:
        """Read a back-reference; without such a group it is an octal number, or a digit (B.1.2)."""
        match = self._matched(re.compile(r"\d{1,9}", re.ASCII))
        assert match is not None
        if int(match[0]) <= self._total:
            self._reference(int(match[0]))
            return
        self._at = match.start()
        self._character(self._octal())

    def _quoted(self) -> None:
        end = self._text.find("\\E", self._at)
        end = len(self._text) if end < 0 else end
        for char in self._text[self._at : end]:
            self._character(ord(char))
        self._at = end + 2

    def _class(self) -> None:
        if (ranges := self._surrogates()) is not None:
            self._set(ranges)
            return
        self._at += 1
        is_negated = self._text.startswith("^", self._at)
        self._at += is_negated
        members: Ranges = []
        properties: list[Property] = []
        while not self._text.startswith("]", self._at):
            self._member(members, properties)
        self._at += 1
        self._set(members, tuple(properties), is_negated=is_negated)

    _STEPS: ClassVar[dict[str, Callable[[_Reader], None]]] = {
        "(": _open,
        ")": _close,
        "[": _class,
        ".": _dot,
        "^": _anchor,
        "$": _anchor,
        "|": _either,
        "\\": _escape,
    }


def _fixed(text: str, kind: str) -> Callable[[_Reader], None]:
    return lambda reader: reader._add(text, kind=kind, is_repeatable=False)  # noqa: SLF001 -- of this module


def _unclear(letter: str) -> Callable[[_Reader], None]:
    def refuse(_reader: _Reader) -> None:
        raise Unclear(f"\\{letter} has no meaning in ECMA 262")

    return refuse


_OUTSIDE: dict[str, Callable[[_Reader], None]] = {
    "A": _fixed("^", "^"),
    "Z": _fixed("$", "$"),
    "z": _fixed("$", "$"),
    "b": _fixed("\\b", "b"),
    "B": _fixed("\\B", "b"),
    "E": lambda _: None,
    "Q": lambda reader: reader._quoted(),  # noqa: SLF001 -- of this module
    "N": lambda reader: reader._set(complement([(10, 10)])),  # noqa: SLF001 -- of this module
    "R": lambda reader: reader._add(_LINE_END, kind="r"),  # noqa: SLF001 -- of this module
    **{letter: _unclear(letter) for letter in "GKXC"},
}
"""What some letters mean after a backslash, except within a class."""
