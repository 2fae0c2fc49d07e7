"""How single parts of multipart bodies are read, by the schema of a value and its Encoding Object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from relay.contract.documents import Pointer
from relay.contract.model import Schema
from relay.contract.pointers import escape

from . import media_types as media
from .binary_schemas import Sizes, is_binary, is_file
from .coercion import Coerce, Coercion, items_of, types_of
from .encoding_objects import PartRules, content_types, is_contradictory, is_nested, warn_ignored
from .forms import decoded
from .json_strict import parse_json
from .multipart import Part
from .schemas import SchemaCompiler
from .shapes import Shape
from .spools import IN_MEMORY
from .uploads import Upload
from .violations import Violation, malformed, within

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


class Written(NamedTuple):
    """A part as bytes, with its media type, and its value with text in place of bytes, for validators."""

    content: bytes
    media_type: str
    plain: Any


class Nested(Protocol):
    """A part that is a form, or consists of parts, itself."""

    def read(self, content: bytes, content_type: str) -> Decoded:
        """Return its value. Raises ValueError if it is malformed."""

    def write(self, body: Any, media_type: str, *, is_validated: bool) -> Written:
        """Return a value as bytes. Raises ResponseViolation."""


NestedMaker = Callable[[str, Schema, Pointer], Nested | None]
"""Compiles a part by its media type, its schema and the pointer of its Encoding Object; None, with a problem, if it
cannot be read."""


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
                violations.append(malformed(exc, "the part is not valid for its media type", at))
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


class FieldMaker:
    """Compiles fields."""

    def __init__(self, compiler: SchemaCompiler, nested: NestedMaker) -> None:
        self._contract = compiler.contract
        self._compiler = compiler
        self._nested = nested
        self._coercion = Coercion(compiler)

    def field(
        self, schema: Schema, encoding: Mapping[str, Any], pointer: Pointer, *, is_declared: bool = True
    ) -> Field:
        """Return how parts are read; those of a form without a property of their name have no schema of their own.

        The values of an array are parts of the same name, unless the array as a whole consists of parts.
        """
        is_list = "array" in types_of(schema, self._contract)
        element = items_of(schema, self._contract) if is_list else schema
        if is_list and is_nested(schema, encoding, self._contract):
            is_list = is_nested(element, encoding, self._contract)
        element = element if is_list else schema
        return self._field(element, encoding, pointer, is_list=is_list, is_declared=is_declared)

    def part(self, schema: Schema, encoding: Mapping[str, Any], pointer: Pointer) -> Field:
        """Return how one part without a name is read; an array is JSON as an object is (OpenAPI 3.2).

        A part that its media type and its schema describe differently is a problem.
        """
        if is_contradictory(schema, encoding, self._contract):
            types = " or ".join(sorted(types_of(schema, self._contract)))
            listed = ", ".join(content_types(encoding))
            message = f"a part of {listed} cannot be read as {types}; write `type: string`, or no type"
            self._compiler.refuse(pointer, message, "unreadable-part")
        return self._field(schema, encoding, pointer, has_name=False)

    def _field(
        self,
        element: Schema,
        encoding: Mapping[str, Any],
        pointer: Pointer,
        *,
        is_list: bool = False,
        is_declared: bool = True,
        has_name: bool = True,
    ) -> Field:
        contract = self._contract
        types = types_of(element, contract)
        rules = PartRules.of(encoding, pointer, self._compiler)
        is_json = any(map(media.is_json, rules.ranges))
        is_bytes = is_binary(element, contract) or (is_declared and is_file(element, contract, rules.ranges))
        nested = self._nested_in(element, encoding, pointer)
        is_composed = "object" in types or (not has_name and "array" in types)
        may_be_text = not (has_name or all(map(media.is_json, rules.ranges)))
        return Field(
            is_list=is_list,
            is_json=is_json,
            is_composed=is_composed,
            is_binary=is_bytes and not is_json and nested is None,
            is_open=not types and not is_json and nested is None,
            text=_reader(
                self._coercion.of(element),
                is_json=is_json or is_composed,
                may_be_text=may_be_text,
                refuses_nul=self._compiler.strictness.nul,
            ),
            rules=rules,
            element=contract.resolve(element),
            sizes=Sizes.of(element, contract),
            shape=Shape(element, contract),
            nested=nested,
        )

    def _nested_in(self, element: Schema, encoding: Mapping[str, Any], pointer: Pointer) -> Nested | None:
        media_type = content_types(encoding)[0] if is_nested(element, encoding, self._contract) else ""
        warn_ignored(encoding, media_type, pointer, self._compiler)
        return self._nested(media_type, element, pointer) if media_type else None


def _reader(
    coerce: Coerce, *, is_json: bool, may_be_text: bool, refuses_nul: bool
) -> Callable[[bytes, str], Any]:
    """Return the reader of a content; what may be JSON or text is what the part declares."""

    def read(content: bytes, declared: str) -> Any:
        if is_json and (not may_be_text or media.is_json(declared)):
            return parse_json(content, refuses_nul=refuses_nul)
        return coerce(decoded(content, refuses_nul=refuses_nul))

    return read
