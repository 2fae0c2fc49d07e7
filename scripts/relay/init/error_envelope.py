"""The contract's error responses → the body that renders an error, where its schema leaves no doubt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.server.errors import ErrorReport, problem_details
from relay.validation import media_types as media
from relay.validation.schemas import SchemaCompiler

_PLAIN = tuple(
    ErrorReport(status, code, "What is wrong")
    for status, code in (
        (400, "INVALID_REQUEST"),
        (401, "UNAUTHENTICATED"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
        (500, "INTERNAL_ERROR"),
        (501, "NOT_IMPLEMENTED"),
    )
)
_DETAILS = ({"in": "query", "path": "/limit", "rule": "maximum", "message": "the value is too large"},)
_DETAILED = ErrorReport(400, "INVALID_REQUEST", "What is wrong", _DETAILS)

_STATUS = {"status", "statuscode", "httpstatus", "httpcode", "httpstatuscode"}
_CODE = {"code", "errorcode", "errortype", "key"}
_MESSAGE = {"message", "detail", "errormessage", "errordescription", "description", "msg", "text", "reason"}
_LISTS = {"details", "errors", "violations", "issues", "problems"}
_NO = {"success", "ok", "succeeded"}
_YES = {"error", "failed", "failure", "iserror"}
_NESTED = {"error", "fault", "problem"}


class NotDerivable(Exception):
    """No body can be derived; the text says why."""


@dataclass(frozen=True, slots=True)
class Value:
    """A part of a body: Python source, and what it evaluates to for a report."""

    source: str
    of: Callable[[ErrorReport], Any]


Part: TypeAlias = "Value | dict[str, Part] | list[Part]"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The body of an error as Python source, without and with the details of a request's errors.

    `detailed` is None where the schema has no place for details. `schema` names the schema.
    """

    plain: str
    detailed: str | None
    media_type: str
    schema: str


def derive_envelope(contract: Contract) -> Envelope | None:
    """Return the envelope of a contract's error responses; None where problem details serve.

    Raises NotDerivable where its error responses differ, or their schema asks for what no error has.
    """
    found = list(_error_schemas(contract))
    if not found:
        return None
    compiler = SchemaCompiler(contract)
    validators = [compiler.compile(schema, "response", pointer) for _, schema, pointer in found]

    def accept(body: Any) -> bool:
        return all(validator is None or validator.accepts(body) for validator in validators)

    names = {name for name, _, _ in found}
    if names == {"application/problem+json"} and accept(problem_details(_DETAILED)[0]):
        return None
    distinct: list[Any] = []
    for _, schema, _ in found:
        if (resolved := contract.resolve(schema)) not in distinct:
            distinct.append(resolved)
    if len(names) > 1 or len(distinct) > 1:
        shapes = max(len(names), len(distinct))
        raise NotDerivable(f"its error responses have {shapes} different shapes")
    plain = _Builder(contract, is_detailed=False).build(found[0][1])
    if not all(accept(_evaluated(plain, report)) for report in _PLAIN):
        raise NotDerivable("its schema of errors refuses every body that could be derived from it")
    detailed = _Builder(contract, is_detailed=True).build(found[0][1])
    has_details = detailed != plain and accept(_evaluated(detailed, _DETAILED))
    name = str(found[0][1].get("$ref", "the error responses"))
    return Envelope(_source(plain), _source(detailed) if has_details else None, names.pop(), name)


def _error_schemas(contract: Contract) -> Iterator[tuple[str, Schema, Pointer]]:
    """Yield media type, schema and place of each error response with a JSON body."""
    for operation in contract.operations:
        for status, response in operation.responses.items():
            if status.startswith(("4", "5")) or status == "default":
                name = next((name for name in response.content if media.is_json(name)), None)
                if name is not None:
                    yield media.essence(name), response.content[name], (*response.pointer, "content", name)


