"""What is measured: Relay, and what else could be picked; how each is started, and what it can read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from relay.project.project import SPEC

from .servers import CHECKOUT

Needs = Literal["", "python", "litestar", "node"]
PYTHONS = frozenset({"python", "litestar"})
"""Litestar brings rich along, and with rich Connexion and all that use httpx start later: it is by itself."""

PROGRAMS = Path(__file__).with_name("programs")
_MEMORY = frozenset({"memory"})
_CACHE = {"BENCH_TOKEN_CACHE": "1"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that does the work; `needs` says whose installation it runs in, "" our own interpreter's.

    A mock makes its answers up: it is not held to what others answer, nor to refusing tokens.
    """

    name: str
    title: str
    needs: Needs
    program: str
    sources: frozenset[str] = _MEMORY
    variables: Mapping[str, str] = field(default_factory=dict)
    is_mock: bool = False

    def command(self, folder: Path) -> list[str]:
        """Return the words that start it; `folder` is where peers are installed."""
        if self.needs == "node":
            return ["node", str(folder / "node" / self.program)]
        python = str(folder / self.needs / "bin" / "python") if self.needs else sys.executable
        return [python, str(PROGRAMS / self.program)]

    def environment(self) -> dict[str, str]:
        """Return what it finds in its environment beside what all do."""
        return {"BENCH_SPEC": str(CHECKOUT / SPEC), "NODE_ENV": "production", **self.variables}


_EVERYWHERE = frozenset({"memory", "sqlite", "mongodb"})

PEERS = (
    Peer("relay", "Relay", "", "relay_as_shipped.py", _EVERYWHERE),
    Peer(
        "relay-uncached",
        "Relay, no token remembered",
        "",
        "relay_as_shipped.py",
        _EVERYWHERE,
        {"RELAY_JWT_CACHE_SECONDS": "0"},
    ),
    Peer("connexion", "Connexion, responses validated", "python", "connexion_stock.py"),
    Peer("fastapi", "FastAPI, response model", "python", "fastapi_model.py", frozenset({"memory", "sqlite"})),
    Peer(
        "fastapi-cached",
        "FastAPI, tokens remembered",
        "python",
        "fastapi_model.py",
        frozenset({"memory", "sqlite"}),
        _CACHE,
    ),
    Peer("litestar", "Litestar, msgspec", "litestar", "litestar_msgspec.py"),
    Peer("express", "express-openapi-validator", "node", "express.mjs"),
    Peer("openapi-backend", "openapi-backend", "node", "openapi_backend.mjs"),
    Peer("prism", "Prism, mock", "node", "prism.mjs", is_mock=True),
    Peer("floor", "ASGI by hand, not validating", "python", "floor.py"),
    Peer("floor-cached", "ASGI by hand, tokens remembered", "python", "floor.py", variables=_CACHE),
)
"""In the order of the tables."""
