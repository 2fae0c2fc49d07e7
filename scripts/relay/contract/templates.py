"""Contracts that are Jinja2 templates, as Connexion renders them; Relay reads a contract as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .diagnostics import Diagnostic
from .parsed import located

TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")

MESSAGE = "is a Jinja2 template here, which Relay does not render; write the value itself"


def template_fault(path: Path, text: str, lines: Iterable[int]) -> Diagnostic | None:
    """Return the error of a template that makes a text no YAML in some lines; None if it is no template there."""
    wanted = {*lines}
    for match in TEMPLATE.finditer(text):
        place = located(path, text, match.start())
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        is_statement = match[0].startswith("{%") and not before.strip()
        if is_statement or place.line in wanted:
            return Diagnostic(place, MESSAGE, "yaml")
    return None
