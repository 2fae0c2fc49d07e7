"""[tool.relay.names]: the names in Python that a project chooses for its contract."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from relay.contract.chosen_names import TABLES, ChosenNames
from relay.contract.diagnostics import Diagnostic, SetupError

from .project import Section

_DESCRIPTIONS = {
    "operations": "Functions, by 'GET /path' or operationId.",
    "tags": "Modules, by tag.",
    "parameters": "Arguments, by parameter: 'NAME', 'query NAME' or 'GET /path query NAME'.",
}

SHAPE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        name: {"description": why, "type": "object", "additionalProperties": {"type": "string"}}
        for name, why in _DESCRIPTIONS.items()
    },
}
"""The table as a JSON Schema, for editors."""


def read_names(section: Section) -> ChosenNames:
    """Return the names of a table; raise SetupError for unknown keys and for values that are no text."""
    if problems := list(_problems(section)):
        raise SetupError(problems)
    return ChosenNames(**section.data, place=section.name)


def _problems(section: Section) -> Iterator[Diagnostic]:
    if not isinstance(section.data, dict):
        yield Diagnostic(section.name, f"must be a table with {', '.join(TABLES)}")
        return
    for name, table in section.data.items():
        if name not in TABLES:
            near = difflib.get_close_matches(name, TABLES, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(TABLES)}"
            yield Diagnostic(section.place((name,)), f"unknown key; {hint}")
        elif not isinstance(table, dict):
            message = 'must be a table: "the contract\'s name" = "python_name"'
            yield Diagnostic(section.place((name,)), message)
        else:
            wrong = [key for key, value in table.items() if not isinstance(value, str)]
            yield from (Diagnostic(section.place((name, key)), "must be a name in quotes") for key in wrong)
