"""Violations of a schema, and the sentences that describe them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from relay.contract.model import Location

from .json_strict import Malformed

MAX_VIOLATIONS = 20
"""Maximum number of violations reported for one value; more would be repetitive."""

_MAX_CANDIDATES = 10  # values of an enum in one sentence


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation of a schema; it does not contain the value.

    `path` is a JSON pointer to the field (RFC 6901). `rule` is the violated keyword, or `schema` if the
    violation lies in the field but is too deep to name, or lies in schemas that refer to each other for the
    same value. `location` is that of the value in a request.
    """

    path: str
    rule: str
    message: str
    location: Location | Literal["body"] = "body"


NO_TIME_ZONE = "Z", 'the value is not a "date-time": it has no time zone'
"""The end that a text may lack, and the sentence for one that lacks nothing else."""


def malformed(exc: ValueError, otherwise: str, at: str = "") -> Violation:
    """Return the violation of a value that cannot be read, with a sentence for errors whose text is not for clients."""
    if isinstance(exc, Malformed):
        return Violation(at + exc.path, exc.rule, str(exc))
    return Violation(at, "format", otherwise)


def within(key: str, violations: list[Violation]) -> list[Violation]:
    """Return the violations of a value as those of the one that contains it."""
    return [Violation(f"/{key}{one.path}", one.rule, one.message) for one in violations]


def describe(rule: str, limit: Any = None) -> str:
    """Return the sentence for a violated keyword; `limit` is its value in the schema."""
    return _SENTENCES[rule](limit)


def _listed(values: list[Any]) -> str:
    texts = [_json(value) for value in values]
    if len(texts) > _MAX_CANDIDATES:
        texts = [*texts[: _MAX_CANDIDATES - 1], f"{len(texts) - _MAX_CANDIDATES + 1} other candidates"]
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else last


def _type(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else types
    return f"the value is not of type{'s' * (len(names) != 1)} {', '.join(map(_json, names))}"


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _contained(counts: dict[str, int]) -> str:
    least, most = counts.get("minContains", 1), counts.get("maxContains")
    number = f"at least {least}" if most is None else f"{least} to {most}"
    return f"the value does not contain {number} of the items that 'contains' describes"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "type": _type,
    "enum": lambda values: f"the value is not one of {_listed(values)}",
    "multipleOf": lambda limit: f"the value is not a multiple of {_json(limit)}",
    "maximum": lambda limit: f"the value is greater than the maximum of {_json(limit)}",
    "minimum": lambda limit: f"the value is less than the minimum of {_json(limit)}",
    "exclusiveMaximum": lambda limit: f"the value is greater than or equal to the maximum of {_json(limit)}",
    "exclusiveMinimum": lambda limit: f"the value is less than or equal to the minimum of {_json(limit)}",
    "maxLength": lambda limit: f"the value is longer than {_count(limit, 'character', 'characters')}",
    "minLength": lambda limit: f"the value is shorter than {_count(limit, 'character', 'characters')}",
    "pattern": lambda limit: f'the value does not match "{limit}"',
    "format": lambda limit: f'the value is not a "{limit}"',
    "contentEncoding": lambda limit: f"the text is not in {limit}",
    "contentMediaType": lambda limit: f"the content of the text is not {limit}",
    "contentSchema": lambda _: "the content of the text does not match its schema",
    "maxItems": lambda limit: f"the value has more than {_count(limit, 'item', 'items')}",
    "minItems": lambda limit: f"the value has less than {_count(limit, 'item', 'items')}",
    "uniqueItems": lambda _: "the value has non-unique elements",
    "maxProperties": lambda limit: f"the value has more than {_count(limit, 'property', 'properties')}",
    "minProperties": lambda limit: f"the value has less than {_count(limit, 'property', 'properties')}",
    "required": lambda _: "the value is missing",
    "additionalProperties": lambda _: "unknown property",
    "not": lambda _: "the value is valid under the schema that 'not' forbids",
    "nothing": lambda _: "no value is allowed here",
    "contains": _contained,
    "propertyNames": lambda _: "the name of a property is not allowed",
    "dependentRequired": lambda name: f"the value is missing, which {_json(name)} requires",
    "unevaluatedProperties": lambda _: "the value has a property that no schema describes",
    "unevaluatedItems": lambda _: "the value has an item that no schema describes",
    "anyOf": lambda _: "the value is not valid under any of the schemas listed in the 'anyOf' keyword",
    "oneOf": lambda _: (
        "the value is not valid under exactly one of the schemas listed in the 'oneOf' keyword"
    ),
    "discriminator": lambda names: f"the value names no schema; it must be {_listed(names)}",
    "undiscriminated": lambda names: (
        f"the value is missing, which names the schema; it must be {_listed(names)}"
    ),
    "schema": lambda _: "the value does not match its schema",
}


def type_name(value: Any) -> str:
    """Return the name of the type of a value that the fewest schemas allow; text for a value of another type."""
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "string")


_TYPES: dict[type, str] = {
    bool: "boolean",  # before int, of which it is a subclass
    int: "integer",
    float: "number",
    list: "array",
    tuple: "array",
    dict: "object",
    type(None): "null",
}
