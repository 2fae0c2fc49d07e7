"""Ten thousand hostile requests, and what they do to the service: `tox -e hostile`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, seed, settings

import hostile
import wellformed
from running import ROOT, end, logged
from targets import Measured, garage, ours
from wire import exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hostile import Outcome
    from targets import Target

pytestmark = pytest.mark.hostile

SEED = int(os.environ.get("RELAY_TEST_SEED", "4711"))
EXAMPLES, BATCHES, BATCH, SLOW = 500, 9, 480, 200
"""For each of two services: well-formed requests, batches of connections, and slow ones; ten thousand in all."""

CLIENTS, PACE, ROUND = 4, 25, 3.0
"""Good clients, requests a second of each, and seconds of a round."""

RATE, HELD = 70, 50
"""Hostile connections a second, which make as many requests as the good clients, and slow ones beside them."""

BOUND, ENOUGH, MOST, CALM = 3.0, 3, 6, 0.25
"""How many times its quiet value the good clients' p99 may be; in how many calm rounds of each kind, tried so often;
and how much of a core anybody else may take in a calm round."""


@pytest.mark.parametrize("target", [ours, garage])
def test_ten_thousand_hostile_requests_change_nothing(target, tmp_path, capsys):
    """Each is answered as designed or cut off in time, nothing planted comes out, and nothing stays behind."""
    with target(tmp_path) as under_fire:
        canaries = hostile.Canaries(SEED, under_fire.token, *under_fire.secrets)
        grammar = hostile.Grammar(SEED, canaries, under_fire.good, under_fire.token)
        asked_well(under_fire, canaries, examples=EXAMPLES // 5)
        asyncio.run(
            hostile.storm(under_fire.service.url, grammar, first=10**6, count=BATCH, slow=5, wait=2.0)
        )
        before, right, begun = settled(under_fire), answered_rightly(under_fire), time.monotonic()

        asking = partial(asked_well, under_fire, canaries, examples=EXAMPLES)
        outcomes = asyncio.run(fired(under_fire, grammar, right, asking))

        seconds = time.monotonic() - begun
        after = settled(under_fire, before)
        assert answered_rightly(under_fire) == right
        wrong = [told(outcome, found) for outcome in outcomes if (found := hostile.fault(outcome, canaries))]
        leaks = canaries.leaks(logged(under_fire.log).encode())
    with capsys.disabled():
        sys.stdout.write(
            f"\n{target.__name__}: seed {SEED}: {len(outcomes)} connections, {EXAMPLES} requests, {seconds:.0f} s; "
            f"{dict(sorted(hostile.statuses(outcomes).items()))}; before {before}, after {after}\n"
        )
    assert wrong == []
    assert leaks == []
    assert after.descriptors <= before.descriptors + 5
    assert after.memory <= before.memory + 24


def told(outcome: Outcome, found: str) -> str:
    """A fault, and how to see it again."""
    kind, number, _ = outcome.connection
    return f"seed {SEED}: {kind} {number}: {found}: sent {outcome.connection.sent[:2000]!r}, got {outcome.received[:500]!r}"


async def fired(
    under_fire: Target, grammar: hostile.Grammar, right: bytes, asking: Callable[[], None]
) -> list[Outcome]:
    """Play all connections, the slow ones first; after each batch somebody asks rightly.

    While those end that the service waits for itself, the well-formed requests are sent by `asking`.
    """
    slow = asyncio.create_task(hostile.storm(under_fire.service.url, grammar, count=0, slow=SLOW))
    outcomes: list[Outcome] = []
    ending: list[asyncio.Task[list[Outcome]]] = []
    for batch in range(BATCHES):
        playing = asyncio.create_task(
            hostile.storm(under_fire.service.url, grammar, first=batch * BATCH, count=BATCH, slow=0)
        )
        await asyncio.wait(
            [playing], timeout=2.0
        )  # what the service waits for itself goes on beside the next
        ending.append(playing)
        assert await asyncio.to_thread(answered_rightly, under_fire) == right
    await asyncio.to_thread(asking)
    for playing in [slow, *ending]:
        outcomes += await playing
    return outcomes


def answered_rightly(under_fire: Target) -> bytes:
    """What a good client gets."""
    (answer,) = exchange(under_fire.service.url, under_fire.right)
    assert answer.status == 200, answer.body
    return answer.body


def asked_well(under_fire: Target, canaries: hostile.Canaries, *, examples: int) -> None:
    """Send well-formed requests with hostile contents; hypothesis shows the smallest that is answered wrongly."""
    requests = wellformed.requests(
        under_fire.contract, under_fire.token, canaries.credential, canaries.content
    )

    @seed(SEED)
    @settings(max_examples=examples, database=None, suppress_health_check=[*HealthCheck])
    @given(requests)
    def ask(sent: bytes) -> None:
        (answer,) = exchange(under_fire.service.url, sent)
        assert answer.status in hostile.DESIGNED
        assert not canaries.leak(answer=answer.raw, failed=answer.status >= 400)

    ask()


def settled(under_fire: Target, before: Measured | None = None) -> Measured:
    """What the process takes once all connections have ended, or after some seconds."""
    pid = under_fire.service.process.pid
    for _ in range(40):
        now = Measured.of(pid)
        if before is not None and now.descriptors <= before.descriptors + 5:
            break
        time.sleep(0.25 if before else 0.05)
    return now


def test_hostile_traffic_keeps_good_clients_waiting_only_so_long(tmp_path, capsys):
    """The p99 of four good clients under fire against their quiet one, side by side in one run.

    Each client keeps one connection and asks 25 times a second, whether or not the last answer was slow
    in coming; what is measured is from when a request was due until its answer is whole. In a loaded
    round a process of its own opens 70 connections a second and holds 50 slow ones beside them: a rate,
    since service and load share two cores and a spinning client would measure the scheduler.

    Quiet and loaded rounds alternate, and the best of each kind are compared, since noise only ever adds.
    A round counts when nobody else took more than a quarter of a core: beside the jobs of others one and
    the same service was seen at 1.7 and at 4.3 times, its quiet rounds alone between 4 and 25 ms. Without
    rounds that count nothing is proven, and the test is skipped.
    """
    with ours(tmp_path, level="info") as under_fire:
        asyncio.run(waited(under_fire))
        quiet: list[float] = []
        loaded: list[float] = []
        statuses: Counter[str] = Counter()
        for number in range(MOST):
            quiet += measured_round(under_fire, [])
            with under_load(under_fire, number) as load:
                time.sleep(
                    3.0
                )  # until it has started, and the connections that it holds have had their answers
                loaded += measured_round(under_fire, [load.pid])
                found = json.loads(load.communicate(timeout=30)[0])
            assert found["faults"] == []
            statuses.update(found["statuses"])
            if min(len(quiet), len(loaded)) >= ENOUGH:
                break
    if not quiet or not loaded:
        pytest.skip("this machine is too busy with other things to measure anything")
    ratio = min(loaded) / min(quiet)
    with capsys.disabled():
        sys.stdout.write(
            f"\np99 in ms: quiet {rounded(quiet)}, under fire {rounded(loaded)}: {ratio:.2f} times; "
            f"answers to the fire {dict(sorted(statuses.items()))}\n"
        )
    assert ratio <= BOUND


def measured_round(under_fire: Target, load: list[int]) -> list[float]:
    """The p99 of a round's good clients in milliseconds; none when somebody else took the processor."""
    ours = [os.getpid(), under_fire.service.process.pid, *load]
    machine, own, begun = busy(), sum(map(busy, ours)), time.monotonic()
    taken = sorted(asyncio.run(waited(under_fire)))
    others = (busy() - machine) - (sum(map(busy, ours)) - own)
    return [taken[int(len(taken) * 0.99)]] if others < CALM * (time.monotonic() - begun) else []


