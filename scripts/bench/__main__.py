"""`tox -e bench`: requests per second of both servers, in interleaved rounds, and their ratio."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import click
import httpx

from handlers._app import SPEC

from .data import COUNT, PATH, SECRET, token

CONNECTIONS = 16


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _start(name: str, numbers: int, stack: ExitStack) -> int:
    """Start a server and return its port once it has shown that it answers, and refuses."""
    port = _free_port()
    command = {
        "relay": [
            "-m",
            "scripts.cli",
            "serve",
            "--handlers",
            "scripts.bench.relay_memory",
            "--spec",
            str(SPEC),
        ],
        "connexion": ["-W", "ignore", "-m", "scripts.bench.stock"],
    }[name]
    variables = {COUNT: str(numbers), "PORT": str(port), "RELAY_PORT": str(port), "RELAY_JWT_SECRET": SECRET}
    log = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 -- the stack closes it
    process = subprocess.Popen(  # noqa: S603 -- our own servers
        [sys.executable, *command], env={**os.environ, **variables}, stdout=log, stderr=log
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    url = f"http://127.0.0.1:{port}{PATH}"
    deadline = time.monotonic() + 20
    while True:
        try:
            answer = httpx.get(url, headers={"Authorization": f"Bearer {token()}"})
            break
        except httpx.TransportError:
            if time.monotonic() > deadline or process.poll() is not None:
                log.seek(0)
                raise SystemExit(f"{name} does not start:\n{log.read().decode()}") from None
            time.sleep(0.1)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["phoneNumbers"]) == numbers
    for headers in ({}, {"Authorization": "Bearer x.y.z"}):
        assert httpx.get(url, headers=headers).status_code == 401
    return port


async def _load(port: int, seconds: float) -> float:
    """Return requests per second over keep-alive connections; every answer has to be 200."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token()}\r\n\r\n".encode()
    deadline = time.perf_counter() + seconds

    async def connection() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        answered = 0
        while time.perf_counter() < deadline:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            answered += 1
        writer.close()
        return answered

    started = time.perf_counter()
    counts = await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return sum(counts) / (time.perf_counter() - started)


@click.command()
@click.option("--rounds", default=9, show_default=True, type=click.IntRange(1, 100))
@click.option(
    "--seconds", default=2.0, show_default=True, type=click.FloatRange(0.1, 60), help="Of each round."
)
@click.option(
    "--numbers",
    default="100",
    show_default=True,
    help="Of the organization; several with commas.",
)
def main(rounds: int, seconds: float, numbers: str) -> None:
    """Measure both servers on loopback and print a Markdown table."""
    click.echo(f"Python {platform.python_version()}, {os.cpu_count()} cores, {CONNECTIONS} connections, "
               f"{rounds} rounds of {seconds:g} s; median [quartiles] of paired ratios\n")  # fmt: skip
    click.echo("| numbers | stock Connexion, req/s | Relay, req/s | ratio |\n|---|---|---|---|")
    for count in map(int, numbers.split(",")):
        with ExitStack() as stack:
            ports = {name: _start(name, count, stack) for name in ("connexion", "relay")}
            rates: dict[str, list[float]] = {name: [] for name in ports}
            for _ in range(rounds):
                for name, port in ports.items():
                    rates[name].append(asyncio.run(_load(port, seconds)))
        ratios = [ours / stock for ours, stock in zip(rates["relay"], rates["connexion"], strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4) if rounds > 1 else ratios * 3
        click.echo(
            f"| {count} | {statistics.median(rates['connexion']):,.0f} | {statistics.median(rates['relay']):,.0f} "
            f"| {median:.1f} [{low:.1f} to {high:.1f}] |"
        )


if __name__ == "__main__":
    main()
