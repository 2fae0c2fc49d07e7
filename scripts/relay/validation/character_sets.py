"""Sets of characters in regular expressions, as ranges of code points."""

from __future__ import annotations

Ranges = list[tuple[int, int]]


def _ranges(ends: str) -> Ranges:
    """Return the ranges whose first and last characters are written one after the other."""
    return [(ord(low), ord(high)) for low, high in zip(ends[::2], ends[1::2], strict=True)]


ANY: Ranges = [(0, 0x10FFFF)]
NEWLINES = _ranges("\n\n\r\r\u2028\u2029")
"""The characters that `.` does not match."""

POSIX = {
    name: _ranges(ends)
    for name, ends in {
        "alpha": "AZaz",
        "digit": "09",
        "alnum": "09AZaz",
        "upper": "AZ",
        "lower": "az",
        "punct": "!/:@[`{~",
        "space": "\t\r  ",
        "blank": "\t\t  ",
        "cntrl": "\0\x1f\x7f\x7f",
        "graph": "!~",
        "print": " ~",
        "xdigit": "09AFaf",
        "word": "09AZ__az",
        "ascii": "\0\x7f",
    }.items()
}
"""The classes of POSIX, `[[:alpha:]]`."""

_BLANK = _ranges("\t\t  \xa0\xa0\u1680\u1680\u2000\u200a\u202f\u202f\u205f\u205f\u3000\u3000")
_SPACE = _ranges(
    "\t\r  \xa0\xa0\u1680\u1680\u2000\u200a\u2028\u2029\u202f\u202f\u205f\u205f\u3000\u3000\ufeff\ufeff"
)
_SPECIAL = frozenset(map(ord, r"\^$.*+?()[]{}|"))
_SPECIAL_IN_CLASS = frozenset(map(ord, r"\^[]-"))
_OPERATORS = frozenset(map(ord, "&~"))  # doubled, some engines take them as operators of sets
_SURROGATES = 0xD800, 0xDFFF
_CASED = [*POSIX["alpha"], (128, 0x10FFFF)]


def complement(ranges: Ranges) -> Ranges:
    """Return the characters that are not in some ranges."""
    found: Ranges = []
    start = 0
    for low, high in sorted(ranges):
        if start < low:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return [*found, (start, 0x10FFFF)] if start <= 0x10FFFF else found


SETS = {
    letter: found
    for lower, ranges in (("d", POSIX["digit"]), ("w", POSIX["word"]), ("s", _SPACE), ("h", _BLANK))
    for letter, found in ((lower, ranges), (lower.upper(), complement(ranges)))
}
"""The sets that a letter after a backslash names."""


def literal(code: int) -> str:
    """Return a character for a place outside of a class."""
    return _written(code, _SPECIAL)


def written(ranges: Ranges, *, is_negated: bool) -> str:
    """Return the class of the characters in some ranges, or of all others; text contains no surrogates."""
    known = _without_surrogates(ranges)
    others = _without_surrogates(complement(known))
    if len(others) < len(known) and max(high for _, high in known) == 0x10FFFF:
        known, is_negated = others, not is_negated
    if not known:
        known, is_negated = ANY, not is_negated
    return f"[{'^' if is_negated else ''}{members(known)}]"


def members(ranges: Ranges) -> str:
    """Return the characters in some ranges as the members of a class."""
    return "".join(
        _member(low) + "-" * (high > low + 1) + _member(high) * (high > low)
        for low, high in _without_surrogates(ranges)
    )


def has_case(ranges: Ranges) -> bool:
    """Return True if some ranges may contain letters, in upper or lower case."""
    return any(low <= last and high >= first for low, high in ranges for first, last in _CASED)


def _without_surrogates(ranges: Ranges) -> Ranges:
    first, last = _SURROGATES
    clipped = (
        (last + 1 if first <= low <= last else low, first - 1 if first <= high <= last else high)
        for low, high in ranges
    )
    return [(low, high) for low, high in clipped if low <= high]


def _member(code: int) -> str:
    return f"\\x{code:02x}" if code in _OPERATORS else _written(code, _SPECIAL_IN_CLASS)


def _written(code: int, special: frozenset[int]) -> str:
    if code in special:
        return f"\\{chr(code)}"
    return f"\\x{code:02x}" if code < 32 or code == 127 else chr(code)
