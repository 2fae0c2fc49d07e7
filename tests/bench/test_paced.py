"""Small requests at a constant rate: `scripts/bench/paced.py`."""

from __future__ import annotations

from bench.data import token
from bench.paced import small_p99
from bench.servers import started
from support.benching import program


def test_measures_the_delay_of_a_rejection(tmp_path):
    """The server has to verify the signature first."""
    with started(program(), tmp_path) as server:
        assert small_p99(server, token(), 1) > 0


def test_returns_none_if_an_invalid_signature_is_not_rejected(tmp_path):
    """A complete response is not a small one."""
    with started(program(TEST_REFUSES_AFTER="1"), tmp_path) as server:
        assert small_p99(server, token(), 1) is None
