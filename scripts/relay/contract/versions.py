"""The versions of OpenAPI that a contract may have, and the dialects of JSON Schema: earlier drafts are rewritten in 2020-12.

JSON Schema 2020-12, "Appendix G. ChangeLog" of Core and "Appendix C. ChangeLog" of Validation, and those of the
earlier versions.
"""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

Version = Literal["3.0", "3.1", "3.2"]

VERSIONS: tuple[Version, ...] = get_args(Version)


def version_of(document: Any) -> Version | None:
    """Return the version of a document, without its patch; None for other versions, and for other documents."""
    written = document.get("openapi") if isinstance(document, dict) else None
    found = re.fullmatch(r"(3\.[012])\.\d+(-.+)?", written) if isinstance(written, str) else None
    return next((one for one in VERSIONS if found is not None and one == found[1]), None)


Dialect = Literal["draft-04", "draft-06", "draft-07", "2019-09", "2020-12"]

_URIS: dict[str, Dialect] = {
    "http://json-schema.org/draft-04/schema": "draft-04",
    "http://json-schema.org/draft-06/schema": "draft-06",
    "http://json-schema.org/draft-07/schema": "draft-07",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "https://json-schema.org/draft/2020-12/schema": "2020-12",
}
_OF_OPENAPI = re.compile(r"https://spec\.openapis\.org/oas/3\.[12]/dialect/[\w-]+")

_DRAFTS: tuple[Dialect, ...] = ("draft-04", "draft-06", "draft-07")
_LATER: dict[Dialect, frozenset[str]] = {
    "draft-04": frozenset("const contains propertyNames examples if then else".split()),
    "draft-06": frozenset("if then else".split()),
    "draft-07": frozenset(),
}
_SINCE_2019 = frozenset(
    "unevaluatedItems unevaluatedProperties dependentSchemas dependentRequired minContains maxContains prefixItems".split()
)
"""Keywords that a draft does not have, and therefore ignores."""


def dialect_of(uri: str) -> Dialect | None:
    """Return the dialect that a `$schema` or `jsonSchemaDialect` names; None for an unknown one."""
    name = uri.removesuffix("#")
    return "2020-12" if _OF_OPENAPI.fullmatch(name) else _URIS.get(name)


def in_2020_12(schema: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Return a schema of a dialect with the keywords of 2020-12; the schemas in it are as they were."""
    if dialect == "2020-12":
        return schema
    if dialect in _DRAFTS:
        if "$ref" in schema:
            return {"$ref": schema["$ref"]}
        ignored = _LATER[dialect] | _SINCE_2019
        schema = {key: value for key, value in schema.items() if key not in ignored}
        schema |= _dependencies(schema.pop("dependencies", None))
    return _with_prefix_items(schema) if "items" in schema or "additionalItems" in schema else schema


def _dependencies(value: Any) -> dict[str, Any]:
    """Return `dependencies`, which 2019-09 split into names and schemas."""
    if not isinstance(value, dict):
        return {}
    names = {name: one for name, one in value.items() if isinstance(one, list)}
    schemas = {name: one for name, one in value.items() if not isinstance(one, list)}
    found = {"dependentRequired": names, "dependentSchemas": schemas}
    return {keyword: one for keyword, one in found.items() if one}


def _with_prefix_items(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with `prefixItems` for a list of `items`, and `items` for `additionalItems`."""
    others = {key: value for key, value in schema.items() if key not in ("items", "additionalItems")}
    items = schema.get("items", True)
    if not isinstance(items, list):
        return {**others, "items": items}
    rest = {"items": schema["additionalItems"]} if "additionalItems" in schema else {}
    return {**others, **({"prefixItems": items} if items else {}), **rest}
