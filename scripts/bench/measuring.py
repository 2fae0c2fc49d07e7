"""A run and its cells, each of which measures some figures."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import click
import httpx

from relay.contract.diagnostics import SetupError
from tests.support.public_contracts import public_style

from .data import body, check, source_url, token, write_data
from .load import load
from .peers import PEERS, RELAY, RELAY_VARIABLES, Peer, install
from .servers import Program, Server, started

NUMBERS = (1, 100, 5000)
OPERATIONS, SLEEPERS = (1, 600), 30
_COMMANDS = {"lint": ("lint",), "drift": ("drift",), "regenerate": ("regenerate", "--check")}
_SHOP = ("--spec", "api.json", "--handlers", "shop")
_SLEEPING = "import time\ndef listResource0s(**_):\n    time.sleep(1)\n    return {'items': []}\n"

progress = partial(click.echo, err=True)


@dataclass(slots=True)
class Run:
    """A run: `figures` are named `cell/server/unit`, with a value a round; `reasons` say why one is not measured."""

    folder: Path
    installed: Path
    rounds: int
    seconds: int
    mongodb: str = field(default="", repr=False)
    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    reasons: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def explained(self, name: str) -> Iterator[None]:
        """Keep the reason if what has this name cannot be measured."""
        try:
            yield
        except (SetupError, OSError, ValueError, subprocess.SubprocessError, httpx.HTTPError) as exc:
            self.reasons[name] = str(exc).partition("\n")[0] or type(exc).__name__
            progress(f"{name} is not measured: {self.reasons[name]}")

    def peer(self, name: str) -> Peer | None:
        """Return a peer, with its environment installed; None if there is none, or no database."""
        peer = PEERS[name]
        if peer.source == "mongodb" and not self.mongodb:
            self.reasons[name] = "RELAY_BENCH_MONGODB names no server"
        if peer.needs not in self.reasons:
            with self.explained(peer.needs):
                install(self.installed, peer.needs)
        if peer.needs in self.reasons:
            self.reasons[name] = self.reasons[peer.needs]
        return None if name in self.reasons else peer


def measure_numbers(run: Run, numbers: int) -> None:
    """Start all peers, check each, and load them in turn; every round starts with another one."""
    with ExitStack() as stack:
        servers = _started(run, numbers, stack)
        for name, server in servers.items():
            run.figures[f"{numbers}/{name}/idle"].append(server.rss())
        order = list(servers)
        for number in range(run.rounds + 1):
            progress(f"{numbers} numbers: {f'round {number} of {run.rounds}' if number else 'warm-up'}")
            for name in order:
                with run.explained(f"{numbers}/{name}"):
                    load_server(run, servers[name], f"{numbers}/{name}", is_warm_up=number == 0)
            order = [name for name in (*order[1:], *order[:1]) if f"{numbers}/{name}" not in run.reasons]


def _started(run: Run, numbers: int, stack: ExitStack) -> Mapping[str, Server]:
    """Return the servers that do the work, all running."""
    servers = {}
    data = write_data(run.folder, body(numbers))
    for name in PEERS:
        with run.explained(f"{numbers}/{name}"):
            if peer := run.peer(name):
                source = source_url(peer.source, numbers, run.folder, run.mongodb)
                server = stack.enter_context(started(peer.program(run.installed, data, source), run.folder))
                check(name, server.url, numbers)
                servers[name] = server
    return servers


def load_server(run: Run, server: Server, name: str, *, is_warm_up: bool) -> None:
    """Load a server, and keep the figures unless it warms up; few connections get large responses, more would queue."""
    before = server.cpu()
    connections = 4 if name.startswith(f"{max(NUMBERS)}/") else 32
    found = load(server.url, token(), connections, 1 if is_warm_up else run.seconds)
    taken = server.cpu() - before
    server.settle()
    if not is_warm_up:
        run.figures[f"{name}/rate"].append(found.requests / found.seconds)
        run.figures[f"{name}/cpu"].append(taken * 1e6 / found.requests)
        run.figures[f"{name}/p99"].append(found.p99)


def measure_sleep(run: Run) -> None:
    """Measure the seconds of 30 simultaneous requests to a plain function that sleeps for a second."""
    folder = _project(run, 1)
    _relay(folder, "regenerate", *_SHOP)
    (folder / "shop" / "area_0.py").write_text(_SLEEPING, "utf-8")
    program = Program("relay", (*RELAY, "serve", *_SHOP), RELAY_VARIABLES, "/v1/resource0s")
    with started(program, folder) as server, ThreadPoolExecutor(SLEEPERS) as pool, httpx.Client() as client:
        get = partial(client.get, headers={"Authorization": f"Bearer {token()}"}, timeout=60)
        start = time.perf_counter()
        for response in [*pool.map(get, [server.url] * SLEEPERS)]:
            response.raise_for_status()
        run.figures["sleep/relay/s"].append(time.perf_counter() - start)


def measure_start(run: Run) -> None:
    """Measure the seconds to the first response of Relay, with stubs, and of Connexion, in turn."""
    data = write_data(run.folder, {"items": []})
    for operations in OPERATIONS:
        progress(f"start with {operations} operations")
        spec, path = str(_project(run, operations) / "api.json"), f"/v1/resource{(operations - 1) // 5}s"
        command = (*RELAY, "serve", "--spec", spec, "--missing", "stub")
        programs = [Program("relay", command, RELAY_VARIABLES, path, 501)]
        if connexion := run.peer("connexion"):
            programs.append(replace(connexion.program(run.installed, data, "memory", spec), path=path))
        for number in range(run.rounds + 1):
            for program in programs:
                with started(program, run.folder) as server:
                    if number:  # before, Python compiled the modules
                        run.figures[f"start/{program.name}/{operations}"].append(server.started)


def measure_commands(run: Run) -> None:
    """Measure the seconds of commands on a small and a large project, warm: each has run there before."""
    for operations in OPERATIONS:
        progress(f"commands on {operations} operations")
        folder = _project(run, operations)
        _relay(folder, "regenerate", *_SHOP)
        for name, command in _COMMANDS.items():
            for number in range(run.rounds + 1):
                start = time.perf_counter()
                _relay(folder, *command, *(["api.json"] if name == "lint" else _SHOP))
                if number:
                    run.figures[f"commands/{name}/{operations}"].append(time.perf_counter() - start)


CELLS: dict[str, Callable[[Run], None]] = {
    **{str(numbers): partial(measure_numbers, numbers=numbers) for numbers in NUMBERS},
    "sleep": measure_sleep,
    "start": measure_start,
    "commands": measure_commands,
}


def _project(run: Run, operations: int) -> Path:
    """Return a new folder with a contract of so many operations."""
    folder = Path(tempfile.mkdtemp(dir=run.folder))
    (folder / "api.json").write_text(json.dumps(public_style(operations)), "utf-8")
    return folder


def _relay(folder: Path, *arguments: str) -> None:
    """Run a command of Relay; it may have findings."""
    variables = {**os.environ, **RELAY_VARIABLES, "PYTHONDONTWRITEBYTECODE": ""}
    command = [*RELAY, *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, timeout=120, check=False)
    if done.returncode > 1:
        done.check_returncode()
