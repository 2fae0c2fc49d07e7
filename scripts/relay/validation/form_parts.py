"""Decodes the parts of multipart forms to values, as schema and Encoding Object describe them.

A property with `format: binary` is a file, since OpenAPI 3.1 also one without a type or with a `contentMediaType`; so is a part with a file name whose schema does not say what it is. An object,
or a part whose encoding says JSON, is JSON; everything else is UTF-8 text (OpenAPI 3.0.3, "Special Considerations for
multipart Content"). `style` and `explode` are for other forms; since OpenAPI 3.1 they replace the media type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.pointers import escape

from . import media_types as media
from .binary_schemas import is_binary, is_file
from .coercion import Coerce, Coercion, additional_properties_of, items_of, properties_of, types_of
from .forms import FormDecoder, decoded, part_styles
from .json_strict import NotJson, parse_json
from .multipart import Form, Part
from .parameters import ParameterDecoder
from .raw_texts import Raw, unencoded
from .schemas import SchemaCompiler
from .spools import IN_MEMORY, Spool
from .uploads import Upload
from .violations import Violation

_DESCRIBING = frozenset(
    "type format nullable title description example examples default readOnly writeOnly deprecated externalDocs xml "
    "contentMediaType".split()
)
"""Keywords that allow any content of a file."""


class Decoded(NamedTuple):
    """A form's value, the same with text in place of files, for validators, and the violations of its parts."""

    value: dict[str, Any]
    plain: dict[str, Any]
    violations: list[Violation]


class MultipartDecoder:
    """Decodes the multipart forms of one schema; `pointer` is that of the Media Type Object."""

    def __init__(
        self, schema: Schema, contract: Contract, compiler: SchemaCompiler, pointer: Pointer
    ) -> None:
        media_type, at = contract.follow(pointer)
        encoding = media_type.get("encoding", {})
        make = _Maker(contract, compiler)
        self._refuses_nul = compiler.strictness.nul
        self._fields = {
            name: make.field(field, encoding.get(name, {}), (*at, "encoding", name))
            for name, field in properties_of(schema, contract).items()
        }
        styles = part_styles(encoding, contract)
        self._form = FormDecoder(schema, contract, compiler, styles) if styles else None
        self._other = make.field(additional_properties_of(schema, contract), {}, at, is_declared=False)
        self.has_files = not self._fields or any(one.is_binary for one in self._fields.values())

    def is_file(self, name: str, has_file_name: bool) -> bool:  # noqa: FBT001 -- see `IsFile`
        """Return True for a part whose content is a file."""
        field = self._fields.get(name, self._other)
        return not self._has_style(name) and (field.is_binary or (field.is_open and has_file_name))

    def _has_style(self, name: str) -> bool:
        return self._form is not None and self._form.is_styled(name)

    def form(self, content_type: str, spool: Spool, limit: int) -> Form:
        """Return a form to feed with the bytes of a body, of which `limit` may be values."""
        return Form(content_type, spool, self.is_file, limit)

    def parse(self, body: bytes, content_type: str) -> Form:
        """Return the form of a body that is in memory."""
        form = self.form(content_type, Spool(), len(body))
        form.feed(body)
        form.end()
        return form

    def decode(self, form: Form) -> Decoded:
        """Return the value of a form. Raises ValueError if it is malformed."""
        if form.fault is not None:
            raise form.fault
        found = Decoded({}, {}, [])
        styled = self._styled(form)
        found.value.update(styled)
        found.plain.update(styled)
        for name, parts in form.parts.items():
            if self._has_style(name):
                continue
            field = self._fields.get(name, self._other)
            is_list = field.is_list or len(parts) > 1
            for index, part in enumerate(parts):
                at = _place(name, index if is_list else None)
                found.violations.extend(field.violations(part, at))
            values = [] if found.violations else field.values(parts, name, found.violations)
            if not found.violations:
                if field.is_list and field.is_json and len(values) == 1 and isinstance(values[0], list):
                    values = values[0]  # one part for the whole array
                found.value[name] = values if is_list else values[0]
                plain = [field.plain(value) for value in values]
                found.plain[name] = plain if is_list else plain[0]
        return found

    def _styled(self, form: Form) -> dict[str, Any]:
        """Return the values of the fields with a style, whose texts are not percent-encoded."""
        if self._form is None:
            return {}
        texts = {
            name: [
                decoded(one.content, refuses_nul=self._refuses_nul)
                for one in parts
                if isinstance(one.content, bytes)
            ]
            for name, parts in form.parts.items()
            if self._form.is_styled(name)
        }
        return self._form.styled(unencoded(texts))


