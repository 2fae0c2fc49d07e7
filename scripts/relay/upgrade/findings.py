"""The findings of an upgrade: where the new version has no equal or another meaning, and what had no effect."""

from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation, rule_table
from relay.importer.text_tree import Map

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


class Finding(NamedTuple):
    """A finding at a member of an object, and where that was written."""

    owner: Map
    key: str | None
    rule: str
    message: str
    old: SourceLocation | None

    def at(self, place: SourceLocation) -> Diagnostic:
        """Return the finding with its place."""
        return Diagnostic(place, self.message, self.rule, RULES[self.rule].severity)


class Findings(list[Finding]):
    """Collects findings, in the order of the steps."""

    def report(self, rule: str, owner: Map, key: str | None, message: str) -> None:
        """Add a finding at a member of an object, before that is removed."""
        entry = owner.entries.get(key) if key is not None else None
        entry = entry or next(iter(owner.entries.values()), None)
        place = None
        if entry is not None and entry.key is not None:
            place = entry.source.place(entry.key.start_mark)
        elif owner.source and owner.node:
            place = owner.source.place(owner.node.start_mark)
        self.append(Finding(owner, key, rule, message, place))

    def drop(self, owner: Map, key: str, message: str) -> None:
        """Remove a member that had no effect, and report it."""
        self.report("no-effect", owner, key, message)
        owner.drop(key)
