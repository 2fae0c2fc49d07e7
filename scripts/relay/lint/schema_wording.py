"""Checks for keywords of schemas that mean nothing where they are, or nothing in this version of OpenAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic
from relay.contract.dialects import dialect_of
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.pointers import Kind, PointerNotFound, kinds_of, lookup, parse_pointer
from relay.validation.plan import EXCLUSIVE

from .lint_rules import RULES, finding


class _Flaw(NamedTuple):
    """A rule, the keyword that breaks it, and what to write instead."""

    rule: str
    keyword: str
    message: str


def check_wording(contract: Contract) -> Iterator[Diagnostic]:
    """Yield keywords without a meaning, in the contract as it is written."""
    if contract.version == "3.0":
        yield from _in_3_0(contract)
        return
    document = contract.published
    for at, value, kind in of_2020_12(document):
        if kind == "schema":
            flaws = [flaw for check in _CHECKS for flaw in check(value, document)]
        elif kind == "object" and contract.version == "3.1":  # an error of the structure in other versions
            flaws = [*_two_kinds_of_examples(value, document)]
        else:
            continue
        for rule, keyword, message in flaws:
            yield finding(contract, rule, (*at, keyword), message)


def _in_3_0(contract: Contract) -> Iterator[Diagnostic]:
    """Yield what means nothing in each file; the bundled document lacks what is next to a `$ref`."""
    for document in contract.documents:
        for at, value, kind in kinds_of(document.data):
            flaws = [*_ignored_siblings(value), *_exclusive_alone(value)] if kind == "schema" else []
            for rule, keyword, message in flaws:
                place = document.place((*at, keyword))
                yield Diagnostic(place, message, rule, RULES[rule].severity)


def of_2020_12(document: Any) -> Iterator[tuple[Pointer, dict[str, Any], Kind]]:
    """Yield the objects of a document as `kinds_of` does, without the schemas of another dialect and what these contain."""
    stated = document.get("jsonSchemaDialect") if isinstance(document, dict) else None
    others: list[Pointer] = []
    for at, value, kind in kinds_of(document):
        if kind == "schema" and not _is_of_2020_12(value.get("$schema", stated)):
            others.append(at)
        if kind != "schema" or not any(at[: len(one)] == one for one in others):
            yield at, value, kind


def _is_of_2020_12(dialect: Any) -> bool:
    return not isinstance(dialect, str) or dialect_of(dialect) == "2020-12"


_ANNOTATIONS = frozenset(
    "$ref $comment title description summary example externalDocs xml deprecated".split()
)
"""Keywords next to `$ref` that change nothing where they are ignored, except what readers see."""


def _ignored_siblings(schema: Schema) -> Iterator[_Flaw]:
    ignored = [name for name in schema if name not in _ANNOTATIONS and not name.startswith("x-")]
    if isinstance(schema.get("$ref"), str) and ignored:
        names = " and ".join(f"`{name}`" for name in ignored)
        message = f"OpenAPI 3.0 ignores {names} next to `$ref`; write the `$ref` as a member of `allOf`"
        yield _Flaw("ignored-ref-siblings", ignored[0], message)


def _exclusive_alone(schema: Schema) -> Iterator[_Flaw]:
    for bound, exclusive in EXCLUSIVE.items():
        if schema.get(exclusive) is True and bound not in schema and "$ref" not in schema:
            message = f"`{exclusive}` means nothing without `{bound}`; add it, or remove `{exclusive}`"
            yield _Flaw("ineffective-keyword", exclusive, message)


def _nullable(schema: Schema, _document: Any) -> Iterator[_Flaw]:
    if "nullable" not in schema:
        return
    instead = "leave it out"
    if schema["nullable"] is True:
        named = schema.get("type")
        instead = f"write `type: [{named}, 'null']`" if isinstance(named, str) else "add 'null' to the types"
    if schema["nullable"] is True and "$ref" in schema:
        instead = "write `anyOf` of the `$ref` and `type: 'null'`"
    yield _Flaw("ignored-nullable", "nullable", f"`nullable` means nothing since OpenAPI 3.1; {instead}")


_FORMATS = {
    "binary": "leave it out, and write `contentMediaType` where the media type is not the body's",
    "byte": "write `contentEncoding: base64`",
}


def _binary(schema: Schema, _document: Any) -> Iterator[_Flaw]:
    if isinstance(name := schema.get("format"), str) and name in _FORMATS:
        message = f"`format: {name}` is one of OpenAPI 3.0; {_FORMATS[name]}"
        yield _Flaw("binary-format", "format", message)


def _example(schema: Schema, _document: Any) -> Iterator[_Flaw]:
    if "example" in schema and "examples" not in schema:
        message = "`example` of a schema is deprecated since OpenAPI 3.1; write `examples`, a list"
        yield _Flaw("schema-example", "example", message)
    yield from _two_kinds_of_examples(schema, _document)


def _two_kinds_of_examples(value: dict[str, Any], _document: Any) -> Iterator[_Flaw]:
    if "example" in value and "examples" in value:
        message = "`example` and `examples` exclude each other; add the example to the others"
        yield _Flaw("example-and-examples", "example", message)


_NEEDED = {
    "then": ("if",),
    "else": ("if",),
    "minContains": ("contains",),
    "maxContains": ("contains",),
    "if": ("then", "else"),
    "contentSchema": ("contentMediaType",),
}
"""Keywords that mean nothing without one of others."""


_REPLACED = {
    "additionalItems": "`prefixItems` and `items`",
    "dependencies": "`dependentRequired` or `dependentSchemas`",
}
"""Keywords of earlier drafts, and what to write instead."""


def _alone(schema: Schema, _document: Any) -> Iterator[_Flaw]:
    for keyword, needed in _NEEDED.items():
        if keyword in schema and schema.keys().isdisjoint(needed):
            others = " or ".join(f"`{one}`" for one in needed)
            message = f"`{keyword}` means nothing without {others}; add it, or remove `{keyword}`"
            yield _Flaw("ineffective-keyword", keyword, message)
    for keyword, instead in _REPLACED.items():
        if keyword in schema:
            message = f"`{keyword}` means nothing since JSON Schema 2020-12; write {instead}"
            yield _Flaw("ineffective-keyword", keyword, message)


def _unreachable(schema: Schema, _document: Any) -> Iterator[_Flaw]:
    prefix, most = schema.get("prefixItems"), schema.get("maxItems")
    if isinstance(prefix, list) and isinstance(most, int) and len(prefix) > most:
        message = f"`maxItems` allows {most} of the {len(prefix)} items that `prefixItems` describes; fix one of them"
        yield _Flaw("unreachable-items", "prefixItems", message)


def _contradiction(schema: Schema, document: Any) -> Iterator[_Flaw]:
    ref = schema.get("$ref")
    if not isinstance(ref, str) or not ref.startswith("#"):
        return
    target: Any = None
    with suppress(PointerNotFound):
        target = lookup(document, parse_pointer(ref[1:]))
    own, others = _types(schema), _types(target)
    if own and others and own.isdisjoint(others):
        message = f"no value has this type and that of '{ref}'; fix one of them"
        yield _Flaw("contradictory-ref", "type", message)


def _types(schema: Any) -> set[str]:
    stated = schema.get("type") if isinstance(schema, dict) else None
    found = {name for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str)}
    return found | {"integer"} if "number" in found else found


_Check = Callable[[Schema, Any], Iterator[_Flaw]]
_CHECKS: tuple[_Check, ...] = (_nullable, _binary, _example, _alone, _unreachable, _contradiction)
