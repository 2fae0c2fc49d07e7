"""The measurements of a run, in order: checks, start-up, rounds of each cell, waiting times, memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import many
from .data import SECRET
from .goals import CROWD
from .load import Job, run
from .paced import small_p99
from .peer_check import check_peer, invalid_body_outcome
from .peers import PEERS, Peer
from .results import Cell, Results
from .rounds import Bench, Contestant, interleaved, load_rounds, loaded, progress, running
from .servers import CHECKOUT, Program, Server, settle, started
from .sources import source_url

STARTS = 5
"""Number of timed start-ups."""

LARGE, MANY = 5000, (1, 600)
"""Numbers of the large responses that delay small requests; operations of the timed start-ups."""

_AHEAD = 0.5  # seconds by which the large requests start earlier


@dataclass(frozen=True, slots=True)
class BenchSetup:
    """Folders of the installations and of the stores, the URL of MongoDB, and whether all peers log requests."""

    installed: Path
    folder: Path
    mongodb: str = field(default="", repr=False)
    access_log: bool = False

    def program(self, name: str, source: str, numbers: int, users: int = 1) -> Program:
        """Return the program of a peer, with its own store."""
        peer = next(peer for peer in PEERS if peer.name == name)
        return self.of(peer, source_url(source, numbers, self.folder, self.mongodb, users), numbers)

    def of(self, peer: Peer, url: str, numbers: int, **variables: str) -> Program:
        """Return the program of a peer that reads its settings from `url`."""
        environment = {
            **({} if peer.needs else {"PYTHONPATH": str(CHECKOUT / "scripts")}),
            **peer.environment(),
            "BENCH_NUMBERS": str(numbers),
            "BENCH_SECRET": SECRET,
            "BENCH_SOURCE": url,
            **({"BENCH_ACCESS_LOG": "1"} if self.access_log else {}),
            **variables,
        }
        return Program(peer.name, tuple(peer.command(self.installed)), environment)

    def pythons(self, peers: Iterable[Peer]) -> dict[str, str]:
        """Return the interpreters of the Python peers by name: the first element of their commands."""
        return {peer.name: peer.command(self.installed)[0] for peer in peers if peer.needs != "node"}


def cells(sources: Sequence[str], numbers: Sequence[int], workers: Sequence[int]) -> list[Cell]:
    """Return the cells to measure: all numbers from all sources; more workers only for the first source."""
    return [
        Cell(source, count, crew)
        for crew in workers
        for source in (sources if crew == workers[0] else sources[:1])
        for count in numbers
    ]


def measure(
    bench: Bench, place: BenchSetup, peers: Sequence[Peer], chosen: Sequence[Cell], results: Results
) -> None:
    """Measure some peers in some cells.

    Raises SetupError if a peer does not start or fails its check, LoadFailed for an incorrect response.
    """
    _check_invalid_bodies(bench, place, peers, results)
    _time_starts(bench, place, peers, results)
    for cell in chosen:
        _measure_cell(bench, place, [peer for peer in peers if cell.source in peer.sources], cell, results)


def measure_many(bench: Bench, place: BenchSetup, peers: Sequence[Peer], results: Results) -> None:
    """Time the start-up of Relay and its counterparts with a small and a large contract."""
    for operations in MANY:
        contract = many.write_contract(bench.folder, operations)
        path = many.literal(operations)
        programs = {
            "relay": many.relay(contract, path),
            **many.peers(contract, path, place.pythons(peers)),
        }
        title = f"start-up, {operations} operation{'s' * (operations != 1)}"
        results.many_starts[operations] = _starts(bench, programs, title)


def measure_crowd(bench: Bench, place: BenchSetup, results: Results) -> None:
    """Measure Relay's memory while many connections request very many numbers; raises LoadFailed."""
    progress(f"memory, {CROWD:,} numbers")
    with started(place.program("relay", "memory", CROWD), bench.folder) as server:
        results.crowd = loaded(bench, Contestant((server,), 32, bench.tokens), max(3, bench.seconds), 0).rss


def _check_invalid_bodies(bench: Bench, place: BenchSetup, peers: Iterable[Peer], results: Results) -> None:
    for peer in (peer for peer in peers if not peer.is_mock):
        progress(f"invalid body: {peer.name}")
        program = replace(place.of(peer, "memory", 1, BENCH_BREAK="1"), status=None)
        with started(program, bench.folder) as server:
            results.fates[peer.name] = invalid_body_outcome(server.url, bench.tokens[0])


def _time_starts(bench: Bench, place: BenchSetup, peers: Iterable[Peer], results: Results) -> None:
    programs = {peer.name: place.of(peer, "memory", 1) for peer in peers}
    results.starts = _starts(bench, programs, "start-up")


def _starts(bench: Bench, programs: Mapping[str, Program], title: str) -> dict[str, list[float]]:
    def start(name: str, _: int) -> float:
        with started(programs[name], bench.folder) as server:
            return server.started

    return interleaved(programs, min(bench.rounds, STARTS), start, title)


def _measure_cell(
    bench: Bench, place: BenchSetup, peers: Sequence[Peer], cell: Cell, results: Results
) -> None:
    """Start all peers, check each, and load them in turn."""
    progress(f"{cell}: starting")
    url = source_url(cell.source, cell.numbers, bench.folder, place.mongodb)
    programs = {peer.name: place.of(peer, url, cell.numbers) for peer in peers}
    with running(programs, bench.folder, cell.workers) as servers:
        for peer in peers:
            for server in servers[peer.name]:
                check_peer(server.url, bench.tokens[0], cell.numbers, is_mock=peer.is_mock)
                settle(server)
        results.idle[cell] = {name: sum(server.rss() for server in crew) for name, crew in servers.items()}
        connections = bench.connections_for(cell.numbers)
        contestants = {name: Contestant(crew, connections, bench.tokens) for name, crew in servers.items()}
        results.samples[cell] = load_rounds(bench, contestants, str(cell))
        if cell == Cell("memory", LARGE, 1):
            singles = {name: crew[0] for name, crew in servers.items()}
            results.waits = _measure_waits(bench, singles)


def _measure_waits(bench: Bench, servers: Mapping[str, Server]) -> dict[str, list[float]]:
    """Return the waiting times of small requests during large ones, for servers that reject the small ones."""

    def wait(name: str, _: int) -> float | None:
        job = Job(servers[name].url, bench.tokens, bench.connections_for(LARGE), seconds + 2)
        with ThreadPoolExecutor(1) as background:
            load = background.submit(run, bench.generator, {name: job}, bench.folder)
            time.sleep(_AHEAD)
            p99 = small_p99(servers[name], bench.tokens[0], seconds)
            load.result()
        settle(servers[name])
        return p99

    seconds = max(4, bench.seconds)
    found = interleaved(servers, min(bench.rounds, 3), wait, f"small requests during {LARGE:,} numbers")
    return {
        name: [value for value in values if value is not None]
        for name, values in found.items()
        if None not in values
    }
