"""Translates the patterns of a contract into what the validator asserts: the only module that knows how.

A pattern whose meaning is not clear, or that the engine cannot compile, is not asserted, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import jsonschema_rs

from relay.contract.limits import MAX_LOOKING_PATTERN, MAX_PATTERN

from .character_sets import members
from .pattern_syntax import Piece, Property, Syntax, Unclear, read

_LOOKING = re.compile(r"\(\?(?!:|P?<[^=!]|[a-zA-Z-]*[:)])|\\[1-9k]")
_CLASS = r"\[(?:\\.|[^\\\]])+\]|\\x..|\\?."
_REPEATED = re.compile(
    rf"(\^?)((?:{_CLASS})|\(\?i:(?:{_CLASS})\))\{{(\d+)(?:(,)(\d*))?\}}\??(\$?)", re.DOTALL | re.ASCII
)
_UNBOUNDED = 2**31
_SAMPLES = 64  # characters of a property that are tried when text is generated


class Pattern(NamedTuple):
    """A pattern as it is asserted.

    `keywords` are those of a schema: `pattern`, `minLength` and `maxLength`, or none. `text` is the pattern in
    the syntax of Python, of which text can be generated; None if it is not asserted. `warning` is one sentence.
    """

    keywords: dict[str, Any]
    text: str | None
    warning: str | None


@lru_cache(maxsize=4096)
def translated(pattern: str) -> Pattern:
    """Return what is asserted of a pattern."""
    try:
        _check_size(pattern)
        syntax = read(pattern)
        keywords = _keywords(syntax)
    except Unclear as exc:
        return Pattern({}, None, f"the pattern is not checked: {exc}")
    warning = f"the pattern {'; it '.join(dict.fromkeys(syntax.notes))}" if syntax.notes else None
    text = "".join(_sampled(piece) if isinstance(piece, Property) else piece for piece in syntax.pieces)
    return Pattern(keywords, text, warning)


def pattern_properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `patternProperties` of a schema; one whose pattern cannot be read applies to nothing."""
    found = schema.get("patternProperties", {})
    return {pattern: part for pattern, part in found.items() if translated(pattern).keywords}


def _check_size(pattern: str) -> None:
    if len(pattern) > MAX_PATTERN:
        raise Unclear(f"it has more than {MAX_PATTERN:,} characters")
    if len(pattern) > MAX_LOOKING_PATTERN and _LOOKING.search(pattern):
        raise Unclear(
            f"it has look-around or back-references and more than {MAX_LOOKING_PATTERN:,} characters"
        )


def _keywords(syntax: Syntax) -> dict[str, Any]:
    text = _for_engine(syntax.pieces)
    if _compiles(text):
        return {"pattern": text}
    for piece in syntax.pieces:
        if isinstance(piece, Property) and not _compiles(_for_engine([piece])):
            raise Unclear(f"the Unicode property '{piece.name}' is not known")
    if (keywords := _lengths(text)) is not None:
        return keywords
    raise Unclear("it is too large for the validator, or a construct of it is not supported")


def _lengths(text: str) -> dict[str, Any] | None:
    """Return the keywords of a repeated class that is too large for the engine: the length is checked apart."""
    if (match := _REPEATED.fullmatch(text)) is None:
        return None
    start, characters, first, comma, last, end = match.groups()
    least, most = int(first), int(last or _UNBOUNDED if comma else first)
    if start and end:
        found: dict[str, Any] = {"pattern": f"^{characters}{'+' if least else '*'}$"}
        if least > 1:
            found["minLength"] = least
        if most < _UNBOUNDED:
            found["maxLength"] = most
    else:  # further characters may follow: only the lower limit says something
        found = {"pattern": f"{start}{characters}{{{least}}}{end}"}
    return found if _compiles(found["pattern"]) else None


def _compiles(text: str) -> bool:
    try:
        jsonschema_rs.Draft4Validator({"pattern": text})
    except ValueError:
        return False
    return True


def _for_engine(pieces: list[Piece]) -> str:
    return "".join(
        f"\\{'P' if piece.is_negated else 'p'}{{{piece.name}}}" if isinstance(piece, Property) else piece
        for piece in pieces
    )


@lru_cache(maxsize=256)
def _sampled(piece: Property) -> str:
    """Return the first characters of a property, which Python's parser does not know, as members of a class."""
    accepts = jsonschema_rs.Draft4Validator({"pattern": f"^{_for_engine([piece])}$"}).is_valid
    codes = (code for code in range(32, 0x3000) if accepts(chr(code)))
    return members([(code, code) for code in islice(codes, _SAMPLES)] or [(97, 97)])
