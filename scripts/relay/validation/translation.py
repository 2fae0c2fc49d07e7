"""Translates Schema Objects to JSON Schema for one direction: those of OpenAPI 3.0 to draft 4, later ones to 2020-12.

Some keywords of the result are our own, and ignored by the library: `written` is the pattern as the contract has it,
`explained` the rule and limit that a part of the schema stands for; `discriminator` is what decides between branches, and
`tagged` what only names them: since OpenAPI 3.0.4 and 3.1.1 a discriminator must not change what is valid.

It is one module because both versions share what is hidden, what is named and which patterns there are.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from relay.contract.canonical import use_numeric_bounds
from relay.contract.model import Contract, Schema
from relay.contract.schema_words import CHOICES, COMBINING, SCHEMA_WORDS, applied_schemas

from .contents import Contents
from .json_strict import CONVERTERS
from .patterns import pattern_properties, translated
from .plan import EXCLUSIVE, HIDDEN
from .validators import pointer_of

Direction = Literal["request", "response"]

INTEGER_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
MARKS: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
"""The keyword that marks a property as forbidden in that direction."""

_KEYWORDS = frozenset(
    "multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength maxItems "
    "minItems uniqueItems maxProperties minProperties required enum type format".split()
)
_BOUNDS = {exclusive: bound for bound, exclusive in EXCLUSIVE.items()}
_MODERN_KEYWORDS = _KEYWORDS | {"minContains", "maxContains", "dependentRequired"}
_TRANSLATED = {
    word: container
    for word, container in SCHEMA_WORDS.items()
    if word not in ("allOf", "contentSchema", "$defs", "definitions")
}
"""Keywords whose schemas are translated where they are; those of `allOf` come after others."""

_SAME_VALUE = frozenset(["then", "else", "dependentSchemas"])
_COMBINING = frozenset([*COMBINING, "not"])
_LOCAL_TIME = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?$"
_TIME: Schema = {"anyOf": [{"format": "time"}, {"pattern": _LOCAL_TIME}], "explained": ("format", "time")}
"""`format: time`, which publishers use for both: with an offset (RFC 3339) and without."""


class Translator:
    """Translates the schemas of one contract."""

    def __init__(self, contract: Contract, *, refuses_read_only: bool) -> None:
        self.contract = contract
        self._hidden_by_ref: dict[tuple[str, Direction], frozenset[str]] = {}
        self.contents: dict[Direction, Contents] = {
            "request": Contents("request"),
            "response": Contents("response"),
        }
        """The content of texts, which the library does not check."""
        self.hidden_schemas: dict[Direction, Schema] = {
            "request": HIDDEN if refuses_read_only else {},
            "response": HIDDEN,
        }
        """The schema of a property that is forbidden in a direction."""

    def translate(self, schema: Schema, direction: Direction) -> tuple[Schema, set[str], list[str]]:
        """Return a translated schema, its `$ref`s as written in the contract, and the patterns that it contains."""
        parts = _Parts(self, direction)
        return (parts.translated(schema), parts.refs, parts.patterns)

    def hidden(self, schema: Schema, direction: Direction, seen: tuple[str, ...] = ()) -> frozenset[str]:
        """Return the properties that are forbidden in a direction, including those of schemas for the same value.

        `required` does not apply to them in this direction (OpenAPI 3.0.3, "Schema Object", `readOnly`). In 3.0 the
        schemas are those of `allOf`.
        """
        if (ref := schema.get("$ref")) is not None:
            return self._hidden_by(ref, direction, seen)
        properties = schema.get("properties", {}).items()
        own = frozenset([name for name, part in properties if self.is_hidden(part, direction)])
        parts = schema.get("allOf", []) if self.contract.version == "3.0" else [*applied_schemas(schema)]
        return own.union(*[self.hidden(part, direction, seen) for part in parts]) if parts else own

    def _hidden_by(self, ref: str, direction: Direction, seen: tuple[str, ...]) -> frozenset[str]:
        """Return the properties that the target of a `$ref` hides; what is found for the whole target is remembered."""
        key = ref, direction
        if key in self._hidden_by_ref:
            return self._hidden_by_ref[key]
        if ref in seen:
            return frozenset()
        found = self.hidden(self.contract.resolve({"$ref": ref}), direction, (*seen, ref))
        if not seen:
            self._hidden_by_ref[key] = found
        return found

    def is_hidden(self, schema: Schema, direction: Direction) -> bool:
        """Return True if a property is forbidden in a direction."""
        return self.contract.is_marked(schema, MARKS[direction])


class _Parts:
    """Translates a schema and those within it; `refs` and `patterns` are what they contain."""

    def __init__(self, translator: Translator, direction: Direction) -> None:
        self._translator, self._direction = translator, direction
        self._translate = self._of_3_0 if translator.contract.version == "3.0" else self._modern
        self.refs: set[str] = set()
        self.patterns: list[str] = []

    def translated(self, schema: Any, hidden: frozenset[str] = frozenset()) -> Any:
        """Translate one schema; `hidden` are the properties that the schema it is a part of hides."""
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:  # alone, as later versions are canonical; in 3.0 what is next to it is ignored
            self.refs.add(schema["$ref"])
            return {"$ref": pointer_of(schema["$ref"])}
        out = self._translate(schema, hidden)
        if isinstance(pattern := schema.get("pattern"), str):
            self.patterns.append(pattern)
            _assert_pattern(out, pattern)
        return _nullable(out) if schema.get("nullable") else out

    def _hidden(self, schema: Schema) -> frozenset[str]:
        return self._translator.hidden(schema, self._direction)

    def _of_3_0(self, schema: Schema, hidden: frozenset[str]) -> Schema:
        # What excludes a bound that is not there means nothing, but draft 4 does not allow it.
        words = [word for word in schema if word in _KEYWORDS and _BOUNDS.get(word, word) in schema]
        out: Schema = {word: schema[word] for word in words}
        hidden |= self._hidden(schema)
        parts = [self.translated(part, hidden) for part in schema.get("allOf", [])]
        for keyword in CHOICES:
            if keyword in schema:
                branches = [self.translated(part) for part in schema[keyword]]
                if targets := discriminated(schema, keyword):
                    name = schema["discriminator"]["propertyName"]
                    parts.append(_dispatched(keyword, branches, name, targets))
                else:
                    out[keyword] = branches
        for keyword in ("not", "items", "additionalProperties"):
            if keyword in schema:
                out[keyword] = self.translated(schema[keyword])
        if "properties" in schema:
            out["properties"] = self._properties(schema["properties"])
        required = [name for name in out.pop("required", []) if name not in hidden]
        if required:  # draft 4 does not allow an empty list
            out["required"] = required
        _complete(out, parts)
        if "enum" in out:
            out["enum"] = enum_members(out)
        return out

    def _modern(self, schema: Schema, hidden: frozenset[str]) -> Schema:
        """Translate a canonical schema of OpenAPI 3.1 or later; only alternatives hide different properties."""
        has_choices = not schema.keys().isdisjoint(CHOICES)
        of_others = {word: value for word, value in schema.items() if has_choices and word not in CHOICES}
        of_alternatives = hidden | self._hidden(of_others)
        hidden |= self._hidden(schema)
        out: Schema = {}
        for word, value in schema.items():
            if word in _MODERN_KEYWORDS:
                out[word] = value
            elif word in ("properties", "patternProperties"):
                out[word] = self._properties(value)
            elif (container := _TRANSLATED.get(word)) is not None:
                inner = hidden if word in _SAME_VALUE else frozenset()
                inner = of_alternatives if word in CHOICES else inner
                if container == "list":
                    out[word] = [self.translated(part, inner) for part in value]
                elif container == "map":
                    out[word] = {name: self.translated(part, inner) for name, part in value.items()}
                else:
                    out[word] = self.translated(value, inner)
        if "patternProperties" in out:
            self.patterns.extend(out["patternProperties"])
            out["patternProperties"] = _with_patterns(pattern_properties(out))
        _hide(out, hidden)
        if (tagged := _named_alternatives(schema)) is not None:
            out["tagged"] = tagged
        parts = [self.translated(part, hidden) for part in schema.get("allOf", [])]
        _complete(out, [*parts, *self._translator.contents[self._direction].parts(schema)])
        use_numeric_bounds(out)
        return out

    def _properties(self, properties: dict[str, Schema]) -> dict[str, Schema]:
        hidden = self._translator.hidden_schemas[self._direction]
        is_hidden = self._translator.is_hidden
        return {
            name: hidden if is_hidden(part, self._direction) else self.translated(part)
            for name, part in properties.items()
        }


def discriminated(schema: Schema, keyword: str) -> list[tuple[str, str]]:
    """Return the values of a schema's discriminator, each with the `$ref` of the alternative that it names."""
    if "discriminator" not in schema or keyword not in schema:
        return []
    refs = [part["$ref"] for part in schema[keyword] if "$ref" in part]
    by_name = {ref.rpartition("/")[2]: ref for ref in refs}
    mapping = schema["discriminator"].get("mapping", {})
    by_value = by_name | {value: by_name.get(target, target) for value, target in mapping.items()}
    return [(value, ref) for value, ref in by_value.items() if ref in refs]


