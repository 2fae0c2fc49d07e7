"""The header Prefer (RFC 7240): optional preferences of a client."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # a token, RFC 9110 section 5.6.2
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)++')  # commas in quotes are not separators
_PREFERENCE = re.compile(rf"\s*({_WORD})\s*(?:=\s*({_WORD}|{_QUOTED})?)?\s*(?:;|$)")


def read_preferences(header: str) -> dict[str, str]:
    """Return preference → value, "" if it has none; parameters are ignored.

    Names are in lower case, the first of equal names is used (section 2), and malformed elements are skipped.
    """
    found: dict[str, str] = {}
    for element in _ELEMENT.findall(header):
        if match := _PREFERENCE.match(element):
            found.setdefault(match[1].lower(), _unquoted(match[2] or ""))
    return found


def write_preferences(applied: Mapping[str, str]) -> str:
    """Return the value of Preference-Applied (section 3)."""
    return ", ".join(f"{name}={_quoted(value)}" for name, value in applied.items())


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word


def _quoted(value: str) -> str:
    if re.fullmatch(_WORD, value):
        return value
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'