@dataclass(frozen=True, slots=True)
class _Field:
    """How the parts of one name are read; `is_open` if their schema does not say whether they are files."""

    is_list: bool
    is_json: bool
    is_binary: bool
    is_open: bool
    text: Callable[[bytes], Any]
    ranges: Mapping[str, bool]
    headers: list[ParameterDecoder]
    element: Schema

    def values(self, parts: Sequence[Part], name: str, violations: list[Violation]) -> list[Any]:
        """Return the values of the parts that can be read; append a violation for each other."""
        found = []
        for index, part in enumerate(parts):
            try:
                found.append(part.content if isinstance(part.content, Upload) else self.text(part.content))
            except ValueError as exc:
                reason = str(exc) if isinstance(exc, NotJson) else "the part is not valid for its media type"
                at = _place(name, index if len(parts) > 1 else None)
                violations.append(Violation(at, "format", reason))
        return found

    def plain(self, value: Any) -> Any:
        """Return a value, or in place of a file the text that a validator compares: its bytes, of a large one the first."""
        if not isinstance(value, Upload):
            return value
        if self.element.keys() <= _DESCRIBING:
            return ""
        return value.head(max(IN_MEMORY, self.element.get("minLength", 0))).decode("latin-1")

    def violations(self, part: Part, at: str) -> Iterator[Violation]:
        """Yield where a part violates its encoding, or the largest size of a file."""
        if not self._accepts(part):
            listed = ", ".join(self.ranges)
            yield Violation(at, "contentType", f"the part's media type is not one of {listed}")
        yield from self._header_violations(part, at)
        content, most = part.content, self.element.get("maxLength")
        if most is not None and isinstance(content, Upload) and content.size > most:
            yield Violation(at, "maxLength", f"the file has more than {most} bytes")

    def _accepts(self, part: Part) -> bool:
        """Return True if the encoding allows the declared media type; values may declare none."""
        declared = part.media_type or ("text/plain" if isinstance(part.content, Upload) else "")
        return not self.ranges or not declared or media.find(declared, self.ranges) is not None

    def _header_violations(self, part: Part, at: str) -> Iterator[Violation]:
        for decoder in self.headers:
            name = decoder.parameter.name
            value = part.headers.get(name.lower())
            failures: list[Any] = []
            decoder.decode(Raw({} if value is None else {name: [value]}), {}, name, failures)
            for one in failures:
                yield Violation(at, one.violation.rule, f"header {name}: {one.violation.message}")


def _place(name: str, index: int | None) -> str:
    return f"/{escape(name)}" + ("" if index is None else f"/{index}")


class _Maker:
    """Compiles fields."""

    def __init__(self, contract: Contract, compiler: SchemaCompiler) -> None:
        self._contract = contract
        self._compiler = compiler
        self._coercion = Coercion(contract, compiler)
        self._refuses_nul = compiler.strictness.nul

    def field(
        self, schema: Schema, encoding: Mapping[str, Any], pointer: Pointer, *, is_declared: bool = True
    ) -> _Field:
        """Return how parts are read; those of a form without a property of their name have no schema of their own."""
        is_list = "array" in types_of(schema, self._contract)
        element = items_of(schema, self._contract) if is_list else schema
        resolved = self._contract.resolve(element)
        types = types_of(element, self._contract)
        listed = filter(None, map(str.strip, str(encoding.get("contentType", "")).split(",")))
        ranges = media.by_name(dict.fromkeys(listed, True))
        is_json = any(map(media.is_json, ranges))
        has_bytes = is_binary(element, self._contract)
        has_bytes = has_bytes or (is_declared and is_file(element, self._contract, ranges))
        return _Field(
            is_list=is_list,
            is_json=is_json,
            is_binary=has_bytes and not is_json,
            is_open=not types and not is_json,
            text=self._reader(self._coercion.of(element), is_json=is_json or "object" in types),
            ranges=ranges,
            headers=[*self._headers(encoding, pointer)],
            element=resolved,
        )

    def _headers(self, encoding: Mapping[str, Any], pointer: Pointer) -> Iterator[ParameterDecoder]:
        for name in encoding.get("headers", {}):
            if name.lower() != "content-type":  # OpenAPI 3.0.3, "Encoding Object", `headers`
                parameter = self._contract.header(name, (*pointer, "headers", name))
                yield ParameterDecoder(parameter, self._contract, self._compiler)

    def _reader(self, coerce: Coerce, *, is_json: bool) -> Callable[[bytes], Any]:
        refuses_nul = self._refuses_nul
        if is_json:
            return lambda part: parse_json(part, refuses_nul=refuses_nul)
        return lambda part: coerce(decoded(part, refuses_nul=refuses_nul))
