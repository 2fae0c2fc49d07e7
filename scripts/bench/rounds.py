"""Interleaved rounds: everything that is compared is measured in turn, again and again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click

from .load import Generator, Job, LoadFailed, run
from .results import Sample
from .servers import Program, Server, last_words, settle, started

Measured = TypeVar("Measured")


@dataclass(frozen=True, slots=True)
class Bench:
    """How is measured: with what, for how long, how often, and where its files go."""

    generator: Generator
    folder: Path
    rounds: int
    seconds: int
    connections: int
    tokens: tuple[str, ...] = field(repr=False)

    def connections_for(self, numbers: int) -> int:
        """Return how many connections ask for so many numbers: an eighth where answers are large."""
        return self.connections if numbers < 1000 else max(1, self.connections // 8)


@dataclass(frozen=True, slots=True)
class Contestant:
    """Processes of one program, which share the connections, and the tokens that they are shown."""

    servers: tuple[Server, ...]
    connections: int
    tokens: Sequence[str] = field(repr=False)


@contextmanager
def running(
    programs: Mapping[str, Program], folder: Path, workers: int = 1
) -> Iterator[dict[str, tuple[Server, ...]]]:
    """Start so many processes of each program, until left; SetupError when one does not start."""
    with ExitStack() as stack:
        yield {
            name: tuple(stack.enter_context(started(program, folder)) for _ in range(workers))
            for name, program in programs.items()
        }  # fmt: skip


def interleaved(
    names: Iterable[str], rounds: int, measure: Callable[[str, int], Measured], told: str
) -> dict[str, list[Measured]]:
    """Measure each in every round, and begin each round with another one."""
    order = list(names)
    measured: dict[str, list[Measured]] = {name: [] for name in order}
    for number in range(rounds):
        at = number % len(order)
        progress(f"{told}: round {number + 1} of {rounds}")
        for name in [*order[at:], *order[:at]]:
            progress(f"{told}: round {number + 1} of {rounds}: {name}", is_fleeting=True)
            measured[name].append(measure(name, number))
    progress("")
    return measured


def load_rounds(bench: Bench, contestants: Mapping[str, Contestant], told: str) -> dict[str, list[Sample]]:
    """Load each in every round, after a first one of a second that does not count; raises LoadFailed."""
    progress(f"{told}: warm-up")
    for contestant in contestants.values():
        loaded(bench, contestant, 1, 0)
    return interleaved(
        contestants,
        bench.rounds,
        lambda name, number: loaded(bench, contestants[name], bench.seconds, number + 1),
        told,
    )


def loaded(bench: Bench, contestant: Contestant, seconds: int, number: int) -> Sample:
    """Load all processes of a contestant at once, and say what it took; raises LoadFailed."""
    servers = contestant.servers
    share = max(1, contestant.connections // len(servers))
    first = number * len(contestant.tokens) // (bench.rounds + 1)
    jobs = {
        server.url: Job(server.url, contestant.tokens, share, seconds, server.program.status or 200, first)
        for server in servers
    }
    before = sum(server.cpu() for server in servers)
    try:
        loads = run(bench.generator, jobs, bench.folder).values()
    except LoadFailed as exc:
        words = "; ".join(last_words(server.program, server.log) for server in servers)
        raise LoadFailed(f"{servers[0].program.name}: {exc}; its last words: {words}") from None
    taken = sum(server.cpu() for server in servers) - before
    rss = sum(server.rss() for server in servers)
    for server in servers:
        settle(server)
    requests = sum(load.requests for load in loads)
    return Sample(
        rate=sum(load.requests / load.seconds for load in loads),
        p50=max(load.p50 for load in loads),
        p99=max(load.p99 for load in loads),
        cpu=taken * 1000 / requests,
        rss=rss,
    )


def progress(told: str, *, is_fleeting: bool = False) -> None:
    """Say on stderr what is being done: in one line that changes on a terminal, else a line for all that lasts."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{told}", err=True, nl=False)
    elif told and not is_fleeting:
        click.echo(told, err=True)
