"""The `render_error` of a contract: the documented errors as Python source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from relay.contract.model import Contract
from relay.server.error_shapes import ErrorShapes, documented_statuses
from relay.server.error_templates import PROBLEM, PROBLEM_TYPE, ErrorTemplate, Place, source
from relay.validation.schemas import SchemaCompiler

_OTHERS = (418, 422, 429, 502, 504)
"""Statuses that ranges and `default` document; the first stands for every status that is not listed."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The body of some statuses as Python source, without and with the details of a request's errors."""

    statuses: tuple[int, ...]
    plain: str
    detailed: str | None
    media_type: str

    @classmethod
    def of(cls, template: ErrorTemplate, statuses: Iterable[int] = ()) -> Self:
        """Write the branch of a template."""
        detailed = None if template.detailed is None else source(template.detailed)
        return cls(tuple(statuses), source(template.plain), detailed, template.media_type)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The bodies of errors by status; the last branch, without statuses, is for every other one."""

    branches: tuple[Branch, ...]

    @property
    def has_phrases(self) -> bool:
        """Whether a body has the phrase of its status."""
        return any("HTTPStatus(" in branch.plain for branch in self.branches)


def error_shapes(contract: Contract, statuses: Iterable[int] = ()) -> ErrorShapes:
    """Return the documented errors of a contract for every status that a `render_error` may get, and for more `statuses`."""
    return ErrorShapes(
        contract, SchemaCompiler(contract), sorted({*documented_statuses(contract), *_OTHERS, *statuses})
    )


def derive_envelope(contract: Contract) -> Envelope | None:
    """Return the envelope of a contract's errors; None if it documents none, or only problem details."""
    shapes = error_shapes(contract)
    problem = ErrorTemplate(PROBLEM, {**PROBLEM, "errors": Place.DETAILS}, PROBLEM_TYPE)
    usual = shapes.common(_OTHERS[0]) or problem
    by_template: dict[str, tuple[ErrorTemplate, list[int]]] = {}
    for status in shapes.statuses:
        template = shapes.common(status)
        if template is not None and template != usual:
            by_template.setdefault(repr(template), (template, []))[1].append(status)
    if not by_template and usual == problem:
        return None  # what Relay renders by itself
    branches = [Branch.of(template, statuses) for template, statuses in by_template.values()]
    return Envelope((*branches, Branch.of(usual)))
