"""What is wrong with a set-up: all of it, one readable line each, before a socket opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class SourceLocation(NamedTuple):
    """Where a value stands: `file:line:column`, lines and columns from 1."""

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
    """What a finding is told by: an id in kebab case that stays the same across releases, and a reason."""

    id: str
    severity: Severity
    why: str


def rule_table(whys: Mapping[Severity, Mapping[str, str]]) -> dict[str, Rule]:
    """Return rules by id, of reasons by severity and id."""
    return {id_: Rule(id_, severity, why) for severity, told in whys.items() for id_, why in told.items()}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something is wrong, or worth knowing, at one place.

    `where` is a place in a contract or in code, else the name of a setting or of a file. `message` is one
    line: what is wrong and what to do. `rule` is an id in kebab case that stays the same across releases.
    `other` is the place on the other side: the handler of an operation, the old contract of a new one.
    """

    where: SourceLocation | str
    message: str
    rule: str = "setup"
    severity: Severity = Severity.ERROR
    other: SourceLocation | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"

    @property
    def line(self) -> str:
        """The diagnostic with its severity, its rule and the other place."""
        other = f" (see {self.other})" if self.other else ""
        return f"{self.where}: {self.severity}: {self.message} [{self.rule}]{other}"


def place_parts(place: SourceLocation | str) -> tuple[str, int, int]:
    """Return file, line and column; line and column are 0 where a whole file is meant."""
    return (place, 0, 0) if isinstance(place, str) else place


class NotYetThere(Exception):
    """What a read-only look would open is made by the first start; the text is one line that says what."""


class SetupError(Exception):
    """The service cannot start; `problems` says everything that has to be mended."""

    def __init__(self, problems: Iterable[Diagnostic]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))
