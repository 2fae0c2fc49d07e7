"""The bodies of errors that a contract documents, by operation and status, and the commonest for what it does not document.

They are prepared at start: a request only fills in a template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.json_text import json_bytes
from relay.contract.model import Contract, Operation, Response
from relay.mock.samples import Sampler
from relay.validation.schemas import SchemaCompiler

from .documented_error import OWN_STATUSES, DocumentedError
from .error_templates import ErrorTemplate, has_sentence
from .errors import ErrorReport, problem_details

MAX_COMPARED = 8  # templates that are compared with every documented error


def documented_statuses(contract: Contract) -> list[int]:
    """Return the statuses of Relay's own errors, and those of the errors that a contract documents."""
    keys = {key for operation in contract.operations for key in operation.responses if key.isdecimal()}
    return sorted({*OWN_STATUSES, *(status for status in map(int, keys) if 400 <= status <= 599)})


class ErrorShapes:
    """The documented errors of a contract that a body can be made of, for some statuses."""

    def __init__(
        self, contract: Contract, compiler: SchemaCompiler, statuses: Sequence[int] = OWN_STATUSES
    ) -> None:
        self.statuses = statuses
        self._contract = contract
        self._compiler = compiler
        self._sampler = Sampler(contract, compiler)
        self._contents: dict[bytes, DocumentedError] = {}
        self._by_pointer: dict[Pointer, DocumentedError] = {}
        self._found: dict[int, dict[str, DocumentedError]] = {status: {} for status in statuses}
        self._verdicts: dict[tuple[bytes, str, int], bool] = {}
        for operation in contract.operations:
            for status in statuses:
                if (response := operation.response(status)) is not None and response.content:
                    self._add(operation, status, response)
        self._counted = {status: Counter(self._found[status].values()) for status in statuses}
        self.usual: ErrorTemplate | None = None
        usual = self._commonest(statuses)
        self.usual = usual if usual is not None and has_sentence(usual.plain) else None
        """The template with a sentence that the most documented errors accept; None if there is none."""
        self._by_status = {status: self._commonest([status]) for status in statuses}

    def of(self, operation: str | None, status: int) -> ErrorTemplate | None:
        """Return the template for an operation's id and a status: the documented one, else the commonest."""
        found = self._found.get(status, {}).get(operation or "")
        return found.template(status) if found else self.common(status)

    def common(self, status: int) -> ErrorTemplate | None:
        """Return the template that the most operations accept for a status, else the usual one."""
        return self._by_status.get(status) or self.usual

    def documents(self, operation: str, status: int) -> bool:
        """Return True if an operation documents a status in a form that can be written."""
        return operation in self._found.get(status, {})

    def render(self, report: ErrorReport, operation: str | None) -> tuple[Any, str]:
        """Return body and media type of an error of an operation; problem details if nothing is documented."""
        template = self.of(operation, report.status)
        return problem_details(report) if template is None else (template.body(report), template.media_type)

    def others(self, status: int) -> list[str]:
        """Return the ids of the operations that document another body for a status than the commonest."""
        common = self.common(status)
        return [
            name
            for name, content in self._found[status].items()
            if common is None or not self._accepts(content, common, status)
        ]

    def _add(self, operation: Operation, status: int, response: Response) -> None:
        content = self._by_pointer.get(response.pointer)
        if content is None:
            content = self._by_pointer[response.pointer] = self._content(response)
        is_new = not content.is_tried
        if content.template(status) is not None:
            self._found[status][operation.id] = content
        elif is_new and content.has_json and status in OWN_STATUSES:
            message = (
                f"no error can be written as {operation} documents it for {status}, its body is another one; "
                "give it an example"
            )
            warning = self._contract.warning(content.pointer, message, "error-shape")
            self._compiler.problems.append(warning)

    def _content(self, response: Response) -> DocumentedError:
        """Return the content of a response; equal ones are one object."""
        raw, pointer = self._contract.follow((*response.pointer, "content"))
        key = json_bytes(raw)
        if key not in self._contents:
            self._contents[key] = DocumentedError(raw, pointer, self._compiler, self._sampler)
        return self._contents[key]

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
        return max(
            candidates, key=lambda one: (has_sentence(one.plain), self._covered(one, statuses)), default=None
        )

    def _covered(self, template: ErrorTemplate, statuses: Iterable[int]) -> int:
        """Count the documented errors that accept a template."""
        return sum(
            count
            for status in statuses
            for content, count in self._counted[status].items()
            if self._accepts(content, template, status)
        )

    def _accepts(self, content: DocumentedError, template: ErrorTemplate, status: int) -> bool:
        key = content.schemas, repr(template), status
        if key not in self._verdicts:
            self._verdicts[key] = content.accepts(template, status)
        return self._verdicts[key]
