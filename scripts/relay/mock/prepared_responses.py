"""Prepares a response for each documented response: from its examples, else from its schema.

Each is encoded and validated like a handler's response.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.json_text import json_bytes
from relay.contract.model import ABSENT, Contract, Operation, Parameter, Response, Schema
from relay.validation import http
from relay.validation import media_types as media
from relay.validation.errors import ResponseViolation
from relay.validation.responses import ResponseEncoder, default_media_type
from relay.validation.schemas import SchemaCompiler

from .samples import Sampler
from .schema_parts import NoSample, SchemaPart

BODILESS = (204, 304)
"""Final statuses that never have a body (RFC 9110 sections 15.3.5 and 15.4.5)."""

_CONCRETE = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/plain"}


class PreparedResponses(NamedTuple):
    """The prepared responses of one documented response: the default, and one per named example.

    A name is UTF-8 decoded as Latin-1, which is how header values are decoded.
    """

    usual: http.Response
    named: Mapping[str, http.Response]


class _Body(NamedTuple):
    """A body, its pointer, and its schema."""

    value: Any
    pointer: Pointer
    part: SchemaPart


class ResponsePreparer:
    """Prepares the responses of one operation; failures are added to the compiler's problems."""

    def __init__(
        self, operation: Operation, contract: Contract, compiler: SchemaCompiler, encoder: ResponseEncoder
    ) -> None:
        self._operation = operation
        self._contract = contract
        self._compiler = compiler
        self._encoder = encoder
        self._sampler = Sampler(contract, compiler)

    def of(self, response: Response) -> PreparedResponses | None:
        """Return the prepared responses; None if the status is not final or preparation fails."""
        status = next((code for code in range(200, 600) if self._operation.response(code) is response), None)
        if status is None:
            return None
        raw, pointer = self._contract.follow(response.pointer)
        try:
            return self._prepare(response, status, raw, pointer)
        except NoSample as exc:
            reason = str(exc)
        except ResponseViolation as exc:
            reason = exc.violations[0].message
        self._problem(pointer, status, reason)
        return None

    def _prepare(
        self, response: Response, status: int, raw: Mapping[str, Any], pointer: Pointer
    ) -> PreparedResponses | None:
        name = default_media_type(response) or next(iter(response.content), None)
        headers = {one.name: self._header(one) for one in response.headers if one.required}
        if name is None:
            return PreparedResponses(self._encoder.encode_body(None, status, headers), {})
        if status in BODILESS:
            raise NoSample("a response with this status has no body; remove its content")
        if "*" in _CONCRETE.get(name, name):
            raise NoSample(f"{name} is a range and cannot be sent; document a media type")
        bodies = self._bodies(raw["content"][name], name, (*pointer, "content", name))
        encoded = {key: self._answer(body, status, headers, name) for key, body in bodies.items()}
        answers = {key: answer for key, answer in encoded.items() if answer is not None}
        if len(answers) < len(bodies):
            return None
        named = {key.encode().decode("latin-1"): answer for key, answer in answers.items() if key}
        return PreparedResponses(next(iter(answers.values())), named)

    def _bodies(self, content: Mapping[str, Any], name: str, pointer: Pointer) -> dict[str, _Body]:
        """Return the bodies of a media type by example name; the first is the default."""
        part = SchemaPart(content.get("schema", {}), (*pointer, "schema"))
        bodies = {
            key: _Body(value, at, part) for key, value, at in examples(self._contract, content, pointer)
        }
        if not bodies:
            schema = part.schema
            if not media.is_json(_CONCRETE.get(name, name)):
                schema = {"allOf": [schema, {"type": "string"}]}  # other media types are sent as text
            bodies[""] = _Body(self._sample(schema, part.pointer), pointer, part)
        return bodies

    def _answer(
        self, body: _Body, status: int, headers: Mapping[str, str], name: str
    ) -> http.Response | None:
        """Encode a body; return None, and add a problem at its pointer, if it violates its schema."""
        if not self._sampler.example(body.value, body.part, body.pointer):
            return None
        media_type = _CONCRETE.get(name, name)
        is_serialised = media_type != name and media.is_json(
            media_type
        )  # the encoder needs bytes for a range
        value = json_bytes(body.value) if is_serialised else body.value
        try:
            return self._encoder.encode_body(value, status, headers, media_type)
        except ResponseViolation as exc:
            self._problem(body.pointer, status, exc.violations[0].message)
            return None

    def _header(self, header: Parameter) -> str:
        """Return a header's value in style simple (OpenAPI 3.0.3, "Style Values")."""
        raw, pointer = self._contract.follow(header.pointer)
        if header.media_type is not None:
            raw, pointer = raw["content"][header.media_type], (*pointer, "content", header.media_type)
        example = next((value for _, value, _ in examples(self._contract, raw, pointer)), ABSENT)
        value = self._sample(header.schema, (*pointer, "schema")) if example is ABSENT else example
        if header.media_type is not None:
            return json_bytes(value).decode()
        if isinstance(value, dict):
            sign = "=" if header.explode else ","
            return ",".join(f"{key}{sign}{_text(item)}" for key, item in value.items())
        return ",".join(map(_text, value)) if isinstance(value, list) else _text(value)

    def _sample(self, schema: Schema, pointer: Pointer) -> Any:
        try:
            return self._sampler.sample(schema, pointer)
        except NoSample as exc:
            raise NoSample(f"no value was found: {exc}; add an example") from exc

    def _problem(self, pointer: Pointer, status: int, reason: str) -> None:
        message = f"{self._operation} cannot be mocked for {status}: {reason}"
        self._compiler.problems.append(self._contract.problem(pointer, message, "mock"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_bytes(value).decode()


def examples(
    contract: Contract, owner: Mapping[str, Any], pointer: Pointer
) -> Iterator[tuple[str, Any, Pointer]]:
    """Yield name, value and pointer of `example` and of each of `examples`; `externalValue` is ignored."""
    if "example" in owner:
        yield "", owner["example"], (*pointer, "example")
    for key in owner.get("examples") or {}:
        example, at = contract.follow((*pointer, "examples", key))
        if "value" in example:
            yield key, example["value"], (*at, "value")
