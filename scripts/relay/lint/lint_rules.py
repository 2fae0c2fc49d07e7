"""The lint rules: id, which is stable across releases, severity and reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation, rule_table
from relay.contract.documents import Pointer
from relay.contract.model import Contract

_ERRORS = {
    "yaml": "The file must be YAML 1.2 with plain data only: mappings with scalar keys, lists, and JSON values.",
    "json": "A .json file must be JSON (RFC 8259), with Unicode and numbers that every parser can represent.",
    "duplicate-key": "One of two equal keys is lost, and parsers disagree on which.",
    "openapi-version": "Read by the rules of OpenAPI 3.0, another version would silently have another meaning.",
    "structure": "A contract may contain only what the specification of its version of OpenAPI defines.",
    "dangling-ref": "The target of a $ref must exist.",
    "remote-ref": "Remote references are not fetched: all files of a contract must be local.",
    "outside-ref": "A contract reads only files of its folder, or of contract-root: what it contains may be published.",
    "limit": "A contract beyond the limits cannot be read in bounded time and memory.",
    "circular-ref": "A chain of $refs that returns to itself has no definition.",
    "duplicate-id": "Of two schemas with one URI or one anchor, references lead to one only.",
    "schema-dialect": "A schema of a dialect of JSON Schema that is not known would silently have another meaning.",
    "path-item-collision": "OpenAPI does not say which of two fields counts: that next to the $ref of a path, or that of its target.",
    "server-url": "The operations are served below the path of the first server's URL.",
    "duplicate-operation-id": "An operationId names one operation; clients that are generated from the contract lose the other.",
    "chosen-name": "A name of [tool.relay.names] must be for something in the contract, and possible in Python.",
    "ambiguous-path": "A request must match one operation.",
    "same-path": "Paths that differ only in the names of their variables are one path, which a contract has once (OpenAPI 3.0.3, Paths Object).",
    "unknown-method": "An operation whose method the HTTP parser does not read is never called.",
    "unmatchable-path": "An operation whose path no request can have is never called.",
    "undeclared-path-parameter": "A path variable that no parameter declares is taken for a string.",
    "unused-path-parameter": "A path parameter that is not in the path never has a value.",
    "duplicate-path-parameter": "Of a variable that is in a path twice, one value would be lost.",
    "divided-query": "A parameter in: querystring is the whole query, so nothing of it is left for another one.",
    "duplicate-parameter": "Of two parameters with one name and location, one definition would be lost.",
    "undefined-security-scheme": "A security scheme that is not defined cannot be verified.",
    "unexpected-scope": "Only oauth2 and openIdConnect have scopes (OpenAPI 3.0.3, Security Requirement Object); no other credential grants them.",
    "schema": "A schema that cannot be compiled cannot validate anything.",
    "unreadable-part": "A part of multipart is read by its media type, so its schema must describe what that can be read as.",
}
_WARNINGS = {
    "missing-success-response": "An operation that documents no success response cannot succeed.",
    "invalid-default": "Handlers get the default of an absent parameter, so it must match the schema like any other value.",
    "invalid-example": "Readers copy examples and mocks return them, so an example must match its schema.",
    "endless-schema": "A schema that requires itself has no finite value, so no value is valid.",
    "missing-operation-id": "Without an operationId the handler's name is derived from the path and changes with it.",
    "name-collision": "Of two operations that ask for one Python name, one gets another name.",
    "argument-collision": "Of two parameters that ask for one argument name, one gets another name.",
    "python-name": "The name in Python differs from the contract's, so a text search for one misses the other.",
    "undeclared-tag": "A tag missing from the list of tags is often a typo, and creates a separate module.",
    "circular-tag": "Tags whose parents lead back to them have no place in the navigation (OpenAPI 3.2, Tag Object).",
    "duplicate-name": "Of two tags or servers with one name, readers see one (OpenAPI 3.2, Tag Object and Server Object).",
    "overlapping-paths": "The router chooses one of the two operations, and other tools may choose the other.",
    "query-in-path": "A request's path has no query and no fragment; tools disagree on what such a path matches.",
    "dangling-mapping": "A discriminator value whose schema does not exist selects nothing.",
    "optional-discriminator": "A value without its discriminator has no schema, so OpenAPI 3.2 requires a defaultMapping for it.",
    "dangling-link": "A link to an operation that does not exist cannot be followed.",
    "component-name": "Other tools reject component names that the specification does not allow.",
    "invalid-identifier": "Other tools do not find a schema by a name that JSON Schema does not allow.",
    "unused-component": "An unused component validates nothing and misleads readers.",
    "unused-security-scheme": "A security scheme that no operation requires protects nothing.",
    "unsecured-operation": "An operation without security is public; its own `security: []` states that this is intended.",
    "unchecked-role": "Roles of schemes other than oauth2 and openIdConnect are not part of a credential (OpenAPI 3.1), so only the credential is verified.",
    "undefined-scope": "A scope that no flow of its scheme defines cannot be granted.",
    "missing-content": "Where a success documents no content, a body that the handler returns is a 500 at every request.",
    "missing-error-response": "Clients cannot handle a response that the contract does not describe.",
    "not-served": "An operation with an error that cannot be worked around answers 501; production refuses to start.",
    "unchecked-form": "The fields of a form can be described only by the schema of an object.",
    "unvalidated-body": "XML, CSV and other bodies that stand for a value cannot be validated by the schema of that value.",
    "impossible-range": "If the lower limit exceeds the upper limit, no value is valid.",
    "impossible-event": "An event has the fields data, event, id and retry only, of which all but retry are text, so no other can be sent.",
    "pattern": "A pattern that validators read in different ways, or cannot read, does not validate everywhere.",
    "impossible-enum": "An enum member that violates the rest of its schema can never be sent.",
    "ignored-ref-siblings": "OpenAPI 3.0 ignores all that is next to a $ref, so the keywords restrict nothing.",
    "ignored-nullable": "From OpenAPI 3.1 on `nullable` means nothing, so null is refused; 'null' is a type.",
    "example-and-examples": "Tools disagree on which is shown, because the two exclude each other.",
    "ineffective-keyword": "A keyword that needs another one, or is none of this version, restricts nothing.",
    "unreachable-items": "An item that maxItems does not allow is described for no value.",
    "contradictory-ref": "If a schema and the target of its $ref have different types, no value is valid.",
    "vacuous-request": "A request body whose schema accepts any value is not validated.",
    "vacuous-response": "A response schema that accepts any value, or an empty object, guarantees nothing to clients.",
    "weak-response": "The share of mutations of its example that a response schema rejects measures what it guarantees.",
}
_NOTES = {
    "tag-collision": "The handlers of tags that differ only by case or punctuation are in one module.",
    "missing-tag": "Handlers of operations without a tag are in the module default.py.",
    "binary-format": "From OpenAPI 3.1 on JSON Schema says how text contains other data: contentEncoding and contentMediaType.",
    "schema-example": "OpenAPI 3.1 deprecates the `example` of schemas, because JSON Schema has `examples`.",
    "unchecked-format": "A format unknown to the validator is only documentation.",
    "response-strength": "The share of mutations of its example that a response schema rejects measures what it guarantees.",
}

RULES = rule_table({Severity.ERROR: _ERRORS, Severity.WARNING: _WARNINGS, Severity.INFO: _NOTES})


Found = tuple[str, Pointer | SourceLocation, str]
"""A violation of a rule: the rule's id, the pointer or the location of the value, and the message."""

Check = Callable[[Contract], Iterable[Found | Diagnostic]]


def findings(check: Check, contract: Contract) -> list[Diagnostic]:
    """Return what a check finds."""
    return [one if isinstance(one, Diagnostic) else _finding(contract, *one) for one in check(contract)]


def _finding(contract: Contract, rule: str, where: Pointer | SourceLocation, message: str) -> Diagnostic:
    place = where if isinstance(where, SourceLocation) else contract.place(where)
    return Diagnostic(place, message, rule, RULES[rule].severity)
