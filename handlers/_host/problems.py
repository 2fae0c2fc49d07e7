"""What is wrong with a set-up: all of it, one readable line each, before a socket opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that keeps the service from starting.

    `where` is `file:line:column` for contracts and code, the name of the setting otherwise.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class SetupError(Exception):
    """The service cannot start; `problems` says everything that has to be mended."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))
