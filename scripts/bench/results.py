"""The results of a run: all rounds of all measurements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .peer_check import InvalidBodyOutcome


class Cell(NamedTuple):
    """A combination of source, number of phone numbers, and number of worker processes."""

    source: str
    numbers: int
    workers: int

    def __str__(self) -> str:
        numbers = f"{self.numbers:,} number{'s' * (self.numbers != 1)}"
        return f"{numbers} from {self.source}, {self.workers} worker{'s' * (self.workers != 1)}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server: requests a second, latencies in ms, CPU time in ms a request, memory in MB."""

    rate: float
    p50: float
    p99: float
    cpu: float
    rss: float


class Growth(NamedTuple):
    """The cost of a request at each size: CPU time and median latency in ms, one value a round."""

    of: str
    sizes: tuple[int, ...]
    cpu: tuple[tuple[float, ...], ...]
    p50: tuple[tuple[float, ...], ...]


@dataclass(slots=True)
class Results:
    """All results of a run; lists have one value a round, and the rounds of a cell are paired.

    `fates` are the outcomes of an invalid body, `starts` the seconds to the first response, `idle` the MB
    before the first load of a cell, `waits` the p99 in ms of small requests during large ones, `many_starts`
    the seconds by number of operations and peer, `crowd` the MB of Relay after 10,000 numbers. `fresh` is the
    CPU time in ms of a request with a new token, by peer.
    """

    fates: dict[str, InvalidBodyOutcome] = field(default_factory=dict)
    starts: dict[str, list[float]] = field(default_factory=dict)
    samples: dict[Cell, dict[str, list[Sample]]] = field(default_factory=dict)
    idle: dict[Cell, dict[str, float]] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)
    many_starts: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    crowd: float | None = None
    growth: list[Growth] = field(default_factory=list)
    fresh: dict[str, list[float]] = field(default_factory=dict)

    def column(self, cell: Cell, peer: str, name: str) -> list[float]:
        """Return one figure of all rounds of a peer; an empty list if it was not measured."""
        return [getattr(sample, name) for sample in self.samples.get(cell, {}).get(peer, [])]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain data, cells and their peers as lists."""
        cells = [
            {
                **cell._asdict(),
                "peers": {
                    peer: {
                        "idle_rss_mb": self.idle[cell][peer],
                        "rounds": [
                            {
                                "requests_per_second": sample.rate,
                                "p50_ms": sample.p50,
                                "p99_ms": sample.p99,
                                "cpu_ms_per_request": sample.cpu,
                                "rss_mb": sample.rss,
                            }
                            for sample in samples
                        ],
                    }
                    for peer, samples in peers.items()
                },
            }
            for cell, peers in self.samples.items()
        ]
        return {
            "fates": self.fates,
            "start_seconds": self.starts,
            "cells": cells,
            "small_beside_large_p99_ms": self.waits,
            "start_seconds_by_operations": self.many_starts,
            "rss_mb_at_10000_numbers": self.crowd,
            "growth": [
                {"of": one.of, "sizes": one.sizes, "cpu_ms_per_request": one.cpu, "p50_ms": one.p50}
                for one in self.growth
            ],
            "fresh_tokens_cpu_ms_per_request": self.fresh,
        }
