"""A complete run: check the options, install the peers, measure and report."""

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
class BenchOptions:
    """The options of `python -m bench`; `peers` is None for all."""

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

    def arguments(self) -> list[str]:
        """Return the options as command-line arguments, without the URL of MongoDB."""
        values: dict[str, Any] = {
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
        return [*(f"--{name} {value}" for name, value in values.items() if value), *flags]


class Report(NamedTuple):
    """The report of a run as text, plain data and SVG; `failure` is the error that ended it early."""

    text: str
    plain: dict[str, Any]
    picture: str
    failure: LoadFailed | None


def run(options: BenchOptions, folder: Path | None) -> Report:
    """Run the benchmark and return the report; an incorrect response ends the measurements.

    Raises SetupError if it cannot run.
    """
    peers = _chosen(options)
    installed = folder or Path(platformdirs.user_cache_dir("tether-relay", appauthor=False)) / "bench"
    installed = installed.resolve()
    installed.mkdir(parents=True, exist_ok=True)
    install(installed, {peer.needs for peer in peers if peer.needs})
    generator = find_generator(installed)
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as temporary:
        place = BenchSetup(installed, Path(temporary), options.mongodb or "", options.access_log)
        bench = Bench(
            generator, place.folder, options.rounds, options.seconds, options.connections, (token(),)
        )
        chosen = cells(options.sources, options.numbers, options.workers)
        progress(f"{len(chosen)} cells, {len(peers)} servers: {_minutes(options, len(chosen) * len(peers))}")
        results, failure = Results(), None
        try:
            measure(bench, place, peers, chosen, results)
            if not options.quick:
                measure_many(bench, place, peers, results)
                measure_crowd(bench, place, results)
            if options.growth:
                growth.measure_growth(bench, place, results)
        except LoadFailed as exc:
            failure = exc
    pythons = [place.pythons([peer])[peer.name] for peer in peers if peer.needs in PYTHONS]
    described = machine(generator, pythons, installed, options.arguments())
    titles = {peer.name: peer.title for peer in peers}
    return Report(
        report.markdown(results, described, titles),
        report.as_json(results, described),
        svg(results, titles),
        failure,
    )


def write(found: Report, output: Path) -> None:
    """Write bench.md, bench.json and bench.svg; raise SetupError if that fails."""
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


def _chosen(options: BenchOptions) -> list[Peer]:
    """Return the peers, Relay first; raise SetupError with everything that cannot be measured here."""
    known = {peer.name: peer for peer in PEERS}
    problems = []
    if sys.platform != "linux":
        problems.append(
            Diagnostic("python -m bench", "it needs Linux: CPU time and memory are read from /proc")
        )
    problems += [
        Diagnostic("--peers", f"unknown peer '{name}'; use {', '.join(known)}")
        for name in options.peers or ()
        if name not in known
    ]
    problems += [
        Diagnostic("--sources", f"unknown source '{source}'; use {', '.join(SOURCES)}")
        for source in options.sources
        if source not in SOURCES
    ]
    if "mongodb" in options.sources and not options.mongodb:
        problems.append(
            Diagnostic("--mongodb", "missing: the source mongodb needs a URL; set RELAY_BENCH_MONGODB")
        )
    if problems:
        raise SetupError(problems)
    return [
        peer
        for peer in PEERS
        if peer.name == report.OURS or options.peers is None or peer.name in options.peers
        if options.peers is not None or _can_run(peer)
    ]


def _minutes(options: BenchOptions, rows: int) -> str:
    """Estimate the duration of a run from the number of table rows."""
    seconds = rows * (options.rounds * (options.seconds + 0.5) + 4) + (600 if options.growth else 120)
    return f"about {seconds / 60:.0f} minutes"


def _can_run(peer: Peer) -> bool:
    """Return True if a peer can run here; print a message if Node.js or npm is missing."""
    if peer.needs != "node" or (shutil.which("node") and shutil.which("npm")):
        return True
    click.echo(f"skipping {peer.name}: it needs Node.js and npm", err=True)
    return False
