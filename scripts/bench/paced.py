"""Sends small requests at a constant rate during large ones, and measures their delay from the scheduled time.

A small request has a token with an invalid signature: the server routes it, verifies the token and rejects it.
`python -m bench.paced` is the client, which runs in its own process.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from .load import GRACE_SECONDS, LoadFailed
from .servers import CHECKOUT, Server

RATE, CLIENTS = 50, 32
"""Requests a second, and the maximum number of waiting requests."""


def small_p99(server: Server, token: str, seconds: int) -> float | None:
    """Return the p99 of small requests in ms; None if the server accepts an invalid signature.

    Raises LoadFailed if they do not finish.
    """
    head, _, signature = token.rpartition(".")
    job = {"url": server.url, "token": f"{head}.{signature[::-1]}", "seconds": seconds}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench.paced"],
            cwd=CHECKOUT,
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=seconds + 2 * GRACE_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as exc:
        message = f"{server.program.name}: small requests during large ones did not finish"
        raise LoadFailed(message) from exc
    found = json.loads(done.stdout)
    return float(found["p99"]) if found["statuses"] == [401] else None


def main() -> None:
    """Read a job from stdin, run it, and print the result as JSON."""
    job = json.load(sys.stdin)
    where = urlsplit(job["url"])
    start = time.monotonic() + 0.1
    clients = threading.local()

    def send(number: int) -> tuple[int, float]:
        due = start + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        client = clients.__dict__.setdefault(
            "client", http.client.HTTPConnection(str(where.hostname), where.port)
        )
        try:
            client.request("GET", where.path, headers={"Authorization": f"Bearer {job['token']}"})
            response = client.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            client.close()
            return 0, time.monotonic() - due
        return response.status, time.monotonic() - due

    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = list(pool.map(send, range(int(RATE * job["seconds"]))))
    delays = sorted(waited for _, waited in answered)
    p99 = delays[int(len(delays) * 0.99)] * 1000
    json.dump({"p99": p99, "statuses": sorted({status for status, _ in answered})}, sys.stdout)


if __name__ == "__main__":
    main()
