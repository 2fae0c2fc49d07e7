"""Read HTTP Archives (HAR 1.2) of browsers, proxies and test tools, and write files that these can read.

The format is specified at http://www.softwareishard.com/blog/har-12-spec/. Its bodies are already
decoded: content coding and charset in the headers no longer apply to them. Bytes that are not text are base64; HAR 1.2 has
no field for that in requests, so a comment marks it.
"""

# One module: what it writes has to be what it reads.

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from http.client import responses
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import display
from relay.project.files import replace_files
from relay.validation import media_types as media

from .exchanges import REDACTED, Exchange, Headers, Request

FOOT = b"\n]}}\n"  # the end of a file, after its last entry
MAX_BYTES = 512 * 1024 * 1024
"""The maximum size of a file to read or record: reading needs a multiple of it in memory."""

_BASE64 = "base64"
_NOT_RECORDED = "not recorded"  # the comment on a request's body that was not recorded
_BROKE_OFF = "the response broke off before its end"  # browsers write a text of their own there
_FORM = "application/x-www-form-urlencoded"
_NO_HAR = "is not a HAR: the list `log.entries` is missing; export the traffic as HAR 1.2"


class Recorded(NamedTuple):
    """The content of a file: complete exchanges, and the number of requests without a response."""

    exchanges: list[Exchange]
    unanswered: int


def read_traffic(path: Path) -> Recorded:
    """Read an HTTP Archive; each exchange has the file's name as its part.

    A body that was not recorded, or is redacted, is None. Entries of other protocols, such as
    WebSocket, are skipped. Raises SetupError for a file that cannot be read, is larger than MAX_BYTES, or
    is not a HAR, and for an invalid entry.
    """
    exchanges, unanswered = [], 0
    for number, raw in enumerate(_entries(path), 1):
        try:
            if not _has_answer(raw):
                unanswered += 1
            elif _is_http(raw["request"]["url"]):
                exchanges.append(_exchange(raw, path.name))
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            reason = exc.args[0] if isinstance(exc, _InvalidEntry) else "it is not a valid entry of HAR 1.2"
            raise SetupError([Diagnostic(display(path), f"entry {number}: {reason}")]) from exc
    return Recorded(exchanges, unanswered)


def write_har(exchanges: Iterable[Exchange], path: Path) -> None:
    """Write an HTTP Archive completely or not at all; SetupError if that fails."""
    replace_files({path: head() + b",".join(map(entry, exchanges)) + FOOT})


class _InvalidEntry(ValueError):
    """An entry is invalid; the message is for the user."""


