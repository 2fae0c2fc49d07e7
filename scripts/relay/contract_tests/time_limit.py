"""The time limit of a run: cases that it leaves out are listed as not run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from .results import NotRun, Phase

OUT_OF_TIME = "the time of the run was over; raise --max-time"
"""The reason of each case that the limit leaves out."""

T = TypeVar("T")


class TimeLimit:
    """The time that is left; without `seconds` there is no end."""

    def __init__(self, seconds: float | None = None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, infinite without a limit."""
        return max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left == 0

    def within(self, part: Phase, items: Iterable[T], name: Callable[[T], str] = str) -> Iterator[T]:
        """Yield items while there is time, and list the names of the others once each in `part.not_run`."""
        left_out: dict[str, None] = {}
        for item in items:
            if self.is_over:
                left_out[name(item)] = None
            else:
                yield item
        part.not_run += [NotRun(one, OUT_OF_TIME) for one in left_out]


UNLIMITED = TimeLimit()
