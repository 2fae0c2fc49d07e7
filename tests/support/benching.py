"""A server without dependencies, for tests of `python -m bench`; it serves when run as a program.

It verifies the token like the measured programs. The variables are TEST_ACCEPTS, the part of the checks that it
does not do, and TEST_SAYS, a message with which it ends at once.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

from bench.data import SECRET, USER, body
from bench.servers import Program

from .running import ROOT


def program(numbers: int = 1, **variables: str) -> Program:
    """Return the program that runs this file."""
    known = {"PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}", "TEST_NUMBERS": str(numbers)}
    return Program("floor", (sys.executable, "-m", "tests.support.benching"), known | variables)


def is_known(token: str) -> bool:
    """Return True for a token that a measured program accepts, or should not but TEST_ACCEPTS names."""
    accepted = os.environ.get("TEST_ACCEPTS")
    if accepted == "anything":
        return True
    checks = {f"verify_{name}": name != accepted for name in ("exp", "signature")}
    try:
        claims = jwt.decode(token, SECRET, ["HS256"], options=checks)
    except jwt.PyJWTError:
        return False
    return accepted == "user" or claims["userId"] == USER


class Handler(BaseHTTPRequestHandler):
    """Returns 200 for a valid token, 401 for any other."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        known = is_known((self.headers["Authorization"] or "").removeprefix("Bearer "))
        written = json.dumps(body(int(os.environ["TEST_NUMBERS"]))).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *arguments):
        """Do not log requests."""


if __name__ == "__main__":
    if message := os.environ.get("TEST_SAYS"):
        sys.exit(message)
    Handler.wbufsize = -1  # head and body in one segment, else each response is delayed by 40 ms
    with ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
        server.serve_forever()