def _entries(path: Path) -> list[Any]:
    place: SourceLocation | str = display(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            limit = f"more than the limit of {MAX_BYTES >> 20} MiB"
            message = f"has {size >> 20} MiB, {limit}; record less in one file"
        else:
            entries = json.loads(path.read_bytes().decode("utf-8-sig"))["log"]["entries"]
            if isinstance(entries, list):
                return entries
            message = _NO_HAR
    except OSError as exc:
        message = f"cannot be read: {exc.strerror}"
    except json.JSONDecodeError as exc:
        place = SourceLocation(display(path), exc.lineno, exc.colno)
        message = f"is not JSON: {exc.msg}; the file may be truncated"
    except (ValueError, RecursionError):
        message = "is not JSON in UTF-8"
    except (KeyError, TypeError):
        message = _NO_HAR
    raise SetupError([Diagnostic(place, message)])


def _has_answer(raw: Any) -> bool:
    if not isinstance(raw, dict) or not isinstance(raw.get("request"), dict):
        raise _InvalidEntry("it has no request")
    for key in ("method", "url"):
        if not isinstance(raw["request"].get(key), str):
            raise _InvalidEntry(f"its request has no {key}")
    status = (raw.get("response") or {}).get("status") or 0
    if not isinstance(status, int):
        raise _InvalidEntry("its status is not a number")
    return status > 0


def _is_http(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _exchange(raw: dict[str, Any], part: str) -> Exchange:
    asked, answered = raw["request"], raw["response"]
    headers = _headers(answered)
    bodiless = asked["method"].upper() == "HEAD" or answered["status"] == 204
    time = raw.get("time")
    return Exchange(
        _request(asked),
        answered["status"],
        headers,
        _answer_body(answered, headers, bodiless=bodiless),
        part,
        seconds=max(time, 0) / 1000 if isinstance(time, int | float) else 0.0,
        started=_started(raw.get("startedDateTime")),
        broke_off=bool(answered.get("_error")),
    )


def _request(raw: dict[str, Any]) -> Request:
    headers = _headers(raw)
    post = raw.get("postData") or {}
    body = _request_body(raw, post, headers)
    kind = post.get("mimeType")
    if body and isinstance(kind, str) and kind and _header_of(headers, "content-type") is None:
        headers = (*headers, ("Content-Type", kind))
    url = _text(raw["url"])
    if "?" not in url and (query := raw.get("queryString")):
        url += "?" + urlencode([(pair["name"], pair["value"]) for pair in query], quote_via=quote)
    return Request(raw["method"], url, headers, body)


def _request_body(raw: dict[str, Any], post: dict[str, Any], headers: Headers) -> bytes | None:
    text, params = post.get("text"), post.get("params") or ()
    if isinstance(text, str) and text:
        coded = _BASE64 in (post.get("encoding"), post.get("_encoding"), post.get("comment"))
        return _known(_decoded(text, coded=coded))
    if params and media.essence(str(post.get("mimeType"))) == _FORM:
        pairs = [(param["name"], param.get("value") or "") for param in params]
        return _known(urlencode(pairs).encode())
    if params or post.get("comment") == _NOT_RECORDED:
        return None  # the original multipart/form-data body cannot be rebuilt from its parts
    is_sized = (raw.get("bodySize") or 0) > 0 or _header_of(headers, "content-length") not in (None, "0")
    return None if is_sized or _header_of(headers, "transfer-encoding") else b""


def _answer_body(raw: dict[str, Any], headers: Headers, *, bodiless: bool) -> bytes | None:
    if raw["status"] == 304:
        return b""  # a browser writes down the body of its cache
    content = raw.get("content") or {}
    text, size = content.get("text"), content.get("size")
    if isinstance(text, str) and text:
        return _known(_decoded(text, coded=content.get("encoding") == _BASE64))
    length = _header_of(headers, "content-length")
    if bodiless or length == "0":
        return b""
    is_empty = size == 0 or (size is None and text == "")
    return b"" if is_empty and length is None and (raw.get("bodySize") or 0) <= 0 else None


def _decoded(text: str, *, coded: bool) -> bytes:
    if not coded:
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as exc:
        raise _InvalidEntry("it marks a body as base64 that is not") from exc


def _known(body: bytes) -> bytes | None:
    """Return a body; None if it is redacted, as it is not what was sent."""
    return None if REDACTED.encode() in body else body


def _headers(raw: dict[str, Any]) -> Headers:
    """Return the headers as in HTTP/1.1: without pseudo headers, one line for each value."""
    return tuple(
        (name, line)
        for one in raw.get("headers") or ()
        if not (name := _text(one["name"])).startswith(":")
        for line in _text(one["value"]).split("\n")
    )


def _text(value: str) -> str:
    """Return text that can be encoded: JSON may contain unpaired surrogates."""
    return value.encode("utf-8", "replace").decode()


def _started(value: Any) -> datetime:
    """Return when a request was sent, or 1970 if the time is not in the format of HAR 1.2."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def head() -> bytes:
    """Return the start of a file, before its first entry."""
    from relay._version import __version__

    creator = json.dumps({"name": "relay", "version": __version__})
    return f'{{"log": {{"version": "1.2", "creator": {creator}, "entries": ['.encode()


def entry(exchange: Exchange) -> bytes:
    """Return one entry on a line of its own; entries are separated by commas."""
    milliseconds = exchange.seconds * 1000
    fields = {
        "startedDateTime": exchange.started.isoformat(),
        "time": milliseconds,
        "request": _written_request(exchange.request),
        "response": _written_response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": f"{exchange.part}, signed in with: {exchange.credential or 'nothing'}",
    }
    return b"\n" + json.dumps(fields).encode()


def _written_request(request: Request) -> dict[str, Any]:
    body, kind = request.body, _header_of(request.headers, "content-type") or ""
    written = {
        "method": request.method,
        "url": request.url,
        "queryString": _pairs(parse_qsl(request.url.partition("?")[2], keep_blank_values=True)),
        **_head(request.headers, "cookie", body),
    }
    if body is None:
        written["postData"] = {"mimeType": kind, "text": "", "comment": _NOT_RECORDED}
    elif body:
        text, coded = _encoded(body)
        written["postData"] = {"mimeType": kind, "text": text, **({"comment": _BASE64} if coded else {})}
    return written


def _written_response(exchange: Exchange) -> dict[str, Any]:
    body = exchange.body
    content: dict[str, Any] = {
        "size": -1 if body is None else len(body),
        "mimeType": exchange.header("content-type") or "",
    }
    if body is not None:
        content["text"], coded = _encoded(body)
        content |= {"encoding": _BASE64} if coded else {}
    return {
        "status": exchange.status,
        "statusText": responses.get(exchange.status, ""),
        "content": content,
        "redirectURL": exchange.header("location") or "",
        **_head(exchange.headers, "set-cookie", body),
        **({"_error": _BROKE_OFF} if exchange.broke_off else {}),
    }


def _head(headers: Headers, cookies: str, body: bytes | None) -> dict[str, Any]:
    """Return the fields that requests and responses share; `cookies` is the name of the header with cookies."""
    lines = [line for name, line in headers if name.lower() == cookies]
    found = [pair for line in lines for pair in line.split(";")[: 1 if cookies == "set-cookie" else None]]
    return {
        "httpVersion": "HTTP/1.1",
        "cookies": _pairs((name, value) for name, _, value in (one.strip().partition("=") for one in found)),
        "headers": _pairs(headers),
        "headersSize": -1,
        "bodySize": -1 if body is None else len(body),
    }


def _encoded(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header_of(headers: Headers, name: str) -> str | None:
    """Return the value of the first header with a name, which is given in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)
