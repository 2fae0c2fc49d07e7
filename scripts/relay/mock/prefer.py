"""The header Prefer (RFC 7240): optional preferences of a client."""

from __future__ import annotations

import re
from collections.abc import Mapping

from relay.validation.structured_fields import TOKEN, elements, parameters, unquoted

_TOKEN = re.compile(TOKEN)
_VALUE = re.compile(rf'{TOKEN}|"(?:[^"\\]|\\.)*+"|')


def read_preferences(header: str) -> dict[str, str]:
    """Return preference → value, "" if it has none; parameters are ignored.

    Names are in lower case, the first of equal names is used (section 2), and malformed elements are skipped.
    """
    found: dict[str, str] = {}
    for element in elements(header):
        preference, _parameters = parameters(element)
        name, _, value = (part.strip() for part in preference.partition("="))
        if _TOKEN.fullmatch(name) and _VALUE.fullmatch(value):
            found.setdefault(name.lower(), unquoted(value))
    return found


def write_preferences(applied: Mapping[str, str]) -> str:
    """Return the value of Preference-Applied (section 3)."""
    return ", ".join(f"{name}={_quoted(value)}" for name, value in applied.items())


def _quoted(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'
