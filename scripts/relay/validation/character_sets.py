"""Sets of characters in regular expressions, as ranges of code points."""

from __future__ import annotations

Ranges = list[tuple[int, int]]

ANY: Ranges = [(0, 0x10FFFF)]
NEWLINES: Ranges = [(10, 10), (13, 13), (0x2028, 0x2029)]
"""What `.` does not match."""

_DIGITS: Ranges = [(48, 57)]
_UPPER: Ranges = [(65, 90)]
_LOWER: Ranges = [(97, 122)]
_ALPHA: Ranges = [*_UPPER, *_LOWER]
_WORD: Ranges = [*_DIGITS, *_UPPER, (95, 95), *_LOWER]
_BLANK: Ranges = [
    *((9, 9), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x202F, 0x202F)),
    *((0x205F, 0x205F), (0x3000, 0x3000)),
]
_SPACE: Ranges = [(9, 13), *_BLANK[1:4], (0x2000, 0x200A), (0x2028, 0x2029), *_BLANK[5:], (0xFEFF, 0xFEFF)]
_PUNCT: Ranges = [(33, 47), (58, 64), (91, 96), (123, 126)]

POSIX: dict[str, Ranges] = {
    "alpha": _ALPHA,
    "digit": _DIGITS,
    "alnum": [*_DIGITS, *_ALPHA],
    "upper": _UPPER,
    "lower": _LOWER,
    "punct": _PUNCT,
    "space": [(9, 13), (32, 32)],
    "blank": [(9, 9), (32, 32)],
    "cntrl": [(0, 31), (127, 127)],
    "graph": [(33, 126)],
    "print": [(32, 126)],
    "xdigit": [*_DIGITS, (65, 70), (97, 102)],
    "word": _WORD,
    "ascii": [(0, 127)],
}
"""The classes of POSIX, `[[:alpha:]]`."""

_SPECIAL = frozenset(map(ord, r"\^$.*+?()[]{}|"))
_SPECIAL_IN_CLASS = frozenset(map(ord, r"\^[]-"))
_OPERATORS = frozenset(map(ord, "&~"))  # doubled, some engines take them as operators of sets
_SURROGATES = 0xD800, 0xDFFF


def complement(ranges: Ranges) -> Ranges:
    """Return the characters that are not in some ranges."""
    found: Ranges = []
    start = 0
    for low, high in sorted(ranges):
        if start < low:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return [*found, (start, 0x10FFFF)] if start <= 0x10FFFF else found


def literal(code: int) -> str:
    """Return a character for a place outside of a class."""
    return f"\\{chr(code)}" if code in _SPECIAL else _plain(code)


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
    return "".join(_range(low, high) for low, high in _without_surrogates(ranges))


def has_case(ranges: Ranges) -> bool:
    """Return True if some ranges may contain letters, in upper or lower case."""
    cases = [*_ALPHA, (128, 0x10FFFF)]
    return any(low <= last and high >= first for low, high in ranges for first, last in cases)


def _without_surrogates(ranges: Ranges) -> Ranges:
    first, last = _SURROGATES
    clipped = (
        (last + 1 if first <= low <= last else low, first - 1 if first <= high <= last else high)
        for low, high in ranges
    )
    return [(low, high) for low, high in clipped if low <= high]


def _range(low: int, high: int) -> str:
    if low == high:
        return _member(low)
    return f"{_member(low)}{'-' if high > low + 1 else ''}{_member(high)}"


def _member(code: int) -> str:
    if code in _OPERATORS:
        return f"\\x{code:02x}"
    return f"\\{chr(code)}" if code in _SPECIAL_IN_CLASS else _plain(code)


def _plain(code: int) -> str:
    return f"\\x{code:02x}" if code < 32 or code == 127 else chr(code)


SETS: dict[str, Ranges] = {
    "d": _DIGITS,
    "D": complement(_DIGITS),
    "w": _WORD,
    "W": complement(_WORD),
    "s": _SPACE,
    "S": complement(_SPACE),
    "h": _BLANK,
    "H": complement(_BLANK),
}
"""The sets that a letter after a backslash names."""
