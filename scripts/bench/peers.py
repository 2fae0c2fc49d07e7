"""The measured servers: Relay and its alternatives, and how they are installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.project.project import SPEC

from .data import PATH, SECRET
from .servers import Program

CHECKOUT = Path(__file__).parents[2]
CONTRACT = str(CHECKOUT / SPEC)
PROGRAMS = Path(__file__).with_name("programs")
RELAY = (sys.executable, "-m", "relay")
RELAY_VARIABLES = {"PYTHONPATH": f"{CHECKOUT / 'scripts'}:{CHECKOUT}", "RELAY_JWT_SECRET": SECRET}
PACKAGES = {
    "python": "connexion[uvicorn]>=3.3 fastapi>=0.130 orjson>=3.11 pyjwt>=2.10 sqlmodel>=0.0.24 uvicorn[standard]>=0.38",
    "litestar": "litestar>=2.18 msgspec>=0.19 pyjwt>=2.10 uvicorn[standard]>=0.38",
    "node": "express@>=5 express-openapi-validator@>=5.5 jsonwebtoken@>=9 openapi-backend@>=5",
}
"""The packages of each environment; Litestar has its own, because it installs rich, which slows Connexion's start."""


class Peer(NamedTuple):
    """A server of peers.txt."""

    name: str
    title: str
    needs: str
    source: str
    command: str

    def program(self, installed: Path, data: str, source: str, spec: str = CONTRACT) -> Program:
        """Return its program, which reads the file `data` or the database `source`."""
        place = installed / self.needs
        parts = {"place": place, "programs": PROGRAMS, "python": sys.executable, "spec": spec}
        words = self.command.replace("{relay}", "{python} -m relay serve --spec {spec}").split()
        given = {"SPEC": spec, "PATH": PATH, "SECRET": SECRET, "DATA": data, "SOURCE": source}
        variables = {f"BENCH_{name}": value for name, value in given.items()} | {"NODE_ENV": "production"}
        if self.needs == "ours":
            variables |= RELAY_VARIABLES | ({} if source == "memory" else {"RELAY_STORE": source})
        return Program(self.name, tuple(word.format(**parts) for word in words), variables)


_LINES = Path(__file__).with_name("peers.txt").read_text("utf-8").splitlines()[1:]
PEERS = {peer.name: peer for peer in (Peer(*line.split(" | ")) for line in _LINES)}


def install(folder: Path, needs: str) -> None:
    """Install the packages of an environment unless they are there, by pip or npm; raise SetupError on failure."""
    place, packages = folder / needs, PACKAGES.get(needs, "")
    stamp = place / ".installed"
    if packages and not (stamp.exists() and stamp.read_text("utf-8") == packages):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        command = "npm install --ignore-scripts --no-audit --no-fund"
        if needs != "node":
            venv.create(place, with_pip=True)
            command = "bin/python -m pip install --quiet"
        run = [*command.split(), *packages.split()]
        done = subprocess.run(run, cwd=place, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1][:300]
            raise SetupError([Diagnostic(run[0], f"cannot install the peers: {last}")])
        stamp.write_text(packages, "utf-8")
    if needs == "node":
        shutil.copy(PROGRAMS / "node.mjs", place)  # Node.js looks for packages next to a program
