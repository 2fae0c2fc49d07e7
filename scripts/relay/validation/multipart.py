"""Parses multipart (RFC 7578, RFC 2046) while it arrives: values are kept in memory, files in a spool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from python_multipart.decoders import Base64Decoder, QuotedPrintableDecoder
from python_multipart.multipart import MultipartParser, parse_options_header

from .json_strict import Malformed
from .media_types import essence, parameters
from .spools import Spool
from .uploads import Upload

MAX_PARTS = 1000
MAX_PART_HEADERS, MAX_PART_HEADER = 16, 4096
"""Header lines of a part, and bytes of each."""
MAX_HEADERS = 256 * 1024
"""Bytes of the headers of all parts."""

IsFile = Callable[[str, bool], bool]
"""Returns True if the content of a part is a file, by the part's name and whether it has a file name."""


class FormTooLarge(Exception):
    """The parts that are not files are larger than the limit."""


class Part(NamedTuple):
    """A part of a form; `media_type` is empty if it declares none."""

    content: bytes | Upload
    media_type: str
    headers: Mapping[str, str]


class Form:
    """A form that arrives until a `fault`; unless `is_named`, its parts get their position as a name: `0`, `1`."""

    def __init__(
        self, content_type: str, spool: Spool, is_file: IsFile, limit: int, *, is_named: bool = True
    ) -> None:
        self.spool = spool
        self.parts: dict[str, list[Part]] = {}
        self.fault: ValueError | None = None
        self._is_file = is_file
        self._is_named = is_named
        self._what = "form" if is_named else "body"
        self._left = limit  # bytes that values may still take
        self._headers_left = MAX_HEADERS
        self._count = 0
        self._has_ended = False
        self._headers: dict[str, str] = {}
        self._line = [bytearray(), bytearray()]  # name and value of the current header
        self._name, self._file_name = "", ""
        self._start: int | None = None  # of a file in the spool
        self._value = bytearray()
        self._target: Any = self  # where the part's content is written, through a decoder
        self._parser: MultipartParser | None = None
        try:
            self._parser = self._parser_of(dict(parameters(content_type)[1]).get("boundary", ""))
        except ValueError as exc:
            self.fault = exc

    def feed(self, data: bytes) -> None:
        """Parse the next bytes; those after a fault are ignored. Raises FormTooLarge."""
        if self.fault is None and self._parser is not None:
            try:
                self._parser.write(data)
            except ValueError as exc:
                self.fault = exc

    def end(self) -> None:
        """End the form, and set `fault` if it is not complete."""
        if self.fault is None and not self._has_ended:
            self.fault = ValueError("the last part is truncated")

    def close(self) -> None:
        """Delete the files."""
        self.spool.close()
        self._parser = self._target = None  # they refer to the form

    def write(self, data: bytes) -> int:
        """Add decoded content to the current part. Raises FormTooLarge."""
        if self._start is not None:
            self.spool.write(data)
        else:
            self._left -= len(data)
            if self._left < 0:
                raise FormTooLarge
            self._value += data
        return len(data)

    def finalize(self) -> None:
        """Do nothing: decoders call it at the end of a part."""

    def _parser_of(self, boundary: str) -> MultipartParser:
        if not boundary:
            raise ValueError("there is no boundary")
        return MultipartParser(
            boundary.encode("latin-1"),
            {
                "on_part_begin": self._begin,
                "on_part_data": lambda data, start, end: self._target.write(data[start:end]),
                "on_part_end": self._finish,
                "on_header_field": lambda data, start, end: self._header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._header(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_end": self._end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER,
        )

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise Malformed(f"the {self._what} has more than {MAX_PARTS} parts")
        self._headers, self._line = {}, [bytearray(), bytearray()]

    def _header(self, at: int, data: bytes) -> None:
        self._headers_left -= len(data)
        if self._headers_left < 0:
            raise Malformed(f"the headers of the {self._what}'s parts have more than {MAX_HEADERS} bytes")
        self._line[at] += data

    def _end_header(self) -> None:
        name, value = (part.decode("latin-1") for part in self._line)
        self._headers[name.lower()] = value.strip(" \t")
        self._line = [bytearray(), bytearray()]

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        if self._is_named and b"name" not in options:
            raise ValueError("a part has no name")
        self._name = options[b"name"].decode() if self._is_named else str(self._count - 1)
        self._file_name = options.get(b"filename", b"").decode(errors="replace")
        is_file = self._is_file(self._name, b"filename" in options)
        self._start = self.spool.size if is_file else None
        self._value = bytearray()
        self._target = self._decoder()

    def _decoder(self) -> Any:
        match self._headers.get("content-transfer-encoding", "binary").lower():
            case "binary" | "8bit" | "7bit":
                return self
            case "base64":
                return Base64Decoder(self)
            case "quoted-printable":
                return QuotedPrintableDecoder(self)
        raise ValueError("a part has an unknown Content-Transfer-Encoding")

    def _finish(self) -> None:
        self._target.finalize()
        declared = self._headers.get("content-type", "")
        content: bytes | Upload = bytes(self._value)
        if self._start is not None:
            content = Upload(
                self.spool,
                self._start,
                self.spool.size - self._start,
                name=self._file_name,
                media_type=essence(declared) or "application/octet-stream",
                headers=self._headers,
            )
        self.parts.setdefault(self._name, []).append(Part(content, essence(declared), self._headers))

    def _end(self) -> None:
        self._has_ended = True