def busy(pid: int | None = None) -> float:
    """How many seconds a process, or the whole machine, has kept a core busy."""
    if pid is None:
        ticks = list(map(int, Path("/proc/stat").read_text("ascii").split("\n")[0].split()[1:4]))
    else:
        ticks = list(map(int, Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[11:13]))
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


@contextmanager
def under_load(under_fire: Target, number: int) -> Iterator[subprocess.Popen[str]]:
    """Fire at the service from a process of its own for longer than a round takes."""
    seconds = int(ROUND) + 4
    first = number * RATE * seconds
    options = {"seed": SEED, "rate": RATE, "seconds": seconds, "slow": HELD, "first": first}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    load = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "hostile.py"), under_fire.service.url, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a scheduler may give each session its share
    )
    try:
        job = {"token": under_fire.token, "good": [one.decode("latin-1") for one in under_fire.good]}
        load.stdin.write(json.dumps(job))
        load.stdin.close()
        load.stdin = None
        yield load
    finally:
        end(load, 5)
        load.stdout.close()


async def waited(under_fire: Target) -> list[float]:
    """How long each request of a round's good clients took, in milliseconds."""
    rounds = await asyncio.gather(*(one_client(under_fire, at / CLIENTS) for at in range(CLIENTS)))
    return [taken for one in rounds for taken in one]


async def one_client(under_fire: Target, offset: float) -> list[float]:
    """Ask at a pace on one connection, and check each answer."""
    where = urlsplit(under_fire.service.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    sent = under_fire.right.replace(b"Connection: close\r\n", b"")
    begun, taken = time.monotonic() + offset / PACE, []
    for number in range(int(ROUND * PACE)):
        due = begun + number / PACE
        await asyncio.sleep(due - time.monotonic())
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: ([0-9]+)", head)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert (await reader.readexactly(int(length[1])))[-1:] == b"}"
        taken.append((time.monotonic() - due) * 1000)
    writer.close()
    return taken


def rounded(numbers: list[float]) -> list[float]:
    """Numbers for a line that is read."""
    return [round(number, 1) for number in numbers]
