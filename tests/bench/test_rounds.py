"""Interleaved rounds: `scripts/bench/rounds.py`."""

from __future__ import annotations

import shutil

import pytest

from bench import rounds
from bench.data import token
from bench.load import Load, LoadFailed, find_generator
from bench.results import Sample
from bench.rounds import Bench, Contestant, interleaved, load_rounds, loaded, running
from support.benching import program


class Nothing:
    """A load generator that is never used."""

    title = "nothing"


@pytest.fixture
def bench(tmp_path):
    """Return short rounds with wrk."""
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed; autocannon would be downloaded")
    return Bench(find_generator(tmp_path), tmp_path, 1, 1, 4, (token(),))


def test_each_round_starts_with_another_name():
    """A fixed order would always expose the first to the effects of the last."""
    order = []

    measured = interleaved("abc", 4, lambda name, number: order.append(f"{name}{number}") or number, "x")

    assert order == "a0 b0 c0 b1 c1 a1 c2 a2 b2 a3 b3 c3".split()
    assert measured == {name: [0, 1, 2, 3] for name in "abc"}


def test_prints_one_line_a_round_without_a_terminal(capsys):
    """A CI log does not need a line for each of eleven servers."""
    interleaved("abc", 2, lambda *_: 0, "1 number")

    assert capsys.readouterr().err == "1 number: round 1 of 2\n1 number: round 2 of 2\n"


def test_uses_fewer_connections_for_large_responses(tmp_path):
    """Otherwise the result is the length of a queue."""
    bench = Bench(Nothing(), tmp_path, 1, 1, 32, ())

    assert [bench.connections_for(count) for count in (1, 999, 1000, 5000)] == [32, 32, 4, 4]


def test_loads_a_server_with_a_real_load_generator(bench):
    """All figures of a round are positive."""
    with running({"floor": program()}, bench.folder) as servers:
        sample = loaded(bench, Contestant(servers["floor"], 4, bench.tokens), 1, 1)

    assert sample.rate > 1
    assert 0 < sample.p50 <= sample.p99
    assert sample.cpu > 0
    assert sample.rss > 5


def test_sends_each_token_in_turn(bench):
    """All are complete and valid, otherwise a request would be rejected."""
    tokens = [f"{token()}" for _ in range(3)]
    with running({"floor": program()}, bench.folder) as servers:
        assert loaded(bench, Contestant(servers["floor"], 2, tokens), 1, 0).rate > 1
        with pytest.raises(
            LoadFailed, match=r"floor: [0-9]+ of [0-9]+ responses were not 200; last log line: "
        ):
            loaded(bench, Contestant(servers["floor"], 2, [*tokens, "bad"]), 1, 0)


def test_two_workers_share_the_connections_and_are_loaded_together(tmp_path, monkeypatch):
    """Their rates are added, and their costs are divided by all requests."""
    calls = []
    monkeypatch.setattr(
        rounds,
        "run",
        lambda _generator, jobs, _folder: (
            calls.append(jobs) or {url: Load(100, 2.0, 1.0, number + 2.0) for number, url in enumerate(jobs)}
        ),
    )
    bench = Bench(Nothing(), tmp_path, 1, 1, 8, ("x",))
    with running({"floor": program()}, tmp_path, workers=2) as servers:
        monkeypatch.setattr(rounds, "settle", lambda _server: None)

        sample = loaded(bench, Contestant(servers["floor"], 8, bench.tokens), 1, 0)

    [jobs] = calls
    assert len({job.url for job in jobs.values()}) == 2
    assert [job.connections for job in jobs.values()] == [4, 4]
    assert (sample.rate, sample.p99) == (100.0, 3.0)


def test_the_warm_up_does_not_count(tmp_path, monkeypatch):
    """During the first second, caches fill and code is compiled."""
    loads = []
    monkeypatch.setattr(
        rounds,
        "loaded",
        lambda _bench, contestant, seconds, number: (
            loads.append((contestant, seconds, number)) or Sample(number, 1, 1, 1, 1)
        ),
    )

    measured = load_rounds(Bench(Nothing(), tmp_path, 2, 5, 8, ()), {"a": "A", "b": "B"}, "x")

    assert loads[:2] == [("A", 1, 0), ("B", 1, 0)]
    assert {seconds for _, seconds, _ in loads[2:]} == {5}
    assert [sample.rate for sample in measured["a"]] == [1, 2]
