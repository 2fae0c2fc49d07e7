"""Every rule that a change of a contract is told by: its severity, and what it breaks for whom.

An error breaks clients that keep to the old contract; a warning breaks those that lean on more than
they should, or changes what they get without a failure; the rest is worth knowing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.findings import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of change. `why` is one sentence: what breaks for whom, and what to do instead."""

    id: str
    severity: Severity
    why: str


_TABLE: dict[Severity, dict[str, str]] = {
    Severity.ERROR: {
        # the whole, and its operations
        "base-path-changed": "every URL that clients call answers 404: serve the old path as well until they moved",
        "path-removed": "clients that call it get 404: deprecate it first and remove it when nobody calls it",
        "operation-removed": "clients that call it get 405: deprecate it first and remove it when nobody calls it",
        "operation-moved": "clients that call the old place get 404 or 405: keep both until they moved",
        # security
        "security-added": "clients that call without a credential get 401: announce it, and offer the anonymous way meanwhile",
        "security-requirement-removed": "clients that hold only that credential get 401: keep it as an alternative until they have another",
        "security-scope-added": "tokens issued before get 403: grant the scope to those who hold one before asking for it",
        "security-scheme-changed": "clients present the credential in the old way and get 401: add a second scheme beside this one",
        # parameters
        "parameter-required-added": "clients that do not send it get 400: make it optional, with a default",
        "parameter-became-required": "clients that leave it out get 400: keep it optional, with a default",
        "parameter-moved": "clients that send it where it was are not understood: read both places until they moved",
        "parameter-style-changed": "what clients write is taken apart differently: add a parameter of another name instead",
        # request bodies
        "request-body-required-added": "clients that send no body get 400: make it optional",
        "request-body-became-required": "clients that send no body get 400: keep it optional",
        "request-media-type-removed": "clients that send it get 415: keep accepting it beside the new ones",
        # responses
        "response-success-removed": "clients that wait for this status never see it: keep it, or add an operation",
        "response-media-type-removed": "clients that read it cannot read what they get: keep offering it",
        "response-header-removed": "clients that read the header, which was always there, find none: keep sending it",
        "response-header-became-optional": "clients that read the header without looking may find none: keep sending it always",
        # schemas of requests: narrower is breaking
        "request-type-narrowed": "clients that send another type get 400: keep accepting it beside the new one",
        "request-null-refused": "clients that send null get 400: keep `nullable: true`",
        "request-enum-value-removed": "clients that send it get 400: keep the old value beside the new ones",
        "request-enum-added": "clients that send any other value get 400: name every value that is in use",
        "request-range-narrowed": "clients that send a number beyond it get 400: keep the old bound",
        "request-length-narrowed": "clients that send a text of another length get 400: keep the old bound",
        "request-pattern-narrowed": "clients that send what only the old pattern lets in get 400: let in what it let in",
        "request-format-narrowed": "clients that send what only the old format lets in get 400: add a property of the new format instead",
        "request-multiple-narrowed": "clients that send numbers between get 400: keep the old step",
        "request-items-narrowed": "clients that send another number of items get 400: keep the old bound",
        "request-unique-items-added": "clients that send an item twice get 400: drop the second one in the handler instead",
        "request-property-count-narrowed": "clients that send another number of properties get 400: keep the old bound",
        "request-property-required-added": "clients that do not know it get 400: make it optional",
        "request-property-became-required": "clients that leave it out get 400: keep it optional",
        "request-property-refused": "clients that send it get 400: keep it and ignore it, or allow additional properties",
        "request-property-read-only": "clients that send it get 400: keep it writable and ignore what is sent",
        "request-additional-properties-refused": "clients that send properties of their own get 400: keep allowing them",
        "request-alternative-removed": "clients that send it get 400: keep it beside the others",
        "request-alternatives-added": "clients that send what fits none of them get 400: add an alternative for what was accepted",
        "request-not-narrowed": "what `not` keeps out now gets 400: keep out no more than before",
        "request-discriminator-changed": "clients tell their alternatives apart by the old property or value: keep it in the mapping",
        # schemas of responses: wider is breaking
        "response-type-widened": "clients that read one type meet another: keep to the old one, or add a property",
        "response-null-added": "clients that read the value without looking meet null: leave it out, or keep a value",
        "response-enum-dropped": "clients that know every value meet others: keep the list",
        "response-format-widened": "clients that read the old format meet something else: add a property of the new one instead",
        "response-property-became-optional": "clients that read it without looking may find nothing: keep sending it always",
        "response-property-removed": "clients that read it find nothing: keep sending it, and mark it deprecated",
        "response-property-write-only": "clients that read it find nothing: keep sending it, and mark it deprecated",
        "response-alternative-added": "clients that know the old alternatives meet one they cannot read: add an operation, or a media type",
        "response-alternatives-dropped": "clients that know the old alternatives meet what fits none: keep them",
        "response-discriminator-changed": "clients choose how to read by the old property or value: keep it in the mapping",
    },
    Severity.WARNING: {
        "server-removed": "clients that are set to this address reach nobody: keep it until they moved",
        "deprecated-operation-removed": "clients that were told of its end and still call it get 404 or 405: look into the access log first",
        "operation-id-changed": "clients generated from the contract lose the method of the old name: keep the operationId",
        "security-removed": "clients keep working, and so does anybody else: make sure that this is meant",
        "parameter-removed": "what clients send there has no effect any more: say so in the changelog",
        "parameter-reserved-refused": "clients that write reserved characters as they are get another meaning, or 400: keep `allowReserved`",
        "request-body-removed": "what clients send has no effect any more: say so in the changelog",
        "request-property-removed": "what clients send there has no effect any more: say so in the changelog",
        "request-default-changed": "clients that leave it out get something else than before: keep the default",
        "request-default-removed": "clients that leave it out get something else than before: keep the default",
        "request-alternatives-overlap": "what fits two alternatives of `oneOf` gets 400: use `anyOf`, or tell them apart by a required property",
        "response-success-added": "clients that only know the old statuses may take it for a failure: answer with one they know",
        "response-header-removed-optional": "clients that look for the header never find it: keep sending it where it makes sense",
        "response-enum-value-added": "clients that know every value meet a new one: announce it, and have them treat unknown values",
        "response-range-widened": "clients that rely on the bound meet numbers beyond it: check what they store it in",
        "response-length-widened": "clients that rely on the bound meet texts beyond it: check what they store it in",
        "response-pattern-widened": "clients that take the text apart by the old pattern meet what it does not fit: keep to it",
        "response-multiple-widened": "clients that rely on the step meet numbers between: keep to it",
        "response-items-widened": "clients that rely on the number of items meet more, or fewer: keep to the bound",
        "response-unique-items-dropped": "clients that use an item as a key meet it twice: keep items unique",
        "response-property-count-widened": "clients that rely on the number of properties meet more, or fewer: keep to the bound",
        "response-optional-property-removed": "clients that look for it never find it: mark it deprecated first",
        "response-closed-property-added": "clients that check responses by the old contract refuse it, as it allowed no other: open the schema one release earlier",
        "response-additional-properties-added": "clients that check responses by the old contract refuse what it did not name: keep it closed",
        "response-alternatives-overlap": "clients that check `oneOf` refuse what fits two alternatives: use `anyOf`, or tell them apart by a required property",
        "response-not-widened": "clients that rely on what `not` kept out may meet it: keep it out",
    },
    Severity.INFO: {
        "version-changed": "tell callers what is new in the changelog",
        "operation-added": "nobody calls it yet",
        "operation-deprecated": "tell those who call it what to call instead, and until when it stays",
        "tag-changed": "nothing changes on the wire; its function moves to another module",
        "path-parameter-renamed": "nothing changes on the wire; the handler's argument is called differently",
        "security-scope-removed": "clients need less than they hold",
        "security-requirement-added": "clients may use it instead of what they hold",
        "parameter-added": "clients that do not know it keep working",
        "parameter-became-optional": "clients that send it keep working",
        "parameter-deprecated": "tell those who send it what to do instead",
        "request-body-added": "clients that send none keep working",
        "request-body-became-optional": "clients that send one keep working",
        "request-media-type-added": "clients that send the others keep working",
        "request-property-added": "clients that do not know it keep working; what they sent under this name so far is checked now",
        "request-property-deprecated": "tell those who send it what to do instead",
        "request-default-added": "clients that leave it out get this value, where there was none",
        "response-error-added": "clients that treat any failure alike keep working",
        "response-error-removed": "clients that treat it keep working and never see it",
        "response-media-type-added": "clients that ask for the others keep working",
        "response-header-added": "clients that do not know it keep working",
        "response-property-added": "clients that ignore what they do not know keep working",
        "response-property-deprecated": "tell those who read it what to read instead",
    },
}


def _rules() -> Iterator[Rule]:
    for severity, whys in _TABLE.items():
        yield from (Rule(name, severity, why) for name, why in whys.items())


RULES = {rule.id: rule for rule in _rules()}
"""By id; an id stays the same across releases."""
