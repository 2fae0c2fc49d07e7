"""The names that references of OpenAPI 3.1 and later may use: URIs and anchors of schemas, and URIs of documents.

JSON Schema 2020-12, section 8.2; OpenAPI 3.2, "OpenAPI Object", `$self`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin

from .documents import Document
from .json_reading import JsonPlaces
from .parsed import Parsed, Pointer
from .pointers import PointerNotFound, lookup, mappings, parse_pointer


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

    def within(self, fragment: str) -> Target:
        """Return the place that a fragment names: a pointer or an anchor. Raises PointerNotFound."""
        if not fragment or fragment.startswith("/"):
            return Target(self.document, (*self.pointer, *parse_pointer(fragment)))
        if fragment not in self.anchors:
            raise PointerNotFound
        return Target(self.document, self.anchors[fragment])


NAMING = frozenset("$id $anchor $dynamicAnchor $dynamicRef $recursiveAnchor $recursiveRef $ref".split())
"""Keywords of schemas that name schemas, or refer to them."""

IDENTIFYING = (NAMING - {"$ref"}) | {"$self", "$schema", "jsonSchemaDialect"}
"""Keywords by which a reference means another place than its path says, or other keywords another thing."""


class Target(NamedTuple):
    """A place in a document, to which a reference may lead."""

    document: Document
    pointer: Pointer

    @property
    def value(self) -> Any:
        """The value there. Raises PointerNotFound."""
        return lookup(self.document.data, self.pointer)

    def within(self, token: str) -> Target:
        """Return the place of a member or an item."""
        return Target(self.document, (*self.pointer, token))


DynamicScope = tuple[tuple[str, Target], ...]
"""Dynamic anchors by name: of each name, that of the first resource through which a value's validation came."""

_RECURSIVE = ""
"""The name of the dynamic anchor that `$recursiveAnchor: true` of 2019-09 is."""


class Identifiers:
    """The resources of the documents of a contract."""

    def __init__(self) -> None:
        self._by_uri: dict[str, Resource] = {}
        self._by_place: dict[tuple[Document, Pointer], Resource] = {}
        self.repeated: list[tuple[Target, str]] = []
        """The places of names that another place has already, each with the name."""

    def add(self, document: Document) -> None:
        """Read the identifiers of a document."""
        self._add_resource(Target(document, ()), document.path.as_uri(), document.data)
        for pointer, value in mappings(document.data):
            if IDENTIFYING.isdisjoint(value):
                continue
            if isinstance(name := value.get("$id"), str) and pointer:
                outer = self.owner(Target(document, pointer[:-1]))
                if name.startswith("#"):  # an anchor, before 2019-09
                    self._add_anchor(outer, name[1:], (*pointer, "$id"))
                else:
                    self._add_resource(Target(document, pointer), urljoin(outer.uri, name), value)
            owner = self.owner(Target(document, pointer))
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(anchor := value.get(keyword), str):
                    self._add_anchor(owner, anchor, (*pointer, keyword))
            if isinstance(anchor := value.get("$dynamicAnchor"), str):
                owner.dynamic[anchor] = pointer
            if value.get("$recursiveAnchor") is True and pointer == owner.pointer:
                owner.dynamic[_RECURSIVE] = pointer

    def owner(self, at: Target) -> Resource:
        """Return the resource that contains a place."""
        document, pointer = at
        while (found := self._by_place.get((document, pointer))) is None:
            pointer = pointer[:-1]
        return found

    def find(self, ref: str, at: Target) -> Target | None:
        """Return where a reference at a place leads, if a resource is named so. Raises PointerNotFound."""
        owner = self.owner(at)
        if ref.startswith("#"):
            return owner.within(ref[1:])
        try:
            uri, fragment = urldefrag(urljoin(owner.uri, ref))
        except ValueError:
            return None
        if uri not in self._by_uri and (document := _meta_schema(uri)):
            self.add(document)
        resource = self._by_uri.get(uri)
        return None if resource is None else resource.within(fragment)

    def scope(self, at: Target, outer: DynamicScope) -> DynamicScope:
        """Return the dynamic anchors at a schema that is reached with those of `outer`."""
        owner = self.owner(at)
        known = {name for name, _ in outer}
        added = [(name, Target(at.document, to)) for name, to in owner.dynamic.items() if name not in known]
        return tuple(sorted([*outer, *added], key=itemgetter(0))) if added else outer

    def dynamic(self, target: Target, ref: str, scope: DynamicScope) -> Target:
        """Return where a dynamic reference leads whose first target is known (JSON Schema 2020-12, section 8.2.3.2)."""
        name = _RECURSIVE if ref == "#" else urldefrag(ref).fragment
        if self.owner(target).dynamic.get(name) != target.pointer:
            return target
        return dict(scope).get(name, target)

    def within(self, document: Document, fragment: str) -> Target:
        """Return the place in a document that a fragment names: a pointer or an anchor. Raises PointerNotFound."""
        return self._by_place[Target(document, ())].within(fragment)

    def dialect(self, at: Target) -> str | None:
        """Return the `$schema` that the schemas around a place state; None if none does."""
        while (found := self.owner(at)).dialect is None and found.pointer:
            at = Target(at.document, found.pointer[:-1])
        return found.dialect

    def _add_anchor(self, owner: Resource, name: str, at: Pointer) -> None:
        if owner.anchors.setdefault(name, at[:-1]) != at[:-1]:
            self.repeated.append((Target(owner.document, at), f"#{name}"))

    def _add_resource(self, at: Target, uri: str, value: Any) -> None:
        """Add a resource by its own name, and a document also by that of its file."""
        stated = value if isinstance(value, dict) else {}
        own = stated.get("$self", stated.get("$id")) if not at.pointer else None
        found = urldefrag(urljoin(uri, own) if isinstance(own, str) else uri).url
        dialects = (stated.get(word) for word in ("$schema", "jsonSchemaDialect"))
        dialect = next((one for one in dialects if isinstance(one, str)), None)
        resource = self._by_place[at] = Resource(*at, found, dialect)
        if (at.pointer or own is not None) and found in self._by_uri:
            keyword = "$self" if not at.pointer and "$self" in stated else "$id"
            self.repeated.append((at.within(keyword), found))
        for name in dict.fromkeys([found, urldefrag(uri).url]):
            self._by_uri.setdefault(name, resource)


def _meta_schema(uri: str) -> Document | None:
    """Return the meta-schema of JSON Schema, or the vocabulary, with a URI; None for another URI."""
    from jsonschema_specifications import REGISTRY  # only few contracts need it

    found = REGISTRY.get(uri) or REGISTRY.get(f"{uri}#")
    if found is None:
        return None
    places = JsonPlaces(b"0")  # every value is at the start, as it is in no file of the contract
    return Document(Path("/") / uri.replace("://", "/"), b"", Parsed(found.contents, 1_000, places, []))
