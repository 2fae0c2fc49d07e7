"""[tool.relay.limits]: the largest request bodies; [tool.relay.names]: the names in Python that a project chooses."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.contract.chosen_names import TABLES, ChosenNames, operation_keys
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract, Operation
from relay.validation import media_types as media

from .project import Section

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE = re.compile(r"([0-9]{1,15}) ?([KMG]?I?B)", re.ASCII | re.IGNORECASE)

_VALUE: dict[str, Any] = {"type": ["integer", "string"], "minimum": 0}

LIMITS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "description": 'A size such as "10 GB", or one for each media type.',
        "anyOf": [_VALUE, {"type": "object", "additionalProperties": _VALUE}],
    },
}
"""The table as a JSON Schema, for editors."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest bodies in bytes, by `POST /path` or operationId, and by media type; `*/*` for all."""

    operations: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    place: str = "tool.relay.limits"

    def of(self, operation: Operation) -> Mapping[str, int]:
        """Return the limits of an operation, by media type or range."""
        keys = operation_keys(operation)
        return next((self.operations[key] for key in keys if key in self.operations), {})

    def problems(self, contract: Contract) -> list[Diagnostic]:
        """Return an error for each operation and media type that the contract does not have.

        An operation that is left out of a contract with errors may have an entry.
        """
        bodies = {
            key: one.body.content if one.body else {}
            for one in contract.operations
            for key in operation_keys(one)
        }
        return [
            Diagnostic(f"{self.place}.{key}", message, "body-limit")
            for key, limits in self.operations.items()
            if key in bodies or not contract.left_out
            for message in _unknown(key, limits, bodies)
        ]


def _unknown(key: str, limits: Mapping[str, int], bodies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if key not in bodies:
        near = difflib.get_close_matches(key, bodies, 1, 0.6)
        hint = f"did you mean '{near[0]}'?" if near else "write 'POST /path', or its operationId"
        yield f"'{key}' is none of the contract's operations; {hint}"
    elif not bodies[key]:
        yield f"'{key}' has no request body; delete the entry"
    else:
        documented = media.by_name(bodies[key])
        for name in limits:
            # A documented media type, one of a documented range, or the range of a documented one.
            if not any(media.find(name, {one: 1}) or media.find(one, {name: 1}) for one in documented):
                yield f"'{name}' is none of the operation's media types: {', '.join(documented)}"


def read_limits(section: Section) -> Limits:
    """Return the limits of a table; raise SetupError for values that are no sizes."""
    problems: list[Diagnostic] = []
    if not isinstance(section.data, dict):
        raise SetupError([Diagnostic(section.name, "must be a table of operations and sizes")])
    found: dict[str, Mapping[str, int]] = {}
    for key, value in section.data.items():
        sizes = value.items() if isinstance(value, dict) else [("*/*", value)]
        read = {name: _size(one) for name, one in sizes}
        problems += [
            Diagnostic(section.place((key, name) if isinstance(value, dict) else (key,)), _NO_SIZE)
            for name, size in read.items()
            if size is None
        ]
        found[key] = media.by_name({name: size for name, size in read.items() if size is not None})
    if problems:
        raise SetupError(problems)
    return Limits(found, section.name)


_NO_SIZE = 'must be a number of bytes, or a text such as "512 KiB", "20 MB" or "10 GB"'


def _size(value: Any) -> int | None:
    if type(value) is int and value >= 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(match[1]) * _UNITS[match[2].upper()] if match else None


_DESCRIPTIONS = {
    "operations": "Functions, by 'GET /path' or operationId.",
    "tags": "Modules, by tag.",
    "parameters": "Arguments, by parameter: 'NAME', 'query NAME' or 'GET /path query NAME'.",
}

NAMES: dict[str, Any] = {
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
    if problems := list(_wrong_names(section)):
        raise SetupError(problems)
    return ChosenNames(**section.data, place=section.name)


def _wrong_names(section: Section) -> Iterator[Diagnostic]:
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
