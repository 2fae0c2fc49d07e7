"""The judgement of hostile and long runs, whose defects no other test shows: `tests/support/hostile.py` and `tests/support/soak.py`."""

import json
from types import SimpleNamespace

import pytest

from support import hostile, soak
from support.wire import request

TOKEN = "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"
CANARIES = hostile.Canaries(1, TOKEN)
GOOD = [request("GET", "/a"), request("POST", "/a", b"{}", ("Content-Type", "application/json"))]


def connections(seed):
    """Some connections of a seed, of every kind."""
    grammar = hostile.Grammar(seed, CANARIES, GOOD, TOKEN)
    return [make(number) for make in (grammar.connection, grammar.slow_connection) for number in range(100)]


def test_a_seed_makes_the_same_connections_again():
    """Otherwise a failure could be read, and not repeated."""
    assert connections(1) == connections(1)
    assert connections(1) != connections(2)


def answered(status, body=b""):
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


@pytest.mark.parametrize(
    ("received", "seconds", "found"),
    [
        (answered(200, CANARIES.content.encode()), 1.0, None),
        (answered(400), 1.0, None),
        (b"", 1.0, None),
        (b"", None, "neither answered nor closed"),
        (answered(500), 1.0, "answered 500"),
        (answered(400, CANARIES.content.encode()), 1.0, "what was sent stands in a failure"),
        (answered(200, CANARIES.credential.encode().hex().encode()), 1.0, "a credential in an answer"),
        (answered(200, b"body")[:-1], 1.0, "half an answer"),
        (b"SSH-2.0\r\n\r\n", 1.0, "what came back is no HTTP"),
    ],
)
def test_sees_what_is_wrong_with_an_answer(received, seconds, found):
    """And leaves in peace what is right: a good answer may hold what was sent."""
    outcome = hostile.Outcome(hostile.Connection("kind", 1, (b"GET / HTTP/1.1\r\n\r\n",)), received, seconds)
    assert hostile.fault(outcome, CANARIES) == found


def soaked(tmp_path, *, memory=0.0, descriptors=0.0, log=""):
    """A soak of ten minutes in which something grew by so much a minute, after a steep start."""
    (tmp_path / "log").write_text(log, "utf-8")
    found = soak.Soak(SimpleNamespace(token=TOKEN, secrets=[], log=tmp_path / "log"), tmp_path, 1, 10)
    for second in range(600):
        minute, jump = second / 60, 30 if second < 60 else 50
        found.samples.append(soak.Sample(minute, int(jump + descriptors * minute), jump + memory * minute))
    return found.judge()


def test_distinguishes_growth_from_a_start(tmp_path):
    """Caches fill once; a leak goes on."""
    assert soaked(tmp_path) == []
    assert soaked(tmp_path, memory=0.5, descriptors=5) == []
    assert soaked(tmp_path, memory=2) == ["memory: +2.00 a minute; up to 0.75 is taken for standing still"]
    (problem,) = soaked(tmp_path, descriptors=8)
    assert problem.startswith("descriptors: +")


def test_reports_a_canary_in_the_log(tmp_path):
    """In any spelling; a path is logged as it was sent."""
    canary = CANARIES.content.encode().hex()
    lines = [{"event": "ok", "path": f"/{canary}"}, {"event": f"refused {canary}"}]
    (problem,) = soaked(tmp_path, log="".join(f"{json.dumps(line)}\n" for line in lines))
    assert problem.startswith("leaked to the log: ")
