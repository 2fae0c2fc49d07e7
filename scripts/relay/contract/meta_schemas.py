"""The meta-schemas of JSON Schema, to which a contract may refer without a file."""

from __future__ import annotations

from pathlib import Path

from jsonschema_specifications import REGISTRY

from .documents import Document
from .parsed import Parsed, Pointer


class _NoPlaces:
    """Finds every value at the start, as a meta-schema is in no file of the contract."""

    def find(self, _pointer: Pointer) -> tuple[int, int]:
        """Return the first line and column."""
        return 1, 1


def meta_schema(uri: str) -> Document | None:
    """Return the meta-schema, or the vocabulary, with a URI; None for another URI."""
    found = REGISTRY.get(uri) or REGISTRY.get(f"{uri}#")
    if found is None:
        return None
    return Document(Path("/") / uri.replace("://", "/"), b"", Parsed(found.contents, 1_000, _NoPlaces(), []))
