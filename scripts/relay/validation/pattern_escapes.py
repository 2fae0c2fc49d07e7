"""Reads the escapes and the members of classes in a regular expression."""

from __future__ import annotations

import re
from typing import NamedTuple

from .character_sets import POSIX, SETS, Ranges, complement

_HEX = {"x": r"([0-9A-Fa-f]{2})", "u": r"([0-9A-Fa-f]{4})", "U": r"([0-9A-Fa-f]{8})"}
_BRACED = re.compile(r"\{([0-9A-Fa-f]{1,8})\}")
_PROPERTY = re.compile(r"\{(\^?)([A-Za-z0-9_=:.-]{1,60})\}|([CLMNPSZ])")
_LOW = re.compile(r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_HIGH, _LOWER = r"\\u([dD][89abAB][0-9A-Fa-f]{2})", r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})"
_PAIR = re.compile(rf"(?:{_HIGH}|\[{_HIGH}-{_HIGH}\])(?:{_LOWER}|\[{_LOWER}-{_LOWER}\])")
_POSIX = re.compile(r"\[:(\^?)([a-z]{1,6}):\]")
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SURROGATE_PIECES = 64  # ranges of one pair of classes


class Unclear(Exception):
    """The meaning of a pattern is not clear; the text is the reason."""


class Property(NamedTuple):
    r"""A Unicode property, as in `\p{L}`."""

    name: str
    is_negated: bool


Piece = str | Property


class Scanner:
    """Reads the parts of a text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _matched(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        """Match an expression here, and move to its end."""
        if (match := expression.match(self._text, self._at)) is not None:
            self._at = match.end()
        return match

    def _octal(self) -> int:
        match = self._matched(re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?"))
        if match is not None:
            return int(match[0], 8)
        self._at += 1
        return ord(self._text[self._at - 1])

    def _escaped(self) -> int | Ranges | Property:
        """Return what follows a backslash: a character, a set, or a property."""
        if self._at == len(self._text):
            raise Unclear("it ends with a backslash")
        letter = self._text[self._at]
        if letter.isdecimal() and letter.isascii():
            return self._octal()
        self._at += 1
        if letter in SETS:
            return SETS[letter]
        if letter in "pP" and (match := self._matched(_PROPERTY)):
            return Property(match[2] or match[3], (letter == "P") != bool(match[1]))
        return self._letter(letter)

    def _letter(self, letter: str) -> int:
        """Return the character that a letter means after a backslash; most mean themselves."""
        if letter in _HEX and (code := self._hex(letter)) is not None:
            return code
        return self._control() if letter == "c" else _CONTROLS.get(letter, ord(letter))

    def _control(self) -> int:
        match = self._matched(re.compile(r"[A-Za-z]"))
        if match is not None:
            return ord(match[0]) % 32
        self._at -= 1  # `\c` without a letter is a backslash
        return ord("\\")

    def _hex(self, letter: str) -> int | None:
        r"""Return the character of `\x41`, `\u0041`, `\U00000041` or `\u{41}`; a pair of surrogates is one."""
        match = self._matched(_BRACED) or self._matched(re.compile(_HEX[letter]))
        if match is None:
            return None
        code = int(match[1], 16)
        if 0xD800 <= code <= 0xDBFF and (low := self._matched(_LOW)):
            code = _combined(code, int(low[1], 16))
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
            ranges = [(_combined(highs[0], lows[0]), _combined(highs[-1], lows[1]))] if highs else []
        elif len(highs) <= _SURROGATE_PIECES:
            ranges = [(_combined(one, lows[0]), _combined(one, lows[1])) for one in highs]
        else:
            return None
        if not ranges or lows[0] > lows[1]:
            raise Unclear("a range of a class is out of order")
        self._at = match.end()
        return ranges

    def _member(self, ranges: Ranges, properties: list[Property]) -> None:
        """Read a member of a class, or a range of characters."""
        if self._text.startswith("&&[", self._at):
            raise Unclear("'&&[' is an intersection of classes in one language, and text in others")
        first = self._one_member()
        is_range = self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at)
        if is_range and isinstance(first, int):
            start = self._at
            self._at += 1
            last = self._one_member()
            if isinstance(last, int):
                if last < first:
                    raise Unclear("a range of a class is out of order")
                ranges.append((first, last))
                return
            self._at = start  # `a-\d` is three members (B.1.2)
        if isinstance(first, int):
            ranges.append((first, first))
        elif isinstance(first, Property):
            properties.append(first)
        else:
            ranges += first
        if is_range:  # `\w-.` is three members: the next one is `-`
            self._at += 1
            ranges.append((45, 45))

    def _one_member(self) -> int | Ranges | Property:
        if self._at >= len(self._text):
            raise Unclear("a class is not closed")
        if (match := _POSIX.match(self._text, self._at)) and match[2] in POSIX:
            self._at = match.end()
            return complement(POSIX[match[2]]) if match[1] else POSIX[match[2]]
        char = self._text[self._at]
        self._at += 1
        if char != "\\":
            return ord(char)
        if self._text.startswith("b", self._at):
            self._at += 1
            return 8
        return self._escaped()


def _combined(high: int, low: int) -> int:
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
