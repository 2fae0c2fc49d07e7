"""A server without dependencies, for tests of `python -m bench`; it serves when run as a program.

It verifies the token like the measured programs, and returns BENCH_NUMBERS numbers. With TEST_REFUSES_AFTER it
returns 503 after that many requests.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

from bench.data import SECRET
from bench.servers import Program

from .running import ROOT

COMMAND = (sys.executable, "-m", "tests.support.benching")


def program(name: str = "floor", numbers: int = 1, **variables: str) -> Program:
    """Return the program that runs this file."""
    environment = {
        "PYTHONPATH": str(ROOT),
        "BENCH_SECRET": SECRET,
        "BENCH_NUMBERS": str(numbers),
        **variables,
    }
    return Program(name, COMMAND, environment)


class Handler(BaseHTTPRequestHandler):
    """Returns 200 for a valid token, 401 for any other."""

    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self):
        Handler.served += 1
        status = 200
        try:
            jwt.decode(
                (self.headers["Authorization"] or "").removeprefix("Bearer "),
                os.environ["BENCH_SECRET"],
                ["HS256"],
            )
        except jwt.PyJWTError:
            status = 401
        if Handler.served > int(os.environ.get("TEST_REFUSES_AFTER", "1000000000")):
            status = 503
        body = json.dumps({"phoneNumbers": [{}] * int(os.environ["BENCH_NUMBERS"])}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Do not log requests."""


if __name__ == "__main__":
    if message := os.environ.get("TEST_SAYS"):
        sys.exit(f"{message} {os.environ['BENCH_SECRET']}")
    if os.environ.get("TEST_HAS_CHILD") and os.fork() == 0:
        threading.Event().wait(60)
    if os.environ.get("TEST_SLEEPS"):
        time.sleep(60)
    Handler.wbufsize = -1  # head and body in one segment, else each response is delayed by 40 ms
    with ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
        server.serve_forever()
