"""What decoders of bodies of parts have in common, whether the parts have names or positions."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .multipart import Form
from .part_fields import Decoded
from .spools import Spool


class PartDecoder(ABC):
    """Decodes bodies of multipart."""

    @abstractmethod
    def form(self, content_type: str, spool: Spool, limit: int) -> Form:
        """Return a form to feed with the bytes of a body, of which `limit` may be values."""

    @abstractmethod
    def decode(self, form: Form) -> Decoded:
        """Return the value of a form. Raises ValueError if it is malformed."""

    def parse(self, body: bytes, content_type: str) -> Form:
        """Return the form of a body that is in memory."""
        form = self.form(content_type, Spool(), len(body))
        form.feed(body)
        form.end()
        return form

    def read(self, content: bytes, content_type: str) -> Decoded:
        """Return the value of a body that is a part of another one. Raises ValueError if it is malformed."""
        return self.decode(self.parse(content, content_type))
