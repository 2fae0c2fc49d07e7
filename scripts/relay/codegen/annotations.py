"""Types as the generator writes them: derive them from schemas, compare, print."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from relay.contract.json_text import is_64_bit
from relay.contract.model import Contract, Schema
from relay.contract.pointers import parse_pointer
from relay.validation.binary_schemas import is_binary

from .plain_schemas import plain
from .type_schemas import nested_key

Kind = Literal["builtin", "typing", "abc", "generated", "literal", "foreign"]

BUILTINS = frozenset("str int float bool bytes dict list tuple None".split())
TYPING = frozenset("Any Literal Union Optional".split())
HOMES: Mapping[Kind, str] = {"builtin": "builtins", "typing": "typing", "abc": "collections.abc"}
"""The modules of types that are not generated."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type: `name` with its arguments in brackets; a union is called `|`.

    A `generated` name is one of the package's `_types`, a `literal` is an expression inside `Literal`; what the
    generator does not write is `foreign`.
    """

    name: str
    parts: tuple[Type, ...] = ()
    kind: Kind = "builtin"

    @property
    def members(self) -> tuple[Type, ...]:
        """The members of a union, with one member for each value of a `Literal`; else the type itself."""
        if self.name == "|":
            return tuple(member for part in self.parts for member in part.members)
        if self.name == "Literal":
            return tuple(Type("Literal", (part,), "typing") for part in self.parts)
        return (self,)

    def is_like(self, other: Type) -> bool:
        """Return True if another type (not a union) is equal, or more specific where this is Any."""
        same = (self.name, self.kind, len(self.parts)) == (other.name, other.kind, len(other.parts))
        agree = (agrees(own, part) for own, part in zip(self.parts, other.parts, strict=False))
        return self == ANY or (same and all(agree))

    def replaced(self, old: Type, new: Type) -> Type:
        """Return the type with another one in place of one of its members."""
        return union(new if one == old else one for one in (self.parts if self.name == "|" else [self]))

    def names(self, kind: Kind) -> Iterator[str]:
        """Yield the names of a kind that the type uses."""
        if self.kind == kind:
            yield self.name
        for part in self.parts:
            yield from part.names(kind)

    def written(self, local: Mapping[str, str]) -> str:
        """Return the type as source; `local` maps types to the names that a module uses for them.

        Its keys are names of generated types, and of others with their module: `builtins.list`.
        """
        if self.name == "|":
            return " | ".join(part.written(local) for part in self.parts)
        key = self.name if self.kind == "generated" else f"{HOMES.get(self.kind)}.{self.name}"
        name = local.get(key, self.name)
        inner = ", ".join(part.written(local) for part in self.parts)
        return f"{name}[{inner}]" if inner else name

    def annotation(self, local: Mapping[str, str], *, is_evaluated: bool) -> str:
        """Return the type as an annotation: in quotes if Python evaluates it before its names exist."""
        is_plain = not ({*self.names("typing")} | {*self.names("generated")})
        return self.written(local) if is_plain or not is_evaluated else _quoted(self.written(local))


ANY = Type("Any", kind="typing")
NONE = Type("None")
STR, INT, FLOAT, BOOL, BYTES = (Type(name) for name in ("str", "int", "float", "bool", "bytes"))
_SCALARS = {"string": STR, "integer": INT, "number": FLOAT, "boolean": BOOL, "null": NONE}
ELLIPSIS = Type("...", kind="literal")
FOREIGN = Type("?", kind="foreign")
UPLOAD = Type("Upload", kind="generated")
"""relay.Upload, which `_types.py` imports."""

MAPPING = Type("dict", (STR, ANY))


@functools.lru_cache(maxsize=10_000)
def agrees(own: Type, other: Type) -> bool:
    """Return True if another type is equal, in any order, or more specific where a type is Any.

    Results are kept: both directions of a comparison compare the parts, which would double at each level.
    """
    return own == ANY or _pair_up(own, other, Type.is_like)


@functools.lru_cache(maxsize=10_000)
def loosens(loose: Type, exact: Type) -> bool:
    """Return True for a less specific form of a type: Any, or dict or list in place of what they contain."""
    if loose == ANY or agrees(exact, loose):
        return True
    if loose.name == "|" or exact.name == "|":
        return _pair_up(loose, exact, loosens)
    if (loose.name, loose.kind) == ("dict", "builtin") and exact.kind == "generated":
        return loose in (MAPPING, Type("dict"))
    is_same = (loose.name, loose.kind) == (exact.name, exact.kind) and loose.name in ("dict", "list")
    parts = zip(loose.parts, exact.parts, strict=False)
    return is_same and all(loosens(one, other) for one, other in parts)


def _pair_up(one: Type, other: Type, match: Callable[[Type, Type], bool]) -> bool:
    """Return True if each member of two types has a match among those of the other one, as equal ones are."""
    mine, theirs = dict.fromkeys(one.members), dict.fromkeys(other.members)
    return all(own in theirs or any(match(own, member) for member in theirs) for own in mine) and all(
        member in mine or any(match(own, member) for own in mine) for member in theirs
    )


def union(types: Iterable[Type]) -> Type:
    """Return the union of types, without duplicates and with None last; Any if one of them is Any."""
    parts: dict[Type, None] = {}
    for one in types:
        parts.update(dict.fromkeys(one.parts if one.name == "|" else [one]))
    if ANY in parts or not parts:
        return ANY
    ordered = sorted(parts, key=lambda part: part == NONE)
    return ordered[0] if len(ordered) == 1 else Type("|", tuple(ordered))


def of_schema(schema: Schema, contract: Contract, names: Mapping[str, str]) -> Type:
    """Return the type of a schema's values; `names` are the classes of `components/schemas`."""
    return _Schemas(contract, names).type_of(schema, ())


