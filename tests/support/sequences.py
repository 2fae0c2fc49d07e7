"""Readers of streams of items that share nothing with Relay's: for what it writes."""

import email.parser
import email.policy
import json
from typing import Any


def events(body: bytes) -> list[dict[str, Any]]:
    """The events that a browser dispatches, by the steps of WHATWG HTML, "Interpreting an event stream"."""
    text = body.decode()
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found: list[dict[str, Any]] = []
    fields: dict[str, Any] = {}
    for line in lines[:-1]:
        if not line:
            if "data" in fields:
                found.append({**fields, "data": fields["data"][:-1]})
            fields = {}
            continue
        name, colon, value = line.partition(":")
        if colon and value.startswith(" "):
            value = value[1:]
        if name == "data":
            fields["data"] = fields.get("data", "") + value + "\n"
        elif name in ("event", "id"):
            fields[name] = value
        elif name == "retry" and value.isdigit():
            fields[name] = int(value)
    return found


def lines(body: bytes) -> list[Any]:
    """The values of lines of JSON."""
    assert not body or body.endswith(b"\n")
    return [json.loads(line) for line in body.split(b"\n")[:-1]]


def texts(body: bytes) -> list[Any]:
    """The values of a JSON text sequence (RFC 7464)."""
    first, *others = body.split(b"\x1e")
    assert not first
    assert all(text.endswith(b"\n") for text in others)
    return [json.loads(text) for text in others]


def parts(body: bytes, content_type: str) -> list[tuple[str, Any]]:
    """Media types and contents of the parts of a multipart body; those of a part that is multipart are a list."""
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    return _parts(message)


def _parts(message: Any) -> list[tuple[str, Any]]:
    return [
        (part.get_content_type(), _parts(part) if part.is_multipart() else part.get_payload(decode=True))
        for part in message.iter_parts()
    ]
