"""A request as a command for a POSIX shell, with $URL and $TOKEN for what differs from run to run."""

from __future__ import annotations

import base64
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence

from relay.contract_tests.exchanges import REDACTED, Exchange, Request

from .printable import fit

MAX_LENGTH = 10_000
"""How long a command may be."""

_REDACTED = re.compile(r"\[redacted\]|%5Bredacted%5D", re.IGNORECASE)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_VISIBLE = re.compile(r"[!-~]+")
_VALUE = re.compile(r"[\t -~]*")
_NOT_IN_DOUBLE_QUOTES = re.compile(r'["$`\\!]')
_CONTINUED = re.compile(r"\w")

# What a client adds on its own, and what asks for an answer that a terminal cannot show.
_CLIENTS_OWN = frozenset(["connection", "accept-encoding", "x-schemathesis-testcaseid"])


class CannotSend(Exception):
    """The request is one that curl, or a command line, has no way to send; the message says why."""


def curl(exchange: Exchange, base: str | None) -> str:
    """Return the command that sends an exchange's request again, or a shell comment that says why there is none.

    `base` is the address that `$URL` stands for. The exchange is redacted: where it says `[redacted]`, the
    command has `$TOKEN`, and ends with a comment that says whose that is.
    """
    try:
        command = _command(exchange.request, base)
    except CannotSend as exc:
        return f"# No command: {exc}; the recorded traffic has the request."
    return "\n".join([command, *_comments(exchange)])


def _command(request: Request, base: str | None) -> str:
    if request.body is None:
        raise CannotSend("its body was not recorded")
    before, data = _data(request.body)
    lines = [f"{before}{' '.join(_options(request))} {_url(request.url, base)}"]
    names = Counter(name.lower() for name, _ in request.headers)
    if names["host"] > 1:
        raise CannotSend("curl sends Host only once")
    for name, value in request.headers:
        if names[name.lower()] > 1 or not _is_added_anyway(name.lower(), value, request):
            lines.append(f"-H {_header(name, value)}")
    if data and "content-type" not in names:
        lines.append("-H 'Content-Type:'")  # else curl says it is a form
    command = " \\\n  ".join([*lines, *data])
    if len(command) > MAX_LENGTH:
        raise CannotSend("the request is too long for one")
    return command


def _options(request: Request) -> Iterator[str]:
    """Yield the program and how it is to be used."""
    if not _NAME.fullmatch(request.method):
        raise CannotSend("curl cannot send its method")
    yield "curl -i"
    if re.search(r"[][{}]", request.url):
        yield "--globoff"  # they are no patterns of curl's
    if "/." in request.url:
        yield "--path-as-is"  # not tidied up
    if request.method == "HEAD":
        if request.body:
            raise CannotSend("curl sends no body with HEAD")
        yield "--head"
    elif request.method != "GET" or request.body:
        yield f"-X {shlex.quote(request.method)}"


def _url(url: str, base: str | None) -> str:
    if not _VISIBLE.fullmatch(url) or "#" in url:
        raise CannotSend("its address has characters that no address may have")
    rest = url.removeprefix(base) if base else url
    if base and url.startswith(base) and rest[:1] in ("", "/", "?"):
        literals = ["", *_REDACTED.split(rest)]
        return _quoted(literals, ["URL", *["TOKEN"] * (len(literals) - 2)])
    return _with_tokens(url)


def _is_added_anyway(name: str, value: str, request: Request) -> bool:
    """Whether a header is one that curl sends by itself, or that says nothing of the request."""
    match name:
        case "host":
            return request.url.split("/")[2:3] == [value]
        case "content-length":
            return bool(request.body) and value == str(len(request.body or b""))
        case "accept":
            return value == "*/*"
        case "user-agent":
            return value.startswith(("python-", "schemathesis/"))
    return name in _CLIENTS_OWN


def _header(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise CannotSend(f"curl cannot send the header {fit(name)!r} as it was")
    value = value.strip()
    if not value:
        return shlex.quote(f"{name};")
    if name.lower() == "authorization" and value == REDACTED:
        value = f"Bearer {REDACTED}"
    return _with_tokens(f"{name}: {value}")


def _data(body: bytes) -> tuple[str, list[str]]:
    """Return what stands before the command, and the option that gives it the body; both empty for none."""
    if not body:
        return "", []
    if _is_plain(body):
        return "", [f"--data-binary {shlex.quote(body.decode())}"]
    return f"printf %s {base64.b64encode(body).decode()} | base64 -d | ", ["--data-binary @-"]


def _is_plain(body: bytes) -> bool:
    """Whether a body survives being shown and copied; curl takes `@` for the name of a file."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return not text.startswith("@") and text.replace("\n", "").replace("\t", "").isprintable()


def _with_tokens(text: str) -> str:
    literals = _REDACTED.split(text)
    return _quoted(literals, ["TOKEN"] * (len(literals) - 1))


def _quoted(literals: Sequence[str], variables: Sequence[str]) -> str:
    """Quote one word of pieces of text with variables between them."""
    if not variables:
        return shlex.quote(literals[0])
    names = [f"${name}" for name in variables]
    first, *others = literals
    if any(map(_NOT_IN_DOUBLE_QUOTES.search, literals)) or any(map(_CONTINUED.match, others)):
        pairs = zip(names, others, strict=True)
        rest = (f'"{name}"{shlex.quote(text) if text else ""}' for name, text in pairs)
        return "".join([shlex.quote(first) if first else "", *rest])
    return f'"{first}{"".join(map("".join, zip(names, others, strict=True)))}"'


def _comments(exchange: Exchange) -> Iterator[str]:
    """Yield lines of their own: not every shell that people type into takes a comment behind a command."""
    request = exchange.request
    if _REDACTED.search(request.url) or any(_REDACTED.search(value) for _, value in request.headers):
        whose = fit(" ".join((exchange.credential or "not in this report").split()))
        yield f"# TOKEN: {whose}"
    if REDACTED.encode() in (request.body or b""):
        yield f"# {REDACTED} in the body stands for a secret that is not in this report"
