"""Every rule: its id, which stays the same across releases, how bad a breach is, and why."""

from __future__ import annotations

from relay.contract.diagnostics import Diagnostic, Severity, rule_table
from relay.contract.documents import Pointer
from relay.contract.model import Contract

# The gravest first: so they are told.
_ERRORS = {
    "leaked-secret": "What was kept from the world must not come out anywhere, in any spelling.",
    "credential-accepted": "A credential that proves nothing must not open anything.",
    "role-let-in": "Whom the operation refuses has to stay outside.",
    "leaked-traceback": "How the service is made inside helps nobody but an attacker.",
    "no-answer": "A request without an answer is none of the answers that the contract documents.",
    "role-refused": "Whom the contract lets in has to be let in.",
    "never-succeeded": "An operation that nobody has seen succeed may be one that cannot.",
    "wrong-refusal": "A client renews its credential on a 401, and only there.",
    "wrong-fault-answer": "A failure inside is answered as the contract says failures are.",
    "request-accepted": "A request that breaks the contract and is let in is the start of data that breaks it.",
    "response-violation": "The body is the promise that clients are built on.",
    "not-json": "What parsers disagree about is a different value to each client.",
    "undocumented-status": "A client written from the contract has no branch for it.",
    "undocumented-media-type": "A client written from the contract cannot read it.",
    "unexpected-body": "Where the contract documents no body, a client does not look for one.",
    "response-header": "A documented header is a promise like the body.",
    "undocumented-path": "What the contract does not have must not be there.",
    "undocumented-method": "What the contract does not have must not be there.",
    "missing-challenge": "A 401 says how to sign in (RFC 9110 section 15.5.2).",
    "error-shape": "A failure that the contract does not name still has to be read by the code that reads failures.",
    "incomplete-allow": "A 405 lists all that the path has (RFC 9110 section 15.5.6).",
    "low-coverage": "What nobody has seen happen may not be what the contract says.",
}
# Of Schemathesis, by the names of its checks; what of them our own judge says better has its rule above.
_SCHEMATHESIS = {
    "not-a-server-error": "A failure inside that anybody can cause from outside is a defect, documented or not.",
    "status-code-conformance": _ERRORS["undocumented-status"],
    "content-type-conformance": _ERRORS["undocumented-media-type"],
    "response-headers-conformance": _ERRORS["response-header"],
    "response-schema-conformance": _ERRORS["response-violation"],
    "allow-header-conformance": _ERRORS["incomplete-allow"],
    "negative-data-rejection": _ERRORS["request-accepted"],
    "positive-data-acceptance": "A client that keeps to the contract has to be served.",
    "missing-required-header": _ERRORS["request-accepted"],
    "unsupported-method": _ERRORS["undocumented-method"],
    "ignored-auth": _ERRORS["credential-accepted"],
    "use-after-free": "What was deleted must not be served any more.",
    "ensure-resource-availability": "What was created has to be there for who created it.",
    "object-level-authorization": "What belongs to one caller is none of another's business.",
}
_WARNINGS = {
    "unused-waiver": "A waiver that waives nothing hides what will come under it one day.",
}

LEAKS = frozenset(["leaked-secret", "leaked-traceback"])
"""Rules that hold for every answer, whoever gives it."""

RULES = rule_table({Severity.ERROR: _ERRORS | _SCHEMATHESIS, Severity.WARNING: _WARNINGS})


def finding(contract: Contract, rule: str, pointer: Pointer, message: str) -> Diagnostic:
    """Say what is wrong, at the place of the contract that says it otherwise."""
    return Diagnostic(contract.place(pointer), message, rule, RULES[rule].severity)
