"""A whole run: what is wanted is checked, installed, measured and reported."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import click
import platformdirs

from relay.contract.diagnostics import Diagnostic, SetupError

from . import growth, report
from .data import token
from .installing import install
from .load import LoadFailed, find_generator
from .machine import machine
from .measuring import BenchSetup, cells, measure, measure_crowd, measure_many
from .peers import PEERS, PYTHONS, Peer
from .plot import svg
from .results import Results
from .rounds import Bench, progress

SOURCES = ("memory", "sqlite", "mongodb")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of `relay bench`; `peers` is None for all."""

    peers: tuple[str, ...] | None
    numbers: tuple[int, ...]
    sources: tuple[str, ...]
    workers: tuple[int, ...]
    rounds: int
    seconds: int
    connections: int
    mongodb: str | None = field(repr=False)
    access_log: bool
    growth: bool
    quick: bool

    def words(self) -> list[str]:
        """Return the options as they are typed, without the address of MongoDB."""
        told: dict[str, Any] = {
            "peers": ",".join(self.peers or ()),
            "numbers": ",".join(map(str, self.numbers)),
            "sources": ",".join(self.sources),
            "workers": ",".join(map(str, self.workers)),
            "rounds": self.rounds,
            "seconds": self.seconds,
            "connections": self.connections,
        }
        flags = [
            f"--{name.replace('_', '-')}" for name in ("access_log", "growth", "quick") if getattr(self, name)
        ]
        return [*(f"--{name} {value}" for name, value in told.items() if value), *flags]


class Report(NamedTuple):
    """What a run has found: for people, for programs, and as a picture; `failure` is what ended it early."""

    text: str
    plain: dict[str, Any]
    picture: str
    failure: LoadFailed | None


def run(wanted: Wanted, folder: Path | None) -> Report:
    """Do what is wanted, and return the report; an answer that is not as it should be ends what is measured.

    Raises SetupError when it cannot be done.
    """
    peers = _chosen(wanted)
    installed = folder or Path(platformdirs.user_cache_dir("tether-relay", appauthor=False)) / "bench"
    installed = installed.resolve()
    installed.mkdir(parents=True, exist_ok=True)
    install(installed, {peer.needs for peer in peers if peer.needs})
    generator = find_generator(installed)
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as temporary:
        place = BenchSetup(installed, Path(temporary), wanted.mongodb or "", wanted.access_log)
        bench = Bench(generator, place.folder, wanted.rounds, wanted.seconds, wanted.connections, (token(),))
        chosen = cells(wanted.sources, wanted.numbers, wanted.workers)
        progress(f"{len(chosen)} cells, {len(peers)} servers: {_minutes(wanted, len(chosen) * len(peers))}")
        results, failure = Results(), None
        try:
            measure(bench, place, peers, chosen, results)
            if not wanted.quick:
                measure_many(bench, place, peers, results)
                measure_crowd(bench, place, results)
            if wanted.growth:
                growth.measure_growth(bench, place, results)
        except LoadFailed as exc:
            failure = exc
    pythons = [place.pythons([peer])[peer.name] for peer in peers if peer.needs in PYTHONS]
    described = machine(generator, pythons, installed, wanted.words())
    titles = {peer.name: peer.title for peer in peers}
    return Report(
        report.markdown(results, described, titles),
        report.as_json(results, described),
        svg(results, titles),
        failure,
    )


def write(found: Report, output: Path) -> None:
    """Write bench.md, bench.json and bench.svg; SetupError where they cannot be written."""
    files = {
        "bench.md": f"{found.text}\n![How many times as fast Relay is](bench.svg)\n",
        "bench.json": json.dumps(found.plain, indent=1),
        "bench.svg": found.picture,
    }
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (output / name).write_text(content, "utf-8")
    except OSError as exc:
        raise SetupError(
            [Diagnostic(str(output), f"cannot be written: {exc.strerror}; see --output")]
        ) from exc


def _chosen(wanted: Wanted) -> list[Peer]:
    """Return the peers, Relay first; SetupError for everything that cannot be measured here."""
    known = {peer.name: peer for peer in PEERS}
    problems = []
    if sys.platform != "linux":
        problems.append(
            Diagnostic("relay bench", "it needs Linux: processor time and memory are read from /proc")
        )
    problems += [
        Diagnostic("--peers", f"'{name}' is none of {', '.join(known)}")
        for name in wanted.peers or ()
        if name not in known
    ]
    problems += [
        Diagnostic("--sources", f"'{source}' is none of {', '.join(SOURCES)}")
        for source in wanted.sources
        if source not in SOURCES
    ]
    if "mongodb" in wanted.sources and not wanted.mongodb:
        problems.append(
            Diagnostic("--mongodb", "missing: the source mongodb needs an address; set RELAY_BENCH_MONGODB")
        )
    if problems:
        raise SetupError(problems)
    return [
        peer
        for peer in PEERS
        if peer.name == report.OURS or wanted.peers is None or peer.name in wanted.peers
        if wanted.peers is not None or _can_run(peer)
    ]


def _minutes(wanted: Wanted, rows: int) -> str:
    """Say how long so many rows of tables take: their rounds, and what a start and a first load do."""
    seconds = rows * (wanted.rounds * (wanted.seconds + 0.5) + 4) + (600 if wanted.growth else 120)
    return f"about {seconds / 60:.0f} minutes"


def _can_run(peer: Peer) -> bool:
    """Whether Node.js is there for a peer that needs it; told when it is not."""
    if peer.needs != "node" or (shutil.which("node") and shutil.which("npm")):
        return True
    click.echo(f"{peer.name} is left out: it needs Node.js and npm", err=True)
    return False
