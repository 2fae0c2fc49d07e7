"""Plays the connections of a grammar to a service, and finds what is wrong with its answers.

`python -m tests.support.hostile URL` plays them at a rate and prints the answers as JSON: a load while others are measured.
"""

import argparse
import asyncio
import json
import socket
import struct
import sys
import time
from collections import Counter
from typing import NamedTuple
from urllib.parse import urlsplit

from .hostile_grammar import ABORT, Canaries, Connection, Grammar
from .targets import Target
from .wire import answers

DEADLINE = 30.0
"""Seconds in which a connection has to end. The service's own: 10 s for a head, 10 s for a body, 5 s of
silence after an answer; the rest is for a machine that is busy."""

DESIGNED = {100, 200, 201, 204, 302, 304, 400, 401, 404, 405, 408, 409, 413, 415, 431, 503}


class Outcome(NamedTuple):
    """The result of a connection; `seconds` until its end, None when there was none."""

    connection: Connection
    received: bytes
    seconds: float | None


def attack(target: Target, **options: int) -> tuple[list[str], str]:
    """Return the command that plays connections to a service, and what it reads from its standard input."""
    arguments = [f"--{name}={value}" for name, value in options.items()]
    job = {"token": target.token, "good": [one.decode("latin-1") for one in target.good]}
    return [sys.executable, "-m", __name__, target.service.url, *arguments], json.dumps(job)


async def play(url: str, connection: Connection, busy: asyncio.Semaphore) -> Outcome:
    """Play a connection to its end; `busy` is released when the service has answered, or takes its time."""
    where, begun = urlsplit(url), time.monotonic()
    async with busy:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        playing = asyncio.create_task(_played(reader, writer, connection))
        await asyncio.wait([playing], timeout=0.25)
    try:
        async with asyncio.timeout(DEADLINE):
            return Outcome(connection, await playing, time.monotonic() - begun)
    except TimeoutError:
        return Outcome(connection, b"", None)
    finally:
        writer.transport.abort()


async def _played(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection
) -> bytes:
    reading = asyncio.create_task(_read(reader)) if connection.kind != "deaf" else None
    try:
        for step in connection.steps:
            match step:
                case bytes():
                    writer.write(step)
                    if connection.kind != "deaf":
                        await writer.drain()
                case float():
                    await asyncio.sleep(step)
                case "shut":
                    writer.write_eof()
                case _:
                    gone = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, gone)
                    writer.transport.abort()
    except OSError:
        pass  # the service hung up first
    return await reading if reading else b""


async def _read(reader: asyncio.StreamReader) -> bytes:
    received = bytearray()
    try:
        while some := await reader.read(65536):
            received += some
    except OSError:
        pass  # the service closed with some of our bytes unread
    return bytes(received)


def fault(outcome: Outcome, canaries: Canaries) -> str | None:
    """Return what the service did wrong, if anything."""
    if outcome.seconds is None:
        return "neither answered nor closed"
    if canaries.leak(answer=outcome.received, failed=False):
        return "a credential in an answer"
    is_readable = b"HEAD" not in outcome.connection.sent.upper()  # whose answers have a length and no body
    try:
        found, rest = answers(outcome.received)
    except (ValueError, KeyError):
        return "what came back is no HTTP" if is_readable else None
    wrong = [f"answered {answer.status}" for answer in found if answer.status not in DESIGNED]
    if any(canaries.leak(answer=answer.raw, failed=answer.status >= 400) for answer in found):
        wrong.append("what was sent stands in a failure")
    if rest and is_readable and outcome.connection.steps[-1] != ABORT:
        wrong.append("half an answer")
    return ", ".join(wrong) or None


def statuses(outcomes: list[Outcome]) -> Counter[str]:
    """How often each status was answered; `none` for connections without an answer."""
    seen: Counter[str] = Counter()
    for outcome in outcomes:
        try:
            found = [str(answer.status) for answer in answers(outcome.received)[0]]
        except (ValueError, KeyError):
            found = ["to HEAD"]
        seen.update(found or ["none"])
    return seen


async def storm(
    url: str, grammar: Grammar, *, first: int = 0, count: int, slow: int, rate: float | None = None, wait: float | None = None
) -> list[Outcome]:  # fmt: skip
    """Play connections: the slow ones begin, the others come at a rate, or as fast as they are answered.

    Those that have not ended after `wait` seconds more are cut off and left out.
    """
    busy, patient = asyncio.Semaphore(40), asyncio.Semaphore(slow + 1)
    playing = [
        asyncio.create_task(play(url, grammar.slow_connection(first + at), patient)) for at in range(slow)
    ]
    begun = time.monotonic()
    for at in range(count):
        if rate is not None:
            await asyncio.sleep(begun + at / rate - time.monotonic())
        playing.append(asyncio.create_task(play(url, grammar.connection(first + at), busy)))
    done, pending = await asyncio.wait(playing, timeout=wait)
    for one in pending:
        one.cancel()
    return [one.result() for one in done]


def main() -> None:
    """Play connections for some seconds, then print the answers by status and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    for name, default in (("seed", 4711), ("rate", 300), ("seconds", 3), ("slow", 100), ("first", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    job = json.load(sys.stdin)  # a token is no argument, which everybody on the machine can see
    canaries = Canaries(given.seed, job["token"])
    grammar = Grammar(given.seed, canaries, [one.encode("latin-1") for one in job["good"]], job["token"])
    count = given.rate * given.seconds
    playing = storm(
        given.url, grammar, first=given.first, count=count, slow=given.slow, rate=given.rate, wait=1.0
    )
    outcomes = asyncio.run(playing)
    faults = [(one.connection, found) for one in outcomes if (found := fault(one, canaries))]
    lines = [f"seed {given.seed}: {one.kind} {one.number}: {found}" for one, found in faults]
    json.dump({"statuses": statuses(outcomes), "faults": lines}, sys.stdout)


if __name__ == "__main__":
    main()
