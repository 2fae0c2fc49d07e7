"""The bodies of errors that a contract documents, and the commonest for what it does not.

It is one module because the commonest template is the one that most of the documented errors accept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.json_text import json_bytes
from relay.contract.model import Contract, Operation, Response
from relay.mock.files import RANGES
from relay.mock.judging import examples
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation import media_types as media
from relay.validation.errors import ApiError, InvalidRequest, UnsupportedMediaType
from relay.validation.schemas import SchemaCompiler
from relay.validation.validators import Validator

from . import error_templates as templates
from . import errors
from .error_places import alternatives, details_lists, with_items, with_known, with_places, without_unknown
from .error_templates import PROBLEM, PROBLEM_TYPE, ErrorTemplate, Place, Template
from .errors import SAMPLE_DETAILS, ErrorReport, problem_details

MAX_COMPARED = 8  # templates that are compared with every documented error

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


def reports(status: int, *, is_detailed: bool = False) -> list[ErrorReport]:
    """Return Relay's errors of a status, with or without details; a made-up one for a status of handlers only."""
    details = SAMPLE_DETAILS if is_detailed else ()
    known = [ErrorReport(status, one.code, one.message, details) for one in _KINDS if one.status == status]
    if known:
        return known
    code = errors.phrase(status).upper().replace(" ", "_")
    return [ErrorReport(status, code, "What is wrong", details)]


def documented_statuses(contract: Contract) -> list[int]:
    """Return the statuses of Relay's own errors, and those of the errors that a contract documents."""
    keys = {key for operation in contract.operations for key in operation.responses if key.isdecimal()}
    return sorted({*OWN_STATUSES, *(status for status in map(int, keys) if 400 <= status <= 599)})


class _DocumentedError:
    """The `content` of a documented response, at `pointer`."""

    def __init__(
        self, content: Mapping[str, Any], pointer: Pointer, compiler: SchemaCompiler, sampler: Sampler
    ) -> None:
        self.pointer = pointer
        self.schemas = json_bytes({name: one.get("schema", {}) for name, one in content.items()})
        """The properties of a body that decide if it is documented."""
        self.has_json = any(media.is_json(_concrete(name)) for name in content)
        self.templates: dict[int, ErrorTemplate | None] = {}
        """The templates of the statuses that were asked for; None if no valid body is found."""
        self._content = content
        self._compiler = compiler
        self._sampler = sampler
        self._validators: dict[str, Validator | None] = {}

    def template(self, status: int) -> ErrorTemplate | None:
        """Return the template for a status; None if no valid body is found."""
        if status not in self.templates:
            known = (one for one in self.templates.values() if one is not None and self.accepts(one, status))
            self.templates[status] = next(known, None) or self._made(status)
        return self.templates[status]

    def accepts(self, template: ErrorTemplate, status: int) -> bool:
        """Return True if what the template makes of each error of a status is documented."""
        is_valid = self._is_valid(template.media_type)
        both = [*reports(status), *reports(status, is_detailed=True)]
        return all(is_valid(template.body(one)) for one in both)

    def _is_valid(self, media_type: str) -> Callable[[Any], bool]:
        """Return what validates a body of a media type; False for all if that is not documented."""
        if media_type not in self._validators:
            by_name = media.by_name({name: (name, one) for name, one in self._content.items()})
            found = media.find(media_type, by_name)
            self._validators[media_type] = found and self._compiler.compile(
                found[1].get("schema", {}), "response", (*self.pointer, found[0], "schema")
            )
        validator = self._validators[media_type]

        def is_valid(body: Any) -> bool:
            with suppress(ValueError):
                return validator is not None and validator.accepts(body)
            return False

        return is_valid

    def _made(self, status: int) -> ErrorTemplate | None:
        for name in sorted(self._content, key=lambda name: (not media.is_json(name), "*" not in name)):
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
            if templates.has_place(made.plain):
                return made
            constant = constant or made
        return problem if fits else constant

    def _bodies(self, name: str, media_type: str) -> Iterator[Any]:
        pointer, media_object = (*self.pointer, name), self._content[name]
        values = (value for _, value, _ in examples(self._sampler.contract, media_object, pointer))
        yield from filter(self._is_valid(media_type), values)
        if schema := media_object.get("schema"):  # any text is a sample of an empty one
            with suppress(NoSample):
                yield self._sampler.sample(schema, (*pointer, "schema"))

    def _filled(self, body: Any, name: str, media_type: str, status: int) -> ErrorTemplate:
        is_valid = self._is_valid(media_type)

        def fits(reports: list[ErrorReport], template: Template) -> bool:
            return all(is_valid(templates.filled(template, one)) for one in reports)

        is_plain = partial(fits, reports(status))
        is_detailed = partial(fits, reports(status, is_detailed=True))

        bodies = [body]
        if "schema" in self._content[name]:
            schema = (*self.pointer, name, "schema")
            bodies = [with_known(body, schema, self._sampler, is_plain)]
            bodies += alternatives(bodies[0], schema, self._sampler)
        marked = [with_places(one, is_plain) for one in bodies]
        items = (with_places(one, is_detailed) for each in bodies for one in with_items(each, is_detailed))
        lists = (
            templates.replaced(one, path, Place.DETAILS) for one in marked for path in details_lists(one)
        )
        detailed = next(filter(is_detailed, chain(items, lists)), None)
        plain = without_unknown(marked[0], is_plain)
        if detailed is not None:
            return ErrorTemplate(plain, without_unknown(detailed, is_detailed), media_type)
        explained = templates.with_sentence(plain)
        return ErrorTemplate(explained if is_detailed(explained) else plain, None, media_type)


