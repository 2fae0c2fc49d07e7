"""Parses the structure of header fields: lists, parameters and quoted strings (RFC 9110 section 5.6).

The cost is linear in the length of a field, whatever it contains: it is paid before a request is authenticated.
"""

from __future__ import annotations

import re

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 -- a token of RFC 9110 section 5.6.2

# A quoted string without its end takes the rest; the possessive quantifiers try nothing twice.
_QUOTED = r'"(?:[^"\\]|\\.)*+"?'
_PARTS = {
    separator: re.compile(rf'((?:[^{separator}"]++|{_QUOTED})*+)(?:{separator}|\Z)', re.DOTALL)
    for separator in (",", ";")
}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def elements(field: str) -> list[str]:
    """Return the elements of a list, without empty ones (section 5.6.1)."""
    return [part for part in _split(field, ",") if part]


def parameters(field: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what stands before the parameters, and each parameter with its name in lower case (section 5.6.6).

    A parameter without `=` has the value "". A list, because names can be repeated.
    """
    value, *parts = _split(field, ";")
    found: list[tuple[str, str]] = []
    for part in filter(None, parts):
        name, _, raw = part.partition("=")
        found.append((name.strip().lower(), unquoted(raw.strip())))
    return value, found


def unquoted(word: str) -> str:
    """Return the text of a quoted string (section 5.6.4); another word is returned as it is."""
    if len(word) > 1 and word[0] == word[-1] == '"':
        return _ESCAPED.sub(r"\1", word[1:-1])
    return word


def _split(field: str, separator: str) -> list[str]:
    return [part.strip() for part in _PARTS[separator].findall(field)]
