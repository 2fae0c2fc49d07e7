"""Reads the ignore file, which lists intended changes with their reasons, and applies it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, SourceLocation
from relay.contract.documents import Document, read_document
from relay.project.project import Project, Section

from .changes import Change
from .diff_rules import RULES

_KEYS = ("rule", "where", "reason")

SHAPE: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["rule", "reason"],
        "properties": {key: {"type": "string"} for key in _KEYS},
    },
}
"""The list as a JSON Schema, for editors."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An intended change: its rule, its operation or component (None for any), the reason and the entry's location."""

    rule: str
    where: str | None
    reason: str
    place: SourceLocation | str

    def covers(self, change: Change) -> bool:
        """Return True if the entry matches a change."""
        return self.rule == change.rule and self.where in (None, change.where)


def find_ignored(given: Path | None, project: Project) -> list[Ignored]:
    """Read the YAML file that is given, else the list `ignore` of [tool.relay.breaking]."""
    if given is not None:
        return read_ignored(read_document(given))
    section = project.section("breaking")
    if unknown := sorted(section.data.keys() - {"ignore"}):
        raise SetupError([Diagnostic(section.place((unknown[0],)), "unknown key; there is only ignore")])
    return read_ignored(Section(section.data.get("ignore", []), f"{section.name}.ignore"))


def read_ignored(document: Document | Section) -> list[Ignored]:
    """Read a list of entries with `rule`, `reason` and perhaps `where`; raises SetupError for all invalid ones."""
    if not isinstance(document.data, list):
        message = "must be a list of entries with rule, where and reason"
        raise SetupError([Diagnostic(document.place(()), message)])
    problems = [
        Diagnostic(document.place((str(index), *at)), message)
        for index, entry in enumerate(document.data)
        for at, message in _faults(entry)
    ]
    if problems:
        raise SetupError(problems)
    return [
        Ignored(entry["rule"], entry.get("where"), entry["reason"], document.place((str(index),)))
        for index, entry in enumerate(document.data)
    ]


def _faults(entry: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield where an entry is wrong, and why."""
    if not isinstance(entry, dict):
        yield (), "an entry must have a rule and a reason, and may have a where"
        return
    for key, value in entry.items():
        if key not in _KEYS:
            yield (key,), f"unknown key '{key}'; use {', '.join(_KEYS)}"
        elif not isinstance(value, str) or not value.strip():
            yield (key,), f"'{key}' must be a non-empty string"
    if "reason" not in entry:
        yield (), "the entry has no reason; state why the change is intended"
    if "rule" not in entry:
        yield (), "the entry has no rule; `relay breaking --rules` lists them"
    elif isinstance(entry["rule"], str) and entry["rule"] not in RULES:
        yield ("rule",), f"unknown rule '{entry['rule']}'; `relay breaking --rules` lists them"


def ignore(changes: Sequence[Change], ignored: Sequence[Ignored]) -> tuple[list[Change], list[Diagnostic]]:
    """Return the changes, intended ones as INFO with the reason, and a warning for each entry without a change."""
    kept = []
    for change in changes:
        entry = next((one for one in ignored if one.covers(change)), None)
        reason = f" (ignored: {entry.reason})" if entry else ""
        severity = Severity.INFO if entry else change.severity
        kept.append(replace(change, severity=severity, message=change.message + reason))
    stale = []
    for entry in ignored:
        if not any(map(entry.covers, changes)):
            what = f"{entry.rule}{f' at {entry.where}' if entry.where else ''}"
            message = f"no change matches {what}; remove the entry"
            stale.append(Diagnostic(entry.place, message, "stale-ignore", Severity.WARNING))
    return kept, stale