class _Builder:
    """Builds the body of an error from a schema, with the details of a request's errors or without."""

    def __init__(self, contract: Contract, *, is_detailed: bool) -> None:
        self._contract = contract
        self._is_detailed = is_detailed

    def build(self, schema: Schema, depth: int = 0) -> Part:
        """Return a body; raise NotDerivable."""
        properties, required = self._members(schema)
        if not properties or depth > 2:
            raise NotDerivable("its schema of errors names no properties that are known")
        names = {_canonical(name) for name in properties}
        body: dict[str, Part] = {}
        for name, value in properties.items():
            part = self._part(_canonical(name), self._contract.resolve(value), names, depth, name in required)
            if part is not None:
                body[name] = part
            elif name in required:
                raise NotDerivable(f"its schema of errors requires '{name}', which Relay has no value for")
        if not any(isinstance(part, dict | list) or "report." in part.source for part in body.values()):
            raise NotDerivable("its schema of errors has no property for a code or a message")
        return body

    def _members(self, schema: Schema) -> tuple[dict[str, Schema], set[str]]:
        """Return the properties of an object schema and the required ones, those of `allOf` included."""
        resolved = self._contract.resolve(schema)
        properties = dict(resolved.get("properties", {}))
        required = set(resolved.get("required", ()))
        for part in resolved.get("allOf", ()):
            more, needed = self._members(part)
            properties |= more
            required |= needed
        return properties, required

    def _part(self, name: str, schema: Schema, names: set[str], depth: int, is_required: bool) -> Part | None:  # noqa: FBT001 -- a fact of the property
        """Return the value of a property; None for one that no value is known for."""
        if alternatives := schema.get("oneOf", schema.get("anyOf")):
            return self._alternative(name, alternatives, names, depth)
        if len(enum := schema.get("enum", ())) == 1:
            return _literal(enum[0])
        match schema.get("type", "object" if "properties" in schema or "allOf" in schema else None):
            case "boolean" | "integer" | "number" | "string" as kind:
                return _scalar(kind, name, names)
            case "object" if name in _NESTED:
                return self.build(schema, depth + 1)
            case "array" if name in _LISTS:
                return self._list(schema.get("items", {}), names, depth, is_required=is_required)
        return None

    def _alternative(self, name: str, alternatives: list[Schema], names: set[str], depth: int) -> Part | None:
        """Return a text where there are no details to show and an object where there are, else what there is."""
        found: list[Part] = []
        for one in alternatives:
            try:
                part = self._part(name, self._contract.resolve(one), names, depth, is_required=False)
            except NotDerivable:
                continue
            if part is not None:
                found.append(part)
        wanted = dict if self._is_detailed else Value
        return next((part for part in found if isinstance(part, wanted)), found[0] if found else None)

    def _list(self, items: Schema, names: set[str], depth: int, *, is_required: bool) -> Part | None:
        """Return the list of details, or of the error itself where nothing else shows it."""
        if not names & (_CODE | _MESSAGE | _NESTED | {"title"}):
            return [self.build(items, depth + 1)]
        if self._is_detailed:
            return Value("[*map(dict, report.details)]", lambda report: [*map(dict, report.details)])
        return _literal([]) if is_required else None


def _literal(value: Any) -> Value:
    return Value(repr(value), lambda _report: value)


def _scalar(kind: str, name: str, names: set[str]) -> Value | None:
    """Return the value of a property that is no object and no list."""
    if kind == "string":
        return _text(name, names)
    if kind == "boolean":
        return _literal(name in _YES) if name in _NO | _YES else None
    is_status = name in _STATUS | _CODE
    return Value("report.status", lambda report: report.status) if is_status else None


def _text(name: str, names: set[str]) -> Value | None:
    """Return the text of a property; `names` are its siblings, which may show the same already."""
    code = Value("report.code", lambda report: report.code)
    message = Value("report.message", lambda report: report.message)
    if name in _STATUS:
        return Value("str(report.status)", lambda report: str(report.status))
    if name in _CODE:
        return code
    if name in _MESSAGE:
        return message
    if name == "title":
        return code if names & _MESSAGE else message
    if name == "error":
        return code if names & _MESSAGE and not names & _CODE else message
    return _literal("about:blank") if name == "type" else None


def _canonical(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _evaluated(part: Part, report: ErrorReport) -> Any:
    if isinstance(part, Value):
        return part.of(report)
    if isinstance(part, Mapping):
        return {name: _evaluated(one, report) for name, one in part.items()}
    return [_evaluated(one, report) for one in part]


def _source(part: Part) -> str:
    if isinstance(part, Value):
        return part.source
    if isinstance(part, Mapping):
        return "{" + ", ".join(f"{name!r}: {_source(one)}" for name, one in part.items()) + "}"
    return "[" + ", ".join(map(_source, part)) + "]"
