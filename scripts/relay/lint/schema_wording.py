"""Checks for keywords of schemas that mean nothing where they are, or in this version, and for names of schemas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.pointers import Kind, PointerNotFound, kinds_of, lookup, parse_pointer
from relay.contract.versions import dialect_of
from relay.validation.plan import EXCLUSIVE

from .lint_rules import Found

_Flaw = tuple[str, str, str]
"""A rule, the keyword that breaks it, and the message."""


def check_wording(contract: Contract) -> Iterator[Found]:
    """Yield keywords without a meaning, in the contract as it is written."""
    if contract.version == "3.0":  # in each file: the bundled document lacks what is next to a `$ref`
        for file in contract.documents:
            for at, value, kind in kinds_of(file.data):
                flaws = [*_ignored_siblings(value), *_exclusive_alone(value)] if kind == "schema" else []
                yield from ((rule, file.place((*at, word)), message) for rule, word, message in flaws)
        return
    document = contract.published
    for at, value, kind in _of_2020_12(document):
        if kind == "schema":
            flaws = [flaw for check in _CHECKS for flaw in check(value, document)]
        elif kind == "object" and contract.version == "3.1":  # an error of the structure in other versions
            flaws = [*_two_kinds_of_examples(value, document)]
        else:
            continue
        yield from ((rule, (*at, word), message) for rule, word, message in flaws)


_ANCHOR = (
    re.compile(r"[A-Za-z_][-A-Za-z0-9._]*"),
    "begins with a letter or '_', and has only letters, digits, '-', '.' and '_'",
)
_IDENTIFIERS = {
    "$id": (re.compile(r"[^#]*#?"), "has no fragment; write `$anchor` for a name within a schema"),
    "$anchor": _ANCHOR,
    "$dynamicAnchor": _ANCHOR,
}
"""The syntax of a name that a schema gives itself, and the end of the sentence that says so."""


def check_identifiers(contract: Contract) -> Iterator[Found]:
    """Yield identifiers that JSON Schema 2020-12 does not allow (8.2.1 and 8.2.2), in each file: the bundle has none."""
    for file in contract.documents if contract.version != "3.0" else ():
        for at, value, kind in _of_2020_12(file.data):
            for keyword in _IDENTIFIERS.keys() & value.keys() if kind == "schema" else ():
                pattern, rule = _IDENTIFIERS[keyword]
                if isinstance(name := value[keyword], str) and not pattern.fullmatch(name):
                    message = f"'{name}' is no valid `{keyword}`, which {rule}"
                    yield "invalid-identifier", file.place((*at, keyword)), message


def _of_2020_12(document: Any) -> Iterator[tuple[Pointer, dict[str, Any], Kind]]:
    """Yield the objects of a document as `kinds_of` does, without the schemas of another dialect and what these contain."""
    stated = document.get("jsonSchemaDialect") if isinstance(document, dict) else None
    others: list[Pointer] = []
    for at, value, kind in kinds_of(document):
        dialect = value.get("$schema", stated)
        if kind == "schema" and isinstance(dialect, str) and dialect_of(dialect) != "2020-12":
            others.append(at)
        if kind != "schema" or not any(at[: len(one)] == one for one in others):
            yield at, value, kind


_ANNOTATIONS = frozenset(
    "$ref $comment title description summary example externalDocs xml deprecated".split()
)
"""Keywords next to `$ref` that change nothing where they are ignored, except what readers see."""


def _ignored_siblings(schema: Schema) -> Iterator[_Flaw]:
    ignored = [name for name in schema if name not in _ANNOTATIONS and not name.startswith("x-")]
    if isinstance(schema.get("$ref"), str) and ignored:
        names = " and ".join(f"`{name}`" for name in ignored)
        message = f"OpenAPI 3.0 ignores {names} next to `$ref`; write the `$ref` as a member of `allOf`"
        yield "ignored-ref-siblings", ignored[0], message


def _exclusive_alone(schema: Schema) -> Iterator[_Flaw]:
    for bound, exclusive in EXCLUSIVE.items():
        if schema.get(exclusive) is True and bound not in schema and "$ref" not in schema:
            message = f"`{exclusive}` means nothing without `{bound}`; add it, or remove `{exclusive}`"
            yield "ineffective-keyword", exclusive, message


def _nullable(schema: Schema, _document: Any) -> Iterator[_Flaw]:
    if "nullable" not in schema:
        return
    instead = "leave it out"
    if schema["nullable"] is True:
        named = schema.get("type")
        instead = f"write `type: [{named}, 'null']`" if isinstance(named, str) else "add 'null' to the types"
    if schema["nullable"] is True and "$ref" in schema:
        instead = "write `anyOf` of the `$ref` and `type: 'null'`"
    yield "ignored-nullable", "nullable", f"`nullable` means nothing since OpenAPI 3.1; {instead}"


_FORMATS = {
    "binary": "leave it out, and write `contentMediaType` where the media type is not the body's",
    "byte": "write `contentEncoding: base64`",
}


def _of_3_0(schema: Schema, document: Any) -> Iterator[_Flaw]:
    if isinstance(name := schema.get("format"), str) and name in _FORMATS:
        yield "binary-format", "format", f"`format: {name}` is one of OpenAPI 3.0; {_FORMATS[name]}"
    if "example" in schema and "examples" not in schema:
        message = "`example` of a schema is deprecated since OpenAPI 3.1; write `examples`, a list"
        yield "schema-example", "example", message
    yield from _two_kinds_of_examples(schema, document)


def _two_kinds_of_examples(value: dict[str, Any], _document: Any) -> Iterator[_Flaw]:
    if "example" in value and "examples" in value:
        message = "`example` and `examples` exclude each other; add the example to the others"
        yield "example-and-examples", "example", message


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
            yield "ineffective-keyword", keyword, message
    for keyword, instead in _REPLACED.items():
        if keyword in schema:
            message = f"`{keyword}` means nothing since JSON Schema 2020-12; write {instead}"
            yield "ineffective-keyword", keyword, message


def _unreachable(schema: Schema, _document: Any) -> Iterator[_Flaw]:
    prefix, most = schema.get("prefixItems"), schema.get("maxItems")
    if isinstance(prefix, list) and isinstance(most, int) and len(prefix) > most:
        message = f"`maxItems` allows {most} of the {len(prefix)} items that `prefixItems` describes; fix one of them"
        yield "unreachable-items", "prefixItems", message


def _contradiction(schema: Schema, document: Any) -> Iterator[_Flaw]:
    ref = schema.get("$ref")
    if isinstance(ref, str) and ref.startswith("#"):
        with suppress(PointerNotFound):
            own, others = _types(schema), _types(lookup(document, parse_pointer(ref[1:])))
            if own and others and own.isdisjoint(others):
                message = f"no value has this type and that of '{ref}'; fix one of them"
                yield "contradictory-ref", "type", message


def _types(schema: Any) -> set[str]:
    stated = schema.get("type") if isinstance(schema, dict) else None
    found = {name for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str)}
    return found | {"integer"} if "number" in found else found


_Check = Callable[[Schema, Any], Iterator[_Flaw]]
_CHECKS: tuple[_Check, ...] = (_nullable, _of_3_0, _alone, _unreachable, _contradiction)
