"""The types of bodies, also those that are lists (streams, parts), and of the results that an operation documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from relay.contract.model import Contract, Operation, RequestBody, Response, Schema
from relay.contract.operations import documenting
from relay.validation import encoding_objects as encodings
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_binary, is_file

from .annotations import BYTES, INT, MAPPING, NONE, STR, UPLOAD, Type, literals, loosens, of_schema, union
from .type_schemas import takes_upload

STREAM = "AsyncIterator"

SAME = frozenset("AsyncIterator AsyncIterable AsyncGenerator Iterator Iterable Generator".split())
"""Types that an author may choose for a stream, sync or async; they are read as the one that is written."""

HeaderClasses = Mapping[tuple[str, str], str]
"""The generated classes of response headers, by operation id and key of `responses`."""


@dataclass(frozen=True, slots=True)
class DocumentedBody:
    """The body of one media type; without a shape, text and bytes are taken alike."""

    type: Type
    has_shape: bool = True
    as_list: Type | None = None
    """The type of a list of the items of a stream, which a handler may return as well."""

    @property
    def accepted(self) -> Type:
        """The results that a handler may return for it."""
        if self.as_list is not None:
            return union([self.type, self.as_list])
        return self.type if self.has_shape else union([STR, BYTES])

    def is_met_by(self, body: Type) -> bool:
        """Return True if a type has each member of it, or a less specific form of it."""
        documented = [self.type, *filter(None, [self.as_list])]
        return not self.has_shape or any(
            all(any(loosens(part, own) for part in body.members) for own in one.members) for one in documented
        )


@dataclass(frozen=True, slots=True)
class DocumentedResult:
    """The results of one key of `responses`: a status, a range (`4XX`) or `default`.

    `headers` is the class of its headers, if there is one.
    """

    key: str
    bodies: tuple[DocumentedBody, ...]
    headers: Type | None
    needs_headers: bool

    @property
    def body(self) -> Type:
        """The type of its bodies."""
        return union(one.type for one in self.bodies)

    def covers(self, body: Type) -> bool:
        """Return True if each member of a type is one of its bodies, or a less specific form of one."""
        accepted = union(one.accepted for one in self.bodies)
        return all(any(loosens(one, own) for own in accepted.members) for one in body.members)

    def is_met_by(self, body: Type) -> bool:
        """Return True if a type has each member of at least one of its bodies, or a less specific form of it."""
        return any(one.is_met_by(body) for one in self.bodies)

    def types(self, status: Type) -> Iterator[Type]:
        """Yield the types of its results with a status."""
        if not self.needs_headers:
            yield Type("tuple", (self.body, status))
        if self.headers is not None or self.needs_headers:
            yield Type("tuple", (self.body, status, self.headers or MAPPING))

    def types_alone(self) -> Iterator[Type]:
        """Yield the types of its results where a body alone is one of them."""
        if not self.needs_headers:
            yield self.body
        status = literals([int(self.key)]) if self.key.isdecimal() else INT
        pairs = 0 if self.key.isdecimal() else 2
        yield from (one for one in self.types(status) if len(one.parts) in (pairs, 3))


@dataclass(frozen=True, slots=True)
class DocumentedResults:
    """The results of an operation, errors included; `alone` is the one that a body without a status is sent as."""

    all: tuple[DocumentedResult, ...]
    alone: DocumentedResult | None

    def of(self, status: int) -> DocumentedResult | None:
        """Return the result that documents a status."""
        return documenting({one.key: one for one in self.all}, str(status))

    @property
    def written(self) -> Type:
        """The annotation of a new handler. It has no errors, which handlers raise; Any if there is nothing else."""
        types = [] if self.alone is None else [*self.alone.types_alone()]
        others = [one for one in self.all if is_final(one.key) and one is not self.alone]
        for same, group in groupby(others, lambda one: replace(one, key="" if one.key.isdecimal() else "X")):
            types += same.types(INT if same.key else literals(int(one.key) for one in group))
        return union(types)


def is_final(key: str) -> bool:
    """Return True for a key of `responses` that documents a success or a redirection."""
    return key[0] in "23"


def success_key(operation: Operation) -> str | None:
    """Return the key that documents a body alone, which is sent with the lowest documented 2xx, else with 200."""
    exact = sorted(key for key in operation.responses if key.startswith("2") and key.isdecimal())
    return next((key for key in [*exact, "2XX", "default"] if key in operation.responses), None)


def documented_results(
    operation: Operation, contract: Contract, names: Mapping[str, str], headers: HeaderClasses
) -> DocumentedResults:
    """Return the results that an operation documents; `names` are the classes of `components/schemas`."""
    found = {
        key: DocumentedResult(
            key,
            tuple(documented_bodies(response, contract, names)),
            Type(own, kind="generated") if (own := headers.get((operation.id, key))) else None,
            any(header.required for header in response.headers),
        )
        for key, response in operation.responses.items()
    }
    ordered = sorted(found.values(), key=lambda one: (one.key == "default", one.key))
    return DocumentedResults(tuple(ordered), found.get(success_key(operation) or ""))


def documented_bodies(
    documented: Response | RequestBody, contract: Contract, names: Mapping[str, str]
) -> Iterator[DocumentedBody]:
    """Yield the bodies of a response, or of a request: there, files are uploads, unless a class has that name."""
    has_uploads = isinstance(documented, RequestBody) and UPLOAD.name not in names.values()
    if not documented.content and isinstance(documented, Response):
        yield DocumentedBody(NONE)
    for media_type, schema in documented.items.items():
        if _is_stream(documented, media_type):
            item = of_schema(schema, contract, names)
            yield DocumentedBody(Type(STREAM, (item,), "abc"), as_list=Type("list", (item,)))
    for media_type, schema in documented.content.items():
        raw, _ = contract.follow((*documented.pointer, "content", media_type))
        if encodings.has_parts(media_type, raw, contract):
            parts = _Parts(contract, names, UPLOAD if has_uploads else BYTES)
            yield DocumentedBody(parts.of_list(raw["schema"], raw))
        elif _is_stream(documented, media_type):
            continue  # above
        elif has_uploads and takes_upload(media_type):
            yield DocumentedBody(UPLOAD)
        else:
            yield from _bodies(media_type, schema, contract, names)


def _bodies(
    media_type: str, schema: Schema, contract: Contract, names: Mapping[str, str]
) -> Iterator[DocumentedBody]:
    """Yield the bodies of a media type; those of a range in every way that it covers."""
    kinds = [media.kind_of(media_type)]
    if media.is_range(media_type) and not media.is_json(media_type):
        covered = [kind for kind in media.KINDS if media.covers(media_type, kind)]
        kinds = [media.OCTETS] if is_binary(schema, contract) or not covered else covered
    for kind in kinds:
        if kind in (media.JSON, media.URLENCODED, media.MULTIPART):  # the server parses them into values
            body = of_schema(schema, contract, names)
            yield DocumentedBody(body.replaced(BYTES, STR))  # JSON has no bytes, whatever its schema says
        else:
            yield DocumentedBody(STR if kind == media.TEXT else BYTES, has_shape=False)


def _is_stream(documented: Response | RequestBody, media_type: str) -> bool:
    """Return True for a media type whose items are described, and are known how to separate."""
    return media_type in documented.items and media.kind_of_items(media_type) is not None


def read_by(kind: Type, *, is_async: bool) -> Type:
    """Return the type of an argument with the streams that a function can read: a plain one has no `async for`."""
    if is_async:
        return kind
    members = kind.parts if kind.name == "|" else (kind,)
    return union(Type("Iterator", one.parts, "abc") if one.name == STREAM else one for one in members)


def can_read(name: str, *, is_async: bool) -> bool:
    """Return True if a function can read the items of a stream with a type's name."""
    return name.startswith("Async") == is_async


class _Parts:
    """The types of lists of parts by position, whose files are `file`."""

    def __init__(self, contract: Contract, names: Mapping[str, str], file: Type) -> None:
        self._contract, self._names, self._file = contract, names, file

    def of_list(self, schema: Schema, owner: Mapping[str, Any]) -> Type:
        first, others = encodings.described_parts(owner, (), schema, self._contract)
        most = self._contract.resolve(schema).get("maxItems")
        types = [*map(self._part, first[:most])]
        if (most is None or most > len(first)) and others.schema.get("not") != {}:
            types.append(self._part(others))
        return Type("list", (union(types),))

    def _part(self, part: encodings.DescribedPart) -> Type:
        schema, encoding, _ = part
        listed = encodings.content_types(encoding)
        if encodings.is_nested(schema, encoding, self._contract):
            if encodings.is_by_position(listed[0], schema, self._contract):
                return self.of_list(schema, encoding)
        elif is_file(schema, self._contract, listed):
            return self._file
        return of_schema(schema, self._contract, self._names).replaced(BYTES, STR)
