"""The forms of values in JSON that a schema allows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import chain

from relay.contract.model import Contract, Schema

from .coercion import additional_properties_of, items_of, properties_of, types_of, values_of
from .contents import ENCODERS


class Shape:
    """The forms of values in JSON that a schema allows; those of each part are made when they are first asked for."""

    def __init__(self, schema: Schema, contract: Contract) -> None:
        self._schema, self._contract = schema, contract
        self._known: dict[str, Shape] = {}

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that are documented; none if every type is."""
        return types_of(self._schema, self._contract)

    @cached_property
    def encode(self) -> Callable[[bytes], bytes] | None:
        """How bytes are written as text; None if they cannot be."""
        stated = [*values_of(self._schema, self._contract, "format", "contentEncoding")]
        return next((ENCODERS[name] for name in sorted(ENCODERS) if name in stated), None)

    @cached_property
    def item(self) -> Shape:
        """The shape of an array's items."""
        return Shape(items_of(self._schema, self._contract), self._contract)

    @cached_property
    def _properties(self) -> dict[str, Schema]:
        return properties_of(self._schema, self._contract)

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(values_of(self._schema, self._contract, "required")))

    @cached_property
    def _other(self) -> Shape:
        return Shape(additional_properties_of(self._schema, self._contract), self._contract)

    def property(self, name: str) -> Shape:
        """Return the shape of a property."""
        if name not in self._properties:
            return self._other
        if name not in self._known:
            self._known[name] = Shape(self._properties[name], self._contract)
        return self._known[name]

    def may_omit(self, name: str) -> bool:
        """Return True for a property that is optional and cannot be null."""
        types = self.property(name).types
        return name not in self._required and bool(types) and "null" not in types