class _Schemas:
    def __init__(self, contract: Contract, names: Mapping[str, str]) -> None:
        self._contract = contract
        self._names = names
        self._is_plain = contract.version == "3.0"

    def type_of(self, schema: Schema, seen: tuple[str, ...]) -> Type:
        schema = self._plain(schema)
        if isinstance(ref := schema.get("$ref"), str):
            found = self._referenced(ref, seen)
            schema = self._plain(self._contract.resolve(schema))
        else:
            found = self._inline(schema, seen)
        return union([found, NONE]) if schema.get("nullable") is True else found

    def _plain(self, schema: Schema) -> Schema:
        return schema if self._is_plain else plain(schema)

    def _referenced(self, ref: str, seen: tuple[str, ...]) -> Type:
        pointer = parse_pointer(ref[1:])
        if pointer[:2] == ("components", "schemas"):
            key = pointer[2] if len(pointer) == 3 else nested_key(pointer)
            if key in self._names:
                return Type(self._names[key], kind="generated")
        if ref in seen:
            return ANY
        return self.type_of(self._contract.resolve({"$ref": ref}), (*seen, ref))

    def _inline(self, schema: Schema, seen: tuple[str, ...]) -> Type:
        if "enum" in schema:
            return literals(schema["enum"])
        if parts := schema.get("oneOf") or schema.get("anyOf"):
            return union(self.type_of(part, seen) for part in parts)
        return self._all_of(schema, seen) if "allOf" in schema else self._of_type(schema, seen)

    def _of_type(self, schema: Schema, seen: tuple[str, ...]) -> Type:
        kind, additional = schema.get("type", ""), schema.get("additionalProperties")
        if kind == "array":
            return Type("list", (self.type_of(schema.get("items", {}), seen),))
        if kind == "object" or additional is not None or "properties" in schema:
            if not isinstance(additional, dict) or schema.get("properties"):
                return MAPPING
            return Type("dict", (STR, self.type_of(additional, seen)))
        return BYTES if kind == "string" and is_binary(schema, self._contract) else _SCALARS.get(kind, ANY)

    def _all_of(self, schema: Schema, seen: tuple[str, ...]) -> Type:
        parts = [self.type_of(part, seen) for part in schema["allOf"]]
        if len(parts) == 1 and "properties" not in schema:
            return parts[0]
        resolved = [self._contract.resolve(part) for part in schema["allOf"]]
        is_object = any("properties" in part or part.get("type") == "object" for part in [schema, *resolved])
        return MAPPING if is_object else ANY


def literals(values: Iterable[Any]) -> Type:
    """Return the type of some constants: a `Literal` of those that may be in one."""
    types: list[Type] = []
    found: list[Type] = []
    for value in values:
        if value is None:
            types.append(NONE)
        elif type(value) is int and not is_64_bit(value):
            types.append(INT)
        elif isinstance(value, bool | int | str):
            found.append(Type(_quoted(value), kind="literal"))
        else:
            types.append(FLOAT if isinstance(value, float) else ANY)
    if found:
        types.insert(0, Type("Literal", tuple(dict.fromkeys(found)), "typing"))
    return union(types)


def _quoted(value: bool | int | str) -> str:  # noqa: FBT001 -- a value of an enum, not a switch
    """Return a value's literal, with the quotes that formatters choose."""
    written = repr(value)
    if written.startswith("'") and '"' not in written:
        body = written[1:-1].replace("\\'", "'")
        return f'"{body}"'
    return written
