"""The measured servers: Relay and its alternatives, with their commands and data sources."""

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
"""Python environments; Litestar has its own, because it installs rich, which slows the start of Connexion and httpx."""

PROGRAMS = Path(__file__).with_name("programs")
_MEMORY = frozenset({"memory"})
_CACHE = {"BENCH_TOKEN_CACHE": "1"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that does the work; `needs` is its environment, "" is the current interpreter.

    A mock invents its responses, so its responses and rejections are not checked.
    """

    name: str
    title: str
    needs: Needs
    program: str
    sources: frozenset[str] = _MEMORY
    variables: Mapping[str, str] = field(default_factory=dict)
    is_mock: bool = False

    def command(self, folder: Path) -> list[str]:
        """Return the command that starts it; `folder` is the folder of the installations."""
        if self.needs == "node":
            return ["node", str(folder / "node" / self.program)]
        python = str(folder / self.needs / "bin" / "python") if self.needs else sys.executable
        return [python, str(PROGRAMS / self.program)]

    def environment(self) -> dict[str, str]:
        """Return its own environment variables, in addition to the common ones."""
        return {"BENCH_SPEC": str(CHECKOUT / SPEC), "NODE_ENV": "production", **self.variables}


_EVERYWHERE = frozenset({"memory", "sqlite", "mongodb"})

PEERS = (
    Peer("relay", "Relay", "", "relay_as_shipped.py", _EVERYWHERE),
    Peer(
        "relay-uncached",
        "Relay without token cache",
        "",
        "relay_as_shipped.py",
        _EVERYWHERE,
        {"RELAY_JWT_CACHE_SECONDS": "0"},
    ),
    Peer("connexion", "Connexion, responses validated", "python", "connexion_stock.py"),
    Peer("fastapi", "FastAPI, response model", "python", "fastapi_model.py", frozenset({"memory", "sqlite"})),
    Peer(
        "fastapi-cached",
        "FastAPI, token cache",
        "python",
        "fastapi_model.py",
        frozenset({"memory", "sqlite"}),
        _CACHE,
    ),
    Peer("litestar", "Litestar, msgspec", "litestar", "litestar_msgspec.py"),
    Peer("express", "express-openapi-validator", "node", "express.mjs"),
    Peer("openapi-backend", "openapi-backend", "node", "openapi_backend.mjs"),
    Peer("prism", "Prism, mock", "node", "prism.mjs", is_mock=True),
    Peer("floor", "hand-written ASGI, not validating", "python", "floor.py"),
    Peer("floor-cached", "hand-written ASGI, token cache", "python", "floor.py", variables=_CACHE),
)
"""All peers, in the order of the report's tables."""
