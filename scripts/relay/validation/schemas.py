"""Compiles Schema Objects to validators, one per schema and direction.

OpenAPI 3.0.3, "Schema Object", is JSON Schema draft 4 plus `nullable`, `readOnly`, `writeOnly` and a few
formats; from 3.1 on it is JSON Schema 2020-12 plus the latter. They are translated once, at start.
"""

from __future__ import annotations

import re
from collections import ChainMap, deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, get_args
from weakref import WeakValueDictionary

import jsonschema_rs

from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.json_text import json_bytes
from relay.contract.model import Contract, Schema
from relay.contract.pointers import lookup, mappings, parse_pointer
from relay.contract.versions import Version

from .contents import is_encoded
from .patterns import translated
from .plan import Explainer
from .translation import INTEGER_BOUNDS, MARKS, Direction, Translator
from .validators import DELEGATED, Accepts, Definitions, Translated, Validator, ValidatorGroup, delegation

__all__ = ["INTEGER_BOUNDS", "MARKS", "Direction", "SchemaCompiler", "Strictness"]


class Strictness(NamedTuple):
    """Values that are refused although the specification does not demand it."""

    read_only: bool = False  # a property in a request that is `readOnly`; else handlers do not get it
    nul: bool = False  # NUL in a text
    unknown_query: bool = False  # a query parameter that the contract does not have; else it is ignored


LENIENT = Strictness()

_Check = Callable[[str], bool]

_RECENT = 256
_HIDDEN = "the property is {} and must not be in a {}"


