"""A documented media type whose bodies are parts by position, as responses have it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .errors import ResponseViolation
from .json_strict import NotJson
from .json_writing import to_json
from .multipart import MalformedForm
from .part_decoders import PartsDecoder
from .part_writing import with_boundary
from .validators import Validator
from .violations import Violation


class PartContent(NamedTuple):
    """How a list of parts is validated and written, as `media_type`; `is_given` if the handler chose its boundary."""

    parts: PartsDecoder
    validator: Validator
    media_type: str
    is_given: bool = False

    def begun(self, media_type: str) -> PartContent:
        """Return what writes one response."""
        sent = with_boundary(media_type)[1]
        return self._replace(media_type=sent, is_given=sent == media_type)

    def check_stream(self) -> None:
        """Raise ResponseViolation for a body that is made while it is sent, unless its boundary is known."""
        if not self.is_given:
            message = (
                "a body of parts must be a list; an iterator of bytes needs a media type with its boundary"
            )
            raise ResponseViolation([Violation("", "type", message)])

    def serialise(self, body: Any) -> bytes:
        """Serialise a valid list. Raises ResponseViolation."""
        written = self.parts.write(body, self.media_type, is_validated=True)
        self._check(written.plain)
        return written.content

    def serialise_unvalidated(self, body: Any) -> bytes:
        """Serialise a list. Raises ResponseViolation if it cannot be written."""
        return self.parts.write(body, self.media_type, is_validated=False).content

    async def pieces(self, body: Any) -> list[bytes]:
        """Do as `serialise`."""
        return [self.serialise(body)]

    def check_written(self, body: bytes) -> None:
        """Raise ResponseViolation for a body in bytes that is invalid."""
        try:
            found = self.parts.read(body, self.media_type)
        except ValueError as exc:
            reason = str(exc) if isinstance(exc, NotJson | MalformedForm) else "the parts are malformed"
            raise ResponseViolation([Violation("", "format", reason)]) from None
        if found.violations:
            raise ResponseViolation(found.violations)
        self._check(found.plain)

    def of_example(self, value: Any) -> list[Any]:
        """Return an example, which is a valid list. Raises ResponseViolation for any other value."""
        self.serialise(value)
        listed: list[Any] = value
        return listed

    def _check(self, plain: Any) -> None:
        if not self.validator.accepts(plain):
            raise ResponseViolation(self.validator.violations(json.loads(to_json(plain))))
