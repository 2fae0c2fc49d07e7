"""Reads the items of a stream while it arrives: of each at most a limit of bytes is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from python_multipart.multipart import MultipartParser

from . import media_types as media
from .json_strict import Malformed, parse_json
from .media_types import Kind, parameters

MAX_PART_HEADERS = 4096
"""Bytes of the headers of a part."""


class ItemTooLarge(Exception):
    """An item is larger than the limit."""


class ReadItem(NamedTuple):
    """An item as it was read, without its frame: its bytes, and the media type and headers of its part."""

    content: bytes
    media_type: str = media.JSON
    headers: Mapping[str, str] = {}


class _Separated:
    """Items between separators; those that are blank are left out."""

    def __init__(self, separator: bytes, limit: int) -> None:
        self._separator, self._limit = separator, limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[ReadItem]:
        """Yield the items that end in the next bytes. Raises ItemTooLarge."""
        searched = max(len(self._rest) - len(self._separator) + 1, 0)
        self._rest += data
        start = 0
        while (end := self._rest.find(self._separator, max(start, searched))) >= 0:
            yield from self._item(bytes(self._rest[start:end]))
            start = end + len(self._separator)
        del self._rest[:start]
        self._check(len(self._rest))

    def end(self) -> Iterator[ReadItem]:
        yield from self._item(bytes(self._rest))
        self._rest.clear()

    def _item(self, content: bytes) -> Iterator[ReadItem]:
        self._check(len(content))
        if content.strip():
            yield ReadItem(content)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise ItemTooLarge


class _Texts(_Separated):
    """JSON texts (RFC 7464 section 2)."""

    _has_begun = False

    def _item(self, content: bytes) -> Iterator[ReadItem]:
        if not self._has_begun and content.strip():
            raise Malformed("the first byte is no record separator (RFC 7464)")
        self._has_begun = True
        text = content.lstrip()
        if text and text[:1] not in b'{["' and text.rstrip() == text:
            raise Malformed("the text may be truncated: no line feed follows it (RFC 7464)")
        yield from super()._item(content)


class _Events(_Separated):
    """Blocks of lines that have data; an incomplete one at the end is dropped, as the standard says."""

    def __init__(self, limit: int) -> None:
        super().__init__(b"\n\n", limit)
        self._is_first, self._has_return = True, False

    def feed(self, data: bytes) -> Iterator[ReadItem]:
        """Yield the events that end in the next bytes, whatever their line breaks are."""
        data = b"\r" + data if self._has_return else data
        self._has_return = data.endswith(b"\r")
        data = data.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield from super().feed(data)

    def end(self) -> Iterator[ReadItem]:
        """Yield the last event, if its last byte was a carriage return."""
        if self._has_return:
            yield from super().feed(b"\n")

    def _item(self, content: bytes) -> Iterator[ReadItem]:
        if self._is_first:
            content, self._is_first = content.removeprefix(b"\xef\xbb\xbf"), False
        if any(line == b"data" or line.startswith(b"data:") for line in content.split(b"\n")):
            yield from super()._item(content)


class _Parts:
    def __init__(self, content_type: str, limit: int) -> None:
        boundary = dict(parameters(content_type)[1]).get("boundary", "")
        if not boundary:
            raise Malformed("there is no boundary")
        self._limit = limit
        self._done: list[ReadItem] = []
        self._has_ended = False
        self._begin()
        self._parser = MultipartParser(
            boundary.encode("latin-1"),
            {
                "on_part_begin": self._begin,
                "on_part_data": self._add,
                "on_part_end": self._finish,
                "on_header_field": lambda data, start, end: self._add_to_header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._add_to_header(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_end": self._end,
            },
        )

    def feed(self, data: bytes) -> Iterator[ReadItem]:
        """Yield the parts that end in the next bytes. Raises ItemTooLarge and Malformed."""
        try:
            self._parser.write(data)
        except Malformed:
            raise
        except ValueError as exc:
            raise Malformed("the parts are malformed") from exc
        done, self._done = self._done, []
        yield from done

    def end(self) -> Iterator[ReadItem]:
        """Raise Malformed if the last delimiter is missing."""
        if not self._has_ended:
            raise Malformed("the last part is truncated")
        yield from ()

    def _begin(self) -> None:
        self._content = bytearray()
        self._headers: dict[str, str] = {}
        self._line = [bytearray(), bytearray()]
        self._head = 0

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]
        if len(self._content) > self._limit:
            raise ItemTooLarge

    def _add_to_header(self, at: int, data: bytes) -> None:
        self._line[at] += data
        self._head += len(data)
        if self._head > MAX_PART_HEADERS:
            raise Malformed("a part has too many headers, or too long ones")

    def _end_header(self) -> None:
        name, value = (bytes(one).decode("latin-1") for one in self._line)
        self._headers[name.strip().lower()] = value.strip()
        self._line = [bytearray(), bytearray()]

    def _finish(self) -> None:
        declared = self._headers.get("content-type") or "text/plain"  # RFC 2046 section 5.1
        self._done.append(ReadItem(bytes(self._content), declared, self._headers))

    def _end(self) -> None:
        self._has_ended = True


Splitter = _Separated | _Parts
"""Splits the bytes of a stream into items. Raises ItemTooLarge, and ValueError for malformed bytes."""


def splitter(kind: Kind, content_type: str, limit: int) -> Splitter:
    """Return what splits one stream; of an item, at most `limit` bytes are kept. Raises Malformed."""
    match kind:
        case "events":
            return _Events(limit)
        case "parts":
            return _Parts(content_type, limit)
        case "texts":
            return _Texts(b"\x1e", limit)
    return _Separated(b"\n", limit)


def item_value(kind: Kind, item: ReadItem, *, refuses_nul: bool = False) -> Any:
    """Return the value of an item. Raises ValueError if it is malformed."""
    if kind == "events":
        return _event(item.content.decode())
    if media.is_json(item.media_type):
        return parse_json(item.content, refuses_nul=refuses_nul)
    return item.content.decode() if item.media_type.startswith("text/") else item.content


def read_items(kind: Kind, body: bytes, content_type: str) -> Iterator[Any]:
    """Yield the values of the items of a whole body. Raises ValueError if it is malformed."""
    for item in split_items(kind, body, content_type):
        yield item_value(kind, item)


def split_items(kind: Kind, body: bytes, content_type: str) -> Iterator[ReadItem]:
    """Yield the items of a whole body. Raises ValueError if it is malformed."""
    found = splitter(kind, content_type, len(body))
    yield from found.feed(body)
    yield from found.end()


def _event(block: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    data: list[str] = []
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "retry":
            if re.fullmatch("[0-9]{1,15}", value):
                fields["retry"] = int(value)
        elif name in ("event", "id") and not (name == "id" and "\0" in value):
            fields[name] = value
    return fields | {"data": "\n".join(data)}
