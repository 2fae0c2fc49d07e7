"""OpenAPI 3.0 → 3.1: schemas, path items, bodies of bytes, and discriminators.

Bytes are no strings of JSON (OpenAPI 3.1.1, "Migrating binary descriptions"), and discriminators, which decide between
alternatives in 3.0, only explain from 3.1 on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from relay.contract.discriminators import mapping_of
from relay.contract.schema_words import CHOICES
from relay.importer.text_tree import Map, Seq
from relay.validation import media_types as media
from relay.validation.translation import enum_members

from .contract_files import ContractFiles, File
from .findings import Findings
from .schemas_3_0 import upgrade_schema
from .visits import Visit, visits

_DESCRIBING = frozenset(["$ref", "summary", "description"])
_OF_URLENCODED = ("style", "explode", "allowReserved")


def upgrade_3_0(files: ContractFiles, findings: Findings) -> None:
    """Bring all files of OpenAPI 3.0 to 3.1."""
    found = visits(files, "3.0")
    _report_discriminators(files, found, findings)
    for kind, value, _ in found:
        if kind == "Schema":
            upgrade_schema(value, findings)
        elif kind == "PathItem" and "$ref" in value:
            _drop_beside_ref(value, findings)
        elif kind == "Document":
            value["openapi"] = "3.1.1"
    for kind, value, file in found:
        for name, media_type in value.objects("content") if kind != "Schema" else ():
            _describe_binary(files, name, media_type, file)
            if name.lower().startswith("multipart/"):
                _drop_styles(media_type, findings)
    files.set_version("3.0", "3.1")


def _drop_beside_ref(item: Map, findings: Findings) -> None:
    """Remove what is next to the `$ref` of a path: 3.1 adds it to the path that is referred to."""
    for key in [key for key in item if key not in _DESCRIBING and not key.startswith("x-")]:
        message = f"`{key}` next to a path's $ref had no effect, so it was removed; move it into the path that the $ref leads to"
        findings.drop(item, key, message)


def _drop_styles(media_type: Map, findings: Findings) -> None:
    """Remove the styles of multipart bodies, which 3.1 reads; those that come from Swagger 2.0 had an effect there."""
    for _, encoding in media_type.objects("encoding"):
        for key in [one for one in _OF_URLENCODED if encoding.node is not None and one in encoding]:
            what = f"`{key}` had no effect in a multipart body"
            findings.drop(encoding, key, f"{what}, so it was removed; add it again if you mean it")


def _describe_binary(files: ContractFiles, name: str, content: Map, file: File) -> None:
    """Describe a body of bytes, or the files of a form, by media types instead of `format: binary`."""
    schema = content.get("schema")
    if not isinstance(schema, Map):
        return
    if name.startswith("multipart/"):
        for field in _fields(files, schema, file):
            if _is_binary(field):
                _as_bytes(field, media.OCTETS)
    elif media.is_binary(name) and not media.is_range(name):
        target = files.target(schema, file)
        if target is None or not _is_binary(target):
            return
        if target is schema and not set(schema) - {"type", "format"}:
            content.drop("schema")
        else:
            _as_bytes(target, name)


def _fields(files: ContractFiles, schema: Map, file: File) -> Iterator[Map]:
    """Yield the schemas of the fields of a form, and of their items."""
    for form, home in [*files.parts(schema, file, _all_of)]:
        for _, field in form.objects("properties"):
            target = files.target(field, home)
            items = files.target(target.get("items"), home) if target is not None else None
            yield from (one for one in (target, items) if one is not None)


def _is_binary(schema: Map) -> bool:
    return schema.get("format") == "binary" and schema.get("type") in ("string", ["string", "null"])


def _as_bytes(schema: Map, name: str) -> None:
    schema.drop("type")
    schema.rename("format", "contentMediaType")
    schema["contentMediaType"] = name


def _report_discriminators(files: ContractFiles, found: list[Visit], findings: Findings) -> None:
    """Report the discriminators without which other values are valid; before the schemas are rewritten."""
    for kind, value, file in found:
        discriminator = value.get("discriminator") if kind == "Schema" and "$ref" not in value else None
        name = discriminator.get("propertyName") if isinstance(discriminator, Map) else None
        for word in CHOICES:
            alternatives = value.get(word)
            if not isinstance(alternatives, Seq) or not isinstance(name, str):
                continue
            allowed = [_allowed(files, one, file, name) for one in alternatives]
            if _decides(_named(value, alternatives), allowed):
                message = f"`discriminator` decided which schema of `{word}` applies, and now only the schemas do; write `const`, or an `enum` of one member, for `{name}` into each"
                findings.report("discriminator-decides", value, "discriminator", message)
                break


def _named(schema: Map, alternatives: Seq) -> dict[str, int | None]:
    """Return the alternative that each value of the discriminator names; None where it is not known which."""
    refs = {
        one["$ref"]: index
        for index, one in enumerate(alternatives)
        if isinstance(one, Map) and isinstance(one.get("$ref"), str)
    }
    names = {_name(ref): index for ref, index in refs.items()}
    mapping = mapping_of(schema) if refs else {}
    return {**names, **{value: names.get(target, refs.get(target)) for value, target in mapping.items()}}


def _name(ref: str) -> str:
    """Return the name of the component that the target of a `$ref` is, or becomes."""
    path, _, fragment = ref.partition("#")
    return fragment.rpartition("/")[2] or PurePosixPath(path).stem


def _decides(named: Mapping[str, int | None], allowed: list[set[str] | None]) -> bool:
    """Return True if another alternative than the named one allows a value."""
    counts = Counter(value for values in allowed for value in values or ())
    anything = allowed.count(None)
    for value, index in named.items():
        own = None if index is None else allowed[index]
        is_allowed = index is None or own is None or value in own
        if anything + counts[value] > is_allowed:
            return True
    return False


def _allowed(files: ContractFiles, schema: Any, file: File, name: str) -> set[str] | None:
    """Return the texts that an alternative allows as a property; None if it allows any."""
    found: set[str] | None = None
    for part, home in files.parts(schema, file, _all_of):
        if isinstance(kind := part.get("type"), str) and kind != "object":
            return set()
        properties = part.get("properties")
        field = properties.get(name) if isinstance(properties, Map) else None
        parts = [one for one, _ in files.parts(field, home, _all_of)]
        if any(one.get("readOnly") or one.get("writeOnly") for one in parts):
            continue  # is not asked in one direction
        for one in parts:
            if isinstance(one.get("enum"), Seq):
                members = {member for member in enum_members(one) if isinstance(member, str)}
                found = members if found is None else found & members
    return found


def _all_of(schema: Map) -> Seq:
    parts = schema.get("allOf")
    return parts if isinstance(parts, Seq) else Seq()