def _concrete(name: str) -> str:
    return RANGES.get(essence := media.essence(name), essence)


class ErrorShapes:
    """The documented errors of a contract that a body can be made of, for some statuses."""

    def __init__(
        self, contract: Contract, compiler: SchemaCompiler, statuses: Sequence[int] = OWN_STATUSES
    ) -> None:
        self.statuses = statuses
        self._contract = contract
        self._compiler = compiler
        self._sampler = Sampler(compiler)
        # By the content's JSON, and by its pointer.
        self._contents: dict[bytes | Pointer, _DocumentedError] = {}
        self._found: dict[int, dict[str, _DocumentedError]] = {status: {} for status in statuses}
        self._verdicts: dict[tuple[bytes, str, int], bool] = {}
        for operation in contract.operations:
            for status in statuses:
                if (response := operation.response(status)) is not None and response.content:
                    self._add(operation, status, response)
        self._counted = {status: Counter(self._found[status].values()) for status in statuses}
        self.usual: ErrorTemplate | None = None
        usual = self._commonest(statuses)
        self.usual = usual if usual is not None and usual.has_sentence else None
        """The template with a sentence that the most documented errors accept; None if there is none."""
        self._by_status = {status: self._commonest([status]) for status in statuses}

    def of(self, operation: str | None, status: int) -> ErrorTemplate | None:
        """Return the template for an operation's id and a status: the documented one, else the commonest."""
        found = self._found.get(status, {}).get(operation or "")
        return found.template(status) if found else self.common(status)

    def common(self, status: int) -> ErrorTemplate | None:
        """Return the template that the most operations accept for a status, else the usual one."""
        return self._by_status.get(status) or self.usual

    def render(self, report: ErrorReport, operation: str | None) -> tuple[Any, str]:
        """Return body and media type of an error of an operation; problem details if nothing is documented."""
        template = self.of(operation, report.status)
        return problem_details(report) if template is None else (template.body(report), template.media_type)

    def _add(self, operation: Operation, status: int, response: Response) -> None:
        content = self._content(response)
        is_new = not content.templates
        if content.template(status) is not None:
            self._found[status][operation.id] = content
        elif is_new and content.has_json and status in OWN_STATUSES:
            message = (
                f"no error can be written as {operation} documents it for {status}, its body is another one; "
                "give it an example"
            )
            self._compiler.problems.append(self._contract.warning(content.pointer, message, "error-shape"))

    def _content(self, response: Response) -> _DocumentedError:
        """Return the content of a response; equal ones are one object."""
        if response.pointer not in self._contents:
            raw, pointer = self._contract.follow((*response.pointer, "content"))
            made = _DocumentedError(raw, pointer, self._compiler, self._sampler)
            self._contents[response.pointer] = self._contents.setdefault(json_bytes(raw), made)
        return self._contents[response.pointer]

    def _commonest(self, statuses: Iterable[int]) -> ErrorTemplate | None:
        """Return the template that is documented most often for some statuses, the usual one if it is as common."""
        counted: Counter[str] = Counter()
        by_text: dict[str, ErrorTemplate] = {}
        for status in statuses:
            for content, count in self._counted[status].items():
                if (template := content.template(status)) is not None:
                    by_text.setdefault(repr(template), template)
                    counted[repr(template)] += count
        candidates = [by_text[text] for text, _ in counted.most_common(MAX_COMPARED)]
        if candidates and self.usual is not None:
            candidates.insert(0, self.usual)
        return max(candidates, key=lambda one: (one.has_sentence, self._covered(one, statuses)), default=None)

    def _covered(self, template: ErrorTemplate, statuses: Iterable[int]) -> int:
        return sum(
            count
            for status in statuses
            for content, count in self._counted[status].items()
            if self._accepts(content, template, status)
        )

    def _accepts(self, content: _DocumentedError, template: ErrorTemplate, status: int) -> bool:
        key = content.schemas, repr(template), status
        if key not in self._verdicts:
            self._verdicts[key] = content.accepts(template, status)
        return self._verdicts[key]
