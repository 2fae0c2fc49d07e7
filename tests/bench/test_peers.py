"""What is measured beside Relay: `scripts/bench/peers.py`, `proving.py`, `installing.py`."""

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
from bench.peers import PEERS, PROGRAMS
from bench.programs.answer import PATH, SETTINGS, USER, stored_numbers
from bench.proving import fate, prove
from bench.servers import started
from relay.contract.diagnostics import SetupError

OWNER = {"userName": "Ada Admin", "userId": USER}


def right(numbers=1):
    """What a program has to answer."""
    return {**SETTINGS, "phoneNumbers": [{**number, **OWNER} for number in stored_numbers(numbers)]}


def careful(shown):
    """Let in whom a program has to let in."""
    claims = jwt.decode(shown, SECRET, ["HS256"], options={"require": ["exp"]})
    return claims["userId"] == USER


@contextmanager
def answering(body, lets_in=careful):
    """A server that answers so, to whom it lets in."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            try:
                known = lets_in((self.headers["Authorization"] or "").removeprefix("Bearer "))
            except jwt.PyJWTError:
                known = False
            written = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *arguments):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
        server.shutdown()


def test_what_does_the_work_is_measured():
    """All of it, and for nobody else."""
    with answering(right(3)) as url:
        prove(url, token(), 3)


@pytest.mark.parametrize("body", [right(2), {**right(), "hasApiKey": False}, b"no JSON", []])
def test_what_answers_otherwise_is_not_measured(body):
    """A program that does less would look faster."""
    with answering(body) as url, pytest.raises(SetupError, match="something else than 1 numbers"):
        prove(url, token(), 1)


@pytest.mark.parametrize(
    ("lets_in", "told"),
    [
        (lambda _shown: True, "to no token"),
        (bool, "to what is no token"),
        (
            lambda shown: jwt.decode(shown, options={"verify_signature": False})["userId"] == USER,
            "to a token of another key",
        ),
        (
            lambda shown: (
                jwt.decode(shown, SECRET, ["HS256"], options={"verify_exp": False})["userId"] == USER
            ),
            "to a token that has expired",
        ),
        (lambda shown: jwt.decode(shown, SECRET, ["HS256"]) != {}, "to a token of nobody"),
    ],
)
def test_what_lets_in_whom_it_should_not_is_not_measured(lets_in, told):
    """Half of the work is to look at the token, and at who it names."""
    with answering(right(), lets_in) as url, pytest.raises(SetupError, match=f"answers 200 {told}"):
        prove(url, token(), 1)


def test_a_mock_only_has_to_answer():
    """It makes its answers up."""
    with answering({}, lambda _shown: True) as url:
        prove(url, token(), 1, is_mock=True)


def test_tells_what_becomes_of_a_broken_body():
    """Not all that answers 200 lets it out: some make a boolean of a text."""
    broken = right()
    broken["phoneNumbers"][0]["isDefault"] = "yes"
    for body, expected in (
        (broken, "gets out"),
        (right(), "is made to conform"),
        (b"no JSON", "is held back"),
    ):
        with answering(body) as url:
            assert fate(url, token()) == expected


@pytest.mark.parametrize("source", ["memory", "sqlite"])
def test_relay_does_the_work_as_it_ships(source, tmp_path):
    """From a store that the bench has filled, too."""
    with started(BenchSetup(tmp_path, tmp_path).program("relay", source, 2), tmp_path) as server:
        prove(server.url, token(), 2)
        log = server.log.read_text("utf-8")

    assert '"event":"request"' in log


def test_relay_holds_back_what_breaks_the_contract(tmp_path):
    """The peers are asked the same; the report says what they do."""
    [relay] = [peer for peer in PEERS if peer.name == "relay"]
    program = BenchSetup(tmp_path, tmp_path).of(relay, "memory", 1, BENCH_BREAK="1")
    with started(replace(program, status=None), tmp_path) as server:
        assert fate(server.url, token()) == "is held back"


def test_every_peer_has_its_program():
    """By its name; and none of them a secret or an address."""
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    for peer in PEERS:
        assert (PROGRAMS / peer.program).is_file()
    for file in PROGRAMS.rglob("*.*"):
        if file.suffix in (".py", ".mjs", ".json", ".txt"):
            text = file.read_text("utf-8")
            assert SECRET not in text
            assert not re.search("https?://", text)


def test_installs_once(tmp_path):
    """And anew when something else is wanted."""
    made = []

    def make(folder, wanted):
        folder.mkdir()
        made.append(wanted.read_text())

    wanted = tmp_path / "wanted.txt"
    for text in ("one", "one", "other"):
        wanted.write_text(text)
        installing._once(tmp_path / "made", wanted, make)

    assert made == ["one", "other"]


def test_says_why_nothing_could_be_installed(tmp_path):
    """In a line, with the last words of what was to install it."""
    command = ["sh", "-c", "echo no such package >&2; exit 1"]

    with pytest.raises(SetupError, match="sh cannot install the peers: no such package"):
        installing._run(command, tmp_path)
    with pytest.raises(SetupError, match="FileNotFoundError"):
        installing._run(["no-such-program"], tmp_path)