def _named_alternatives(schema: Schema) -> tuple[str, list[tuple[str, str]], str, str | None] | None:
    """Return the property of a discriminator, what its values name in which choice, and what is named by default."""
    for word in CHOICES:
        if tags := discriminated(schema, word):
            by_value = [(value, pointer_of(ref)) for value, ref in tags]
            target = schema["discriminator"].get("defaultMapping")  # OpenAPI 3.2
            refs = [part["$ref"] for part in schema[word] if "$ref" in part]
            other = next((ref for ref in refs if target in (ref, ref.rpartition("/")[2])), None)
            default = None if other is None else pointer_of(other)
            return schema["discriminator"]["propertyName"], by_value, word, default
    return None


def _dispatched(keyword: str, branches: list[Schema], name: str, targets: list[tuple[str, str]]) -> Schema:
    """Return a choice in which the value of the discriminator decides; without a known value, all branches do."""
    by_ref: dict[str, list[str]] = {}
    for value, ref in targets:
        by_ref.setdefault(ref, []).append(value)
    named = [{"allOf": [_tagged(name, values), {"$ref": pointer_of(ref)}]} for ref, values in by_ref.items()]
    known = _tagged(name, [value for value, _ in targets])
    unnamed = {"allOf": [{"not": known}, {keyword: branches}]}
    by_value = [(value, pointer_of(ref)) for value, ref in targets]
    return {"anyOf": [*named, unnamed], "discriminator": (name, by_value, keyword)}