class SchemaCompiler:
    """Compiles the schemas of one contract; equal schemas share a validator.

    Thousands are compiled to look for the values of mock responses. A validator that nothing refers to is
    forgotten when _RECENT others were made.
    """

    def __init__(self, contract: Contract, strictness: Strictness = LENIENT) -> None:
        self.problems: list[Diagnostic] = []
        self.strictness = strictness
        self.translator = Translator(contract, refuses_read_only=strictness.read_only)
        self.contract = contract
        self._reported: set[str] = set()  # patterns
        self.memo: dict[tuple[str, ...], Any] = {}
        """Other objects made of the schemas, and only once: by their kind, and the `$ref` of the schema."""
        self._validators: WeakValueDictionary[tuple[Direction, bytes], Validator] = WeakValueDictionary()
        self._faulty: dict[tuple[Direction, bytes], Diagnostic] = {}
        self._recent: deque[Validator] = deque(maxlen=_RECENT)
        self._definitions = {
            direction: Definitions(partial(self._definition, direction=direction))
            for direction in get_args(Direction)
        }
        formats = ChainMap(_FORMATS, *(one.formats for one in self.translator.contents.values()))
        self._compile = partial(_compiled, version=contract.version, known=formats)
        self._formats = formats
        self._explainers = {
            direction: Explainer(
                self._definitions[direction].of, self._compile, (mark, _HIDDEN.format(mark, direction))
            )
            for direction, mark in MARKS.items()
        }
        self._groups = {
            (direction, has_formats): ValidatorGroup(self._definitions[direction].of, self._compile)
            for direction in get_args(Direction)
            for has_formats in (False, True)
        }

    def compile(self, schema: Schema, direction: Direction, pointer: Pointer) -> Validator | None:
        """Return the schema's validator; None, with an error at its first use, if it cannot be compiled."""
        key = direction, json_bytes(schema)
        if (validator := self._validators.get(key)) is not None:
            return validator
        found = self._faulty.get(key) or self._new(schema, direction, pointer)
        new = self.translator.contents[direction].new
        while new:
            content = new.pop()
            if (inner := self.compile(content.schema, direction, pointer)) is not None:
                content.validators.append(inner)
        if isinstance(found, Validator):
            self._validators[key] = found
            self._recent.append(found)
            return found
        self._faulty[key] = found
        self.problems.append(found)
        return None

    def verdict(self, schema: Schema, direction: Direction, pointer: Pointer = ()) -> Accepts:
        """Return what accepts the valid values of a schema; none if it cannot be compiled."""
        validator = self.compile(schema, direction, pointer)
        return validator.takes if validator is not None else lambda _: False

    def warn(self, pointer: Pointer, message: str, rule: str) -> None:
        """Add a warning about the value at a pointer."""
        self.problems.append(self.contract.warning(pointer, message, rule))

    def refuse(self, pointer: Pointer, message: str, rule: str) -> None:
        """Add an error about the value at a pointer."""
        self.problems.append(self.contract.problem(pointer, message, rule))

    def take_problems(self) -> list[Diagnostic]:
        """Return the problems since the last call, each once."""
        problems, self.problems = self.problems, []
        return list(dict.fromkeys(problems))

    def prepare(self) -> None:
        """Compile all validators, and prepare to explain wrong requests; a wrong response is a defect, and may wait."""
        for group in self._groups.values():
            group.compile()
        self._explainers["request"].prepare()

    def _new(self, schema: Schema, direction: Direction, pointer: Pointer) -> Validator | Diagnostic:
        root = self._translate(schema, direction, pointer)
        definitions = self._definitions[direction]
        if error := root.error or definitions.error(root.refs):
            message = f"the schema cannot be compiled: {error}"
            return self.contract.problem(pointer, message, "schema")
        validator = Validator(root.schema, root.refs, self._explainers[direction].add)
        # A validator with custom formats takes 80 % longer, even for values without a format.
        has_formats = root.has_formats or definitions.have_formats(root.refs)
        self._groups[direction, has_formats].add(validator)
        return validator

    def _definition(self, ref: str, direction: Direction) -> Translated:
        pointer = parse_pointer(ref[1:])
        return self._translate(lookup(self.contract.document, pointer), direction, pointer)

    def _translate(self, schema: Schema, direction: Direction, pointer: Pointer) -> Translated:
        """Translate a schema, and find out whether it can be compiled on its own."""
        schema, refs, patterns = self.translator.translate(schema, direction)
        for pattern in patterns:
            self._report(pattern, pointer)
        error = None
        try:
            self._compile({**schema, "definitions": {ref: {} for ref in refs}}, None)
        except (ValueError, jsonschema_rs.ReferencingError) as exc:
            error = str(exc).splitlines()[0]
        return Translated(schema, refs, error, bool(_formats(schema, self._formats)))

    def _report(self, pattern: str, pointer: Pointer) -> None:
        """Add the warning about a pattern, if it has one, at each place of the contract that has it."""
        message = translated(pattern).warning
        if message is None or pattern in self._reported:
            return
        self._reported.add(pattern)
        found = [*mappings(self.contract.document)]
        places: list[Pointer] = [(*at, "pattern") for at, schema in found if schema.get("pattern") == pattern]
        places += [
            (*at, "patternProperties", pattern)
            for at, schema in found
            if pattern in (schema.get("patternProperties") or ())
        ]
        self.problems += [self.contract.warning(at, message, "pattern") for at in places or [pointer]]


def _formats(schema: Schema, known: Mapping[str, _Check]) -> dict[str, _Check]:
    serialised = json_bytes(schema)
    return {name: check for name, check in known.items() if f'"format":"{name}"'.encode() in serialised}


def _compiled(
    document: Schema, delegate: Accepts | None, *, version: Version, known: Mapping[str, _Check]
) -> jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator:
    kind = jsonschema_rs.Draft4Validator if version == "3.0" else jsonschema_rs.Draft202012Validator
    return kind(
        document,
        formats=_formats(document, known) or None,
        keywords={DELEGATED: delegation(delegate)} if delegate else None,
        validate_formats=True,
        offline=True,
    )


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_FORMATS: dict[str, _Check] = {
    "byte": partial(is_encoded, encoding="base64"),
    "uuid": lambda text: _UUID.fullmatch(text) is not None,  # RFC 9562 section 4
}
