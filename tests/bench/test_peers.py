"""The other servers: `scripts/bench/peers.py`, `peer_check.py`, `installing.py`."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest

from bench import installing
from bench.data import SECRET, token
from bench.measuring import BenchSetup
from bench.peer_check import check_peer, invalid_body_outcome
from bench.peers import PEERS, PROGRAMS
from bench.programs.response_data import PATH, SETTINGS, USER, stored_numbers
from bench.servers import started
from relay.contract.diagnostics import SetupError

OWNER = {"userName": "Ada Admin", "userId": USER}


def correct_body(numbers=1):
    """Return the body that a program must return."""
    return {**SETTINGS, "phoneNumbers": [{**number, **OWNER} for number in stored_numbers(numbers)]}


def verifies(shown):
    """Return True for the tokens that a program must accept."""
    claims = jwt.decode(shown, SECRET, ["HS256"], options={"require": ["exp"]})
    return claims["userId"] == USER


@contextmanager
def serving(body, accepts=verifies):
    """Run a server that returns a body for accepted tokens, else 401."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            try:
                known = accepts((self.headers["Authorization"] or "").removeprefix("Bearer "))
            except jwt.PyJWTError:
                known = False
            written = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *arguments):
            """Do not log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
        server.shutdown()


def test_accepts_a_correct_program():
    """Its data is complete, and it rejects invalid tokens."""
    with serving(correct_body(3)) as url:
        check_peer(url, token(), 3)


@pytest.mark.parametrize("body", [correct_body(2), {**correct_body(), "hasApiKey": False}, b"no JSON", []])
def test_rejects_a_program_with_other_data(body):
    """A program that does less would look faster."""
    with serving(body) as url, pytest.raises(SetupError, match="does not return 1 numbers"):
        check_peer(url, token(), 1)


@pytest.mark.parametrize(
    ("accepts", "credential"),
    [
        (lambda _shown: True, "for no token"),
        (bool, "for a malformed token"),
        (
            lambda shown: jwt.decode(shown, options={"verify_signature": False})["userId"] == USER,
            "for a token signed with another key",
        ),
        (
            lambda shown: (
                jwt.decode(shown, SECRET, ["HS256"], options={"verify_exp": False})["userId"] == USER
            ),
            "for an expired token",
        ),
        (lambda shown: jwt.decode(shown, SECRET, ["HS256"]) != {}, "for a token of an unknown user"),
    ],
)
def test_rejects_a_program_that_accepts_invalid_credentials(accepts, credential):
    """Half of the work is to verify the token and to find its user."""
    with (
        serving(correct_body(), accepts) as url,
        pytest.raises(SetupError, match=f"returns 200 {credential}"),
    ):
        check_peer(url, token(), 1)


def test_checks_only_the_status_of_a_mock():
    """Its data is invented."""
    with serving({}, lambda _shown: True) as url:
        check_peer(url, token(), 1, is_mock=True)


def test_returns_what_happens_to_an_invalid_body():
    """A program that returns 200 may have converted the string to a boolean."""
    invalid = correct_body()
    invalid["phoneNumbers"][0]["isDefault"] = "yes"
    for body, expected in (
        (invalid, "is sent"),
        (correct_body(), "is converted"),
        (b"no JSON", "is rejected"),
    ):
        with serving(body) as url:
            assert invalid_body_outcome(url, token()) == expected


@pytest.mark.parametrize("source", ["memory", "sqlite"])
def test_relay_does_the_work_as_it_ships(source, tmp_path):
    """Also with a store filled by the benchmark."""
    with started(BenchSetup(tmp_path, tmp_path).program("relay", source, 2), tmp_path) as server:
        check_peer(server.url, token(), 2)
        log = server.log.read_text("utf-8")

    assert '"event":"request"' in log


def test_relay_rejects_an_invalid_body(tmp_path):
    """All peers get this check; the report shows the results."""
    [relay] = [peer for peer in PEERS if peer.name == "relay"]
    program = BenchSetup(tmp_path, tmp_path).of(relay, "memory", 1, BENCH_BREAK="1")
    with started(replace(program, status=None), tmp_path) as server:
        assert invalid_body_outcome(server.url, token()) == "is rejected"


def test_every_peer_has_its_program():
    """Names are unique, and no program contains the secret or a URL."""
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    for peer in PEERS:
        assert (PROGRAMS / peer.program).is_file()
    for file in PROGRAMS.rglob("*.*"):
        if file.suffix in (".py", ".mjs", ".json", ".txt"):
            text = file.read_text("utf-8")
            assert SECRET not in text
            assert not re.search("https?://", text)


def test_installs_once(tmp_path):
    """And again if the requirements have changed."""
    installed = []

    def install(folder, requirements):
        folder.mkdir()
        installed.append(requirements.read_text())

    requirements = tmp_path / "requirements.txt"
    for text in ("one", "one", "other"):
        requirements.write_text(text)
        installing._once(tmp_path / "folder", requirements, install)

    assert installed == ["one", "other"]


def test_reports_why_an_installation_failed(tmp_path):
    """In one line, with the last line of the installer's output."""
    command = ["sh", "-c", "echo no such package >&2; exit 1"]

    with pytest.raises(SetupError, match="sh cannot install the peers: no such package"):
        installing._run(command, tmp_path)
    with pytest.raises(SetupError, match="FileNotFoundError"):
        installing._run(["no-such-program"], tmp_path)
