"""Programs for contracts with many operations: `scripts/bench/many.py`."""

from __future__ import annotations

import sys

import pytest

from bench import many
from bench.servers import started


@pytest.mark.parametrize("operations", [1, 11])
def test_relay_finds_the_paths_and_verifies_the_token(tmp_path, operations):
    """`started` waits for the 501 of a stub, which comes after routing and authentication."""
    contract = many.write_contract(tmp_path, operations)
    paths = [many.literal(operations), *([many.templated(operations)] if operations > 2 else [])]

    for path in paths:
        with started(many.relay(contract, path), tmp_path) as server:
            assert server.started > 0


def test_stock_connexion_serves_the_same_contract(tmp_path):
    """`started` waits for its 200; Relay has a stub for this operation."""
    contract = many.write_contract(tmp_path, 11)
    [program] = many.peers(
        contract, many.literal(11), {"connexion": sys.executable, "litestar": "none"}
    ).values()

    with started(program, tmp_path) as server:
        assert server.program.name == "connexion"
