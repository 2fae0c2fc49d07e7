"""Latency under fire, large uploads, traffic for minutes, large downloads: `tox -e soak`, or `python -m tests.support.soak --minutes 3`.

Fails when good clients wait too long, when memory or descriptors keep growing, when a good client gets anything but
the right answer, when something is answered that is not designed, and when a planted value is in the log.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from . import downloads, hostile, uploading, waiting
from .running import COMMAND, environment, logged
from .targets import Measured, Target, ours
from .wire import answers

CLIENTS, PACE, RATE, SLOW = 4, 10.0, 100, 20
"""Good clients and requests a second of each; hostile connections a second, and slow ones begun each 10 s."""

LOAD_EVERY, SAMPLE_EVERY, CHUNK = 15.0, 1.0, 10.0
"""Seconds between two `relay load`, two samples, and two chunks of hostile traffic."""

WARM_UP = 0.4
"""The share of the time in which caches and the allocator may still grow."""

MEMORY_SLOPE, DESCRIPTOR_SLOPE = 0.75, 6.0
"""MiB and descriptors a minute that count as standing still: the noise of an allocator, and of which
connections happen to be open."""


class Sample(NamedTuple):
    """The resources of the service at a moment, in minutes from the start."""

    minute: float
    descriptors: int
    memory: float


class Soak:
    """A soak test: its traffic, and what was observed."""

    def __init__(self, target: Target, folder: Path, seed: int, minutes: float) -> None:
        self.target, self.folder, self.seed = target, folder, seed
        self.begun = time.monotonic()
        self.end = self.begun + minutes * 60
        self.canaries = hostile.Canaries(seed, target.token, *target.secrets)
        self.samples: list[Sample] = []
        self.good: Counter[str] = Counter()
        self.fire: Counter[str] = Counter()
        self.faults: list[str] = []
        self.loads = 0

    async def run(self) -> None:
        """Run everything at the same time until the time is over."""
        await asyncio.gather(
            self.sample(), self.load(), self.attack(), *(self.ask(at) for at in range(CLIENTS))
        )

    async def until(self, seconds: float) -> AsyncIterator[None]:
        """Come round so often, until the end."""
        while (now := time.monotonic()) < self.end:
            yield
            await asyncio.sleep(max(0.0, min(now + seconds, self.end) - time.monotonic()))

    async def sample(self) -> None:
        """Look at the service."""
        async for _ in self.until(SAMPLE_EVERY):
            now = Measured.of(self.target.service.process.pid)
            self.samples.append(Sample((time.monotonic() - self.begun) / 60, now.descriptors, now.memory))

    async def ask(self, client: int) -> None:
        """Be a good client, on a new connection each time; the right answer never changes."""
        await asyncio.sleep(client / PACE / CLIENTS)
        right = None
        async for _ in self.until(1 / PACE):
            connection = hostile.Connection("good", client, (self.target.right,))
            outcome = await hostile.play(self.target.service.url, connection, asyncio.Semaphore())
            found, rest = answers(outcome.received)
            statuses = [answer.status for answer in found]
            self.good.update(map(str, statuses or ["none"]))
            if statuses == [503]:
                continue  # overloaded, as designed
            right = right or found[0].body
            if statuses != [200] or found[0].body != right or rest:
                self.faults.append(f"a good client got {outcome.received[:300]!r}")

    async def attack(self) -> None:
        """Be hostile, in a process of its own; a new one now and then."""
        first = 0
        while self.end - time.monotonic() > 2:
            seconds = int(min(CHUNK, self.end - time.monotonic() - 1))
            options = {"seed": self.seed, "rate": RATE, "seconds": seconds, "slow": SLOW, "first": first}
            command, job = hostile.attack(self.target, **options)
            first += RATE * seconds
            streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            attacker = await asyncio.create_subprocess_exec(*command, **streams, env=environment(self.folder))
            printed, _ = await attacker.communicate(job.encode())
            found = json.loads(printed)
            self.fire.update(found["statuses"])
            self.faults += found["faults"]

    async def load(self) -> None:
        """Write to the store meanwhile: the same organizations and users, with other words each time."""
        async for _ in self.until(LOAD_EVERY):
            self.loads += 1
            path = self.folder / "others.ndjson"
            path.write_text("".join(f"{json.dumps(one)}\n" for one in others(self.loads)), "utf-8")
            store = next(self.folder.rglob("demo.db"))
            loading = await asyncio.create_subprocess_exec(
                *COMMAND, "load", str(path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=environment(self.folder, RELAY_STORE=f"sqlite:///{store}"),
            )  # fmt: skip
            _, printed = await loading.communicate()
            if loading.returncode:
                self.faults.append(f"relay load: {printed.decode()}")

    def judge(self) -> list[str]:
        """Say everything that is wrong."""
        leaks = self.canaries.leaks(logged(self.target.log).encode())
        wrong = [*self.faults[:20], *(f"leaked to the log: {line[:200]!r}" for line in leaks[:5])]
        for what, limit in (("memory", MEMORY_SLOPE), ("descriptors", DESCRIPTOR_SLOPE)):
            slope = self.slope(what)
            if slope > limit:
                wrong.append(f"{what}: {slope:+.2f} a minute; up to {limit} is taken for standing still")
        return wrong

    def slope(self, what: str) -> float:
        """How much a measure grows a minute, by least squares, after the warm-up."""
        kept = self.samples[int(len(self.samples) * WARM_UP) :]
        middle = sum(sample.minute for sample in kept) / len(kept)
        spread = sum((sample.minute - middle) ** 2 for sample in kept)
        return sum((sample.minute - middle) * getattr(sample, what) for sample in kept) / spread

    def table(self) -> str:
        """Ten rows of what was seen, and what came of it."""
        rows = [self.samples[at * (len(self.samples) - 1) // 10] for at in range(11)]
        lines = ["minute   MiB  descriptors"]
        lines += [f"{row.minute:6.2f} {row.memory:5.1f} {row.descriptors:12d}" for row in rows]
        lines.append(
            f"per minute: {self.slope('memory'):+.2f} MiB, {self.slope('descriptors'):+.2f} descriptors"
        )
        lines.append(f"good: {dict(sorted(self.good.items()))}; relay load {self.loads} times")
        lines.append(f"hostile (seed {self.seed}): {dict(sorted(self.fire.items()))}")
        return "\n".join(lines)


def others(number: int) -> list[dict[str, object]]:
    """An organization of twenty users for which no request asks."""
    organization = f"64f0a1b2c3d4e5f6a7ff{number % 5:04x}"
    users = [
        {"user": {"_id": f"64f0a1b2c3d4e5f6{number % 5:04x}{at:04x}", "organizationId": organization, "accessRole": "ADMIN",
                  "voicePhoneNumbers": [{"provider": "sinch", "phoneNumber": f"+1{number:09d}"}]}}
        for at in range(20)
    ]  # fmt: skip
    return [{"organization": {"_id": organization, "name": f"Other {number}"}}, *users]


def soak(folder: Path, seed: int, minutes: float) -> list[str]:
    """Run the traffic, print what was observed, and return what is wrong."""
    with ours(folder) as target:
        found = Soak(target, folder, seed, minutes)
        asyncio.run(found.run())
        sys.stdout.write(found.table() + "\n")
        return found.judge()


def main() -> int:
    """Soak the service and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--gigabytes", type=float, default=10.0, help="of each file, form and stream")
    parser.add_argument("--streams", type=int, default=1000, help="open at the same time")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    wrong: list[str] = []
    for part in (
        lambda folder: waiting.soak(folder, given.seed),
        lambda folder: uploading.soak(folder, given.gigabytes),
        lambda folder: soak(folder, given.seed, min(given.minutes, 10.0)),
        lambda folder: downloads.soak(folder, given.gigabytes, given.streams),
    ):
        with TemporaryDirectory() as folder:
            wrong += part(Path(folder))
    sys.stdout.write("".join(f"WRONG: {one}\n" for one in wrong) or "nothing wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
