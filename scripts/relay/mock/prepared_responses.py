"""Documented responses → answers that are ready to send: from their examples, else from their schemas.

Each is encoded and validated as any handler's answer is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Operation, Parameter, Response, Schema
from relay.validation import media_types as media
from relay.validation.errors import ResponseViolation
from relay.validation.http import Answer
from relay.validation.responses import ResponseEncoder, default_media_type
from relay.validation.schemas import SchemaCompiler

from .samples import Sampler
from .schema_parts import NoSample, SchemaPart

BODILESS = (204, 304)
"""Final statuses that never have a body (RFC 9110 sections 15.3.5 and 15.4.5)."""

_CONCRETE = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/plain"}


class Canned(NamedTuple):
    """The answers of one documented response: the usual one, and those of its examples by name.

    A name is its bytes in UTF-8 read as Latin-1, as a header brings it.
    """

    usual: Answer
    named: Mapping[str, Answer]


class _Body(NamedTuple):
    """A body, where it stands, and the schema it is to keep to."""

    value: Any
    pointer: Pointer
    part: SchemaPart


class CannedAnswers:
    """Makes the answers of one operation; what cannot be made is a problem of the compiler's."""

    def __init__(
        self, operation: Operation, contract: Contract, compiler: SchemaCompiler, encoder: ResponseEncoder
    ) -> None:
        self._operation = operation
        self._contract = contract
        self._compiler = compiler
        self._encoder = encoder
        self._sampler = Sampler(contract, compiler)

    def of(self, response: Response) -> Canned | None:
        """Return the answers of a documented response; None for one that is not final, or cannot be made."""
        status = next((code for code in range(200, 600) if self._operation.response(code) is response), None)
        if status is None:
            return None
        raw, pointer = self._contract.follow(response.pointer)
        try:
            return self._made(response, status, raw, pointer)
        except NoSample as exc:
            reason = str(exc)
        except ResponseViolation as exc:
            reason = exc.violations[0].message
        self._problem(pointer, status, reason)
        return None

    def _made(
        self, response: Response, status: int, raw: Mapping[str, Any], pointer: Pointer
    ) -> Canned | None:
        name = default_media_type(response) or next(iter(response.content), None)
        headers = {one.name: self._header(one) for one in response.headers if one.required}
        if name is None:
            return Canned(self._encoder.encode_body(None, status, headers), {})
        if status in BODILESS:
            raise NoSample("such an answer has no body; take its content out")
        if "*" in _CONCRETE.get(name, name):
            raise NoSample(f"{name} is no media type that could be sent; name one")
        bodies = self._bodies(raw["content"][name], name, (*pointer, "content", name))
        made = {key: self._answer(body, status, headers, name) for key, body in bodies.items()}
        answers = {key: answer for key, answer in made.items() if answer is not None}
        if len(answers) < len(bodies):
            return None
        named = {key.encode().decode("latin-1"): answer for key, answer in answers.items() if key}
        return Canned(next(iter(answers.values())), named)

    def _bodies(self, content: Mapping[str, Any], name: str, pointer: Pointer) -> dict[str, _Body]:
        """Return the bodies that a media type has, by the name of the example; the first is the usual one."""
        part = SchemaPart(content.get("schema", {}), (*pointer, "schema"))
        bodies = {
            key: _Body(value, at, part) for key, value, at in examples(self._contract, content, pointer)
        }
        if not bodies:
            schema = part.schema
            if not media.is_json(_CONCRETE.get(name, name)):
                schema = {"allOf": [schema, {"type": "string"}]}  # what is not JSON is written as it is
            bodies[""] = _Body(self._sample(schema, part.pointer), pointer, part)
        return bodies

    def _answer(self, body: _Body, status: int, headers: Mapping[str, str], name: str) -> Answer | None:
        """Encode a body; None, with the problem noted at its place, if it breaks its schema."""
        if not self._sampler.example(body.value, body.part, body.pointer):
            return None
        media_type = _CONCRETE.get(name, name)
        is_written = media_type != name and media.is_json(media_type)  # the encoder takes bytes for a range
        value = orjson.dumps(body.value) if is_written else body.value
        try:
            return self._encoder.encode_body(value, status, headers, media_type)
        except ResponseViolation as exc:
            self._problem(body.pointer, status, exc.violations[0].message)
            return None

    def _header(self, header: Parameter) -> str:
        """Return a value for a header, as it is written (OpenAPI 3.0.3, "Style Values", simple)."""
        raw, pointer = self._contract.follow(header.pointer)
        if header.media_type is not None:
            raw, pointer = raw["content"][header.media_type], (*pointer, "content", header.media_type)
        given = next((value for _, value, _ in examples(self._contract, raw, pointer)), ABSENT)
        value = self._sample(header.schema, (*pointer, "schema")) if given is ABSENT else given
        if header.media_type is not None:
            return orjson.dumps(value).decode()
        if isinstance(value, dict):
            sign = "=" if header.explode else ","
            return ",".join(f"{key}{sign}{_word(item)}" for key, item in value.items())
        return ",".join(map(_word, value)) if isinstance(value, list) else _word(value)

    def _sample(self, schema: Schema, pointer: Pointer) -> Any:
        try:
            return self._sampler.sample(schema, pointer)
        except NoSample as exc:
            raise NoSample(f"no value was found, as {exc}; write an example") from exc

    def _problem(self, pointer: Pointer, status: int, reason: str) -> None:
        message = f"{self._operation} has no mock for {status}: {reason}"
        self._compiler.problems.append(self._contract.problem(pointer, message, "mock"))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def examples(
    contract: Contract, owner: Mapping[str, Any], pointer: Pointer
) -> Iterator[tuple[str, Any, Pointer]]:
    """Yield name, value and place of what is in `example` and `examples`; nothing external is fetched."""
    if "example" in owner:
        yield "", owner["example"], (*pointer, "example")
    for key in owner.get("examples") or {}:
        example, at = contract.follow((*pointer, "examples", key))
        if "value" in example:
            yield key, example["value"], (*at, "value")
