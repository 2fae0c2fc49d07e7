"""A grammar of hostile connections: a seed and a number make each of them again.

It is one class in one module, since its methods are the kinds of connections, and share the parts at its end.
"""

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from relay.contract_tests.secret_spellings import Spellings

from .wire import request

SHUT, ABORT = "shut", "abort"
"""Steps of a connection other than bytes to send and seconds to wait: end our side, and reset the connection."""

_LINES = [
    ["GET", "get", "G\0T", "", " GET", "GETGETGET" * 50, "POST /x", "\u2603", "QUERY", "PRI"],
    ["/", "*", "", "//", "/%", "/\xff", "http://", "http://[", "/a b", "\\", "/../" * 99, "/" * 9000],
    ["HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "HTTP/", "", "HTTP/1.1 ", "RTSP/1.0", "HTTP/1.1\0"],
]
"""Methods, targets and versions of a request line."""

_MULTIPART = ("Content-Type", "multipart/form-data; boundary=b")
_PHOTO = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'


class Connection(NamedTuple):
    """The steps of one connection to the service."""

    kind: str
    number: int
    steps: tuple[bytes | float | str, ...]

    @property
    def sent(self) -> bytes:
        """All that is sent, if neither side hangs up."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))


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
        codings = "chunked|gzip|gzip, chunked|chunked, chunked|CHUNKED|\x0bchunked|identity".split("|")
        coding = noise.choice([None, *codings])
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
