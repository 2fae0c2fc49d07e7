"""The schema objects that are compared, with their pointers."""

from __future__ import annotations

from dataclasses import dataclass, field

from relay.contract.documents import Pointer
from relay.contract.model import Schema


@dataclass(frozen=True, slots=True)
class Site:
    """A schema object and its pointer; `excluded` are omitted keywords, which are compared separately."""

    pointer: Pointer
    excluded: frozenset[str] = frozenset()
    schema: Schema = field(default_factory=dict, compare=False)

    def excluding(self, *keywords: str) -> Site:
        """Return the site without some keywords."""
        kept = {key: value for key, value in self.schema.items() if key not in keywords}
        return Site(self.pointer, self.excluded.union(keywords), kept)


Sites = tuple[Site, ...]
"""A conjunction: a value must be valid for all of the sites."""
