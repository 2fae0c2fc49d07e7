"""Programs with contracts of many operations: `scripts/bench/many.py`."""

from __future__ import annotations

import sys

import pytest

from bench import many
from bench.servers import started


@pytest.mark.parametrize("operations", [1, 11])
def test_relay_finds_the_paths_and_verifies_the_token(tmp_path, operations):
    """501 of a stub comes behind router and authentication; `started` waits for it."""
    contract = many.write_contract(tmp_path, operations)
    paths = [many.literal(operations), *([many.templated(operations)] if operations > 2 else [])]

    for path in paths:
        with started(many.relay(contract, path), tmp_path) as server:
            assert server.started > 0


def test_stock_connexion_serves_the_same_contract(tmp_path):
    """It answers 200 where Relay has a stub, which `started` waits for."""
    contract = many.write_contract(tmp_path, 11)
    [program] = many.peers(
        contract, many.literal(11), {"connexion": sys.executable, "litestar": "none"}
    ).values()

    with started(program, tmp_path) as server:
        assert server.program.name == "connexion"
