r"""Reads YAML and JSON files strictly and keeps the location of every value.

A file whose name ends in `.json` is JSON. Any other file is JSON if its text is, because YAML parsers refuse or
change some JSON, such as `"\ud83d\ude00"` and long keys; else it is YAML.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

from .diagnostics import Diagnostic, SetupError, SourceLocation
from .json_reading import parse_json
from .limits import MAX_BYTES
from .parsed import Parsed, Pointer, display, located, text_of
from .yaml_reading import parse_yaml

__all__ = [
    "Document",
    "Pointer",
    "address_message",
    "display",
    "parse_document",
    "parse_source",
    "read_document",
]


def address_message(text: str) -> str | None:
    """Say that a contract's path is an address, and what to do; None for a path."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is None:
        return None
    return "this is an address, and contracts are read from files: download it first; `relay import` reads documentation pages"


class Document:
    """One file: its bytes, its plain data, and the location of each value; `root` are its nodes if it is YAML."""

    def __init__(self, path: Path, source: bytes, parsed: Parsed) -> None:
        self.path = path
        self.source = source
        self.data = parsed.data
        self.size = parsed.size
        self.root = parsed.root
        self._name = display(path)
        self._places = parsed.places

    @property
    def is_json(self) -> bool:
        """Return True if the file was read as JSON."""
        return self.root is None

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the location of the value at `pointer`, or of its nearest existing parent."""
        return SourceLocation(self._name, *self._places.find(pointer))


def read_document(path: Path) -> Document:
    """Read one YAML or JSON file.

    Raises SetupError if the file cannot be read, is neither, or contains a duplicate key, a tag, or a value
    that JSON cannot represent.
    """
    document, problems = parse_document(path)
    if problems:
        raise SetupError(problems)
    return document


def parse_document(path: Path, *, quotes: bool = True) -> tuple[Document, list[Diagnostic]]:
    """Read one YAML or JSON file; return the document and its errors, which quote the file only if `quotes`.

    The first of two duplicate keys is used; a value that JSON cannot represent is None. Raises SetupError if
    the file cannot be read or is neither.
    """
    try:
        source = _read(path)
    except OSError as exc:
        message = f"cannot be read: {exc.strerror}"
        raise SetupError([Diagnostic(display(path), message, "unreadable")]) from exc
    except ValueError as exc:  # NUL, or what has no bytes in UTF-8
        raise SetupError([Diagnostic(repr(str(path)), "is not the name of a file", "unreadable")]) from exc
    return parse_source(path, source, quotes=quotes)


def _read(path: Path) -> bytes:
    """Return the content of a regular file; a device or a pipe may never end. Raises OSError and ValueError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        source = file.read(MAX_BYTES + 1)
    if len(source) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_BYTES >> 20} MiB")
    return source


def parse_source(path: Path, source: bytes, *, quotes: bool = True) -> tuple[Document, list[Diagnostic]]:
    """Parse the bytes of a file, existing or planned, as `parse_document` does."""
    is_json = path.suffix.lower() == ".json"
    try:
        text = text_of(source)
    except UnicodeDecodeError as exc:
        before = exc.object[: exc.start].decode(exc.encoding, "replace")
        language = "JSON" if is_json else "YAML"
        message = f"is not {language} in UTF-8; save it as UTF-8"
        raise SetupError([Diagnostic(located(path, before, len(before)), message, language.lower())]) from exc
    parsed: Parsed | None = None
    if is_json or text.lstrip().startswith(("{", "[")):
        parsed = parse_json(path, text, source, quotes=quotes, required=is_json)
    if parsed is None:
        parsed = parse_yaml(path, text, quotes=quotes)
    return Document(path, source, parsed), parsed.problems
