"""Small requests at a pace: `scripts/bench/paced.py`."""

from __future__ import annotations

from bench.data import token
from bench.paced import small_p99
from bench.servers import started
from support.benching import program


def test_measures_how_long_a_refusal_takes(tmp_path):
    """The server has to look at the signature before it can say no."""
    with started(program(), tmp_path) as server:
        assert small_p99(server, token(), 1) > 0


def test_measures_nothing_where_a_wrong_signature_is_not_refused(tmp_path):
    """An answer in full is no small one."""
    with started(program(TEST_REFUSES_AFTER="1"), tmp_path) as server:
        assert small_p99(server, token(), 1) is None
