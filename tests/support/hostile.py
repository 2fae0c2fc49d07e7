"""Hostile traffic: connections that a seed and a number make again, and what plays them.

`python tests/support/hostile.py URL` plays them at a rate and prints what came back, as JSON: a load for a
test that measures somebody else.
"""

import argparse
import asyncio
import base64
import json
import random
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from relay.contract_tests.secret_spellings import Spellings

from .targets import Target
from .wire import answers, request

SHUT, ABORT = "shut", "abort"
"""Steps of a connection other than bytes to send and seconds to wait: end our side, and reset the connection."""

DEADLINE = 30.0
"""Seconds in which a connection has to end. The service's own: 10 s for a head, 10 s for a body, 5 s of
silence after an answer; the rest is for a machine that is busy."""

_LINES = [
    ["GET", "get", "G\0T", "", " GET", "GETGETGET" * 50, "POST /x", "\u2603", "QUERY", "PRI"],
    ["/", "*", "", "//", "/%", "/\xff", "http://", "http://[", "/a b", "\\", "/../" * 99, "/" * 9000],
    ["HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "HTTP/", "", "HTTP/1.1 ", "RTSP/1.0", "HTTP/1.1\0"],
]
"""Methods, targets and versions of a request line."""

_MULTIPART = ("Content-Type", "multipart/form-data; boundary=b")
_PHOTO = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'

DESIGNED = {100, 200, 201, 204, 302, 304, 400, 401, 404, 405, 408, 409, 413, 415, 431, 503}


class Connection(NamedTuple):
    """The steps of one connection to the service."""

    kind: str
    number: int
    steps: tuple[bytes | float | str, ...]

    @property
    def sent(self) -> bytes:
        """All that is sent, if neither side hangs up."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))


class Outcome(NamedTuple):
    """The result of a connection; `seconds` until its end, None when there was none."""

    connection: Connection
    received: bytes
    seconds: float | None


class Canaries:
    """Values that must not come out: `credentials` nowhere, `contents` in no failure and no log."""

    def __init__(self, seed: int, *credentials: str) -> None:
        noise = random.Random(f"canaries-{seed}")  # noqa: S311 -- it has to come again
        self.credential, self.content = (f"cnry-{noise.randbytes(12).hex()}" for _ in range(2))
        self._credentials = Spellings([self.credential, *credentials])
        self._contents = Spellings([self.content])

    def leak(self, *, answer: bytes, failed: bool) -> bool:
        """Return True if an answer contains what it must not."""
        return self._credentials.are_in(answer) or (failed and self._contents.are_in(answer))

    def leaks(self, log: bytes) -> list[bytes]:
        """The lines of a log that hold what they must not."""
        lines = log.splitlines()
        return [line for line in lines if self._credentials.are_in(line) or self._contents.are_in(line)]


class Grammar:
    """Makes connections: the same ones for the same seed, numbers, canaries and good requests."""

    def __init__(self, seed: int, canaries: Canaries, good: list[bytes], token: str) -> None:
        self.seed = seed
        self._canaries = canaries
        self._good = good
        self._token = token
        self._at_once: list[Callable[[random.Random], Iterator[bytes | float | str]]] = [
            self._broken_line, self._many_headers, self._huge_header, self._strange_header, self._broken_framing,
            self._broken_chunks, self._pipelined, self._longer_body, self._not_text, self._forged, self._deep,
            self._trailers, self._upgrade, self._costly_field, self._long_path, self._recursive, self._cut_up,
            self._another_protocol, self._noise, self._gone, self._half_closed, self._mutated, self._mutated, self._shuffled,
            self._broken_form, self._upload_that_breaks_off,
        ]  # fmt: skip
        self._slowly = [
            self._silent, self._dripping_head, self._dripping_body, self._shorter_body, self._deaf, self._endless,
            self._dripping_form,
        ]  # fmt: skip

    def connection(self, number: int) -> Connection:
        """Make a connection that sends all it has at once."""
        return self._made(number, self._at_once)

    def slow_connection(self, number: int) -> Connection:
        """Make one that takes its time, or keeps us waiting."""
        return self._made(-1 - number, self._slowly)

    def _made(self, number: int, kinds: list[Any]) -> Connection:
        noise = random.Random(f"{self.seed}:{number}")  # noqa: S311 -- it has to come again
        kind = kinds[number % len(kinds)]
        return Connection(kind.__name__.strip("_"), number, tuple(kind(noise)))

    # -- at once --

    def _broken_line(self, noise: random.Random) -> Iterator[bytes]:
        method, target, version = map(noise.choice, _LINES)
        end = noise.choice([b"\r\n", b"\n", b"\r", b"\r\n "])
        line = f"{method} {target}?{self._canaries.content} {version}".encode("utf-8", "surrogateescape")
        yield line + end + b"Host: test" + end + b"Connection: close" + end + end

    def _many_headers(self, noise: random.Random) -> Iterator[bytes]:
        count = noise.choice([90, 100, 101, 1000, 5000])
        yield self._with(noise, *((f"X-{number}", self._canaries.content) for number in range(count)))

    def _huge_header(self, noise: random.Random) -> Iterator[bytes]:
        size = noise.choice([8_000, 33_000, 70_000, 300_000])
        name = noise.choice("X-A Cookie Authorization Content-Type X-Request-ID Accept Host".split())
        yield self._with(noise, (name, self._canaries.credential + "a" * size))

    def _strange_header(self, noise: random.Random) -> Iterator[bytes]:
        name = noise.choice(["Host", "Connection", "Expect", "Upgrade", "Content-Type", "Content-Encoding", "Cookie", "Range",
                             "X-Forwarded-For", "If-None-Match", "X-Request-ID", "X-HTTP-Method-Override", "Prefer", "TE"])  # fmt: skip
        value = noise.choice([b"", b"\xff\xfe", b"a\0b", b"a\rb", b"a\r\n b", b"100-continue", b"websocket", b"gzip",
                              b'"' * 99, b",;=" * 99, b"bytes=0-", b"*", noise.randbytes(20)])  # fmt: skip
        yield self._with(noise, (name, value), (name, self._canaries.content.encode() + value))

    def _broken_framing(self, noise: random.Random) -> Iterator[bytes]:
        length = noise.choice(["-1", "+1", "1_0", "0x1", "", "1, 1", "9" * 25, "1e3", "\uff11", "0"])
        codings = [
            None,
            "chunked",
            "gzip",
            "gzip, chunked",
            "chunked, chunked",
            "CHUNKED",
            "\x0bchunked",
            "identity",
        ]
        coding = noise.choice(codings)
        headers = [("Content-Length", length), *([("Transfer-Encoding", coding)] if coding else [])]
        noise.shuffle(headers)
        yield self._with(noise, *headers) + self._canaries.content.encode()

    def _broken_chunks(self, noise: random.Random) -> Iterator[bytes]:
        size = noise.choice([b"5", b"-5", b"0x5", b"5;" + b"e" * 9000, b"f" * 17, b"", b"5 5", b"\0", b"5\n"])
        trailers = b"0\r\n" + b"T: a\r\n" * 9999 + b"\r\n"
        end = noise.choice([b"0\r\n\r\n", b"0\r\n", b"00000\r\nHost: b\r\n\r\n", trailers, b""])
        yield self._chunked(noise) + size + b"\r\n" + self._canaries.content[:5].encode() + b"\r\n" + end

    def _trailers(self, noise: random.Random) -> Iterator[bytes]:
        planted = b"X-T: " + self._canaries.content.encode() + b"\r\n"
        field = noise.choice([b"a:\r\n", planted, b"Host: b\r\n"])
        end = noise.choice([b"\r\n", b"", b"X: " + b"a" * 90_000])
        yield self._chunked(noise) + b"2\r\n{}\r\n0\r\n" + field * noise.choice([1, 100, 30_000]) + end

    def _upgrade(self, noise: random.Random) -> Iterator[bytes]:
        offered = noise.choice(["websocket", "h2c", "TLS/1.0", "a, b", ""])
        inner = request("GET", f"/{self._canaries.content}", None)
        framing = noise.choice([("Content-Length", str(len(inner))), ("Transfer-Encoding", "chunked")])
        head = self._with(noise, ("Upgrade", offered), ("Connection", "Upgrade"), framing)
        body = inner if framing[1] != "chunked" else b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner)
        yield self._keep(head) + body + self._with(noise)

    def _costly_field(self, noise: random.Random) -> Iterator[bytes]:
        names = "Content-Type Prefer Cookie Authorization If-None-Match Accept Traceparent".split()
        name = noise.choice(names)
        piece = noise.choice([";", ';a="', '"', "\\", ',"', ";a*0*=", "=", "a;b=c,", "Bearer ", " "])
        start = noise.choice(["", "application/json", 'multipart/form-data; boundary="', "Bearer "])
        value = start + piece * (noise.choice([99, 20_000]) // len(piece))
        yield self._with(noise, (name, value), method=True)

    def _long_path(self, noise: random.Random) -> Iterator[bytes]:
        line, _, rest = noise.choice(self._good).partition(b" HTTP/1.1")
        start, piece = noise.choice([b"", b"?a="]), noise.choice([b"-", b"/", b"%2D", b".", b"%C3%A9", b"=&"])
        yield line + start + piece * (noise.choice([99, 25_000]) // len(piece)) + b" HTTP/1.1" + rest

    def _recursive(self, noise: random.Random) -> Iterator[bytes]:
        depth, width = noise.choice([(10, 1), (60, 1), (99, 1), (4, 8)])
        value: Any = noise.choice([{"kind": "leaf", "value": "x"}, self._canaries.content, {}, 10**70])
        for _ in range(depth):
            several = [value] * width
            value = noise.choice([several, {"kind": "node", "children": several}, {"next": value}])
        yield self._json(noise, json.dumps(value)[: 65_000 if noise.random() < 0.5 else None].encode())

    def _cut_up(self, noise: random.Random) -> Iterator[bytes | float]:
        sent = noise.choice(self._good)
        size = max(1, len(sent) // noise.choice([3, 9]))
        for at in range(0, len(sent), size):
            yield sent[at : at + size]
            yield 0.0

    def _pipelined(self, noise: random.Random) -> Iterator[bytes]:
        several = b"".join(self._keep(noise.choice(self._good)) for _ in range(noise.choice([2, 5, 20])))
        yield several + self._with(noise)

    def _longer_body(self, noise: random.Random) -> Iterator[bytes]:
        yield noise.choice(self._good) + self._canaries.content.encode() * noise.choice([1, 100, 10_000])

    def _not_text(self, noise: random.Random) -> Iterator[bytes]:
        bad = noise.choice("%ff %c0%af %00 %ed%a0%80 % %zz %f4%90%80%80 \x7f %0d%0a".split(" "))
        line, _, rest = noise.choice(self._good).partition(b" HTTP/1.1")
        added = noise.choice(["", "?a=", "/"]) + bad + self._canaries.content
        yield line + added.encode() + b" HTTP/1.1" + rest

    def _forged(self, noise: random.Random) -> Iterator[bytes]:
        header, payload, signature = self._token.split(".")
        claims = {"sub": self._canaries.credential, "userId": self._canaries.credential, "exp": 4102444800}
        others = [[], None, {**claims, "exp": "soon"}, {"a": [[[[]]]] * 99}, {**claims, "iss": "\ud800"}]
        claimed = _coded(noise.choice([claims, *others]))
        algorithm = noise.choice(["none", "HS256", "HS512", "RS256", "", None, 7, {"alg": "HS256"}])
        where = [{"kid": "../../etc/passwd"}, {"jku": "http://127.0.0.1:1/"}]
        key = noise.choice([{}, *where, {"crit": ["exp"]}, {"b64": False}])
        token = noise.choice([
            f"{_coded({'alg': algorithm, **key})}.{claimed}.{noise.choice(['', signature])}", f"{header}.{claimed}.{signature}",
            f"{header}.{payload}.{signature[:-3]}", f"{header}.{payload}.{signature}.", f"{header}.{payload}", "a.b.c", "." * 99,
            f"{header}.{payload}.{signature[::-1]}", self._canaries.credential * 400, f"{self._token},{self._token}",
        ])  # fmt: skip
        word = noise.choice(["Bearer ", "bearer ", "Basic ", "Bearer", "Bearer  ", "Digest "])
        times = noise.choice([1, 1, 1, 2])
        yield self._with(noise, *[("Authorization", word + token)] * times, signed=False)

    def _deep(self, noise: random.Random) -> Iterator[bytes]:
        opening = noise.choice([b"[", b'{"a":', b'[{"a":[', b'"', b"\\u0000", b"[1e999,", b"-", b"9"])
        body = noise.choice([b"", b'{"size":', b'{"plate":"' + self._canaries.content.encode() + b'","a":'])
        yield self._json(noise, body + opening * noise.choice([10, 250, 5_000, 60_000]))

    def _another_protocol(self, noise: random.Random) -> Iterator[bytes]:
        yield noise.choice([
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise.randbytes(509),
            b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" + noise.choice(self._good),
            b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + noise.randbytes(12),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + noise.randbytes(64),
            b"SSH-2.0-OpenSSH_9.9\r\n", b"EHLO test\r\n", b"*1\r\n$4\r\nPING\r\n", b"\x03\x00\x00\x13\x0e\xe0\0\0",
        ])  # fmt: skip

    def _noise(self, noise: random.Random) -> Iterator[bytes]:
        yield noise.randbytes(noise.choice([1, 10, 1000, 100_000]))

    def _gone(self, noise: random.Random) -> Iterator[bytes | float | str]:
        sent = noise.choice(self._good)
        yield sent[: noise.randrange(len(sent) + 1)]
        yield noise.choice([0.0, 0.001, 0.01])
        yield ABORT

    def _half_closed(self, noise: random.Random) -> Iterator[bytes | float | str]:
        sent = noise.choice(self._good)
        yield sent[: noise.choice([len(sent), noise.randrange(len(sent))])]
        yield SHUT

    def _mutated(self, noise: random.Random) -> Iterator[bytes]:
        sent = bytearray(noise.choice(self._good))
        for _ in range(noise.choice([1, 2, 8, 64])):
            at = noise.randrange(len(sent))
            match noise.randrange(4):
                case 0:
                    sent[at] = noise.randrange(256)
                case 1:
                    del sent[at : at + noise.choice([1, 4, 20])]
                case 2:
                    sent[at:at] = noise.choice(
                        [b"\r\n", b"\0", b"%", b'"', b"\xff", b"0", noise.randbytes(9)]
                    )
                case _:
                    sent[at:at] = sent[at : at + noise.choice([3, 30, 300])]
            if not sent:
                break
        yield bytes(sent)

    def _shuffled(self, noise: random.Random) -> Iterator[bytes]:
        head, _, body = noise.choice(self._good).partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        several = lines + noise.sample(lines, 1)
        lines = [noise.choice([line, line.upper(), line.swapcase()]) for line in several]
        noise.shuffle(lines)
        yield b"\r\n".join([first, *lines]) + b"\r\n\r\n" + body

    def _broken_form(self, noise: random.Random) -> Iterator[bytes]:
        named = b'--b\r\nContent-Disposition: form-data; name="photo"'
        file = named + b'; filename="' + self._canaries.content.encode() + b'"'
        body = noise.choice([
            (named + b"\r\n\r\n\r\n") * 5000, (file + b"\r\n\r\n\r\n") * 5000, file + b"\r\nX: " + b"a" * 100_000,
            file + b"\r\n" + b"X: y\r\n" * 20_000, b"--b\r\n" * 50_000, b"--" + b"b" * 100_000, b"\r\n" * 50_000,
            file + b"\r\n\r\n" + b"\r\n--" * 50_000, file + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"=" * 100_000,
            file + b'\r\nContent-Disposition: form-data; name="position"\r\n\r\n' + b"1" * 100_000, noise.randbytes(100_000),
        ])  # fmt: skip
        yield self._form(noise, len(body)) + body

    def _upload_that_breaks_off(self, noise: random.Random) -> Iterator[bytes | float | str]:
        yield self._form(noise, 1_000_000) + _PHOTO
        yield noise.randbytes(noise.choice([10, 100_000, 300_000]))
        yield noise.choice([0.0, 0.01, 0.1])
        yield ABORT

    # -- slowly --

    def _silent(self, noise: random.Random) -> Iterator[bytes]:
        begun = b"GET / HTTP/1.1\r\n"
        yield noise.choice([b"", b"\r\n", b"G", begun, begun + b"Host: a\r\nX: " + b"a" * 9999])

    def _dripping_head(self, noise: random.Random) -> Iterator[bytes | float]:
        yield b"GET / HTTP/1.1\r\nHost: test\r\nX-A: "
        for _ in range(60):
            yield noise.choice([b"a", b"a\r\nX-B: b"])
            yield 0.3

    def _dripping_body(self, noise: random.Random) -> Iterator[bytes | float]:
        is_chunked = noise.random() < 0.5
        framing = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", "60000")
        yield self._with(noise, framing, ("Content-Type", "application/json"), method=True)
        for _ in range(60):
            yield b"1\r\n \r\n" if is_chunked else b" "
            yield 0.3

    def _endless(self, noise: random.Random) -> Iterator[bytes | float]:
        yield self._chunked(noise, method=True)
        of_trailers = [(b"0\r\n", b"a:\r\n"), (b"0\r\nX: ", b"a")]
        start, piece = noise.choice([*of_trailers, (b"", b"0"), (b"1;", b"a"), (b"", b"1\r\n \r\n")])
        yield start
        for _ in range(200):
            yield piece * 2000
            yield 0.01

    def _dripping_form(self, noise: random.Random) -> Iterator[bytes | float]:
        yield self._form(noise, 10_000_000) + _PHOTO
        yield b"a" * noise.choice([0, 1000, 200_000])
        for _ in range(60):
            yield noise.choice([b"a", b"\r\n--", b"\r\n--a"])
            yield 0.3

    def _shorter_body(self, noise: random.Random) -> Iterator[bytes]:
        framing = noise.choice([("Content-Length", "1000"), ("Transfer-Encoding", "chunked")])
        yield self._with(noise, framing, ("Content-Type", "application/json"), method=True) + b'5\r\n{"a":'

    def _deaf(self, noise: random.Random) -> Iterator[bytes | float | str]:
        yield b"".join(self._keep(good) for good in noise.choices(self._good, k=100))
        yield 3.0
        yield ABORT

    # -- parts --

    def _json(self, noise: random.Random, body: bytes) -> bytes:
        """A request with JSON, or what looks like it."""
        typed = ("Content-Type", "application/json")
        return self._with(noise, typed, ("Content-Length", str(len(body))), method=True) + body

    def _chunked(self, noise: random.Random, **options: bool) -> bytes:
        """The head of a request with JSON in chunks."""
        typed = ("Content-Type", "application/json")
        return self._with(noise, ("Transfer-Encoding", "chunked"), typed, **options)

    def _with(
        self,
        noise: random.Random,
        *headers: tuple[str, str | bytes],
        signed: bool = True,
        method: bool = False,
    ) -> bytes:
        """A head of one of the good requests, with other headers in addition; `method` for one that has a body."""
        fit = [one for one in self._good if not method or b"application/json" in one] or self._good
        good = noise.choice(fit)
        line = good.partition(b"\r\n")[0].split(b" ")
        given = {name.lower() for name, _ in headers}
        is_signed = signed and "authorization" not in given
        token = [("Authorization", f"Bearer {self._token}")] if is_signed else []
        own = [] if "x-secret" in given else [("X-Secret", self._canaries.credential)]
        return request(line[0].decode(), line[1].decode("latin-1"), None, *token, *own, *headers)

    def _form(self, noise: random.Random, length: int) -> bytes:
        """The head of a form of so many bytes, to an operation that takes forms if there is one."""
        good = noise.choice([one for one in self._good if b"multipart/form-data" in one] or self._good)
        method, path, _ = good.partition(b"\r\n")[0].split(b" ")
        headers = [("Authorization", f"Bearer {self._token}"), ("Content-Length", str(length)), _MULTIPART]
        return request(method.decode(), path.decode("latin-1"), None, *headers)

    @staticmethod
    def _keep(sent: bytes) -> bytes:
        return sent.replace(b"Connection: close\r\n", b"")


def _coded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


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
