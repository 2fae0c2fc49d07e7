"""Compiled schemas. All schemas of one direction are properties of one validator of the library.

The library compiles every definition that a validator refers to, and shares nothing between validators. With
one validator for each schema, the memory for a contract would grow with the square of its size.
It is one module because definitions, validators and their group are compiled together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote
from weakref import WeakSet

import jsonschema_rs

from relay.contract.model import Schema
from relay.contract.pointers import escape

from .violations import Violation

Accepts = Callable[[Any], bool]

DELEGATED = "x-delegated"
"""A keyword of our own: its value is the name of a schema, which another validator has."""


Compile = Callable[
    [Schema, Accepts | None], jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator
]
"""Takes a document, and the verdict of the schemas that are DELEGATED to another validator.

Raises ValueError or jsonschema_rs.ReferencingError for a document that cannot be compiled.
"""


def pointer_of(name: str) -> str:
    """Return the `$ref` to a definition."""
    return f"#/definitions/{quoted(name)}"


def quoted(name: str) -> str:
    """Return a name as a token of a `$ref`."""
    return quote(escape(name), safe="~")


def delegation(delegate: Accepts) -> type:
    """Return the class of the keyword DELEGATED."""

    class Delegated:
        def __init__(self, _parent: Any, name: str, _path: Any) -> None:
            self.name = name

        def validate(self, value: Any) -> None:
            if not delegate({self.name: value}):
                raise ValueError(self.name)

    return Delegated


def compile_together(
    schemas: Mapping[str, Schema],
    definitions: Mapping[str, Schema],
    compile_: Compile,
    delegate: Accepts | None = None,
) -> Accepts:
    """Compile schemas as properties: the verdict accepts `{name: value}` if that schema accepts the value."""
    document = {"properties": schemas, "additionalProperties": False, "definitions": definitions}
    return compile_(document, delegate).is_valid


T = TypeVar("T")


class Translated(NamedTuple):
    """A schema in draft 4, and its `$ref`s as written in the contract.

    `error` says why it cannot be compiled, whatever its `$ref`s lead to; `has_formats` is True if it uses a
    format that the library does not have.
    """

    schema: Schema
    refs: set[str]
    error: str | None
    has_formats: bool


class Definitions:
    """The targets of the `$ref`s of one direction, each translated when it is first reached."""

    def __init__(self, translated: Callable[[str], Translated]) -> None:
        self._translated = translated
        self._found: dict[str, Translated] = {}
        self._users: defaultdict[str, list[str]] = defaultdict(list)
        self._errors: dict[str, str] = {}  # by each `$ref` that reaches one
        self._formatted: dict[str, str] = {}

    def of(self, refs: set[str]) -> dict[str, Schema]:
        """Return the targets of some `$ref`s, and of all `$ref`s in them."""
        self._reach(refs)
        definitions: dict[str, Schema] = {}
        pending = set(refs)
        while pending:
            ref = pending.pop()
            found = self._found[ref]
            definitions[ref] = found.schema
            pending.update(found.refs.difference(definitions))
        return definitions

    def error(self, refs: set[str]) -> str | None:
        """Return why one of the schemas that some `$ref`s reach cannot be compiled; None if all can."""
        self._reach(refs)
        return next((self._errors[ref] for ref in sorted(refs) if ref in self._errors), None)

    def have_formats(self, refs: set[str]) -> bool:
        """Return True if a schema that some `$ref`s reach uses a format that the library does not have."""
        self._reach(refs)
        return any(ref in self._formatted for ref in refs)

    def _reach(self, refs: set[str]) -> None:
        """Translate what some `$ref`s reach, and note for each what is true of what it reaches."""
        new: list[str] = []
        pending = [*refs]
        while pending:
            ref = pending.pop()
            if ref not in self._found:
                new.append(ref)
                found = self._found[ref] = self._translated(ref)
                pending += found.refs
                for target in found.refs:
                    self._users[target].append(ref)
        for ref in new:
            self._note(ref)

    def _note(self, ref: str) -> None:
        """Note what is true of a schema and of what it refers to, also for all schemas that reach it."""
        found = self._found[ref]
        error = found.error or next((self._errors[one] for one in found.refs if one in self._errors), None)
        if error is not None:
            self._spread(ref, self._errors, error)
        if found.has_formats or not self._formatted.keys().isdisjoint(found.refs):
            self._spread(ref, self._formatted, "")

    def _spread(self, ref: str, noted: dict[str, T], value: T) -> None:
        pending = [ref]
        while pending:
            user = pending.pop()
            if user not in noted:
                noted[user] = value
                pending += self._users[user]


class Validator:
    """A compiled schema, for as long as something refers to it; `explained` returns what explains its violations."""

    __slots__ = ("__weakref__", "_explain", "accepts", "refs", "schema")

    def __init__(
        self,
        schema: Schema,
        refs: set[str],
        explained: Callable[[Validator], Callable[[Any], list[Violation]]],
    ) -> None:
        self.schema, self.refs = schema, refs
        self._explain = explained(self)
        self.accepts: Accepts
        """Return True if a plain value (str, int, float, bool, None, list, dict) is valid.

        Raises ValueError for other types. NaN is valid only if any type is; it is serialised as null.
        """

    def takes(self, value: Any) -> bool:
        """Return True if a value is valid; False for a value of another type than those of plain ones."""
        try:
            return self.accepts(value)
        except (ValueError, TypeError):
            return False

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of a plain value, at most MAX_VIOLATIONS; [] only if it is valid."""
        return [] if self.accepts(value) else self._explain(value)


