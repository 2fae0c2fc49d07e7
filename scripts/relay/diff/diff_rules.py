"""The rules for changes of a contract: severity, effect on clients, and advice.

An error breaks clients that follow the old contract. A warning breaks clients that rely on more than the contract
guarantees, or changes results without an error. A note is only information.
"""

from relay.contract.diagnostics import Severity, rule_table
from relay.contract.versions import Version

_TABLE: dict[Severity, dict[str, str]] = {
    Severity.ERROR: {
        # the contract and its operations
        "base-path-changed": "all URLs that clients call return 404: serve the old path too until clients have moved",
        "path-removed": "clients that call it get 404: deprecate it first, and remove it when it is no longer called",
        "operation-removed": "clients that call it get 405: deprecate it first, and remove it when it is no longer called",
        "operation-moved": "clients that call the old path or method get 404 or 405: keep both until clients have moved",
        "operation-faulty": "clients that call it get 501: correct the errors of the new contract",
        # security
        "security-added": "clients without a credential get 401: announce the change, and allow anonymous requests until then",
        "security-requirement-removed": "clients that have only that credential get 401: keep it as an alternative until they have another one",
        "security-scope-added": "tokens issued earlier get 403: grant the scope to existing clients before requiring it",
        "security-scheme-changed": "clients that send the credential in the old way get 401: add a second scheme instead",
        # parameters
        "parameter-required-added": "clients that do not send it get 400: make it optional, with a default",
        "parameter-became-required": "clients that leave it out get 400: keep it optional, with a default",
        "parameter-moved": "the server ignores it in the old location: accept both locations until clients have moved",
        "parameter-style-changed": "the server parses the clients' values differently: add a parameter with another name instead",
        # request bodies
        "request-body-required-added": "clients that send no body get 400: make it optional",
        "request-body-became-required": "clients that send no body get 400: keep it optional",
        "request-media-type-removed": "clients that send it get 415: keep accepting it in addition to the new ones",
        "request-part-type-changed": "clients that send the part with its old media type are refused, or misread: keep accepting it",
        "request-parts-validated": "clients that send parts which the schema does not describe get 400: describe them, or remove the schema",
        # responses
        "response-success-removed": "clients that expect this status never get it: keep it, or add an operation",
        "response-media-type-removed": "clients that accept only this media type cannot read the response: keep offering it",
        "response-part-type-changed": "clients that read the part by its old media type get another: keep sending it",
        "response-header-removed": "clients that rely on the header, which was always present, do not get it: keep sending it",
        "response-header-became-optional": "clients that do not check for the header may fail: keep sending it always",
        # schemas of requests: narrower is breaking
        "request-type-narrowed": "clients that send another type get 400: keep accepting it in addition to the new one",
        "request-null-refused": "clients that send null get 400: keep `nullable: true`",
        "request-enum-value-removed": "clients that send it get 400: keep the old value in addition to the new ones",
        "request-enum-added": "clients that send any other value get 400: list every value in use",
        "request-range-narrowed": "clients that send a number outside the new range get 400: keep the old bound",
        "request-length-narrowed": "clients that send a string of another length get 400: keep the old bound",
        "request-pattern-narrowed": "clients that send values that match only the old pattern get 400: accept all that the old pattern accepts",
        "request-format-narrowed": "clients that send values of the old format get 400: add a property with the new format instead",
        "request-multiple-narrowed": "clients that send other multiples get 400: keep the old step",
        "request-items-narrowed": "clients that send another number of items get 400: keep the old bound",
        "request-unique-items-added": "clients that send an item twice get 400: remove duplicates in the handler instead",
        "request-property-count-narrowed": "clients that send another number of properties get 400: keep the old bound",
        "request-property-required-added": "clients that do not know it get 400: make it optional",
        "request-property-became-required": "clients that leave it out get 400: keep it optional",
        "request-property-refused": "clients that send it get 400: keep it and ignore it, or allow additional properties",
        "request-additional-properties-refused": "clients that send additional properties get 400: keep allowing them",
        "request-alternative-removed": "clients that send it get 400: keep it as an alternative",
        "request-alternatives-added": "clients that send values that match no alternative get 400: add an alternative for the values accepted before",
        "request-not-narrowed": "clients that send what is newly excluded get 400: exclude no more values than before",
        "request-keyword-narrowed": "clients may send values that the keyword newly refuses, and get 400: keep it as it was",
        "request-discriminator-changed": "clients send the old property or value to select an alternative: keep it in the mapping",
        # schemas of responses: wider is breaking
        "response-type-widened": "clients that expect the old type get another: keep the old type, or add a property",
        "response-null-added": "clients that do not check for null may fail: omit the property, or keep sending a value",
        "response-enum-dropped": "clients that handle only the listed values get others: keep the list",
        "response-format-widened": "clients that parse the old format may fail: add a property with the new format instead",
        "response-property-became-optional": "clients that do not check for it may fail: keep sending it always",
        "response-property-removed": "clients that read it do not get it: keep sending it, and mark it deprecated",
        "response-property-write-only": "clients that read it do not get it: keep sending it, and mark it deprecated",
        "response-alternative-added": "clients that know the old alternatives get one they cannot read: add an operation or a media type",
        "response-alternatives-dropped": "clients that know the old alternatives get values that match none: keep the alternatives",
        "response-discriminator-changed": "clients select an alternative by the old property or value: keep it in the mapping",
    },
    Severity.WARNING: {
        "server-removed": "clients configured with this address cannot connect: keep the server until they have moved",
        "deprecated-operation-removed": "clients that still call the deprecated operation get 404 or 405: check the access log first",
        "operation-id-changed": "clients generated from the contract lose the method with the old name: keep the operationId",
        "security-url-changed": "clients that have the old address in their settings cannot get a credential there: keep it until they have moved",
        "security-removed": "clients keep working, but requests without credentials are accepted too: check that this is intended",
        "parameter-removed": "the value that clients send no longer has an effect: mention it in the changelog",
        "parameter-reserved-refused": "reserved characters that clients do not encode get another meaning, or cause 400: keep `allowReserved`",
        "request-body-removed": "the body that clients send no longer has an effect: mention it in the changelog",
        "request-property-removed": "the value that clients send no longer has an effect: mention it in the changelog",
        "request-property-read-only": "the value that clients send no longer has an effect, and with RELAY_READ_ONLY=refuse they get 400: mention it in the changelog",
        "request-default-changed": "requests without it now have another effect: keep the default",
        "request-default-removed": "requests without it now have another effect: keep the default",
        "request-alternatives-overlap": "values that match two alternatives of `oneOf` get 400: use `anyOf`, or distinguish them by a required property",
        "response-success-added": "clients that know only the old statuses may treat it as an error: return a status they know",
        "response-header-removed-optional": "clients that read the optional header never get it: keep sending it where it makes sense",
        "response-enum-value-added": "clients that handle only the old values get a new one: announce it, and ask clients to handle unknown values",
        "response-range-widened": "clients that rely on the bound get numbers outside it: check which types clients store it in",
        "response-length-widened": "clients that rely on the length get longer or shorter strings: check the size of the clients' storage",
        "response-pattern-widened": "clients that parse the value by the old pattern may fail: keep the pattern",
        "response-multiple-widened": "clients that rely on the step get other numbers: keep the step",
        "response-items-widened": "clients that rely on the number of items get more or fewer: keep the bound",
        "response-unique-items-dropped": "clients that use an item as a key get duplicates: keep the items unique",
        "response-property-count-widened": "clients that rely on the number of properties get more or fewer: keep the bound",
        "response-optional-property-removed": "clients that read the optional property never get it: mark it deprecated first",
        "response-closed-property-added": "clients that validate by the old contract reject it, because the schema was closed: allow additional properties one release earlier",
        "response-additional-properties-added": "clients that validate by the old contract reject additional properties: keep the schema closed",
        "response-alternatives-overlap": "clients that validate `oneOf` reject values that match two alternatives: use `anyOf`, or distinguish them by a required property",
        "response-keyword-widened": "clients may get values that the keyword excluded before: keep it as it was",
        "response-not-widened": "clients may get what was excluded before: keep excluding it",
    },
    Severity.INFO: {
        "version-changed": "describe the changes in the changelog",
        "operation-added": "existing clients are not affected",
        "operation-deprecated": "tell its clients which operation to use instead, and when it will be removed",
        "tag-changed": "requests and responses do not change; the handler moves to another module",
        "path-parameter-renamed": "requests do not change; the handler's argument is renamed",
        "security-scope-removed": "clients need fewer scopes than they have",
        "security-requirement-added": "clients may use it instead of their current credential",
        "parameter-added": "clients that do not know it keep working",
        "parameter-became-optional": "clients that send it keep working",
        "parameter-deprecated": "tell the clients that send it what to send instead",
        "request-body-added": "clients that send no body keep working",
        "request-body-became-optional": "clients that send a body keep working",
        "request-media-type-added": "clients that send other media types keep working",
        "request-property-added": "clients that do not know it keep working; values already sent under this name are now validated",
        "request-property-deprecated": "tell the clients that send it what to send instead",
        "request-default-added": "requests without it now use this value; before, they had none",
        "response-error-added": "clients that handle all errors alike keep working",
        "response-error-removed": "clients that handle it keep working and never get it",
        "response-media-type-added": "clients that accept other media types keep working",
        "response-header-added": "clients that do not know it keep working",
        "response-property-added": "clients that ignore unknown properties keep working",
        "response-property-deprecated": "tell the clients that read it what to read instead",
    },
}

RULES = rule_table(_TABLE)

_OF_JSON_SCHEMA = {
    "request-null-refused": "clients that send null get 400: keep null, in the list of `type` or as an alternative",
}
"""Effect and advice that differ from OpenAPI 3.1 on."""


def advice(rule: str, version: Version) -> str:
    """Return the effect of a change on clients and the advice, in the words of a version of OpenAPI."""
    why = RULES[rule].why
    return why if version == "3.0" else _OF_JSON_SCHEMA.get(rule, why)
