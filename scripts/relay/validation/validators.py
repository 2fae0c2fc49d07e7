"""Compiled schemas. All schemas of one direction are properties of one validator of the library.

The library compiles every definition that a validator refers to, and shares nothing between validators. With
one validator for each schema, the memory for a contract would grow with the square of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from relay.contract.model import Schema

from .verdicts import Accepts, Compiled, compile_together
from .violations import Violation

Definitions = Callable[[set[str]], Mapping[str, Schema]]
"""Returns the definitions of some `$ref`s, and of all `$ref`s in them."""


class Validator:
    """A compiled schema."""

    __slots__ = ("_explain", "accepts", "refs", "schema")

    def __init__(self, schema: Schema, refs: set[str], explain: Callable[[Any], list[Violation]]) -> None:
        self.schema, self.refs = schema, refs
        self._explain = explain
        self.accepts: Accepts
        """Return True if a plain value (str, int, float, bool, None, list, dict) is valid.

        Raises ValueError for other types. NaN is valid only if any type is; it is serialised as null.
        """

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of a plain value, at most MAX_VIOLATIONS; [] only if it is valid."""
        return [] if self.accepts(value) else self._explain(value)


class ValidatorGroup:
    """Validators that are compiled together, when the first of them is used.

    Schemas that are added later are compiled in a group of their own, until these are as large as all: then
    all are compiled again, as one.
    """

    def __init__(self, definitions: Definitions, compiled: Compiled) -> None:
        self._definitions = definitions
        self._compiled = compiled
        self._done: list[Validator] = []
        self._new: list[Validator] = []
        self._size = self._apart = 0  # schemas compiled as one, and in later groups

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
        definitions = self._definitions_of(self._new)
        self._apart += len(definitions) + len(self._new)
        self._done += self._new
        chosen, self._new = self._new, []
        if self._apart > self._size:
            chosen = self._done
            definitions = self._definitions_of(chosen)
            self._size, self._apart = len(definitions) + len(chosen), 0
        roots = {str(number): validator.schema for number, validator in enumerate(chosen)}
        is_valid = compile_together(roots, definitions, self._compiled)
        for key, validator in zip(roots, chosen, strict=True):
            validator.accepts = _property(is_valid, key)

    def _definitions_of(self, validators: Iterable[Validator]) -> Mapping[str, Schema]:
        return self._definitions({ref for validator in validators for ref in validator.refs})


def _property(is_valid: Accepts, key: str) -> Accepts:
    return lambda value: is_valid({key: value})
