"""Every rule: its id, which stays the same across releases, how bad a breach is, and why."""

from __future__ import annotations

from relay.contract.diagnostics import Diagnostic, Severity, rule_table
from relay.contract.documents import Pointer
from relay.contract.model import Contract

_ERRORS = {
    "yaml": "The file has to be YAML 1.2 of plain data: mappings with plain keys, lists, values that JSON has.",
    "duplicate-key": "Of two equal keys one would be lost, and which one is anybody's guess.",
    "openapi-version": "By the rules of OpenAPI 3.0 another version would silently mean something else.",
    "structure": "Only what the OpenAPI 3.0 specification describes has a meaning.",
    "dangling-ref": "What a $ref leads to has to exist.",
    "remote-ref": "Nothing is ever fetched: a contract has to be whole on its own machine.",
    "circular-ref": "A $ref that leads back to itself, with nothing between, stands for nothing.",
    "endless-schema": "A schema that requires itself has no finite value: nothing can ever keep to it.",
    "server-url": "The path of the first server is where the operations are served.",
    "duplicate-operation-id": "The operationId names the handler: two operations would share one.",
    "name-collision": "Two operationIds that become one Python name would share a handler.",
    "tag-collision": "Two tags that become one module name would mix their handlers.",
    "argument-collision": "Two parameters that become one argument name: one of the values would be lost.",
    "ambiguous-path": "A request must lead to one operation.",
    "undeclared-path-parameter": "A variable of the path that no parameter declares never arrives.",
    "unused-path-parameter": "A path parameter that the path does not have never arrives.",
    "duplicate-path-parameter": "Of a variable that stands in a path twice one value would be lost.",
    "undefined-security-scheme": "Nothing can verify a scheme that is not defined.",
    "schema": "A schema that cannot be compiled checks nothing.",
    "invalid-example": "Readers copy examples, and mocks answer with them: one that breaks its schema misleads both.",
    "invalid-default": "A default is what a handler gets: one that breaks its schema breaks the promise made to it.",
    "missing-success-response": "An operation that documents no success cannot succeed.",
}
_WARNINGS = {
    "missing-operation-id": "Without an operationId the handler's name changes with the path.",
    "python-name": "The handler gets another name than the contract has, and grep no longer finds both.",
    "undeclared-tag": "A tag that the list of tags does not have is often a slip of the pen, and a module of its own.",
    "overlapping-paths": "Which of the two answers is the router's choice, and other tools choose otherwise.",
    "component-name": "Other tools refuse names of components that the specification does not allow.",
    "unused-component": "What nothing refers to is not checked by anything, and misleads its readers.",
    "unused-security-scheme": "A scheme that no operation asks for protects nothing.",
    "unsecured-operation": "An operation that forgets its security is public; `security: []` of its own says that it is meant.",
    "undefined-scope": "A scope that no flow of its scheme offers cannot be granted.",
    "missing-error-response": "An answer that the contract does not describe is one that clients cannot handle.",
    "not-checked": "What is broken is not checked any further: mending it may uncover more.",
    "impossible-range": "A least that is more than the most lets nothing through.",
    "impossible-enum": "A member that breaks the rest of its schema can never be sent.",
    "vacuous-request": "A body of which the contract says nothing is checked by nothing.",
    "vacuous-response": "A response schema that accepts anything, or an empty object, holds the service to nothing.",
    "weak-response": "The share of mutations of its example that a response's schema rejects says how much it promises.",
}
_NOTES = {
    "missing-tag": "Operations without a tag end up in the module default.py.",
    "unchecked-format": "A format that no validator knows is documentation only.",
    "response-strength": "The share of mutations of its example that a response's schema rejects says how much it promises.",
}

RULES = rule_table({Severity.ERROR: _ERRORS, Severity.WARNING: _WARNINGS, Severity.INFO: _NOTES})


def finding(contract: Contract, rule: str, pointer: Pointer, message: str) -> Diagnostic:
    """Tell of a breach at a place of a contract."""
    return Diagnostic(contract.place(pointer), message, rule, RULES[rule].severity)