class ValidatorGroup:
    """Validators that are compiled together, when the first of them is used.

    Schemas that are added later, such as those that examples and mock responses are made of, leave the
    definitions that are compiled already to the first validator. Where they refer to others, they are compiled
    in a group of their own. When these are as large as all, all are compiled again, as one.
    """

    def __init__(self, definitions: Callable[[set[str]], Mapping[str, Schema]], compile_: Compile) -> None:
        self._definitions = definitions
        self._compile_one = compile_
        self._done: WeakSet[Validator] = WeakSet()
        self._new: list[Validator] = []
        self._known: set[str] = set()  # the definitions that are compiled as one
        self._size = self._apart = 0  # schemas compiled as one, and later
        self._delegate: Accepts | None = None  # the verdict of what is compiled as one

    def add(self, validator: Validator) -> None:
        """Let a validator be compiled when it is used."""

        def accepts(value: Any) -> bool:
            self.compile()
            return validator.accepts(value)

        validator.accepts = accepts
        self._new.append(validator)

    def compile(self) -> None:
        """Compile what was added."""
        if not self._new:
            return
        new = [validator for validator in self._new if not self._is_known(validator)]
        self._new.clear()
        if not new:
            return
        self._done.update(new)
        refs = set().union(*(one.refs for one in new))
        if self._delegate is not None and refs <= self._known and len(self._done) <= 2 * self._size:
            self._compile(new, {ref: {DELEGATED: ref} for ref in refs})
            return
        definitions = self._definitions(refs)
        self._apart += len(definitions) + len(new)
        if self._apart <= self._size:
            self._compile(new, definitions)
            return
        used = [*self._done]
        definitions = self._definitions(set().union(*(one.refs for one in used)))
        self._delegate = self._compile(used, definitions)
        self._known = set(definitions)
        self._size, self._apart = len(definitions) + len(used), 0

    def _is_known(self, validator: Validator) -> bool:
        """Return True, with its verdict set, if a validator's schema is a `$ref` that is compiled already."""
        if self._delegate is None or "$ref" not in validator.schema or not validator.refs <= self._known:
            return False
        (ref,) = validator.refs
        validator.accepts = _property(self._delegate, ref)
        return True

    def _compile(self, validators: Iterable[Validator], definitions: Mapping[str, Schema]) -> Accepts:
        by_name = {str(number): validator for number, validator in enumerate(validators)}
        schemas = {name: validator.schema for name, validator in by_name.items()}
        schemas |= {ref: {"$ref": pointer_of(ref)} for ref in definitions}
        is_valid = compile_together(schemas, definitions, self._compile_one, self._delegate)
        for name, validator in by_name.items():
            validator.accepts = _property(is_valid, name)
        return is_valid


def _property(is_valid: Accepts, key: str) -> Accepts:
    return lambda value: is_valid({key: value})
