"""Every rule: its id, which stays the same across releases, its severity and its reason."""

from relay.contract.diagnostics import Severity, rule_table

# The most severe first: findings are reported in this order.
_ERRORS = {
    "leaked-secret": "A response must not contain a secret, in any encoding.",
    "credential-accepted": "An invalid credential must not give access.",
    "role-let-in": "A caller without permission for an operation must be refused.",
    "leaked-traceback": "A traceback shows the service's internals, which helps an attacker.",
    "no-answer": "The contract documents a response to every request.",
    "role-refused": "A caller with permission for an operation must not be refused.",
    "never-succeeded": "An operation without an observed success may never work.",
    "wrong-refusal": "A client renews its credential only after a 401.",
    "wrong-fault-answer": "An internal error must have the response that the contract documents for it.",
    "request-accepted": "An accepted invalid request can store invalid data.",
    "response-violation": "Clients are built on the documented schema of the body.",
    "not-json": "Parsers read invalid or ambiguous JSON differently, so each client may see another value.",
    "undocumented-status": "A client written from the contract does not handle this status.",
    "undocumented-media-type": "A client written from the contract cannot read this media type.",
    "unexpected-body": "A client does not read a body that the contract does not document.",
    "response-header": "Clients rely on documented headers as on the body.",
    "undocumented-path": "A path that is not in the contract must not exist.",
    "undocumented-method": "A method that is not in the contract must not exist.",
    "missing-challenge": "A 401 must name the scheme to authenticate with (RFC 9110 section 15.5.2).",
    "error-shape": "Clients read all errors with the same code, also errors that the contract does not document.",
    "incomplete-allow": "A 405 must list all methods of the path (RFC 9110 section 15.5.6).",
    "low-coverage": "A documented response that was never observed may differ from the contract.",
}
# Checks of Schemathesis, by their names; a check that our own checker also covers has its reason above.
_SCHEMATHESIS = {
    "not-a-server-error": "A request must not cause an internal error, even if the contract documents a 5xx.",
    "status-code-conformance": _ERRORS["undocumented-status"],
    "content-type-conformance": _ERRORS["undocumented-media-type"],
    "response-headers-conformance": _ERRORS["response-header"],
    "response-schema-conformance": _ERRORS["response-violation"],
    "allow-header-conformance": _ERRORS["incomplete-allow"],
    "negative-data-rejection": _ERRORS["request-accepted"],
    "positive-data-acceptance": "A valid request must be accepted.",
    "missing-required-header": _ERRORS["request-accepted"],
    "unsupported-method": _ERRORS["undocumented-method"],
    "ignored-auth": _ERRORS["credential-accepted"],
    "use-after-free": "A deleted resource must no longer be served.",
    "ensure-resource-availability": "A created resource must be available to its creator.",
    "object-level-authorization": "A caller must not have access to resources of another caller.",
}
_WARNINGS = {"unused-waiver": "A waiver without effect may hide a future failure."}
_NOTES = {
    "not-written-yet": "An operation whose handler is a stub answers 501; nothing else of it can be tested."
}

LEAKS = frozenset(["leaked-secret", "leaked-traceback"])
"""Rules that apply to every response, also to those of a proxy."""

RULES = rule_table(
    {Severity.ERROR: _ERRORS | _SCHEMATHESIS, Severity.WARNING: _WARNINGS, Severity.INFO: _NOTES}
)
