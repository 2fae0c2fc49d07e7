"""The names that references of OpenAPI 3.1 and later may use: URIs and anchors of schemas, and URIs of documents.

JSON Schema 2020-12, section 8.2; OpenAPI 3.2, "OpenAPI Object", `$self`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin

from .documents import Document, Pointer
from .pointers import PointerNotFound, mappings, parse_pointer


@dataclass(eq=False, slots=True)
class Resource:
    """A document, or a schema with an `$id`: what a URI names; anchors are names of places in it.

    `dialect` is the `$schema` that it states; None if it states none.
    """

    document: Document
    pointer: Pointer
    uri: str
    dialect: str | None
    anchors: dict[str, Pointer] = field(default_factory=dict)
    dynamic: dict[str, Pointer] = field(default_factory=dict)


NAMING = frozenset("$id $anchor $dynamicAnchor $dynamicRef $recursiveAnchor $recursiveRef $ref".split())
"""Keywords of schemas that name schemas, or refer to them."""

IDENTIFYING = (NAMING - {"$ref"}) | {"$self", "$schema", "jsonSchemaDialect"}
"""Keywords by which a reference means another place than its path says, or other keywords another thing."""


class Target(NamedTuple):
    """Where a reference leads."""

    document: Document
    pointer: Pointer


DynamicScope = tuple[tuple[str, Target], ...]
"""Dynamic anchors by name: of each name, that of the first resource through which a value's validation came."""

_RECURSIVE = ""
"""The name of the dynamic anchor that `$recursiveAnchor: true` of 2019-09 is."""


class Identifiers:
    """The resources of the documents of a contract."""

    def __init__(self) -> None:
        self._by_uri: dict[str, Resource] = {}
        self._by_place: dict[tuple[str, Pointer], Resource] = {}
        self.repeated: list[tuple[Target, str]] = []
        """The places of names that another place has already, each with the name."""

    def add(self, document: Document) -> None:
        """Read the identifiers of a document."""
        self._add_resource(document, (), document.path.as_uri(), document.data)
        for pointer, value in mappings(document.data):
            if IDENTIFYING.isdisjoint(value):
                continue
            if isinstance(name := value.get("$id"), str) and pointer:
                self._add_schema(document, pointer, name, value)
            owner = self.owner(document, pointer)
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(anchor := value.get(keyword), str):
                    self._add_anchor(owner, anchor, (*pointer, keyword))
            if isinstance(anchor := value.get("$dynamicAnchor"), str):
                owner.dynamic[anchor] = pointer
            if value.get("$recursiveAnchor") is True and pointer == owner.pointer:
                owner.dynamic[_RECURSIVE] = pointer

    def owner(self, document: Document, pointer: Pointer) -> Resource:
        """Return the resource that contains a place."""
        name = str(document.path)
        while (found := self._by_place.get((name, pointer))) is None:
            pointer = pointer[:-1]
        return found

    def find(self, ref: str, document: Document, pointer: Pointer) -> Target | None:
        """Return where a reference at a place leads, if a resource is named so. Raises PointerNotFound."""
        owner = self.owner(document, pointer)
        if ref.startswith("#"):
            return Target(owner.document, _within(owner, ref[1:]))
        try:
            uri, fragment = urldefrag(urljoin(owner.uri, ref))
        except ValueError:
            return None
        if uri not in self._by_uri:
            self._add_meta_schema(uri)
        resource = self._by_uri.get(uri)
        return None if resource is None else Target(resource.document, _within(resource, fragment))

    def _add_meta_schema(self, uri: str) -> None:
        from .meta_schemas import meta_schema  # only few contracts need its library

        if (found := meta_schema(uri)) is not None:
            self.add(found)

    def scope(self, document: Document, pointer: Pointer, outer: DynamicScope) -> DynamicScope:
        """Return the dynamic anchors at a schema that is reached with those of `outer`."""
        owner = self.owner(document, pointer)
        known = {name for name, _ in outer}
        added = [(name, Target(document, at)) for name, at in owner.dynamic.items() if name not in known]
        return tuple(sorted([*outer, *added], key=itemgetter(0))) if added else outer

    def dynamic(self, target: Target, ref: str, scope: DynamicScope) -> Target:
        """Return where a dynamic reference leads whose first target is known (JSON Schema 2020-12, section 8.2.3.2)."""
        name = _RECURSIVE if ref == "#" else urldefrag(ref).fragment
        if self.owner(*target).dynamic.get(name) != target.pointer:
            return target
        return dict(scope).get(name, target)

    def within(self, document: Document, fragment: str) -> Pointer:
        """Return the place in a document that a fragment names: a pointer or an anchor. Raises PointerNotFound."""
        return _within(self._by_place[str(document.path), ()], fragment)

    def dialect(self, document: Document, pointer: Pointer) -> str | None:
        """Return the `$schema` that the schemas around a place state; None if none does."""
        while (found := self.owner(document, pointer)).dialect is None and found.pointer:
            pointer = found.pointer[:-1]
        return found.dialect

    def _add_schema(self, document: Document, pointer: Pointer, name: str, value: dict[str, Any]) -> None:
        owner = self.owner(document, pointer[:-1])
        if name.startswith("#"):  # an anchor, before 2019-09
            self._add_anchor(owner, name[1:], (*pointer, "$id"))
        else:
            self._add_resource(document, pointer, urljoin(owner.uri, name), value)

    def _add_anchor(self, owner: Resource, name: str, at: Pointer) -> None:
        """Add the name of the schema that has a keyword."""
        if owner.anchors.setdefault(name, at[:-1]) != at[:-1]:
            self.repeated.append((Target(owner.document, at), f"#{name}"))

    def _add_resource(self, document: Document, pointer: Pointer, uri: str, value: Any) -> None:
        """Add a resource by its own name, and a document also by that of its file."""
        stated = value if isinstance(value, dict) else {}
        own = stated.get("$self", stated.get("$id")) if not pointer else None
        found = urldefrag(urljoin(uri, own) if isinstance(own, str) else uri).url
        dialect = next(
            (one for word in ("$schema", "jsonSchemaDialect") if isinstance(one := stated.get(word), str)),
            None,
        )
        resource = Resource(document, pointer, found, dialect)
        self._by_place[str(document.path), pointer] = resource
        if (pointer or own is not None) and found in self._by_uri:
            keyword = "$self" if not pointer and "$self" in stated else "$id"
            self.repeated.append((Target(document, (*pointer, keyword)), found))
        for name in dict.fromkeys([found, urldefrag(uri).url]):
            self._by_uri.setdefault(name, resource)


def _within(resource: Resource, fragment: str) -> Pointer:
    if not fragment or fragment.startswith("/"):
        return (*resource.pointer, *parse_pointer(fragment))
    if fragment not in resource.anchors:
        raise PointerNotFound
    return resource.anchors[fragment]
