"""Bodies of requests that are bytes: what they contain is not known, but they are counted."""

from __future__ import annotations

from collections.abc import Callable

from relay.contract.model import Contract, Schema

from .binary_schemas import Sizes
from .uploads import Upload
from .violations import Violation


def bytes_reader(
    schema: Schema, contract: Contract
) -> Callable[[bytes | Upload, str], tuple[bytes | Upload, list[Violation]]]:
    """Return the reader of bodies whose schema may say how many bytes they have."""
    sizes = Sizes.of(schema, contract)

    def read(body: bytes | Upload, _content_type: str) -> tuple[bytes | Upload, list[Violation]]:
        size = body.size if isinstance(body, Upload) else len(body)
        return body, [*sizes.violations(size, "", "body")]

    return read
