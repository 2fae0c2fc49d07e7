"""The time that good clients wait under fire, compared with that in quiet: a part of `tox -e soak`.

Each of four good clients keeps one connection and asks 25 times a second, whether or not the last answer was
slow in coming; what is measured is from when a request was due until its answer is whole. In a loaded round
a process of its own opens 70 connections a second, which make as many requests as the good clients, and
holds 50 slow ones in addition: a rate, since service and load share two cores, and a spinning client would
measure the scheduler.

Quiet and loaded rounds alternate, and the best of each kind are compared, since noise only ever adds. A
round counts when other processes took less than a quarter of a core: next to other jobs one and the same
service was at 1.7 and at 4.3 times, its quiet rounds alone between 4 and 25 ms.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from . import hostile
from .running import ROOT, started
from .targets import Target, ours

CLIENTS, PACE, ROUND = 4, 25, 3.0
"""Good clients, requests a second of each, and seconds of a round."""

RATE, SLOW = 70, 50
"""Hostile connections a second, and slow ones in addition."""

BOUND, ENOUGH, MOST, CALM = 3.0, 3, 6, 0.25
"""How many times its quiet value the good clients' p99 may be; in how many calm rounds of each kind, tried so often;
and how much of a core other processes may take in a calm round."""


def soak(folder: Path, seed: int) -> list[str]:
    """Measure, print the figures, and return what is wrong."""
    quiet: list[float] = []
    loaded: list[float] = []
    statuses: Counter[str] = Counter()
    wrong: list[str] = []
    with ours(folder, level="info") as target:
        asyncio.run(waited(target))
        for number in range(MOST):
            quiet += measured_round(target, [])
            with under_load(target, seed, number) as load:
                time.sleep(
                    3.0
                )  # until it has started, and the connections that it holds have had their answers
                loaded += measured_round(target, [load.pid])
                found = json.loads(load.communicate(timeout=30)[0])
            wrong += found["faults"]
            statuses.update(found["statuses"])
            if min(len(quiet), len(loaded)) >= ENOUGH:
                break
    sys.stdout.write(f"p99 in ms: quiet {rounded(quiet)}, under fire {rounded(loaded)}\n")
    sys.stdout.write(f"hostile (seed {seed}): {dict(sorted(statuses.items()))}\n")
    if not quiet or not loaded:
        return [*wrong, "the machine is too busy with other things to measure how long clients wait"]
    ratio = min(loaded) / min(quiet)
    sys.stdout.write(f"{ratio:.2f} times its quiet value; {BOUND} is allowed\n")
    return wrong if ratio <= BOUND else [*wrong, f"good clients wait {ratio:.2f} times as long under fire"]


def measured_round(target: Target, load: list[int]) -> list[float]:
    """The p99 of a round's good clients in milliseconds; none when other processes took the processor."""
    ours = [os.getpid(), target.service.process.pid, *load]
    machine, own, begun = busy(), sum(map(busy, ours)), time.monotonic()
    taken = sorted(asyncio.run(waited(target)))
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
def under_load(target: Target, seed: int, number: int) -> Iterator[subprocess.Popen[str]]:
    """Fire at the service from a process of its own for longer than a round takes."""
    seconds = int(ROUND) + 4
    options = {"seed": seed, "rate": RATE, "seconds": seconds, "slow": SLOW}
    command, job = hostile.attack(target, **options, first=number * RATE * seconds)
    # A scheduler may give each session its share.
    with started(command, ROOT, 5, stdin=subprocess.PIPE, start_new_session=True) as load:
        load.stdin.write(job)
        load.stdin.close()
        load.stdin = None
        yield load


async def waited(target: Target) -> list[float]:
    """How long each request of a round's good clients took, in milliseconds."""
    rounds = await asyncio.gather(*(one_client(target, at / CLIENTS) for at in range(CLIENTS)))
    return [taken for one in rounds for taken in one]


async def one_client(target: Target, offset: float) -> list[float]:
    """Ask at a pace on one connection, and check each answer."""
    where = urlsplit(target.service.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    sent = target.right.replace(b"Connection: close\r\n", b"")
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