def _tagged(name: str, values: list[str]) -> Schema:
    return {"type": "object", "required": [name], "properties": {name: {"enum": values}}}


def _assert_pattern(schema: Schema, pattern: str) -> None:
    found = translated(pattern).keywords
    if "pattern" in found:
        schema |= {"pattern": found["pattern"], "written": pattern}
    if (least := found.get("minLength", 0)) > schema.get("minLength", 0):
        schema["minLength"] = least
    if "maxLength" in found:
        schema["maxLength"] = min(found["maxLength"], schema.get("maxLength", found["maxLength"]))


def _complete(schema: Schema, parts: list[Schema]) -> None:
    if schema.get("format") == "time":
        del schema["format"]
        parts = [*parts, _TIME]
    if parts:
        schema["allOf"] = parts
    low, high = INTEGER_BOUNDS.get(schema.get("format", ""), (None, None))
    if low is not None and schema.get("minimum", low - 1) < low:
        schema["minimum"] = low
        schema.pop("exclusiveMinimum", None)
    if high is not None and schema.get("maximum", high + 1) > high:
        schema["maximum"] = high
        schema.pop("exclusiveMaximum", None)


def enum_members(schema: Schema) -> list[Any]:
    """Return the members of an enum in the type of its schema, for files often write them in another one."""
    values: list[Any] = schema["enum"]
    if not isinstance(schema.get("type"), str):
        return values
    converted = [_in_type(value, schema["type"]) for value in values]
    if all(one is other for one, other in zip(converted, values, strict=True)):
        return values
    return [*{json.dumps(member): member for member in converted}.values()]


def _in_type(value: Any, kind: str) -> Any:
    if kind == "string" and isinstance(value, bool | int | float):
        return json.dumps(value)
    return CONVERTERS.get(kind, str)(value) if isinstance(value, str) else value


def _hide(schema: Schema, hidden: frozenset[str]) -> None:
    if not hidden:
        return
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name not in hidden]
    if "dependentRequired" in schema:
        schema["dependentRequired"] = {
            name: [one for one in names if one not in hidden]
            for name, names in schema["dependentRequired"].items()
        }


def _with_patterns(properties: dict[str, Schema]) -> dict[str, Schema]:
    """Return the schemas of properties by the patterns that the validator matches; several may have the same one."""
    found: dict[str, list[Schema]] = {}
    for pattern, schema in properties.items():
        found.setdefault(translated(pattern).keywords["pattern"], []).append(schema)
    return {pattern: one[0] if len(one) == 1 else {"allOf": one} for pattern, one in found.items()}


def _nullable(schema: Schema) -> Schema:
    """Allow null in addition to the schema, unless its `enum` excludes null."""
    if None not in schema.get("enum", [None]):
        return schema
    if "type" in schema and not _COMBINING & set(schema):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
