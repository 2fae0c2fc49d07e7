"""Files of multipart forms, which are bytes in whatever way a schema says so, and never null."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.validation.binary_schemas import is_file
from relay.validation.coercion import types_of
from relay.validation.encoding_objects import content_types

from .changes import Difference
from .pointer_names import canonical, raw
from .schema_view import View

_OF_VALUES = frozenset(("request-type-narrowed", "request-null-refused"))
"""Rules for what a file has not: a type, and null."""


class FormFiles:
    """The fields of an old and a new multipart form that are files; the pointers are those of the Media Type Objects."""

    def __init__(self, old: Contract, old_at: Pointer, new: Contract, new_at: Pointer) -> None:
        self._old = frozenset(_files(old, old_at))
        self._new = frozenset(_files(new, new_at))

    def concerns(self, difference: Difference) -> bool:
        """Return False for a difference of values that are files before and after."""
        are_files = difference.old[:-1] in self._old and difference.new[:-1] in self._new
        return not (are_files and difference.rule in _OF_VALUES)


def _files(contract: Contract, at: Pointer) -> Iterator[Pointer]:
    """Yield the pointers of the schemas of files."""
    encodings = raw(contract, at).get("encoding") or {}
    view = View(contract, "request")
    form = view.site(raw(contract, (*at, "schema")), canonical(contract, (*at, "schema")))
    for name, pointer in view.shape((form,)).properties.items():
        is_list = "array" in types_of(raw(contract, pointer), contract)
        found = canonical(contract, (*pointer, "items") if is_list else pointer)
        if is_file(raw(contract, found), contract, content_types(encodings.get(name, {}))):
            yield found
