"""The values of a discriminator (OpenAPI 3.0.3, "Discriminator Object")."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.model import Contract, Schema
from relay.contract.pointers import parse_pointer
from relay.validation.schemas import SchemaCompiler

from .schema_parts import SchemaPart

_COMPONENTS = "#/components/schemas/"
_CHILDREN = ("sample", "children")


def tag_of(schema: Schema, ref: str) -> dict[str, str]:
    """Return the discriminator's property with the value that names `ref`; {} without a discriminator."""
    discriminator = schema.get("discriminator")
    if discriminator is None or not ref:
        return {}
    for value, target in (discriminator.get("mapping") or {}).items():
        if ref in (target, _COMPONENTS + target):
            return {discriminator["propertyName"]: value}
    return {discriminator["propertyName"]: parse_pointer(ref[1:])[-1]}


def inherited_tags(parts: list[SchemaPart]) -> dict[str, str]:
    """Return the tags that the discriminators of base schemas require, for the schemas that extend them."""
    tags: dict[str, str] = {}
    for part in parts:
        if not _has_branches(part.schema):
            tags |= tag_of(part.schema, part.name)
    return tags


def subtypes(part: SchemaPart, contract: Contract, compiler: SchemaCompiler) -> list[str]:
    """Return the `$ref`s of the schemas that extend a base schema with a discriminator by `allOf`.

    Those of the mapping come first. The list is empty if the value is already one of them.
    """
    if "discriminator" not in part.schema or _has_branches(part.schema):
        return []
    if not part.here or part.name != part.here[-1]:
        return []
    if _CHILDREN not in compiler.memo:
        compiler.memo[_CHILDREN] = _children(contract)
    found: list[str] = compiler.memo[_CHILDREN].get(part.name, [])
    mapping = part.schema["discriminator"].get("mapping") or {}
    mapped = [ref for target in mapping.values() for ref in (target, _COMPONENTS + target) if ref in found]
    return [*dict.fromkeys([*mapped, *found])]


def _children(contract: Contract) -> dict[str, list[str]]:
    """Return the components that refer to a base in their `allOf`, by the `$ref` of the base."""
    found: dict[str, list[str]] = {}
    schemas = (contract.document.get("components") or {}).get("schemas") or {}
    for name, schema in schemas.items():
        for base in _bases(schema):
            found.setdefault(base, []).append(f"{_COMPONENTS}{name.replace('~', '~0').replace('/', '~1')}")
    return found


def _bases(schema: Schema) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        if "$ref" in part:
            yield part["$ref"]


def _has_branches(schema: Schema) -> bool:
    return "oneOf" in schema or "anyOf" in schema
