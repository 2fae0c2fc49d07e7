"""Small bodies for media types other than JSON: a valid file where one is small, and text made from a value."""

from __future__ import annotations

import csv
import gzip
import io
import re
import tarfile
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from relay.validation.style_writing import word

RANGES = {
    "*/*": "application/json",
    "application/*": "application/json",
    "application/*+json": "application/vnd.mock+json",
    "audio/*": "audio/wav",
    "font/*": "font/woff2",
    "image/*": "image/png",
    "text/*": "text/plain",
    "video/*": "video/mp4",
}
"""The media type that is sent for a range."""

_IN_BASE64 = {  # pictures of one pixel, a millisecond of silence, an archive of one file
    "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==",
    "image/jpeg": "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP"
    + "/" * 86
    + "wAALCAABAAEBASIA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//"
    "EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z",
    "image/gif": "R0lGODdhAQABAIAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw==",
    "image/webp": "UklGRhoAAABXRUJQVlA4TA4AAAAvAAAAAAcQEf0PRET/Aw==",
    "image/bmp": "Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    "image/tiff": "SUkqAAgAAAAJAAABBAABAAAAAQAAAAEBBAABAAAAAQAAAAIBAwABAAAACAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAAB"
    "AAAAegAAABYBBAABAAAAAQAAABcBBAABAAAAAQAAABwBAwABAAAAAQAAAAAAAAAA",
    "image/x-icon": "AAABAAEAAQEAAAAAIABFAAAAFgAAAIlQTkcNChoKAAAADUlIRFIAAAABAAAAAQgCAAAAkHdT3gAAAAxJREFUeJxjYGBgAAAABAAB"
    "9hc4VQAAAABJRU5ErkJggg==",
    "audio/wav": "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==",
    "audio/mpeg": "//uQZAAA" + "A" * 548,  # one frame of MPEG-1 layer III, 128 kbit/s, 44.1 kHz
    "video/mp4": "AAAAGGZ0eXBpc29tAAACAGlzb21tcDQxAAAACG1kYXQ=",
    "application/zip": "UEsDBBQAAAAAAAAAIQC/jYjoBQAAAAUAAAAIAAAAbW9jay50eHRtb2NrClBLAQIUAxQAAAAAAAAAIQC/jYjoBQAAAAUAAAAIAAAA"
    "AAAAAAAAAACAAQAAAABtb2NrLnR4dFBLBQYAAAAAAQABADYAAAArAAAAAAA=",
    "application/octet-stream": "AG1vY2v/",
}
_TEXTS = {
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
    "text/html": "<!DOCTYPE html>\n<html><head><title>Mock</title></head><body></body></html>\n",
    "text/csv": "name\r\nstring\r\n",
    "text/calendar": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mock//EN\r\nEND:VCALENDAR\r\n",
}
_PDF = (
    "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n"
    "xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000058 00000 n \n0000000115 00000 n \n"
    "trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n182\n%%EOF\n"
)
_SAME = {
    "image/jpg": "image/jpeg",
    "image/vnd.microsoft.icon": "image/x-icon",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
    "application/x-gzip": "application/gzip",
    "application/xhtml+xml": "text/html",
    "application/csv": "text/csv",
}


@cache
def file_of(media_type: str) -> bytes | str | None:
    """Return a small valid file of a media type, text as str; None if there is none for it."""
    name = _SAME.get(media_type, media_type)
    if name in _IN_BASE64:
        return b64decode(_IN_BASE64[name])
    match name:
        case "application/gzip":
            return gzip.compress(b"mock\n", mtime=0)
        case "application/pdf":
            return _PDF.encode()
        case "application/x-tar":
            return _tar()
    return _TEXTS.get(name)


def text_of(value: Any, media_type: str, name: str) -> str:
    """Return a value as text: XML (RFC 7303) with the root element `name`, CSV, a word, or JSON."""
    if isinstance(value, str):
        return value
    if media_type in ("application/xml", "text/xml") or media_type.endswith("+xml"):
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_elements(name, value))
    if _SAME.get(media_type, media_type) == "text/csv" and isinstance(value, dict | list):
        return _csv(value)
    return word(value)


def _elements(name: str, value: Any) -> Iterator[str]:
    """Yield the elements of a value, which is not nested deeper than JSON may be; items of a list repeat its name."""
    tag = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    tag = tag if re.match(r"[A-Za-z_]", tag) else f"_{tag}"
    if isinstance(value, dict):
        yield f"<{tag}>"
        for key, item in value.items():
            for one in item if isinstance(item, list) else [item]:
                yield from _elements(key, one)
        yield f"</{tag}>"
    elif isinstance(value, list):
        yield from _elements(name, {"item": value})
    else:
        yield f"<{tag}>{escape(word(value)) if value is not None else ''}</{tag}>"


def _csv(value: dict[str, Any] | list[Any]) -> str:
    """Return an object, or the objects of a list, as lines with a header; other items are lines of one field."""
    rows = value if isinstance(value, list) else [value]
    names = [*dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row)]
    lines = [[row.get(name, "") for name in names] if isinstance(row, dict) else [row] for row in rows]
    out = io.StringIO()
    csv.writer(out).writerows(map(word, line) for line in ([names] if names else []) + lines)
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("mock.txt")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"mock\n"))
    return out.getvalue()
