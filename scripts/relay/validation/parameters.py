"""Decodes query, path, header and cookie parameters: finds, coerces and validates them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal

from relay.contract.bundling import escape
from relay.contract.model import ABSENT, Contract, Location, Parameter

from .coercion import Coercion
from .read_only import ReadOnly
from .schemas import SchemaCompiler
from .styles import Malformed, Raw, reader
from .violations import Violation


@dataclass(frozen=True, slots=True)
class LocatedViolation:
    """A violation and its location in the request."""

    location: Location | Literal["body"]
    violation: Violation


class ParameterDecoder:
    """Compiled decoder of one parameter: finds its text in a request, converts and validates it."""

    def __init__(self, parameter: Parameter, contract: Contract, compiler: SchemaCompiler) -> None:
        self.parameter = parameter
        self._default = contract.default(parameter.schema)
        self._validator = compiler.compile(parameter.schema, "request", parameter.pointer)
        coercion = Coercion(contract, compiler)
        self._drop = ReadOnly(contract, compiler).of(parameter.schema) if self._validator else None
        self._scalar = coercion.scalar_of(parameter.schema)
        self._read = reader(parameter, contract, coercion, refuses_nul=compiler.strictness.nul)
        if self._default is not ABSENT and self._validator and not self._validator.accepts(self._default):
            message = f"the default of '{parameter.name}' violates its own schema; handlers get it as it is"
            compiler.problems.append(contract.warning(parameter.pointer, message, "invalid-default"))

    def decode(
        self, raw: Raw, arguments: dict[str, Any], name: str, failures: list[LocatedViolation]
    ) -> None:
        """Store the parameter's value in `arguments[name]`, or append its violations to `failures`.

        An absent optional parameter without a default changes neither.
        """
        try:
            value = self._read(raw)
        except Malformed as exc:
            self._fail(failures, Violation("", exc.rule, str(exc)))
            return
        if value is ABSENT:
            if self.parameter.required:
                self._fail(failures, Violation("", "required", "the value is missing"))
            elif self._default is not ABSENT:
                arguments[name] = copy.deepcopy(self._default)
            return
        assert self._validator is not None  # the server does not start if a schema cannot be compiled
        accepts = self._validator.accepts
        if self._scalar is not None and type(value) is list and len(value) == 1 and not accepts(value):
            value = self._scalar_or_list(raw, value)
        if accepts(value):
            if self._drop is not None:
                self._drop(value)
            arguments[name] = value
        else:
            for violation in self._validator.violations(value):
                self._fail(failures, violation)

    def _scalar_or_list(self, raw: Raw, value: list[Any]) -> Any:
        """Return the scalar that one text is, if it is valid; else the list of one that it was read as."""
        assert self._scalar is not None and self._validator is not None  # noqa: PT018 -- both are known here
        texts = raw.get(self.parameter.name, [])
        scalar = self._scalar(texts[0]) if len(texts) == 1 else value
        return scalar if self._validator.accepts(scalar) else value

    def _fail(self, failures: list[LocatedViolation], violation: Violation) -> None:
        path = f"/{escape(self.parameter.name)}{violation.path}"
        failures.append(
            LocatedViolation(self.parameter.location, Violation(path, violation.rule, violation.message))
        )
