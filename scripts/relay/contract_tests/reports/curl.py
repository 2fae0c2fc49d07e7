"""Convert a request to a curl command for a POSIX shell, with $URL and $TOKEN for the address and credentials."""

import base64
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence

from relay.contract_tests.exchanges import REDACTED, Exchange, Request

from .printable import escape_unprintable

MAX_LENGTH = 10_000  # the maximum length of a command in characters
_REDACTED = re.compile(r"\[redacted\]|%5Bredacted%5D", re.IGNORECASE)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_VISIBLE = re.compile(r"[!-~]+")
_VALUE = re.compile(r"[\t -~]*")
_NOT_IN_DOUBLE_QUOTES = re.compile(r'["$`\\!]')
_CONTINUED = re.compile(r"\w")

# Headers that a client adds itself, or that request a response which a terminal cannot show.
_CLIENTS_OWN = frozenset(["connection", "accept-encoding", "x-schemathesis-testcaseid"])


class CannotSend(Exception):
    """curl, or a command line, cannot send the request; the message says why."""


def curl(exchange: Exchange, base: str | None) -> str:
    """Return the command that repeats an exchange's request, or a shell comment with the reason why there is none.

    `base` is the value of `$URL`. The exchange is redacted: the command has `$TOKEN` for each
    `[redacted]`, and ends with a comment that names its identity.
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
        if names[name.lower()] > 1 or not _is_implied(name.lower(), value, request):
            lines.append(f"-H {_header(name, value)}")
    if data and "content-type" not in names:
        lines.append("-H 'Content-Type:'")  # else curl says it is a form
    command = " \\\n  ".join([*lines, *data])
    if len(command) > MAX_LENGTH:
        raise CannotSend("the request is too long for one")
    return command


def _options(request: Request) -> Iterator[str]:
    if not _NAME.fullmatch(request.method):
        raise CannotSend("curl cannot send its method")
    yield "curl -i"
    if re.search(r"[][{}]", request.url):
        yield "--globoff"  # curl would expand these as patterns
    if "/." in request.url:
        yield "--path-as-is"  # curl would normalize the path
    if request.method == "HEAD":
        if request.body:
            raise CannotSend("curl sends no body with HEAD")
        yield "--head"
    elif request.method != "GET" or request.body:
        yield f"-X {shlex.quote(request.method)}"


def _url(url: str, base: str | None) -> str:
    if not _VISIBLE.fullmatch(url) or "#" in url:
        raise CannotSend("its address has characters that are not allowed in an address")
    rest = url.removeprefix(base) if base else url
    if base and url.startswith(base) and rest[:1] in ("", "/", "?"):
        literals = ["", *_REDACTED.split(rest)]
        return _quoted(literals, ["URL", *["TOKEN"] * (len(literals) - 2)])
    return _with_tokens(url)


def _is_implied(name: str, value: str, request: Request) -> bool:
    """Return True if curl sends a header itself, or the header is not relevant for the request."""
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
        raise CannotSend(f"curl cannot send the header {escape_unprintable(name)!r} as it was")
    value = value.strip()
    if not value:
        return shlex.quote(f"{name};")
    if name.lower() == "authorization" and value == REDACTED:
        value = f"Bearer {REDACTED}"
    return _with_tokens(f"{name}: {value}")


def _data(body: bytes) -> tuple[str, list[str]]:
    """Return the pipe before the command, and the options for the body; both are empty without a body."""
    if not body:
        return "", []
    text = body.decode(errors="surrogateescape")  # a surrogate is not printable
    if not text.startswith("@") and text.replace("\n", "").replace("\t", "").isprintable():
        return "", [f"--data-binary {shlex.quote(text)}"]  # curl reads `@` as the name of a file
    return f"printf %s {base64.b64encode(body).decode()} | base64 -d | ", ["--data-binary @-"]


def _with_tokens(text: str) -> str:
    literals = _REDACTED.split(text)
    return _quoted(literals, ["TOKEN"] * (len(literals) - 1))


def _quoted(literals: Sequence[str], variables: Sequence[str]) -> str:
    if not variables:
        return shlex.quote(literals[0])
    names = [f"${name}" for name in variables]
    first, *following = literals
    if any(map(_NOT_IN_DOUBLE_QUOTES.search, literals)) or any(map(_CONTINUED.match, following)):
        pairs = zip(names, following, strict=True)
        rest = (f'"{name}"{shlex.quote(text) if text else ""}' for name, text in pairs)
        return "".join([shlex.quote(first) if first else "", *rest])
    return f'"{first}{"".join(map("".join, zip(names, following, strict=True)))}"'


def _comments(exchange: Exchange) -> Iterator[str]:
    """Yield comments on separate lines: not every interactive shell accepts a comment after a command."""
    request = exchange.request
    if _REDACTED.search(request.url) or any(_REDACTED.search(value) for _, value in request.headers):
        whose = escape_unprintable(" ".join((exchange.credential or "not in this report").split()))
        yield f"# TOKEN: {whose}"
    if REDACTED.encode() in (request.body or b""):
        yield f"# {REDACTED} in the body stands for a secret that is not in this report"
