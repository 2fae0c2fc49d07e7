"""Compare a handler's return annotation with the results that its operation documents.

An annotation says which bodies, or tuples of a body with a status, headers or both, are returned; each is compared on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relay.contract.model import Operation
from relay.project.syntax import code

from .annotation_reader import Meaning, alternatives, known
from .annotations import Type, union
from .documented_results import DocumentedResult, DocumentedResults, is_final
from .expected_signature import Difference

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, slots=True)
class _Annotated:
    """One result of an annotation.

    `node` is its part of the annotation. `type` is None if it has names that the generator does not write,
    `body` and `headers` likewise. With `has_status`, a `status` of None may be any.
    """

    node: cst.BaseExpression
    type: Type | None
    body: Type | None
    is_tuple: bool = False
    has_status: bool = False
    status: int | None = None
    has_headers: bool = False
    headers: Type | None = None


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
    results = [*_annotated(annotation, meaning)]
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
        wanted = documented.written.written({})
        message = f"{name}() is annotated to return {code(annotation)}; {operation} documents {wanted}"
        yield Difference("return-annotation", message, wrong[0].node, type=compared.corrected(wrong))


@dataclass(frozen=True, slots=True)
class _Compared:
    documented: DocumentedResults
    results: list[_Annotated]

    def is_undocumented(self, result: _Annotated) -> bool:
        return result.status is not None and self.documented.of(result.status) is None

    def is_wrong(self, result: _Annotated) -> bool:
        """Return True if a result, or all results of its responses together, are not what is documented."""
        if self.is_undocumented(result) or not self._is_compared(result):
            return False
        matching = self._matching(result)
        return not matching or not self._is_whole(result, matching)

    def _is_compared(self, result: _Annotated) -> bool:
        """Return True if the contract says anything on a result: where it documents only errors, it does so on statuses."""
        has_others = self.documented.alone is not None or any(
            is_final(one.key) for one in self.documented.all
        )
        return result.status is not None or ((result.is_tuple or result.body is not None) and has_others)

    def _matching(self, result: _Annotated) -> list[DocumentedResult]:
        return [
            one
            for one in self._candidates(result)
            if (result.body is None or one.covers(result.body)) and _has_right_headers(one, result)
        ]

    def _candidates(self, result: _Annotated) -> list[DocumentedResult]:
        if result.status is not None:
            found = [self.documented.of(result.status)]
        else:
            found = [*self.documented.all] if result.has_status else [self.documented.alone]
        return [one for one in found if one is not None]

    def _is_whole(self, result: _Annotated, matching: list[DocumentedResult]) -> bool:
        """Return True if the results without a status, together, have each alternative of a documented body."""
        if result.status is not None:
            return True
        same = [one for one in self.results if one.status is None and self._matching(one) == matching]
        bodies = [one.body for one in same if one.body is not None]
        return len(bodies) < len(same) or any(one.is_met_by(union(bodies)) for one in matching)

    def corrected(self, wrong: list[_Annotated]) -> Type | None:
        """Return the annotation with documented results in place of the wrong ones; None if it has names of others."""
        types: list[Type] = []
        for result in self.results:
            if result.type is None:
                return None
            types += self._replaced(result, result.type) if result in wrong else [result.type]
        return union(types)

    def _replaced(self, result: _Annotated, written: Type) -> Iterator[Type]:
        alone = self.documented.alone
        if result.status is not None:
            (one,) = self._candidates(result)
            yield from one.types(written.parts[1])
        elif alone is None:
            yield self.documented.written
        elif result.has_status and _has_right_headers(alone, result):
            yield Type("tuple", (alone.body, *written.parts[1:]))
        else:
            yield from alone.types_alone()


def _has_right_headers(documented: DocumentedResult, result: _Annotated) -> bool:
    """Return True for a result with headers if they are required, and with no class that was generated for others."""
    if result.headers is not None and result.headers.kind == "generated":
        return result.headers == documented.headers
    return result.has_headers or not documented.needs_headers


def _annotated(annotation: cst.BaseExpression, meaning: Meaning) -> Iterator[_Annotated]:
    """Yield the results of an annotation; a tuple with several statuses is one result for each."""
    for node, found in alternatives(annotation, meaning):
        if (found.name, found.kind) == ("tuple", "builtin") and found.parts:
            yield from _tuples(node, found)
        else:
            yield _Annotated(node, known(found), known(found))


def _tuples(node: cst.BaseExpression, whole: Type) -> Iterator[_Annotated]:
    body, *rest = whole.parts
    one = _Annotated(node, known(whole), known(body), is_tuple=True, has_status=True)
    match rest:
        case [kind] if kind.name == "dict" or kind.kind in ("generated", "foreign"):
            yield replace(one, has_status=kind.kind == "foreign", has_headers=True, headers=known(kind))
            return
        case [_, headers]:
            one = replace(one, has_headers=True, headers=known(headers))
    statuses = _statuses(rest[0]) if rest else {}
    for status, kind in statuses.items():
        yield replace(one, status=status, type=known(Type("tuple", (body, kind, *rest[1:]))))
    if not statuses:
        yield one


def _statuses(kind: Type) -> dict[int, Type]:
    """Return the statuses of a `Literal`, each with its type; none for any other type."""
    names = [one.parts[0].name if one.name == "Literal" else "" for one in kind.members]
    are_statuses = all(name.isdecimal() for name in names)
    return {int(name): one for name, one in zip(names, kind.members, strict=True)} if are_statuses else {}
