"""The types of bodies whose parts are the items of a list, by position (OpenAPI 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.model import Contract, RequestBody, Response, Schema
from relay.validation.binary_schemas import is_file
from relay.validation.encoding_objects import (
    DescribedPart,
    DescribedParts,
    content_types,
    has_parts,
    is_by_position,
    is_nested,
)

from .annotations import BYTES, STR, UPLOAD, Type, of_schema, union


def parts_type(
    documented: Response | RequestBody, media_type: str, contract: Contract, names: Mapping[str, str]
) -> Type | None:
    """Return the type of a list of parts, whose files are uploads in a request; None for another body."""
    raw, _ = contract.follow((*documented.pointer, "content", media_type))
    if not has_parts(media_type, raw, contract):
        return None
    has_uploads = isinstance(documented, RequestBody) and UPLOAD.name not in names.values()
    return _Parts(contract, names, UPLOAD if has_uploads else BYTES).of_list(raw["schema"], raw)


class _Parts:
    def __init__(self, contract: Contract, names: Mapping[str, str], file: Type) -> None:
        self._contract, self._names, self._file = contract, names, file

    def of_list(self, schema: Schema, owner: Mapping[str, Any]) -> Type:
        """Return the type of a list whose parts a Media Type or Encoding Object describes."""
        return Type("list", (union(self._parts(schema, owner)),))

    def _parts(self, schema: Schema, owner: Mapping[str, Any]) -> Iterator[Type]:
        first, others = DescribedParts.of(owner, (), schema, self._contract)
        most = self._contract.resolve(schema).get("maxItems")
        yield from map(self._part, first[:most])
        if (most is None or most > len(first)) and others.schema.get("not") != {}:
            yield self._part(others)

    def _part(self, part: DescribedPart) -> Type:
        schema, encoding, _ = part
        listed = content_types(encoding)
        is_part_of_parts = is_nested(schema, encoding, self._contract)
        if is_part_of_parts and is_by_position(listed[0], schema, self._contract):
            return self.of_list(schema, encoding)
        if not is_part_of_parts and is_file(schema, self._contract, listed):
            return self._file
        return of_schema(schema, self._contract, self._names).replaced(BYTES, STR)
