"""Ten thousand hostile requests, and what they leave behind: `tox -e hostile`."""

import asyncio
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

import pytest
from hypothesis import HealthCheck, given, seed, settings

from support import hostile, wellformed
from support.hostile import Outcome
from support.running import logged
from support.targets import Measured, Target, garage, ours
from support.wire import connect, exchange

pytestmark = pytest.mark.hostile

SEED = int(os.environ.get("RELAY_TEST_SEED", "4711"))
EXAMPLES, BATCHES, BATCH, SLOW = 500, 9, 480, 200
"""For each of two services: well-formed requests, batches of connections, and slow ones; ten thousand in all."""


@pytest.mark.parametrize("target", [ours, garage])
def test_ten_thousand_hostile_requests_change_nothing(target, tmp_path, capsys):
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
        wrong = [
            described(outcome, found) for outcome in outcomes if (found := hostile.fault(outcome, canaries))
        ]
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


LIVEZ = b"GET /livez HTTP/1.1\r\nHost: a\r\n"
CHUNKED = LIVEZ.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n"
ASSET = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n"  # the longest answer without a token
LONG = b"X: " + b"a" * 250_000
LEFT_BEHIND = {
    "nothing": b"",
    "half a head": LIVEZ + LONG[:60_000],
    "many fields": LIVEZ + b"a:\r\n" * 15_000,
    "half a second head": LIVEZ + b"\r\n" + LIVEZ + LONG,
    "half a head with an Upgrade": LIVEZ + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + LONG[:60_000],
    "many trailers": CHUNKED + b"0\r\n" + b"a:\r\n" * 15_000,
    "half a trailer": CHUNKED + b"0\r\n" + LONG[:60_000],
    "small chunks": CHUNKED + b"1\r\na\r\n" * 2000,
    "half a body": LIVEZ.replace(b"GET", b"POST") + b"Content-Length: 300000\r\n\r\n" + LONG,
    "an answer that is not read": ASSET + b"X: " + b"a" * 30_000 + b"\r\n\r\n",
    "a body after such a request": ASSET + b"Content-Length: 300000\r\n\r\n" + LONG,
    "requests that wait": (ASSET + b"\r\n") * 30,
    "large requests that wait": (ASSET + b"a:\r\n" * 95 + b"\r\n") * 30,
}
"""Bytes that a client without a token can leave on a connection."""

CONNECTIONS = 1000
MAX_GROWTH = 200  # MiB


def test_a_thousand_connections_hold_little(tmp_path):
    """For all that they may send, and another client is answered."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with garage(tmp_path) as target:
        before = Measured.of(target.service.process.pid).memory
        grown: dict[str, float] = {}
        for kind, sent in LEFT_BEHIND.items():
            with ExitStack() as stack:
                for _ in range(CONNECTIONS):
                    connection = stack.enter_context(connect(target.service.url))
                    connection.setblocking(False)
                    with suppress(OSError):  # the service closed it, or takes no more
                        connection.send(sent)
                assert answered_rightly(target)
                grown[kind] = Measured.of(target.service.process.pid).memory - before
    assert {kind: round(size) for kind, size in grown.items() if size > MAX_GROWTH} == {}


def described(outcome: Outcome, found: str) -> str:
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
        )  # what the service waits for itself goes on next to the following batch
        ending.append(playing)
        assert await asyncio.to_thread(answered_rightly, under_fire) == right
    await asyncio.to_thread(asking)
    for playing in [slow, *ending]:
        outcomes += await playing
    return outcomes


def answered_rightly(under_fire: Target) -> bytes:
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
    """Measure the process once all connections have ended, or after some seconds."""
    pid = under_fire.service.process.pid
    for _ in range(40):
        now = Measured.of(pid)
        if before is not None and now.descriptors <= before.descriptors + 5:
            break
        time.sleep(0.25 if before else 0.05)
    return now
