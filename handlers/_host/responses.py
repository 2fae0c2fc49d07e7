"""What a handler returns → an answer that keeps to the contract, or ResponseViolation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from . import media
from .contract import Contract, Operation, Response
from .errors import ResponseViolation
from .messages import Answer
from .parameters import Located, ParameterDecoder
from .schemas import SchemaCompiler, Validator, Violation


class ResponseEncoder:
    """Turns what one operation's handler returns into validated, serialised answers."""

    def __init__(self, operation: Operation, contract: Contract, compiler: SchemaCompiler) -> None:
        self._success = min(
            (int(key) for key in operation.responses if key.startswith("2") and key.isdecimal()), default=200
        )
        compiled = {
            response.pointer: _ResponseCompiler(response, contract, compiler)
            for response in operation.responses.values()
        }
        self._by_status = {
            status: compiled[response.pointer]
            for status in range(100, 600)
            if (response := operation.response(status)) is not None
        }

    def encode(self, result: Any) -> Answer:
        """Serialise what a handler returned: a body, or (body, status) or (body, status, headers).

        A body alone goes out with the lowest documented 2xx status. Raises ResponseViolation.
        """
        status, headers = self._success, None
        if type(result) is tuple:
            result, status, *rest = result
            headers = rest[0] if rest else None
        return self.encode_body(result, int(status), headers)

    def encode_body(
        self, body: Any, status: int, headers: Mapping[str, str] | None = None, media_type: str | None = None
    ) -> Answer:
        """Serialise a body for a status; `media_type` where the caller has chosen one."""
        compiled = self._by_status.get(status)
        if compiled is None:
            raise ResponseViolation.undocumented(status)
        return compiled.encode(body, status, headers or {}, media_type)


class _ResponseCompiler:
    """One documented response, compiled."""

    def __init__(self, response: Response, contract: Contract, compiler: SchemaCompiler) -> None:
        self._content = {
            name: (
                compiler.compile(schema, "response", (*response.pointer, "content", name)),
                media.is_json(name),
            )
            for name, schema in response.content.items()
        }
        self._default = next((name for name, (_, json) in self._content.items() if json), None) or next(
            iter(self._content), None
        )
        self._headers = [
            (header, ParameterDecoder(header, contract, compiler)) for header in response.headers
        ]

    def encode(self, body: Any, status: int, headers: Mapping[str, str], media_type: str | None) -> Answer:
        names = {name.lower(): str(value) for name, value in headers.items()}
        chosen = media_type or names.pop("content-type", None) or self._default
        if self._headers:
            self._check_headers(names)
        out = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in names.items()]
        if chosen is None:
            if body is not None:
                raise ResponseViolation([Violation("", "content", "the contract documents no body")])
            return Answer(status, out, b"")
        compiled = self._content.get(chosen) or media.find(media.parse_media_type(chosen).name, self._content)
        if compiled is None:
            raise ResponseViolation([Violation("", "content", f"the contract documents no body of {chosen}")])
        validator, json = compiled
        assert validator is not None  # a contract with a schema that cannot be compiled is not served
        written = _write_json(body, validator) if json else _write_plain(body, validator)
        return Answer(status, [(b"content-type", chosen.encode("latin-1")), *out], written)

    def _check_headers(self, names: Mapping[str, str]) -> None:
        raw = {
            header.name: [names[header.name.lower()]]
            for header, _ in self._headers
            if header.name.lower() in names
        }
        failures: list[Located] = []
        for _, decoder in self._headers:
            decoder.decode(raw, {}, "", failures)
        if failures:
            raise ResponseViolation([failure.violation for failure in failures])


def _write_json(value: Any, validator: Validator) -> bytes:
    try:
        accepted = validator.accepts(value)
        written = orjson.dumps(value) if accepted else b""
    except (ValueError, TypeError):  # dates, UUIDs, enums, subclasses of str: judged by what is written
        try:
            written = orjson.dumps(value)
        except TypeError as exc:
            raise ResponseViolation([Violation("", "type", "the body cannot be written as JSON")]) from exc
        value = orjson.loads(written)
        accepted = validator.accepts(value)
    if not accepted:
        raise ResponseViolation(validator.violations(value))
    return written


def _write_plain(value: Any, validator: Validator) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ResponseViolation([Violation("", "type", "a body that is not JSON has to be str or bytes")])
    if not validator.accepts(value):
        raise ResponseViolation(validator.violations(value))
    return value.encode()
