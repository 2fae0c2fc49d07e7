"""HTTP Archives (HAR 1.2): read as browsers, proxies and test tools write them, written so that they can be read there.

The format is written down at http://www.softwareishard.com/blog/har-12-spec/. Bodies in it have neither
content coding nor charset any more, whatever the headers say.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import display
from relay.project.files import replace_files
from relay.validation import media_types as media

from .exchanges import REDACTED, Exchange, Headers, Request
from .har_entries import BASE64, FOOT, MAX_BYTES, NOT_RECORDED, entry, head, header_of

_FORM = "application/x-www-form-urlencoded"


class Recorded(NamedTuple):
    """What a file holds: whole exchanges, and how many requests in it nobody answered."""

    exchanges: list[Exchange]
    unanswered: int


def read_traffic(path: Path) -> Recorded:
    """Read an HTTP Archive; each exchange has the file's name as its part.

    A body that the tool did not keep, or that something was redacted in, is None. What is not HTTP, such
    as a web socket, is left out. Raises SetupError for a file that cannot be read, is larger than
    MAX_BYTES, or no HAR, and for an entry of it that has no request.
    """
    exchanges, unanswered = [], 0
    for number, raw in enumerate(_entries(path), 1):
        try:
            if not _has_answer(raw):
                unanswered += 1
            elif _is_http(raw["request"]["url"]):
                exchanges.append(_exchange(raw, path.name))
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            reason = exc.args[0] if isinstance(exc, _Wrong) else "it is not as HAR 1.2 has it"
            raise SetupError([Diagnostic(display(path), f"entry {number}: {reason}")]) from exc
    return Recorded(exchanges, unanswered)


def write_har(exchanges: Iterable[Exchange], path: Path) -> None:
    """Write an HTTP Archive, whole or not at all; SetupError where that fails."""
    replace_files({path: head() + b",".join(map(entry, exchanges)) + FOOT})


class _Wrong(ValueError):
    """What is wrong with an entry, in words for the person who has the file."""


def _entries(path: Path) -> list[Any]:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            told = f"has {size >> 20} MiB, and {MAX_BYTES >> 20} MiB can be read; record less in one file"
            raise SetupError([Diagnostic(display(path), told)])
        log = json.loads(path.read_bytes().decode("utf-8-sig"))["log"]
        entries = log["entries"]
    except OSError as exc:
        raise SetupError([Diagnostic(display(path), f"cannot be read: {exc.strerror}")]) from exc
    except json.JSONDecodeError as exc:
        place = SourceLocation(display(path), exc.lineno, exc.colno)
        told = f"is not JSON: {exc.msg}; the file may have been cut off"
        raise SetupError([Diagnostic(place, told)]) from exc
    except (ValueError, RecursionError) as exc:
        raise SetupError([Diagnostic(display(path), "is not JSON in UTF-8")]) from exc
    except (KeyError, TypeError) as exc:
        raise SetupError([Diagnostic(display(path), _NO_HAR)]) from exc
    if not isinstance(entries, list):
        raise SetupError([Diagnostic(display(path), _NO_HAR)])
    return entries


_NO_HAR = "is not a HAR: it has no list `log.entries`; export the traffic as HAR 1.2"


def _has_answer(raw: Any) -> bool:
    if not isinstance(raw, dict) or not isinstance(raw.get("request"), dict):
        raise _Wrong("it has no request")
    for key in ("method", "url"):
        if not isinstance(raw["request"].get(key), str):
            raise _Wrong(f"its request has no {key}")
    response = raw.get("response") or {}
    status = response.get("status") or 0
    if not isinstance(status, int):
        raise _Wrong("its status is no number")
    return status > 0


def _is_http(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _exchange(raw: dict[str, Any], part: str) -> Exchange:
    asked, answered = raw["request"], raw["response"]
    headers = _headers(answered)
    bodiless = asked["method"].upper() == "HEAD" or answered["status"] in (204, 304)
    time = raw.get("time")
    return Exchange(
        _request(asked),
        answered["status"],
        headers,
        _answer_body(answered, headers, bodiless=bodiless),
        part,
        seconds=max(time, 0) / 1000 if isinstance(time, int | float) else 0.0,
        started=_started(raw.get("startedDateTime")),
    )


def _request(raw: dict[str, Any]) -> Request:
    headers = _headers(raw)
    post = raw.get("postData") or {}
    body = _request_body(raw, post, headers)
    kind = post.get("mimeType")
    if body and isinstance(kind, str) and kind and header_of(headers, "content-type") is None:
        headers = (*headers, ("Content-Type", kind))
    url = _text(raw["url"])
    if "?" not in url and (query := raw.get("queryString")):
        url += "?" + urlencode([(pair["name"], pair["value"]) for pair in query], quote_via=quote)
    return Request(raw["method"], url, headers, body)


def _request_body(raw: dict[str, Any], post: dict[str, Any], headers: Headers) -> bytes | None:
    text, params = post.get("text"), post.get("params") or ()
    if isinstance(text, str) and text:
        coded = BASE64 in (post.get("encoding"), post.get("_encoding"), post.get("comment"))
        return _known(_decoded(text, coded=coded))
    if params and media.essence(str(post.get("mimeType"))) == _FORM:
        pairs = [(param["name"], param.get("value") or "") for param in params]
        return _known(urlencode(pairs).encode())
    if params or post.get("comment") == NOT_RECORDED:
        return None  # parts of multipart/form-data do not say what stood between them
    is_sized = (raw.get("bodySize") or 0) > 0 or header_of(headers, "content-length") not in (None, "0")
    return None if is_sized or header_of(headers, "transfer-encoding") else b""


def _answer_body(raw: dict[str, Any], headers: Headers, *, bodiless: bool) -> bytes | None:
    content = raw.get("content") or {}
    text, size = content.get("text"), content.get("size")
    if isinstance(text, str) and text:
        return _known(_decoded(text, coded=content.get("encoding") == BASE64))
    length = header_of(headers, "content-length")
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
        raise _Wrong("a body of it is not base64, as it says") from exc


def _known(body: bytes) -> bytes | None:
    """Return a body; None for one that a redactor was in, which is not what was sent."""
    return None if REDACTED.encode() in body else body


def _headers(raw: dict[str, Any]) -> Headers:
    """Return the headers as HTTP/1.1 has them: no pseudo headers, a line for each value."""
    return tuple(
        (name, line)
        for one in raw.get("headers") or ()
        if not (name := _text(one["name"])).startswith(":")
        for line in _text(one["value"]).split("\n")
    )


def _text(value: str) -> str:
    """Return text that can be encoded: JSON may hold halves of characters."""
    return value.encode("utf-8", "replace").decode()


def _started(value: Any) -> datetime:
    """Return when a request was sent; some tools do not say it as HAR 1.2 does."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
