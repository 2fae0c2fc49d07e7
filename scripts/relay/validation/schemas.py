"""Compiles OpenAPI 3.0 Schema Objects to validators, one per schema and direction.

OpenAPI 3.0.3, "Schema Object", is JSON Schema draft 4 plus `nullable`, `readOnly`, `writeOnly` and a few
formats. They are translated to draft 4 once, at start.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, get_args
from weakref import WeakValueDictionary

import jsonschema_rs

from relay.contract.bundling import lookup, parse_pointer
from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.json_text import json_bytes
from relay.contract.model import Contract, Schema

from .definitions import Definitions, Translated
from .explaining import Explainer
from .plan import HIDDEN
from .validators import Validator, ValidatorGroup
from .verdicts import DELEGATED, Accepts, delegation, pointer_of

Direction = Literal["request", "response"]

_KEYWORDS = frozenset(
    "multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems "
    "minItems uniqueItems maxProperties minProperties required enum type format".split()
)
INTEGER_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
MARKS: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
"""The keyword that marks a property as forbidden in that direction."""


_RECENT = 256


class SchemaCompiler:
    """Compiles the schemas of one contract; equal schemas share a validator.

    Thousands are compiled to look for the values of mock responses. A validator that nothing refers to is
    forgotten when _RECENT others were made.
    """

    def __init__(self, contract: Contract) -> None:
        self.problems: list[Diagnostic] = []
        self._contract = contract
        self.memo: dict[tuple[str, ...], Any] = {}
        """What else is made of the schemas, and only once: by its kind, and the `$ref` of the schema."""
        self._validators: WeakValueDictionary[tuple[Direction, bytes], Validator] = WeakValueDictionary()
        self._faulty: dict[tuple[Direction, bytes], Diagnostic] = {}
        self._recent: deque[Validator] = deque(maxlen=_RECENT)
        self._definitions = {
            direction: Definitions(partial(self._definition, direction=direction))
            for direction in get_args(Direction)
        }
        self._explainers = {direction: self._explainer(direction) for direction in get_args(Direction)}
        self._groups = {
            (direction, has_formats): ValidatorGroup(self._definitions[direction].of, _compiled)
            for direction in get_args(Direction)
            for has_formats in (False, True)
        }

    def compile(self, schema: Schema, direction: Direction, pointer: Pointer) -> Validator | None:
        """Return the schema's validator; None, with an error in `problems`, if it cannot be compiled.

        The error is at the first place where the schema is used.
        """
        key = direction, json_bytes(schema)
        if (validator := self._validators.get(key)) is not None:
            return validator
        found = self._faulty.get(key) or self._new(schema, direction, pointer)
        if isinstance(found, Validator):
            self._validators[key] = found
            self._recent.append(found)
            return found
        self._faulty[key] = found
        self.problems.append(found)
        return None

    def take_problems(self) -> list[Diagnostic]:
        """Return the problems since the last call, each once."""
        problems, self.problems = self.problems, []
        return list(dict.fromkeys(problems))

    def prepare(self) -> None:
        """Compile all validators, and prepare the explanation of wrong requests.

        That of a wrong response, which is a defect, is prepared with the first one.
        """
        for group in self._groups.values():
            group.compile()
        self._explainers["request"].prepare()

    def _new(self, schema: Schema, direction: Direction, pointer: Pointer) -> Validator | Diagnostic:
        root = self._translate(schema, direction)
        definitions = self._definitions[direction]
        if error := root.error or definitions.error(root.refs):
            message = f"the schema cannot be compiled: {error}"
            return self._contract.problem(pointer, message, "schema")
        validator = Validator(root.schema, root.refs, self._explainers[direction])
        # A validator with custom formats takes 80 % longer, even for values without a format.
        has_formats = root.has_formats or definitions.have_formats(root.refs)
        self._groups[direction, has_formats].add(validator)
        return validator

    def _explainer(self, direction: Direction) -> Explainer:
        mark = MARKS[direction]
        message = f"the property is {mark} and must not be in a {direction}"
        return Explainer(self._definitions[direction].of, _compiled, (mark, message))

    def _definition(self, ref: str, direction: Direction) -> Translated:
        return self._translate(lookup(self._contract.document, parse_pointer(ref[1:])), direction)

    def _translate(self, schema: Schema, direction: Direction) -> Translated:
        """Translate a schema to draft 4."""
        refs: set[str] = set()

        def translate(schema: Schema, hidden: frozenset[str] = frozenset()) -> Schema:
            if "$ref" in schema:  # its siblings are ignored (OpenAPI 3.0.3, "Reference Object")
                refs.add(schema["$ref"])
                return {"$ref": pointer_of(schema["$ref"])}
            out: Schema = {key: value for key, value in schema.items() if key in _KEYWORDS}
            hidden |= self._hidden(schema, direction)
            for keyword in ("allOf", "anyOf", "oneOf"):
                if keyword in schema:
                    inherited = hidden if keyword == "allOf" else frozenset()
                    out[keyword] = [translate(part, inherited) for part in schema[keyword]]
            if "discriminator" in schema:
                out["discriminator"] = _discriminator(schema)
            for keyword in ("not", "items", "additionalProperties"):
                if keyword in schema:
                    value = schema[keyword]
                    out[keyword] = translate(value) if isinstance(value, dict) else value
            if "properties" in schema:
                out["properties"] = {
                    name: HIDDEN if self._is_hidden(part, direction) else translate(part)
                    for name, part in schema["properties"].items()
                }
            _require(out, [name for name in out.get("required", []) if name not in hidden])
            if bounds := INTEGER_BOUNDS.get(out.get("format", "")):
                _bound(out, *bounds)
            return _nullable(out) if schema.get("nullable") else out

        return _translated(translate(schema), refs)

    def _hidden(self, schema: Schema, direction: Direction, seen: tuple[str, ...] = ()) -> frozenset[str]:
        """Return the properties that are forbidden in this direction, including those of `allOf`.

        `required` does not apply to them in this direction (OpenAPI 3.0.3, "Schema Object", `readOnly`).
        """
        if (ref := schema.get("$ref")) is not None:
            if ref in seen:
                return frozenset()
            return self._hidden(self._contract.resolve(schema), direction, (*seen, ref))
        own = {
            name for name, part in schema.get("properties", {}).items() if self._is_hidden(part, direction)
        }
        return frozenset(own).union(
            *(self._hidden(part, direction, seen) for part in schema.get("allOf", []))
        )

    def _is_hidden(self, schema: Schema, direction: Direction) -> bool:
        return self._contract.resolve(schema).get(MARKS[direction]) is True


def _translated(schema: Schema, refs: set[str]) -> Translated:
    """Compile a translated schema on its own, to find out whether it can be compiled."""
    error = None
    try:
        _compiled({**schema, "definitions": {ref: {} for ref in refs}})
    except (ValueError, jsonschema_rs.ReferencingError) as exc:
        error = str(exc).splitlines()[0]
    return Translated(schema, refs, error, bool(_formats(schema)))


def _formats(schema: Schema) -> dict[str, Callable[[str], bool]]:
    serialised = json_bytes(schema)
    return {name: check for name, check in _FORMATS.items() if f'"format":"{name}"'.encode() in serialised}


def _compiled(document: Schema, *, delegate: Accepts | None = None) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(
        document,
        formats=_formats(document) or None,
        keywords={DELEGATED: delegation(delegate)} if delegate else None,
        validate_formats=True,
        offline=True,
    )


def _discriminator(schema: Schema) -> tuple[str, list[tuple[str, str]]]:
    """Return the name of a discriminator, and each of its values with the `$ref` of its alternative."""
    parts = [*schema.get("oneOf", []), *schema.get("anyOf", [])]
    refs = [part["$ref"] for part in parts if "$ref" in part]
    by_name = {ref.rpartition("/")[2]: ref for ref in refs}
    mapping = schema["discriminator"].get("mapping", {})
    by_value = by_name | {value: by_name.get(target, target) for value, target in mapping.items()}
    targets = [(value, pointer_of(ref)) for value, ref in by_value.items() if ref in refs]
    return schema["discriminator"]["propertyName"], targets


def _require(schema: Schema, names: list[str]) -> None:
    """Set `required`; draft 4 does not allow an empty list."""
    if names:
        schema["required"] = names
    else:
        schema.pop("required", None)


def _bound(schema: Schema, low: int, high: int) -> None:
    """Narrow the bounds of a schema to those of its format."""
    if schema.get("minimum", low - 1) < low:
        schema["minimum"] = low
        schema.pop("exclusiveMinimum", None)
    if schema.get("maximum", high + 1) > high:
        schema["maximum"] = high
        schema.pop("exclusiveMaximum", None)


_COMBINING = frozenset(["allOf", "anyOf", "oneOf", "not"])


def _nullable(schema: Schema) -> Schema:
    """Allow null in addition to the schema, unless its `enum` excludes null."""
    if None not in schema.get("enum", [None]):
        return schema
    if "type" in schema and not _COMBINING & set(schema):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _is_base64(text: str) -> bool:
    """Return True if a string is base64 with padding (RFC 4648 section 4)."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def _is_uuid(text: str) -> bool:
    """Return True if a string is a UUID in the format of RFC 9562 section 4."""
    return _UUID.fullmatch(text) is not None


_FORMATS: dict[str, Callable[[str], bool]] = {"byte": _is_base64, "uuid": _is_uuid}
