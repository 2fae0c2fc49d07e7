"""What a handler may return, as its operation's contract documents it: a type for each status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from relay.contract.model import Contract, Operation, Response, Schema
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_binary

from .annotations import BYTES, INT, MAPPING, NONE, STR, Type, literals, of_schema, union
from .item_types import is_stream, streams
from .part_types import parts_type

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
        """What a handler may return for it."""
        if self.as_list is not None:
            return union([self.type, self.as_list])
        return self.type if self.has_shape else union([STR, BYTES])

    def is_met_by(self, body: Type) -> bool:
        """Whether a type has each member of it, or a less specific form of it."""
        documented = [self.type, *filter(None, [self.as_list])]
        return not self.has_shape or any(_is_met(one, body) for one in documented)


def _is_met(documented: Type, body: Type) -> bool:
    return all(
        any(own.is_like(part) or part.loosens(own) for part in body.members) for own in documented.members
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
        """Whether each member of a type is one of its bodies, or a less specific form of one."""
        accepted = union(one.accepted for one in self.bodies)
        return accepted.covers(body) or all(
            any(own.is_like(one) or one.loosens(own) for own in accepted.members) for one in body.members
        )

    def is_met_by(self, body: Type) -> bool:
        """Whether a type has each member of at least one of its bodies, or a less specific form of it."""
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
        pairs = 0 if self.key.isdecimal() else 2
        yield from (one for one in self.types(self.status) if len(one.parts) in (pairs, 3))

    @property
    def status(self) -> Type:
        """The type of its status: the status itself, else an integer."""
        return literals([int(self.key)]) if self.key.isdecimal() else INT


@dataclass(frozen=True, slots=True)
class DocumentedResults:
    """The results of an operation, errors included; `alone` is the one that a body without a status is sent as."""

    all: tuple[DocumentedResult, ...]
    alone: DocumentedResult | None

    def of(self, status: int) -> DocumentedResult | None:
        """Return the result that documents a status."""
        by_key = {one.key: one for one in self.all}
        return by_key.get(str(status)) or by_key.get(f"{status // 100}XX") or by_key.get("default")

    @property
    def written(self) -> Type:
        """The annotation of a new handler. It has no errors, which handlers raise; Any if there is nothing else."""
        return union(self._written())

    def _written(self) -> Iterator[Type]:
        if self.alone is not None:
            yield from self.alone.types_alone()
        others = [one for one in self.all if is_final(one.key) and one is not self.alone]
        for same, group in groupby(others, lambda one: replace(one, key="" if one.key.isdecimal() else "X")):
            keys = [one.key for one in group]
            yield from same.types(INT if same.key else literals(map(int, keys)))


def is_final(key: str) -> bool:
    """Whether a key of `responses` documents a success or a redirection."""
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
            tuple(_bodies(response, contract, names)),
            Type(own, kind="generated") if (own := headers.get((operation.id, key))) else None,
            any(header.required for header in response.headers),
        )
        for key, response in operation.responses.items()
    }
    ordered = sorted(found.values(), key=lambda one: (one.key == "default", one.key))
    return DocumentedResults(tuple(ordered), found.get(success_key(operation) or ""))


def _bodies(response: Response, contract: Contract, names: Mapping[str, str]) -> Iterator[DocumentedBody]:
    if not response.content:
        yield DocumentedBody(NONE)
    yield from (DocumentedBody(*one) for one in _streams(response, contract, names))
    for media_type, schema in response.content.items():
        if (parts := parts_type(response, media_type, contract, names)) is not None:
            yield DocumentedBody(parts)
        elif not is_stream(response, media_type):
            yield from bodies(media_type, schema, contract, names)


def _streams(
    response: Response, contract: Contract, names: Mapping[str, str]
) -> Iterator[tuple[Type, bool, Type]]:
    yield from ((stream, True, whole) for stream, whole in streams(response, contract, names))


def bodies(
    media_type: str, schema: Schema, contract: Contract, names: Mapping[str, str]
) -> Iterator[DocumentedBody]:
    """Yield the bodies of a media type; those of a range in every way that it covers."""
    for kind in _kinds(media_type, schema, contract):
        if kind in _PARSED:
            body = of_schema(schema, contract, names)
            yield DocumentedBody(body.replaced(BYTES, STR))  # JSON has no bytes, whatever its schema says
        else:
            yield DocumentedBody(STR if kind == media.TEXT else BYTES, has_shape=False)


_PARSED = (media.JSON, media.URLENCODED, media.MULTIPART)
"""The media types that the server parses into the values of their schema."""


def _kinds(media_type: str, schema: Schema, contract: Contract) -> list[str]:
    """Return how bodies of a media type are read."""
    if media.is_json(media_type) or not media.is_range(media_type):
        return [media.kind_of(media_type)]
    covered = [kind for kind in media.KINDS if media.covers(media_type, kind)]
    return [media.OCTETS] if is_binary(schema, contract) or not covered else covered
