"""Chooses which findings of a contract are shown: rules that are off, and findings that are known."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, place_parts
from relay.contract.documents import display
from relay.project.project import Project, Section

from .lint_rules import RULES

SHAPE: dict[str, Any] = {
    "description": "Rules that relay lint does not apply.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "off": {
            "description": "Rules, with the reason why they are off; errors cannot be.",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                rule.id: {"type": "string", "description": rule.why, "minLength": 1}
                for rule in RULES.values()
                if rule.severity is not Severity.ERROR
            },
        }
    },
}
"""The table [tool.relay.lint] as a JSON Schema, for editors."""


def check_rules(names: Iterable[str], where: str) -> None:
    """Raise SetupError for names that are no rules, with the nearest rule."""
    unknown = [name for name in names if name not in RULES]
    if unknown:
        raise SetupError(Diagnostic(where, _unknown(name)) for name in unknown)


def rules_off(project: Project) -> dict[str, str]:
    """Return the rules that [tool.relay.lint.off] names, with their reasons.

    Raises SetupError for an unknown key or rule, an entry without a reason, and for the rule of an error.
    """
    section = project.section("lint")
    off = section.data.get("off", {}) if isinstance(section.data, dict) else {}
    if problems := [*_problems(section, off)]:
        raise SetupError(problems)
    return dict(off)


def _problems(section: Section, off: Any) -> Iterable[Diagnostic]:
    data: Any = section.data
    if not isinstance(data, dict) or not isinstance(off, dict):
        yield Diagnostic(section.name, "must be a table with `off`, a table of rules and reasons")
        return
    for key in data.keys() - {"off"}:
        yield Diagnostic(section.place((key,)), "unknown key; there is only off")
    for name, reason in off.items():
        place = section.place(("off", name))
        if name not in RULES:
            yield Diagnostic(place, _unknown(name))
        elif RULES[name].severity is Severity.ERROR:
            yield Diagnostic(place, "an error cannot be off: `relay serve --strict` refuses it")
        elif not isinstance(reason, str) or not reason.strip():
            yield Diagnostic(place, "state why the rule is off, as a text")


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, RULES, 1)
    hint = f"did you mean {close[0]}?" if close else "`relay lint --rules` lists them"
    return f"there is no rule '{name}'; {hint}"


def without_known(findings: Iterable[Diagnostic], baseline: Path) -> list[Diagnostic]:
    """Return the findings that a report of `relay lint --format json` does not have.

    A finding is known by its file, rule and message, so it may have moved; of equal ones, as many are known as the
    report has. Raises SetupError if the file is not such a report.
    """
    known = Counter(_known(baseline))
    new = []
    for finding in findings:
        key = place_parts(finding.where)[0], finding.rule, finding.message
        known[key] -= 1
        if known[key] < 0:
            new.append(finding)
    return new


def _known(baseline: Path) -> list[tuple[str, str, str]]:
    try:
        report = json.loads(baseline.read_bytes())
        rows: list[Any] = report["findings"] if report["command"] == "lint" else [None]
        return [(row["file"], row["rule"], row["message"]) for row in rows]
    except OSError as exc:
        raise SetupError([Diagnostic(display(baseline), f"cannot be read: {exc.strerror}")]) from exc
    except (ValueError, LookupError, TypeError) as exc:
        message = "is not a report of `relay lint --format json`; write it again"
        raise SetupError([Diagnostic(display(baseline), message)]) from exc
