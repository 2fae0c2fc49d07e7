"""What is wrong with a set-up: all of it, one readable line each, before a socket opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where a value stands: `file:line:column`, lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps the service from starting.

    `where` is a place in a contract or in code, the name of the setting otherwise. `rule` is the id
    that `relay lint` tells the problems of contracts by.
    """

    where: Place | str
    message: str
    rule: str = "setup"

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class NotYetThere(Exception):
    """What a read-only look would open is made by the first start; the text is one line that says what."""


class SetupError(Exception):
    """The service cannot start; `problems` says everything that has to be mended."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))
