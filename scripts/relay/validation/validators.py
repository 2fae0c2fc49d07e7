"""Compiled schemas. All schemas of one direction are properties of one validator of the library.

The library compiles every definition that a validator refers to, and shares nothing between validators. With
one validator for each schema, the memory for a contract would grow with the square of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol
from weakref import WeakSet

from relay.contract.model import Schema

from .verdicts import DELEGATED, Accepts, Compiled, compile_together, pointer_of
from .violations import Violation

Definitions = Callable[[set[str]], Mapping[str, Schema]]
"""Returns the definitions of some `$ref`s, and of all `$ref`s in them."""


class Explainer(Protocol):
    """Explains why schemas reject values."""

    def add(self, validator: Validator, /) -> Callable[[Any], list[Violation]]:
        """Return the function that explains a value which a validator rejects."""


class Validator:
    """A compiled schema; it is compiled again with others only as long as something else refers to it."""

    __slots__ = ("__weakref__", "_explain", "accepts", "refs", "schema")

    def __init__(self, schema: Schema, refs: set[str], explainer: Explainer) -> None:
        self.schema, self.refs = schema, refs
        self._explain = explainer.add(self)
        self.accepts: Accepts
        """Return True if a plain value (str, int, float, bool, None, list, dict) is valid.

        Raises ValueError for other types. NaN is valid only if any type is; it is serialised as null.
        """

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of a plain value, at most MAX_VIOLATIONS; [] only if it is valid."""
        return [] if self.accepts(value) else self._explain(value)


class ValidatorGroup:
    """Validators that are compiled together, when the first of them is used.

    Schemas that are added later, such as those that examples and mock responses are made of, leave the
    definitions that are compiled already to the first validator. Where they refer to others, they are compiled
    in a group of their own. When these are as large as all, all are compiled again, as one.
    """

    def __init__(self, definitions: Definitions, compiled: Compiled) -> None:
        self._definitions = definitions
        self._compiled = compiled
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
        self._new = []
        if not new:
            return
        self._done.update(new)
        refs = _refs(new)
        if self._delegate is not None and refs <= self._known and len(self._done) <= 2 * self._size:
            self._compile(new, {ref: {DELEGATED: ref} for ref in refs})
            return
        definitions = self._definitions(refs)
        self._apart += len(definitions) + len(new)
        if self._apart <= self._size:
            self._compile(new, definitions)
            return
        used = [*self._done]
        definitions = self._definitions(_refs(used))
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
        """Compile some validators as one; return a verdict that they and the definitions have by name."""
        by_name = {str(number): validator for number, validator in enumerate(validators)}
        schemas = {name: validator.schema for name, validator in by_name.items()}
        schemas |= {ref: {"$ref": pointer_of(ref)} for ref in definitions}
        is_valid = compile_together(schemas, definitions, partial(self._compiled, delegate=self._delegate))
        for name, validator in by_name.items():
            validator.accepts = _property(is_valid, name)
        return is_valid


def _refs(validators: Iterable[Validator]) -> set[str]:
    return {ref for validator in validators for ref in validator.refs}


def _property(is_valid: Accepts, key: str) -> Accepts:
    return lambda value: is_valid({key: value})
