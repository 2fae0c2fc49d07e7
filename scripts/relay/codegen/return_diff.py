"""Compare a handler's return annotation with the results that its operation documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.contract.model import Operation
from relay.project.syntax import code

from .annotated_results import AnnotatedResult, annotated_results
from .annotation_reader import Meaning
from .annotations import Type, union
from .differences import Difference
from .documented_results import DocumentedResult, DocumentedResults, is_final

if TYPE_CHECKING:
    import libcst as cst


def return_differences(
    name: str,
    annotation: cst.BaseExpression,
    operation: Operation,
    documented: DocumentedResults,
    meaning: Meaning,
) -> Iterator[Difference]:
    """Yield what an annotation has that the contract does not document; it need not have all that is documented.

    A part with a name that the generator does not write belongs to its author, except its status.
    """
    results = [*annotated_results(annotation, meaning)]
    compared = _Compared(documented, results)
    for result in results:
        if compared.is_undocumented(result):
            message = (
                f"{name}() is annotated to return the status {result.status}, which {operation} does not document: "
                "document it, or remove it here and in the function"
            )
            yield Difference("undocumented-status", message, result.node)
    wrong = [result for result in results if compared.is_wrong(result)]
    if wrong:
        message = (
            f"{name}() is annotated to return {code(annotation)}; {operation} documents "
            f"{documented.written.written({})}"
        )
        yield Difference("return-annotation", message, wrong[0].node, type=compared.corrected(wrong))


@dataclass(frozen=True, slots=True)
class _Compared:
    documented: DocumentedResults
    results: list[AnnotatedResult]

    def is_undocumented(self, result: AnnotatedResult) -> bool:
        return result.status is not None and self.documented.of(result.status) is None

    def is_wrong(self, result: AnnotatedResult) -> bool:
        """Whether a result, or all results of its responses together, are not what is documented."""
        if self.is_undocumented(result) or not self._is_compared(result):
            return False
        matching = self._matching(result)
        return not matching or not self._is_whole(result, matching)

    def _is_compared(self, result: AnnotatedResult) -> bool:
        """Whether the contract says anything on a result: where it documents only errors, it does so on statuses."""
        has_others = self.documented.alone is not None or any(
            is_final(one.key) for one in self.documented.all
        )
        return result.status is not None or ((result.is_tuple or result.body is not None) and has_others)

    def _matching(self, result: AnnotatedResult) -> list[DocumentedResult]:
        return [one for one in self._candidates(result) if _matches(one, result)]

    def _candidates(self, result: AnnotatedResult) -> list[DocumentedResult]:
        """Return the documented results that a result may be one of."""
        if result.status is not None:
            found = [self.documented.of(result.status)]
        else:
            found = [*self.documented.all] if result.has_status else [self.documented.alone]
        return [one for one in found if one is not None]

    def _is_whole(self, result: AnnotatedResult, matching: list[DocumentedResult]) -> bool:
        """Whether the results without a status, together, have each alternative of a documented body."""
        if result.status is not None:
            return True
        same = [one for one in self.results if one.status is None and self._matching(one) == matching]
        bodies = [one.body for one in same if one.body is not None]
        return len(bodies) < len(same) or any(one.is_met_by(union(bodies)) for one in matching)

    def corrected(self, wrong: list[AnnotatedResult]) -> Type | None:
        """Return the annotation with documented results in place of the wrong ones; None if it has names of others."""
        types: list[Type] = []
        for result in self.results:
            if result.type is None:
                return None
            types += self._replaced(result) if result in wrong else [result.type]
        return union(types)

    def _replaced(self, result: AnnotatedResult) -> list[Type]:
        alone = self.documented.alone
        if result.status is not None:
            (one,) = self._candidates(result)
            assert result.type is not None  # else nothing is corrected
            return [*one.types(result.type.parts[1])]
        if alone is None:
            return [self.documented.written]
        if result.has_status and result.type is not None and _has_right_headers(alone, result):
            return [Type("tuple", (alone.body, *result.type.parts[1:]))]
        return [*alone.types_alone()]


def _matches(documented: DocumentedResult, result: AnnotatedResult) -> bool:
    has_body = result.body is None or documented.covers(result.body)
    return has_body and _has_right_headers(documented, result)


def _has_right_headers(documented: DocumentedResult, result: AnnotatedResult) -> bool:
    """Whether a result has headers if they are required, and no class that was generated for others."""
    is_class = result.headers is not None and result.headers.kind == "generated"
    return (
        result.headers == documented.headers
        if is_class
        else result.has_headers or not documented.needs_headers
    )
