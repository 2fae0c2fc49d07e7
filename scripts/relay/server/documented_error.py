"""One documented error: the template of its body, and whether the body of another template is documented too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from itertools import chain
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.json_text import json_bytes
from relay.mock.examples import examples
from relay.mock.files import RANGES
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation import media_types as media
from relay.validation.errors import ApiError, InvalidRequest, UnsupportedMediaType
from relay.validation.schemas import SchemaCompiler
from relay.validation.validators import Validator

from . import errors
from .error_items import with_items
from .error_places import details_lists, with_places, without_unknown
from .error_properties import alternatives, with_known
from .error_templates import (
    PROBLEM,
    PROBLEM_TYPE,
    ErrorTemplate,
    Place,
    Template,
    filled,
    has_place,
    replaced,
    with_sentence,
)
from .errors import ErrorReport

_KINDS: tuple[type[ApiError], ...] = (
    InvalidRequest,
    errors.MalformedPath,
    errors.AmbiguousHost,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.NotFound,
    errors.MethodNotAllowed,
    errors.BodyTooSlow,
    errors.BodyTooLarge,
    UnsupportedMediaType,
    errors.HeadersTooLarge,
    ApiError,
    errors.OperationNotImplemented,
    errors.HandlerTimeout,
    errors.Overloaded,
)
OWN_STATUSES = tuple(sorted({kind.status for kind in _KINDS}))
"""The statuses of errors that Relay itself responds with."""

SAMPLE_DETAILS = ({"in": "query", "path": "/limit", "rule": "maximum", "message": "the value is too large"},)
"""The details of a made-up report."""


def reports(status: int, *, is_detailed: bool = False) -> list[ErrorReport]:
    """Return Relay's errors of a status, with or without details; a made-up one for a status of handlers only."""
    details = SAMPLE_DETAILS if is_detailed else ()
    known = [ErrorReport(status, one.code, one.message, details) for one in _KINDS if one.status == status]
    if known:
        return known
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    return [ErrorReport(status, phrase.upper().replace(" ", "_"), "What is wrong", details)]


class DocumentedError:
    """The `content` of a documented response, at `pointer`."""

    def __init__(
        self, content: Mapping[str, Any], pointer: Pointer, compiler: SchemaCompiler, sampler: Sampler
    ) -> None:
        self.content = content
        self.pointer = pointer
        self.schemas = json_bytes({name: one.get("schema", {}) for name, one in content.items()})
        """What decides whether a body is documented."""
        self._compiler = compiler
        self._sampler = sampler
        self._templates: dict[int, ErrorTemplate | None] = {}
        self._validators: dict[str, Validator | None] = {}

    @property
    def has_json(self) -> bool:
        """Whether it documents JSON, which a body can be made of."""
        return any(media.is_json(_concrete(name)) for name in self.content)

    @property
    def is_tried(self) -> bool:
        """Whether a template was looked for already."""
        return bool(self._templates)

    def template(self, status: int) -> ErrorTemplate | None:
        """Return the template for a status; None if no valid body is found."""
        if status not in self._templates:
            known = (one for one in self._templates.values() if one is not None)
            made = next((one for one in known if self.accepts(one, status)), None)
            self._templates[status] = made or self._made(status)
        return self._templates[status]

    def accepts(self, template: ErrorTemplate, status: int) -> bool:
        """Return True if what the template makes of each error of a status is documented."""
        validator = self._validator(template.media_type)
        both = [*reports(status), *reports(status, is_detailed=True)]
        return all(_is_valid(validator, template.body(one)) for one in both)

    def _validator(self, media_type: str) -> Validator | None:
        """Return the validator of a media type; None if it is not documented."""
        if media_type not in self._validators:
            by_name = media.by_name({name: (name, one) for name, one in self.content.items()})
            found = media.find(media_type, by_name)
            self._validators[media_type] = found and self._compiler.compile(
                found[1].get("schema", {}), "response", (*self.pointer, found[0], "schema")
            )
        return self._validators[media_type]

    def _made(self, status: int) -> ErrorTemplate | None:
        for name in sorted(self.content, key=lambda name: (not media.is_json(name), "*" not in name)):
            media_type = _concrete(name)
            if media.is_json(media_type):
                made = self._json(name, media_type, status)
            elif media_type == "text/plain":
                made = ErrorTemplate(Place.SENTENCE, None, "text/plain; charset=utf-8")
            else:
                continue
            if made is not None and self.accepts(made, status):
                return made
        return None

    def _json(self, name: str, media_type: str, status: int) -> ErrorTemplate | None:
        """Return the first template with a place, else problem details if they are valid, else a constant body."""
        problem = ErrorTemplate(PROBLEM, {**PROBLEM, "errors": Place.DETAILS}, media_type)
        fits = self.accepts(problem, status)
        if fits and media_type == PROBLEM_TYPE:
            return problem
        constant = None
        for body in self._bodies(name, media_type):
            made = self._filled(body, name, media_type, status)
            if has_place(made.plain):
                return made
            constant = constant or made
        return problem if fits else constant

    def _bodies(self, name: str, media_type: str) -> Iterator[Any]:
        """Yield valid bodies: the examples, then a body made from the schema."""
        pointer = (*self.pointer, name)
        media_object = self.content[name]
        for _, value, _ in examples(self._sampler.contract, media_object, pointer):
            if _is_valid(self._validator(media_type), value):
                yield value
        if schema := media_object.get("schema"):  # any text is a sample of an empty one
            with suppress(NoSample):
                yield self._sampler.sample(schema, (*pointer, "schema"))

    def _filled(self, body: Any, name: str, media_type: str, status: int) -> ErrorTemplate:
        validator = self._validator(media_type)

        def is_plain(template: Template) -> bool:
            return all(_is_valid(validator, filled(template, one)) for one in reports(status))

        def is_detailed(template: Template) -> bool:
            return all(
                _is_valid(validator, filled(template, one)) for one in reports(status, is_detailed=True)
            )

        schema = (*self.pointer, name, "schema") if "schema" in self.content[name] else None
        bodies = [body]
        if schema is not None:
            bodies = [with_known(body, schema, self._sampler, is_plain)]
            bodies += alternatives(bodies[0], schema, self._sampler)
        marked = [with_places(one, is_plain) for one in bodies]
        items = (with_places(one, is_detailed) for each in bodies for one in with_items(each, is_detailed))
        lists = (replaced(one, path, Place.DETAILS) for one in marked for path in details_lists(one))
        detailed = next((one for one in chain(items, lists) if is_detailed(one)), None)
        plain = without_unknown(marked[0], is_plain)
        if detailed is not None:
            return ErrorTemplate(plain, without_unknown(detailed, is_detailed), media_type)
        explained = with_sentence(plain)
        return ErrorTemplate(explained if is_detailed(explained) else plain, None, media_type)


def _concrete(name: str) -> str:
    """Return the media type that is sent for a documented one or a range."""
    essence = media.essence(name)
    return RANGES.get(essence, essence)


def _is_valid(validator: Validator | None, body: Any) -> bool:
    try:
        return validator is not None and validator.accepts(body)
    except ValueError:
        return False
