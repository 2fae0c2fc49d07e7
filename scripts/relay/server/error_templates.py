"""The body of an error as a template: JSON with places for the status, the code and the sentence of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, TypeAlias

from .errors import ErrorReport

Template: TypeAlias = Any
"""A JSON value, some of whose leaves are `Place`s."""

Path: TypeAlias = tuple[str | int, ...]


class Place(Enum):
    """A part of a report, or of one of its details, as the Python source of its value."""

    STATUS = "report.status"
    STATUS_TEXT = "str(report.status)"
    PHRASE = "HTTPStatus(report.status).phrase"
    CODE = "report.code"
    MESSAGE = "report.message"
    SENTENCE = "report.sentence"
    DETAILS = "[*map(dict, report.details)]"

    IN = 'detail["in"]'
    POINTER = 'detail["path"]'
    FIELD = 'detail["path"][1:]'
    LOCATION = '[detail["in"], *detail["path"].split("/")[1:]]'
    RULE = 'detail["rule"]'
    REASON = 'detail["message"]'


_READ: dict[Place, Callable[[ErrorReport, Mapping[str, str] | None], Any]] = {
    place: eval(f"lambda report, detail: {place.value}", {"HTTPStatus": HTTPStatus})  # noqa: S307 -- our own source
    for place in Place
}

PROBLEM: Template = {
    "type": "about:blank",
    "title": Place.PHRASE,
    "status": Place.STATUS,
    "detail": Place.MESSAGE,
    "code": Place.CODE,
}
"""Problem details (RFC 9457), which `problem_details` renders."""
PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ErrorTemplate:
    """The body of errors of one media type; `detailed` is for reports with details, None if there is no place for them."""

    plain: Template
    detailed: Template | None
    media_type: str

    def body(self, report: ErrorReport) -> Any:
        """Return the body for a report."""
        return filled(self.detailed if report.details and self.detailed is not None else self.plain, report)

    @property
    def has_sentence(self) -> bool:
        """True if the message of a report is in the body."""
        return any(one in (Place.MESSAGE, Place.SENTENCE) for one in _leaves(self.plain))


def filled(template: Template, report: ErrorReport, detail: Mapping[str, str] | None = None) -> Any:
    """Return a template with the values of a report, and of one of its details."""
    match template:
        case Place():
            return _READ[template](report, detail)
        case dict():
            return {name: filled(value, report, detail) for name, value in template.items()}
        case list() if _is_for_each(template):
            return [filled(template[0], report, one) for one in report.details]
        case list():
            return [filled(value, report, detail) for value in template]
    return template


def source(template: Template) -> str:
    """Return a template as Python source of a function with the argument `report`."""
    match template:
        case Place():
            return template.value
        case dict():
            return "{" + ", ".join(f"{name!r}: {source(value)}" for name, value in template.items()) + "}"
        case list():
            each = " for detail in report.details" if _is_for_each(template) else ""
            return f"[{', '.join(map(source, template))}{each}]"
    return repr(template)


def _is_for_each(template: list[Template]) -> bool:
    """Return True for a list that has an item for each detail: its only item is the template of all."""
    return any(isinstance(one, Place) and "detail[" in one.value for one in _leaves(template))


def _leaves(template: Template) -> Iterator[Any]:
    if isinstance(template, dict | list):
        for value in template.values() if isinstance(template, dict) else template:
            yield from _leaves(value)
    else:
        yield template


def has_place(template: Template) -> bool:
    """Return True if some part of a report is in the template."""
    return any(isinstance(one, Place) for one in _leaves(template))


def with_sentence(template: Template) -> Template:
    """Return a template whose message includes the first detail, as it has no place for all."""
    if isinstance(template, dict):
        return {name: with_sentence(value) for name, value in template.items()}
    if isinstance(template, list):
        return [with_sentence(value) for value in template]
    return Place.SENTENCE if template is Place.MESSAGE else template


def replaced(body: Any, path: Path, value: Any) -> Any:
    """Return a copy of a body with another value at a path; a property that is not there is added."""
    if not path:
        return value
    first, *rest = path
    if isinstance(body, list):
        return [replaced(one, tuple(rest), value) if at == first else one for at, one in enumerate(body)]
    return {**body, first: replaced(body.get(first), tuple(rest), value)}


def removed(body: Any, path: Path) -> Any:
    """Return a copy of a body without the property at a path."""
    *owner, name = path
    holder = body
    for key in owner:
        holder = holder[key]
    return replaced(body, tuple(owner), {key: value for key, value in holder.items() if key != name})
