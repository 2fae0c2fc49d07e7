"""The arguments of a function that the contract names, as Connexion 3 passes them, or as Relay names them."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.datastructures import Headers, UploadFile

from relay.contract.connexion_words import body_names, spellings
from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Operation
from relay.contract.names import RESERVED_ARGUMENTS
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_binary
from relay.validation.coercion import items_of, properties_of, types_of
from relay.validation.uploads import Upload

from .functions import (
    HandlerArgument,
    code_place,
    missing_default_message,
    named_arguments,
    positional_only_problems,
    required_names,
)
from .threads import Function, accepted_names

_IDENTITY = ("user", "token_info")  # what Connexion also passes to `**kwargs`, if the operation has security
_LOCATIONS = ("path", "query", "header", "cookie", "querystring")

Arguments = dict[str, Any]


class ConnexionArguments:
    """The arguments that an operation passes to its function; `names` are keys, with a blank if there is no argument."""

    def __init__(self, operation: Operation, function: Function, contract: Contract) -> None:
        self._operation = operation
        self._contract = contract
        self._function = function
        self._named = named_arguments(function)
        self._takes_any = accepted_names(function) is None
        self._arguments = self._argument_names()
        self.names: Mapping[Pointer, str] = {
            one.pointer: argument
            if (argument := self._arguments.get(one.pointer)) and argument not in RESERVED_ARGUMENTS
            else f"{one.location} {one.name}"
            for one in operation.parameters
        }
        self._body = self._body_name()
        self._files = file_fields(operation, contract)
        self._numbers = frozenset(  # Connexion makes floats of them
            self._arguments[one.pointer]
            for one in operation.parameters
            if one.pointer in self._arguments and "number" in types_of(one.schema, contract)
        )

    def adapted(self) -> Function:
        """Return the function, called with the keys of `names` and `body`; async if it decorates an async one."""
        function, operation = self._function, self._operation
        keys = {*self.names.values()}
        is_same = keys == {*self._arguments.values()} and not self._takes_any and not self._numbers
        arranged = _unchanged if is_same and operation.body is None else self._arranger()
        is_async = inspect.iscoroutinefunction(inspect.unwrap(function))
        if arranged is _unchanged and (not is_async or inspect.iscoroutinefunction(function)):
            return function

        @functools.wraps(function)
        async def awaited(**arguments: Any) -> Any:
            return await function(**arranged(arguments))

        @functools.wraps(function)
        def called(**arguments: Any) -> Any:
            return function(**arranged(arguments))

        chosen: Any = awaited if is_async or inspect.iscoroutinefunction(function) else called
        chosen.__signature__ = self._signature()
        return chosen  # type: ignore[no-any-return]  # one of two functions

    @property
    def sent(self) -> frozenset[str]:
        """The arguments that the contract has."""
        return frozenset([*self._arguments.values(), *filter(None, [self._body]), *self._files])

    def problems(self) -> Iterator[Diagnostic]:
        """Report arguments that cannot be passed; as warnings, those that a request may lack."""
        yield from positional_only_problems(self._function)
        required = {*required_names(self._function)}
        for parameter in self._operation.parameters:
            name = self._arguments.get(parameter.pointer, "")
            sent = HandlerArgument.of(parameter, name, self._operation, self._contract)
            if name in required and not sent.always:
                message = f"{missing_default_message(sent)}; until then, such a request is a 500"
                yield Diagnostic(code_place(self._function), message, "argument", Severity.WARNING)

    def _argument_names(self) -> dict[Pointer, str]:
        """Return the argument of each parameter that has one; a name belongs to the first that asks."""
        found: dict[Pointer, str] = {}
        for one in sorted(self._operation.parameters, key=lambda one: _LOCATIONS.index(one.location)):
            wishes = [*spellings(one.name), self._operation.arguments[one.pointer]]
            is_passed = self._takes_any and one.location in ("path", "query")
            possible = [name for name in wishes if name in self._named and name not in found.values()]
            if is_passed and wishes[0] not in found.values():
                possible.append(wishes[0])
            if possible:
                found[one.pointer] = possible[0]
        return found

    def _body_name(self) -> str | None:
        if self._operation.body is None:
            return None
        wanted = body_names(self._operation, self._contract)
        named = next((name for name in wanted if name in self._named), None)
        return wanted[0] if named is None and self._takes_any else named

    def _arranger(self) -> Callable[[Arguments], Arguments]:
        moved = {
            key: self._arguments.get(pointer)
            for pointer, key in self.names.items()
            if key != self._arguments.get(pointer)
        }
        unwanted = [name for name in ("caller", "claims") if name not in self._named]
        has_body, body, files = self._operation.body is not None, self._body, self._files
        passed = files if self._takes_any else files & self._named
        absent = absent_body(self._operation, self._contract)

        def arranged(arguments: Arguments) -> Arguments:
            value = arguments.pop("body", ABSENT) if has_body else ABSENT
            for name in unwanted:
                arguments.pop(name, None)
            for key, argument in moved.items():
                if (moving := arguments.pop(key, ABSENT)) is not ABSENT and argument is not None:
                    arguments[argument] = moving
            for name in self._numbers & arguments.keys():
                arguments[name] = _as_float(arguments[name])
            if isinstance(value, dict) and files:
                found_files = {name: _as_starlette(value.pop(name)) for name in files & value.keys()}
                arguments.update((name, found_files[name]) for name in passed & found_files.keys())
            if body is not None:
                arguments[body] = copy.deepcopy(absent) if value is ABSENT else value
            return arguments

        return arranged

    def _signature(self) -> inspect.Signature:
        """Return the signature; one with `**kwargs` names what Connexion passes there of a credential."""
        signature = inspect.signature(self._function)
        if not (self._takes_any and self._operation.security):
            return signature
        *others, variadic = signature.parameters.values()
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
            for name in _IDENTITY
            if name not in self._named
        ]
        return signature.replace(parameters=[*others, *added, variadic])


def _unchanged(arguments: Arguments) -> Arguments:
    return arguments


def _as_float(value: Any) -> Any:
    """Return an integer as a float; any other value as it is, also one that is too large."""
    try:
        return float(value) if type(value) is int else value
    except OverflowError:
        return value


def file_fields(operation: Operation, contract: Contract) -> frozenset[str]:
    """Return the fields of an operation's forms that are files."""
    found: set[str] = set()
    for media_type, schema in (operation.body.content if operation.body else {}).items():
        if media.is_form(media.essence(media_type)):
            for name, field in properties_of(schema, contract).items():
                if any(is_binary(part, contract) for part in (field, items_of(field, contract))):
                    found.add(name)
    return frozenset(found)


def _as_starlette(value: Any) -> Any:
    """Return a file, or a list of files, as Starlette's class, whose methods are awaited; Connexion passes that."""
    if isinstance(value, list):
        return [_as_starlette(one) for one in value]
    if not isinstance(value, Upload):
        return value
    return UploadFile(value.file, size=value.size, filename=value.name, headers=Headers(value.headers))


def absent_body(operation: Operation, contract: Contract) -> Any:
    """Return what Connexion passes for a body that a request does not have: its default, None or {}."""
    schemas = operation.body.content.values() if operation.body else ()
    schema = contract.resolve(next(iter(schemas), {}))
    return None if schema.get("nullable") else schema.get("default", {})
