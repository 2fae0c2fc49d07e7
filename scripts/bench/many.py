"""Contracts with many operations, and the programs that serve them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from .contracts import public_style
from .data import SECRET
from .servers import CHECKOUT, Program

IDENT = "8c5a2f4e-4a0d-4a51-9d83-2c3f7c0e9f11"


def write_contract(folder: Path, operations: int) -> Path:
    """Write a contract with `operations` operations."""
    path = folder / f"{operations}-operations.json"
    path.write_text(json.dumps(public_style(operations)), "utf-8")
    return path


def relay(contract: Path, path: str) -> Program:
    """Return Relay with stubs: it routes the request, verifies the token, and responds with 501."""
    command = (sys.executable, "-m", "relay", "serve", "--spec", str(contract), "--missing", "stub")
    environment = {"PYTHONPATH": str(CHECKOUT / "scripts"), "RELAY_JWT_SECRET": SECRET}
    return Program("relay", command, environment, path, 501, "RELAY_PORT")


def peers(contract: Path, path: str, pythons: Mapping[str, str]) -> dict[str, Program]:
    """Return the programs of the peers that have a counterpart, for their interpreters."""
    return {
        name: Program(
            name,
            (python, str(Path(__file__).with_name(f"many_{name}.py")), str(contract)),
            {"BENCH_SECRET": SECRET},
            path,
        )
        for name, python in pythons.items()
        if name in ("connexion", "fastapi")
    }


def literal(operations: int) -> str:
    """Return the path of the last list operation of a contract."""
    return f"/v1/resource{(operations - 1) // 5}s"


def templated(operations: int) -> str:
    """Return a path of the last single resource; the contract needs at least three operations."""
    return f"/v1/resource{(operations - 3) // 5}s/{IDENT}"
