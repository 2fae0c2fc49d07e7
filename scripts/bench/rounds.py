"""Interleaved rounds: all compared servers are measured in turn in each round."""

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
from .servers import Program, Server, last_log_line, settle, started

Measured = TypeVar("Measured")


@dataclass(frozen=True, slots=True)
class Bench:
    """The parameters of the measurements: generator, folder for files, rounds, duration, connections and tokens."""

    generator: Generator
    folder: Path
    rounds: int
    seconds: int
    connections: int
    tokens: tuple[str, ...] = field(repr=False)

    def connections_for(self, numbers: int) -> int:
        """Return the number of connections for a number of phone numbers: an eighth for large responses."""
        return self.connections if numbers < 1000 else max(1, self.connections // 8)


@dataclass(frozen=True, slots=True)
class Contestant:
    """The processes of one program, which share the connections, and the tokens to send."""

    servers: tuple[Server, ...]
    connections: int
    tokens: Sequence[str] = field(repr=False)


@contextmanager
def running(
    programs: Mapping[str, Program], folder: Path, workers: int = 1
) -> Iterator[dict[str, tuple[Server, ...]]]:
    """Start `workers` processes of each program, and end them on exit; raise SetupError if one does not start."""
    with ExitStack() as stack:
        yield {
            name: tuple(stack.enter_context(started(program, folder)) for _ in range(workers))
            for name, program in programs.items()
        }  # fmt: skip


def interleaved(
    names: Iterable[str], rounds: int, measure: Callable[[str, int], Measured], title: str
) -> dict[str, list[Measured]]:
    """Measure each name in every round; each round starts with another name."""
    order = list(names)
    measured: dict[str, list[Measured]] = {name: [] for name in order}
    for number in range(rounds):
        at = number % len(order)
        progress(f"{title}: round {number + 1} of {rounds}")
        for name in [*order[at:], *order[:at]]:
            progress(f"{title}: round {number + 1} of {rounds}: {name}", is_fleeting=True)
            measured[name].append(measure(name, number))
    progress("")
    return measured


def load_rounds(bench: Bench, contestants: Mapping[str, Contestant], title: str) -> dict[str, list[Sample]]:
    """Load each server in every round, after a warm-up of one second; raises LoadFailed."""
    progress(f"{title}: warm-up")
    for contestant in contestants.values():
        loaded(bench, contestant, 1, 0)
    return interleaved(
        contestants,
        bench.rounds,
        lambda name, number: loaded(bench, contestants[name], bench.seconds, number + 1),
        title,
    )


def loaded(bench: Bench, contestant: Contestant, seconds: int, number: int) -> Sample:
    """Load all processes of a contestant at once and return the sample; raises LoadFailed."""
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
        log = "; ".join(last_log_line(server.program, server.log) for server in servers)
        raise LoadFailed(f"{servers[0].program.name}: {exc}; last log line: {log}") from None
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


def progress(text: str, *, is_fleeting: bool = False) -> None:
    """Print the current step on stderr: in one changing line on a terminal, else one line for each lasting step."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)
    elif text and not is_fleeting:
        click.echo(text, err=True)
