"""Decodes query, path, header and cookie parameters: finds, coerces and validates them."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from relay.contract.model import ABSENT, Parameter
from relay.contract.pointers import escape

from .completion import converting, dropping, filling
from .json_strict import Malformed
from .query_strings import is_form, query_string_reader
from .raw_texts import Raw
from .schemas import SchemaCompiler
from .styles import Keys, is_spread, reader
from .violations import Violation, malformed


class ParameterDecoder:
    """Finds, converts and validates one parameter; `keys` finds the keys that an object takes without a name."""

    def __init__(self, parameter: Parameter, compiler: SchemaCompiler, keys: Keys | None = None) -> None:
        self.parameter = parameter
        self._default = compiler.contract.default(parameter.schema)
        self._validator = compiler.compile(parameter.schema, "request", parameter.pointer)
        # Text that is not JSON is a float only where the schema takes no integer.
        may_be_json = parameter.media_type is not None or parameter.location == "querystring"
        self._drop = dropping(parameter.schema, compiler) if self._validator else None
        self._fill = filling(parameter.schema, compiler) if self._validator else None
        self._integers = converting(parameter.schema, compiler) if may_be_json else None
        self._has_members = is_spread(parameter, compiler.contract) or parameter.style == "deepObject"
        if parameter.location == "querystring":
            self._has_members = is_form(parameter)
            self._read = query_string_reader(parameter, compiler)
        else:
            self._read = reader(parameter, compiler, keys)
        if self._default is not ABSENT and self._validator and not self._validator.accepts(self._default):
            message = f"the default of '{parameter.name}' violates its own schema; handlers get it as it is"
            compiler.warn(parameter.pointer, message, "invalid-default")

    def decode(self, raw: Raw, arguments: dict[str, Any], name: str, failures: list[Violation]) -> None:
        """Store the parameter's value in `arguments[name]` unless it is absent, or append violations to `failures`."""
        if self.parameter.allows_empty and [*raw.texts.get(self.parameter.name, ())] == [""]:
            self._store_empty(arguments, name)
            return
        try:
            value = self._read(raw)
        except Malformed as exc:
            self._fail(failures, malformed(exc, ""))
            return
        if value is ABSENT:
            if self.parameter.required:
                self._fail(failures, Violation("", "required", "the value is missing"))
            else:
                self._store_default(arguments, name)
            return
        assert self._validator is not None  # the server does not start if a schema cannot be compiled
        if self._validator.accepts(value):
            if self._drop is not None:
                self._drop(value)
            if self._fill is not None:
                self._fill(value, self._validator.accepts)
            arguments[name] = value if self._integers is None else self._integers(value)
        else:
            for violation in self._validator.violations(value):
                self._fail(failures, violation)

    def _store_default(self, arguments: dict[str, Any], name: str) -> None:
        """Store the default, if there is one; an object that is sent as parameters may have those of its members."""
        if self._default is not ABSENT:
            arguments[name] = copy.deepcopy(self._default)
        elif self._fill is not None and self._has_members and self._validator is not None:
            members: dict[str, Any] = {}
            if self._fill(members, self._validator.accepts):
                arguments[name] = members

    def _store_empty(self, arguments: dict[str, Any], name: str) -> None:
        """Store the empty value of the schema; without one, the parameter counts as not sent."""
        assert self._validator is not None  # the server does not start if a schema cannot be compiled
        values: tuple[Any, ...] = ("", [], {}, None)
        empty = [value for value in values if self._validator.accepts(value)]
        if empty or self.parameter.required:
            arguments[name] = empty[0] if empty else None
        else:
            self._store_default(arguments, name)

    def _fail(self, failures: list[Violation], violation: Violation) -> None:
        path = f"/{escape(self.parameter.name)}{violation.path}"
        failures.append(replace(violation, path=path, location=self.parameter.location))
