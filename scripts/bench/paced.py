"""Small requests at a pace beside large ones: how long they wait, from when each was due.

What is small is a request that the server has to route and whose token it has to verify before it can
refuse it: the signature is wrong. `python -m bench.paced` is the client, in a process of its own.
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
"""Requests a second, and the most that wait at a time."""


def small_p99(server: Server, token: str, seconds: int) -> float | None:
    """Return the p99 of small requests in ms; None where a wrong signature is not refused.

    Raises LoadFailed when they come to no end.
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
        told = f"{server.program.name}: small requests beside large ones came to no end"
        raise LoadFailed(told) from exc
    found = json.loads(done.stdout)
    return float(found["p99"]) if found["statuses"] == [401] else None


def main() -> None:
    """Read a job on stdin, do it, and print what was found as JSON."""
    job = json.load(sys.stdin)
    where = urlsplit(job["url"])
    begun = time.monotonic() + 0.1
    clients = threading.local()

    def ask(number: int) -> tuple[int, float]:
        due = begun + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        client = clients.__dict__.setdefault(
            "client", http.client.HTTPConnection(str(where.hostname), where.port)
        )
        try:
            client.request("GET", where.path, headers={"Authorization": f"Bearer {job['token']}"})
            answer = client.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            client.close()
            return 0, time.monotonic() - due
        return answer.status, time.monotonic() - due

    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = list(pool.map(ask, range(int(RATE * job["seconds"]))))
    taken = sorted(waited for _, waited in answered)
    p99 = taken[int(len(taken) * 0.99)] * 1000
    json.dump({"p99": p99, "statuses": sorted({status for status, _ in answered})}, sys.stdout)


if __name__ == "__main__":
    main()
