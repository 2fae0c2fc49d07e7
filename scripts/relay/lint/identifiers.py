"""Checks the names that schemas give themselves (JSON Schema 2020-12, sections 8.2.1 and 8.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract

from .lint_rules import RULES
from .schema_wording import of_2020_12

_RULE = "invalid-identifier"
_NAME = (
    re.compile(r"[A-Za-z_][-A-Za-z0-9._]*"),
    ("begins with a letter or '_', and has only letters, digits, '-', '.' and '_'"),
)
_PATTERNS = {
    "$id": (re.compile(r"[^#]*#?"), "has no fragment; write `$anchor` for a name within a schema"),
    "$anchor": _NAME,
    "$dynamicAnchor": _NAME,
}
"""What each keyword may be, and the end of the sentence that says so."""


def check_identifiers(contract: Contract) -> Iterator[Diagnostic]:
    """Yield identifiers that JSON Schema does not allow, in each file: the bundle has none."""
    if contract.version == "3.0":
        return
    for document in contract.documents:
        for at, value, kind in of_2020_12(document.data):
            for keyword in _PATTERNS.keys() & value.keys() if kind == "schema" else ():
                pattern, rule = _PATTERNS[keyword]
                if isinstance(name := value[keyword], str) and not pattern.fullmatch(name):
                    place = document.place((*at, keyword))
                    message = f"'{name}' is no valid `{keyword}`, which {rule}"
                    yield Diagnostic(place, message, _RULE, RULES[_RULE].severity)
