"""Diagnostics: every error and warning as one readable line, reported before the server starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .printable import one_line


class SourceLocation(NamedTuple):
    """The location of a value, `file:line:column`; lines and columns start at 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """Only an error makes a check fail."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a check: its id in kebab case, stable across releases, its severity and its reason."""

    id: str
    severity: Severity
    why: str


def rule_table(whys: Mapping[Severity, Mapping[str, str]]) -> dict[str, Rule]:
    """Return the rules by id, from their reasons by severity and id."""
    return {id_: Rule(id_, severity, why) for severity, by_id in whys.items() for id_, why in by_id.items()}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error, warning or note, and its location.

    `where` is a location in a contract or in code, or the name of a setting or a file. `message` is one line:
    what is wrong and what to do. `rule` is an id in kebab case, stable across releases. `other` is the related
    location: the handler of an operation, or the same value in the old contract.
    """

    where: SourceLocation | str
    message: str
    rule: str = "setup"
    severity: Severity = Severity.ERROR
    other: SourceLocation | None = None

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.message}")

    @property
    def line(self) -> str:
        """The diagnostic as one line, with its severity, its rule and the related location."""
        other = f" (see {self.other})" if self.other else ""
        return one_line(f"{self.where}: {self.severity}: {self.message} [{self.rule}]{other}")


def errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the errors among some diagnostics."""
    return [one for one in diagnostics if one.severity is Severity.ERROR]


def place_parts(place: SourceLocation | str) -> tuple[str, int, int]:
    """Return file, line and column; line and column are 0 for a whole file."""
    return (place, 0, 0) if isinstance(place, str) else place


class NotYetThere(Exception):
    """A read-only check needs a resource that only the first start creates; the text names it in one line."""


class SetupError(Exception):
    """The service cannot start; `problems` lists every error to fix."""

    def __init__(self, problems: Iterable[Diagnostic]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))
