"""What an upgrade reports: where the new version has no equal or another meaning, and what had no effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation, rule_table

from .tree import Map

RULES = rule_table(
    {
        Severity.ERROR: {
            "no-equal": "The newer version cannot say it; the contract means something else now.",
            "not-upgraded": "A file that the contract refers to stays as it is, so that versions are mixed.",
        },
        Severity.WARNING: {
            "discriminator-decides": "In 3.0 a discriminator decides between schemas; from 3.1 on it must not change what is valid.",
            "parts-listed": "From 3.2 on, a multipart body with an array is a list of its parts; before, it is bytes.",
            "gains-effect": "The older version ignored it; it stays, because it was written for the newer one.",
            "no-effect": "The older version ignored it; the newer one would not, or has no word for it.",
        },
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A finding at a member of an object, and where that was written."""

    owner: Map
    key: str | None
    rule: str
    message: str
    old: SourceLocation | None

    def at(self, place: SourceLocation) -> Diagnostic:
        """Return the finding with its place."""
        return Diagnostic(place, self.message, self.rule, RULES[self.rule].severity)


class Findings:
    """Collects findings, in the order of the steps."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def no_equal(self, owner: Map, key: str | None, message: str) -> None:
        """Report what the newer version cannot say; before the member is removed."""
        self._add(owner, key, "no-equal", message)

    def no_effect(self, owner: Map, key: str | None, message: str) -> None:
        """Report what had no effect; before the member is removed."""
        self._add(owner, key, "no-effect", message)

    def discriminator_decides(self, owner: Map, key: str, message: str) -> None:
        """Report a discriminator that is no longer asked; it stays."""
        self._add(owner, key, "discriminator-decides", message)

    def gains_effect(self, owner: Map, key: str, message: str) -> None:
        """Report what had no effect and has one now; it stays."""
        self._add(owner, key, "gains-effect", message)

    def parts_listed(self, owner: Map, key: str, message: str) -> None:
        """Report a body that has another meaning now; it stays."""
        self._add(owner, key, "parts-listed", message)

    def not_upgraded(self, owner: Map, key: str, message: str) -> None:
        """Report a file that is not rewritten."""
        self._add(owner, key, "not-upgraded", message)

    def _add(self, owner: Map, key: str | None, rule: str, message: str) -> None:
        self._found.append(Finding(owner, key, rule, message, _place(owner, key)))


def _place(owner: Map, key: str | None) -> SourceLocation | None:
    """Return where a member is written, else where its object is."""
    entry = owner.entries.get(key) if key is not None else None
    entry = entry or next(iter(owner.entries.values()), None)
    if entry is not None and entry.key is not None:
        return entry.source.place(entry.key.start_mark)
    return owner.source.place(owner.node.start_mark) if owner.source and owner.node else None
