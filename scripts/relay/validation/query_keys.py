"""Which keys of a query belong to which parameter: some objects take every key that no other parameter has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Parameter
from relay.contract.pointers import escape

from .coercion import Coercion, additional_properties_of, properties_of, shapes_of, takes_any_key
from .raw_texts import Texts
from .schemas import SchemaCompiler
from .styles import Keys, is_spread, one_or_list
from .violations import MAX_VIOLATIONS, Violation


class _FreeForm(NamedTuple):
    """An object that takes any key, and the verdict about the texts of a key as one of its properties."""

    pointer: Pointer
    accepts: Callable[[Sequence[str]], bool]


class QueryKeys:
    """The keys of the query parameters of one operation, and of the API keys that the contract has in queries."""

    def __init__(self, parameters: Iterable[Parameter], contract: Contract, compiler: SchemaCompiler) -> None:
        self._names = {
            str(scheme["name"])
            for scheme in contract.security_schemes.values()
            if scheme.get("type") == "apiKey" and scheme.get("in") == "query"
        }
        self._deep: set[str] = set()
        self._free: list[_FreeForm] = []
        coercion = Coercion(contract, compiler)
        for parameter in parameters:
            if parameter.location == "query":
                self._claim(parameter, contract)
                if is_spread(parameter, contract) and takes_any_key(parameter.schema, contract):
                    self._free.append(_free_form(parameter, contract, coercion))

    def taken_by(self, parameter: Parameter) -> Keys | None:
        """Return what finds the keys that a parameter takes although no property has their name; None for no such.

        Of several objects that take any key, the first whose schema accepts its value takes it.
        """
        own = next((one for one in self._free if one.pointer == parameter.pointer), None)
        if own is None:
            return None
        return lambda texts: [
            key for key in texts if not self._is_claimed(key) and self._owner(texts[key]) is own
        ]

    def unknown(self, texts: Texts) -> Iterator[Violation]:
        """Yield a violation for each key that belongs to no parameter."""
        if not self._free:
            unknown = [key for key in texts if not self._is_claimed(key)]
            for key in unknown[:MAX_VIOLATIONS]:
                yield Violation(f"/{escape(key)}", "unknown", "the contract has no such query parameter")

    def _claim(self, parameter: Parameter, contract: Contract) -> None:
        if parameter.style == "deepObject" and parameter.media_type is None:
            self._deep.add(parameter.name)
        if is_spread(parameter, contract):
            self._names |= properties_of(parameter.schema, contract).keys()
            if shapes_of(parameter.schema, contract) == ["object"]:
                return
        self._names.add(parameter.name)

    def _is_claimed(self, key: str) -> bool:
        name, bracket, _ = key.partition("[")
        return key in self._names or (bracket != "" and name in self._deep)

    def _owner(self, texts: Sequence[str]) -> _FreeForm:
        first = self._free[0]
        if len(self._free) == 1:
            return first
        return next((one for one in self._free if one.accepts(texts)), first)


def _free_form(parameter: Parameter, contract: Contract, coercion: Coercion) -> _FreeForm:
    schema = additional_properties_of(parameter.schema, contract)
    coerce, accepts = coercion.of(schema), coercion.verdict(schema)

    def accept(texts: Sequence[str]) -> bool:
        value: Any = coerce(one_or_list(texts))
        return accepts(value)

    return _FreeForm(parameter.pointer, accept)
