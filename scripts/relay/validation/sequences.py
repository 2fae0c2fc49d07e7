"""Media types that are a sequence of items (OpenAPI 3.2, "Sequential Media Types"), and how each item is framed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .media_types import MULTIPART, essence

Kind = Literal["events", "lines", "texts", "parts"]
"""Server-sent events (WHATWG HTML), lines of JSON, JSON texts (RFC 7464), parts of multipart (RFC 2046)."""

EVENTS = "text/event-stream"

_LINES = frozenset(
    "application/jsonl application/x-jsonl application/jsonlines application/x-jsonlines"
    " application/ndjson application/x-ndjson".split()
)


class Frame(NamedTuple):
    """The bytes before and after an item of JSON."""

    before: bytes
    after: bytes


FRAMES: dict[Kind, Frame] = {"lines": Frame(b"", b"\n"), "texts": Frame(b"\x1e", b"\n")}


def kind_of_items(media_type: str) -> Kind | None:
    """Return how the items of a media type are written; None for one that is no known sequence."""
    name = essence(media_type)
    if name == EVENTS:
        return "events"
    if name in _LINES or name.endswith(("+jsonl", "+x-ndjson")):
        return "lines"
    if name == "application/json-seq" or name.endswith("+json-seq"):
        return "texts"
    return "parts" if name.startswith("multipart/") and name != MULTIPART and "*" not in name else None
