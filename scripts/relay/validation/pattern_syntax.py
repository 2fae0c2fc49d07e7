r"""Reads regular expressions as engines of ECMA 262 take them, and writes them with the syntax that all engines share.

Annex B of ECMA 262 takes what Unicode mode refuses: `{` and `]` as text, `\-` as `-`, `[\w-.]`. Beyond it, some
syntax of other languages has only one meaning: `\A`, `\Z`, `(?i)`, `(?P<name>…)`, `[[:alpha:]]`, possessive
quantifiers, which are read as greedy ones. It is one module because reading and writing are one pass over a text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .character_sets import (
    ANY,
    NEWLINES,
    POSIX,
    SETS,
    Ranges,
    complement,
    has_case,
    literal,
    members,
    written,
)

MAX_GROUPS = 100
"""Nesting of groups."""

_SURROGATE_PIECES = 64  # ranges of one pair of classes
_CAPTURING = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\.|\[(?:\\.|[^\]\\])*+(?:\]|\Z)|(?P<group>\((?!\?|\*))|\(\?P?[<'](?![=!])(?P<name>\w*)[>']",
    re.DOTALL,
)
_OPENING = re.compile(
    r"(?P<comment>\(\?#[^)]*\)?)|\(\?(?P<on>[imsxu]*)(?:-(?P<off>[imsxu]*))?(?P<end>[:)])|(?P<plain>\(\?(?:>|<?[=!]))"
    r"|\(\?P=(?P<reference>\w+)\)|(?P<named>\(\?(?:P?<\w+>|'\w+'))|(?P<unknown>\([?*].?)|(?P<capturing>\()",
    re.DOTALL,
)
_DELIMITED = re.compile(r"/(\^.*|.*\$)/([dgimsuvy]*)", re.DOTALL)
_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d{1,30})(?:,(\d{0,30}))?\})([?+]?)", re.ASCII)
_DASHED = re.compile(r"\{\d+\s*[-.;]+\s*\d+\}", re.ASCII)
_NO_LEAST = re.compile(r"\{,\d+\}", re.ASCII)
_NAME = re.compile(r"<(\w+)>|\{(\w+)\}|'(\w+)'")
_NUMBER = re.compile(r"\\([1-9]\d{0,8})", re.ASCII)
_HEX = "[0-9A-Fa-f]"
_ESCAPE = re.compile(
    r"\\(?:(?P<property>[pP](?:\{\^?[A-Za-z0-9_=:.-]{1,60}\}|[CLMNPSZ]))"
    rf"|(?P<code>[xuU]\{{{_HEX}{{1,8}}\}}|x{_HEX}{{2}}|u{_HEX}{{4}}|U{_HEX}{{8}})"
    r"|c(?P<control>[A-Za-z])|(?P<octal>[0-3][0-7]{0,2}|[4-7][0-7]?)|(?=c)|(?P<letter>.))",
    re.DOTALL,
)
_HIGH, _LOW = r"\\u([dD][89abAB][0-9A-Fa-f]{2})", r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})"
_LOW_ALONE = re.compile(_LOW)
_PAIR = re.compile(rf"(?:{_HIGH}|\[{_HIGH}-{_HIGH}\])(?:{_LOW}|\[{_LOW}-{_LOW}\])")
_POSIX = re.compile(rf"\[:(\^?)({'|'.join(POSIX)}):\]")
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}

_NEVER = written(complement(ANY), is_negated=False)
_LINE_END = f"(?:\\r\\n|{written([*NEWLINES, (11, 12), (0x85, 0x85)], is_negated=False)})"
_FIXED = {
    "A": ("^", False),
    "Z": ("$", False),
    "z": ("$", False),
    "b": (r"\b", False),
    "B": (r"\B", False),
    "R": (_LINE_END, True),
}
"""The meaning of some letters after a backslash, except within a class, and whether it can be repeated."""


class Unclear(Exception):
    """The meaning of a pattern is not clear; the text is the reason."""


class Property(NamedTuple):
    r"""A Unicode property, as in `\p{L}`."""

    name: str
    is_negated: bool


Piece = str | Property
"""A part of a pattern: text, or a property, which not all engines have."""


class Syntax(NamedTuple):
    """A pattern that was read; `notes` say what is probably a mistake."""

    pieces: list[Piece]
    notes: list[str]


class _Group(NamedTuple):
    start: int
    flags: str
    number: int | None
    is_assertion: bool


def read(pattern: str) -> Syntax:
    """Read a pattern. Raises Unclear."""
    if delimited := _DELIMITED.fullmatch(pattern):
        note = "is written between the delimiters /…/, which are no part of a pattern"
        return _Reader(delimited[1], delimited[2], [note]).read()
    return _Reader(pattern, "", []).read()


class _Reader:
    """Reads one pattern from left to right; `_last` is where the part starts that a quantifier repeats."""

    def __init__(self, text: str, flags: str, notes: list[str]) -> None:
        self._text = text
        self._at = 0
        self._flags = flags
        self._notes = notes
        self._out: list[Piece] = []
        self._last: int | None = None
        self._is_assertion = False
        self._groups: list[_Group] = []
        self._closed: set[int] = set()
        self._count = 0
        found = [match for match in _CAPTURING.finditer(text) if match["group"] or match["name"] is not None]
        self._total = len(found)
        self._names: dict[str, list[int]] = {}
        for number, match in enumerate(found, 1):
            self._names.setdefault(match["name"] or "", []).append(number)

    def read(self) -> Syntax:
        while self._at < len(self._text):
            char = self._text[self._at]
            match char:
                case "(":
                    self._open()
                case "[" | "\\":
                    self._class_or_escape(char)
                case "*" | "+" | "?" | "{" if self._quantifier():
                    pass
                case _:
                    self._at += 1
                    self._single(char)
        if self._groups:
            raise Unclear("a group is not closed")
        return Syntax(self._out, self._notes)

    def _single(self, char: str) -> None:
        match char:
            case ")":
                self._close()
            case ".":
                self._set(ANY if "s" in self._flags else complement(NEWLINES))
            case "^" | "$" if "m" in self._flags:
                self._add(f"(?m:{char})", is_repeatable=False)
            case "^" | "$" | "|":
                self._add(char, is_repeatable=False)
            case _:
                self._character(ord(char))

    def _matched(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        if (match := expression.match(self._text, self._at)) is not None:
            self._at = match.end()
        return match

    # What is written

    def _add(self, *pieces: Piece, is_repeatable: bool = True) -> None:
        self._last = len(self._out) if is_repeatable else None
        self._is_assertion = False
        self._out += pieces

    def _character(self, code: int) -> None:
        if 0xD800 <= code <= 0xDFFF:
            self._add(_NEVER)
        elif "i" in self._flags and chr(code).lower() != chr(code).upper():
            self._add(f"(?i:{literal(code)})")
        else:
            self._add(literal(code))

    def _set(self, ranges: Ranges, *properties: Property, is_negated: bool = False) -> None:
        is_open = "i" in self._flags
        if properties:
            start, end = ("(?i:[", "])") if is_open else ("[", "]")
            self._add(start + "^" * is_negated, *properties, members(ranges) + end)
        else:
            text = written(ranges, is_negated=is_negated)
            self._add(f"(?i:{text})" if is_open and has_case(ranges) else text)

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
        sign, least, most, mode = match.groups()
        if most and int(most) < int(least):
            raise Unclear("the numbers of a quantifier are out of order")
        if not self._is_assertion:
            self._out.append((sign or match[0].removesuffix(mode)) + ("?" if mode == "?" else ""))
        elif sign in ("*", "?") or int(least or 1) == 0:  # an assertion that need not hold says nothing
            del self._out[self._last :]
        self._last = None
        return True

    # Groups

    def _open(self) -> None:
        if len(self._groups) == MAX_GROUPS:
            raise Unclear(f"its groups nest deeper than {MAX_GROUPS} levels")
        match = self._matched(_OPENING)
        assert match is not None
        text = match[0]
        match match.lastgroup:
            case "comment" if not text.endswith(")"):
                raise Unclear("a comment is not closed")
            case "comment":
                pass
            case "end":
                self._inline_flags(match["on"], match["off"] or "", is_group=match["end"] == ":")
            case "plain":
                self._enter("(?:" if text == "(?>" else text, is_assertion=text[-1] in "=!")
            case "reference":
                self._named_reference(match["reference"])
            case "unknown":
                raise Unclear(f"'{text}' is no group of ECMA 262")
            case _:
                self._count += 1
                self._enter("(", number=self._count)

    def _inline_flags(self, on: str, off: str, *, is_group: bool) -> None:
        """Take the flags of `(?i)`, which apply to the end of the group, or those of `(?i:`."""
        if "x" in on:
            raise Unclear("the flag x changes what spaces mean")
        outer = self._flags
        if is_group:
            self._enter("(?:")
        self._flags = "".join({*outer, *on} - {*off})

    def _enter(self, text: str, *, number: int | None = None, is_assertion: bool = False) -> None:
        self._groups.append(_Group(len(self._out), self._flags, number, is_assertion))
        self._out.append(text)
        self._last = None

    def _close(self) -> None:
        if not self._groups:
            raise Unclear("a group is closed that was not opened")
        self._out.append(")")
        self._last, self._flags, number, self._is_assertion = self._groups.pop()
        if number is not None:
            self._closed.add(number)

    def _reference(self, number: int) -> None:
        """Refer to a group; before its end it is empty."""
        flags = "i" if "i" in self._flags else ""
        self._add(f"(?{flags}:\\{number})" if number in self._closed else "")

    def _named_reference(self, name: str) -> None:
        numbers = self._names.get(name, [])
        if len(numbers) != 1:
            raise Unclear(f"it refers to a group '{name}' that is missing, or not the only one")
        self._reference(numbers[0])

    # Classes and escapes

    def _class_or_escape(self, char: str) -> None:
        if (ranges := self._surrogates()) is not None:
            self._set(ranges)
        elif char == "[":
            self._at += 1
            self._class()
        else:
            self._escape(self._text[self._at + 1 : self._at + 2])

    def _escape(self, letter: str) -> None:
        number = _NUMBER.match(self._text, self._at)
        if number is not None and int(number[1]) <= self._total:  # else it is octal, or a digit (B.1.2)
            self._at = number.end()
            self._reference(int(number[1]))
            return
        start = self._at
        self._at += 2
        if letter in _FIXED:
            text, is_repeatable = _FIXED[letter]
            self._add(text, is_repeatable=is_repeatable)
        elif letter == "k" and self._names.keys() - {""}:
            match = self._matched(_NAME)
            self._named_reference("" if match is None else next(filter(None, match.groups())))
        elif letter == "Q":
            self._quoted()
        elif letter == "N":
            self._set(complement([(10, 10)]))
        elif letter and letter in "GKXC":
            raise Unclear(f"\\{letter} has no meaning in ECMA 262")
        elif letter != "E":
            self._at = start
            match self._escaped():
                case int(code):
                    self._character(code)
                case Property() as one:
                    self._set([], one)
                case ranges:
                    self._set(ranges)

    def _quoted(self) -> None:
        text, _, _ = self._text[self._at :].partition("\\E")
        for char in text:
            self._character(ord(char))
        self._at += len(text) + 2

    def _class(self) -> None:
        is_negated = self._text.startswith("^", self._at)
        self._at += is_negated
        ranges: Ranges = []
        properties: list[Property] = []
        while not self._text.startswith("]", self._at):
            self._member(ranges, properties)
        self._at += 1
        self._set(ranges, *properties, is_negated=is_negated)

    def _member(self, ranges: Ranges, properties: list[Property]) -> None:
        if self._text.startswith("&&[", self._at):
            raise Unclear("'&&[' is an intersection of classes in one language, and text in others")
        first = self._one_member()
        is_dashed = self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at)
        if isinstance(first, int):
            self._at += is_dashed
            start = self._at
            last = self._one_member() if is_dashed else first
            if isinstance(last, int):
                if last < first:
                    raise Unclear("a range of a class is out of order")
                ranges.append((first, last))
                return
            self._at = start - 1  # `a-\d` is three members (B.1.2)
            ranges.append((first, first))
        elif isinstance(first, Property):
            properties.append(first)
        else:
            ranges += first
        if is_dashed:  # `\w-.` is three members: the next one is `-`
            self._at += 1
            ranges.append((45, 45))

    def _one_member(self) -> int | Ranges | Property:
        if self._at >= len(self._text):
            raise Unclear("a class is not closed")
        if match := self._matched(_POSIX):
            return complement(POSIX[match[2]]) if match[1] else POSIX[match[2]]
        if self._text.startswith("\\b", self._at):
            self._at += 2
            return 8
        if self._text[self._at] == "\\":
            return self._escaped()
        self._at += 1
        return ord(self._text[self._at - 1])

    def _escaped(self) -> int | Ranges | Property:
        match = self._matched(_ESCAPE)
        if match is None:
            raise Unclear("it ends with a backslash")
        text = match[0][1:]
        match match.lastgroup:
            case "property":
                name = text[1:].strip("{}")
                return Property(name.removeprefix("^"), (text[0] == "P") != name.startswith("^"))
            case "code":
                return self._combined(int(text[1:].strip("{}"), 16))
            case "control":
                return ord(match["control"]) % 32
            case "octal":
                return int(text, 8)
            case "letter":
                return SETS.get(text) or _CONTROLS.get(text, ord(text))
        return ord("\\")  # `\c` without a letter is a backslash, and a c

    def _combined(self, code: int) -> int:
        """Return a character that is written as a number; a pair of surrogates is one."""
        if 0xD800 <= code <= 0xDBFF and (low := self._matched(_LOW_ALONE)):
            code = _of_pair(code, int(low[1], 16))
        if code > 0x10FFFF:
            raise Unclear("it has a character beyond Unicode")
        return code

    def _surrogates(self) -> Ranges | None:
        """Read two classes of surrogates; return the characters that they encode in UTF-16."""
        match = _PAIR.match(self._text, self._at)
        if match is None:
            return None
        high, high_1, high_2, low, low_1, low_2 = (int(text, 16) if text else 0 for text in match.groups())
        highs = range(high or high_1, (high or high_2) + 1)
        lows = low or low_1, low or low_2
        if lows == (0xDC00, 0xDFFF):
            ranges = [(_of_pair(highs[0], lows[0]), _of_pair(highs[-1], lows[1]))] if highs else []
        elif len(highs) <= _SURROGATE_PIECES:
            ranges = [(_of_pair(one, lows[0]), _of_pair(one, lows[1])) for one in highs]
        else:
            return None
        if not ranges or lows[0] > lows[1]:
            raise Unclear("a range of a class is out of order")
        self._at = match.end()
        return ranges


def _of_pair(high: int, low: int) -> int:
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
