"""Reads single parts of multipart bodies, as the schema of a value and its Encoding Object describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from relay.contract.model import Schema
from relay.contract.pointers import escape

from .binary_schemas import Sizes
from .forms import MalformedField
from .json_strict import NotJson
from .multipart import MalformedForm, Part
from .part_rules import PartRules
from .shapes import Shape
from .spools import IN_MEMORY
from .uploads import Upload
from .violations import Violation, within

_DESCRIBING = frozenset(
    "type format nullable title description example examples default readOnly writeOnly deprecated externalDocs xml "
    "contentMediaType".split()
)
"""Keywords that allow any content of a file."""


class Decoded(NamedTuple):
    """A value, the same with text in place of files, for validators, and the violations of its parts."""

    value: Any
    plain: Any
    violations: list[Violation]


class Nested(Protocol):
    """A part that is a form, or consists of parts, itself."""

    def read(self, content: bytes, content_type: str) -> Decoded:
        """Return its value. Raises ValueError if it is malformed."""

    def write(self, body: Any, media_type: str, *, is_validated: bool) -> Written:
        """Return a value as bytes. Raises ResponseViolation."""


class Written(NamedTuple):
    """A part as bytes, with its media type, and its value with text in place of bytes, for validators."""

    content: bytes
    media_type: str
    plain: Any


@dataclass(frozen=True, slots=True)
class Field:
    """How the parts of one name are read; `is_open` if their schema does not say whether they are files.

    `element` is the schema of the value of one part. `is_json` if its encoding says so, `is_composed` if its schema does.
    """

    is_list: bool
    is_json: bool
    is_composed: bool
    is_binary: bool
    is_open: bool
    text: Callable[[bytes, str], Any]
    rules: PartRules
    element: Schema
    sizes: Sizes
    shape: Shape
    nested: Nested | None = None

    def values(self, parts: Sequence[Part], name: str, violations: list[Violation]) -> list[Decoded]:
        """Return the values of the parts that can be read; append the violations of the others."""
        found = []
        for index, part in enumerate(parts):
            at = place(name, index if len(parts) > 1 else None)
            try:
                one = self._value(part)
            except ValueError as exc:
                violations.append(_malformed(exc, at))
            else:
                violations += within(at[1:], one.violations)
                found.append(one)
        return found

    def _value(self, part: Part) -> Decoded:
        if isinstance(part.content, Upload):
            return Decoded(part.content, self.plain(part.content), [])
        if self.nested is not None:
            return self.nested.read(part.content, part.headers.get("content-type", ""))
        value = self.text(part.content, part.media_type)
        return Decoded(value, value, [])

    def plain(self, file: Upload | bytes) -> str:
        """Return the text that a validator compares in place of a file: its bytes, of a large one the first."""
        if self.element.keys() <= _DESCRIBING:
            return ""
        size = max(IN_MEMORY, self.sizes.least)
        return (file.head(size) if isinstance(file, Upload) else file).decode("latin-1")

    def violations(self, part: Part, at: str) -> Iterator[Violation]:
        """Yield where a part violates its encoding, or the sizes of a file; values need not declare a media type."""
        declared = part.media_type or ("text/plain" if isinstance(part.content, Upload) else "")
        yield from self.rules.violations(declared, part.headers, at)
        if isinstance(part.content, Upload):
            yield from self.sizes.violations(part.content.size, at, "file")


def place(name: str, index: int | None) -> str:
    """Return the path of a field's value, or of one of its values."""
    return f"/{escape(name)}" + ("" if index is None else f"/{index}")


def _malformed(exc: ValueError, at: str) -> Violation:
    if isinstance(exc, MalformedField):
        return within(at[1:], [exc.violation])[0]
    is_public = isinstance(exc, NotJson | MalformedForm)
    return Violation(at, "format", str(exc) if is_public else "the part is not valid for its media type")
