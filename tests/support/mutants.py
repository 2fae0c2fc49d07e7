"""Deliberate defects of the service, each with the rule that has to report it, and the location."""

from itertools import zip_longest
from typing import Any, NamedTuple

from support.mutation import Append, Replace, Set

OPERATION = "GET /api/calls/voice-ai/config"


class Mutant(NamedTuple):
    """A defect: the rule that reports it, a part of the reported line (location and message), and its edits."""

    name: str
    rule: str
    message: str
    edits: tuple[Any, ...]


def _one(name: str, rule: str, message: str, place: str, old: str, new: str) -> Mutant:
    return Mutant(name, rule, message, (Replace(place, old, new),))


_SERVER = "scripts/relay/server"
_VIEW = "handlers/calls.py::_config_view"
_ENVELOPE = "handlers/_errors.py::render_error"
_IDENTIFY = "handlers/_identity.py::identify"
_SENT = f"{_SERVER}/stages/response_validation.py::Encoding.encode_usual"
_RENDERED = f"{_SERVER}/error_responses.py::ErrorResponses._rendered"
_ROUTE = f"{_SERVER}/stages/outermost.py::Routing.__call__"
_VERIFIER = f"{_SERVER}/tokens.py::TokenVerifier"
_SECURITY = f"{_SERVER}/security.py"
_CREDENTIALS = f"{_SERVER}/request_credentials.py"
_ADMIN = "64f0a1b2c3d4e5f6a7b8c9d1"

# Without this edit the server itself replaces invalid responses of a handler.
_UNGUARDED = Replace(
    "scripts/relay/validation/json_writing.py::write_json",
    "if validator.accepts(value): return orjson.dumps(value)",
    "return orjson.dumps(value)",
)


def _body(name: str, message: str, new: str) -> Mutant:
    edits = (_UNGUARDED, Replace(_VIEW, "return ...", f"return {new}"))
    return Mutant(name, "response-violation", message, edits)


def _sent(name: str, rule: str, message: str, change: str) -> Mutant:
    send = "response.headers.extend(ALWAYS)"
    return _one(name, rule, message, _SENT, send, f"{send}\n{change}")


def _refused(name: str, rule: str, message: str, new: str) -> Mutant:
    new = f"from relay.server.sending import send_response\nfrom relay.validation.http import Response\n{new}\nreturn"
    return _one(name, rule, message, _ROUTE, "raise NotFound", new)


def _accepted(name: str, message: str, place: str, old: str, new: str) -> Mutant:
    return _one(name, "credential-accepted", message, place, old, new)


def _unchecked(name: str, check: str, message: str) -> Mutant:
    place = f"{_VERIFIER}.__init__"
    return _accepted(
        name, message, place, "self._options: Any = ...", f'self._options: Any = OLD | {{"{check}": False}}'
    )


RESPONSES = [
    _body("wrong type", "/hasApiKey", '{**OLD, "hasApiKey": "yes"}'),
    _body("null", "/hasToolSecret", '{**OLD, "hasToolSecret": None}'),
    _body("number for text", "/sinchEstTrunkId", '{**OLD, "sinchEstTrunkId": 7}'),
    _body("object for list", "/phoneNumbers", '{**OLD, "phoneNumbers": {}}'),
    _body("field left out", "/hasToolSecret", '{k: v for k, v in OLD.items() if k != "hasToolSecret"}'),
    _body("field too many", "/internalId", '{**OLD, "internalId": 1}'),
    _body("no member of the enum", "/phoneNumbers/*/provider",
        '{**OLD, "phoneNumbers": [{**number, "provider": "twilio"} for number in numbers]}'),
    _body("owner left out", "/phoneNumbers/*/userId",
        '{**OLD, "phoneNumbers": [{"provider": n["provider"], "phoneNumber": n["phoneNumber"]} for n in numbers]}'),
    _sent("undocumented status", "undocumented-status", f"{OPERATION} responded 202", "response = response._replace(status=202)"),
    _sent("wrong media type", "undocumented-media-type", f"200 of {OPERATION} has media type text/html",
        'response.headers[0] = (b"content-type", b"text/html")'),
    _sent("no media type", "undocumented-media-type", f"200 of {OPERATION}", "del response.headers[0]"),
    _sent("a key twice", "not-json", f"200 of {OPERATION}",
        "response = response._replace(body=response.body[:-1] + b',\"hasApiKey\":true}')"),
    _sent("a body cut short", "not-json", f"200 of {OPERATION}", "response = response._replace(body=response.body[:-1])"),
    _one("a secret in a field", "leaked-secret", f"200 of {OPERATION}",
        _VIEW, "settings.ai_voice_provider", '"demo-elevenlabs-api-key"'),
    _one("the server replaces an invalid response with a 500", "never-succeeded", OPERATION,
        _VIEW, "settings.has_api_key", '"yes"'),
]  # fmt: skip

ERRORS = [
    _one("an error without its code", "response-violation", "/code",
        _ENVELOPE, '{"success": False, "error": report.message, "code": ...}',
        '{"success": False, "error": report.message}'),
    _one("an error that says success", "response-violation", "/success",
        _ENVELOPE, '{"success": False, "error": report.message, "code": ...}',
        '{"success": True, "error": report.message, "code": OLD}'),
    _one("an error with another schema", "response-violation", "/error",
        _ENVELOPE, '{"success": False, "error": report.message, "code": ...}',
        '{"success": False, "error": [report.message], "code": OLD}'),
    _one("problem details in place of the envelope", "undocumented-media-type", f"401 of {OPERATION}",
        f"{_SERVER}/package_hooks.py::PackageHooks.of", "one.init", 'one.init and one.name != "render_error"'),
    _one("no challenge", "missing-challenge", f"401 of {OPERATION}", _RENDERED, "[..., *headers, *ALWAYS]", "[OLD, *ALWAYS]"),
    _one("Allow incomplete", "incomplete-allow", "without GET",
        _ROUTE, 'MethodNotAllowed({"allow": ...})', 'MethodNotAllowed({"allow": "POST"})'),
    _one("every method runs the handler of GET", "undocumented-method", "/api/calls/voice-ai/config gets a ",
        _ROUTE, "route = match.routes.get(method)", 'method = "GET"; route = match.routes["GET"]'),
    _refused("an unknown path is found", "undocumented-path", "spec/openapi.yaml",
        'await send_response(send, Response(200, [], b""))'),
    _refused("an unknown path is refused in plain text", "error-shape", "unknown path",
        'await send_response(send, Response(404, [(b"content-type", b"text/plain")], b"no"))'),
    _one("an internal error shows its message", "leaked-secret", f"500 of {OPERATION}",
        _RENDERED, "known or _INTERNAL", "known or ErrorReport(500, ApiError.code, str(exc))"),
    _one("an internal error shows its traceback", "leaked-traceback", f"500 of {OPERATION}",
        _RENDERED, "known or _INTERNAL",
        'known or ErrorReport(500, ApiError.code, "".join(__import__("traceback").format_tb(exc.__traceback__)))'),
    _one("an internal error is a 503", "wrong-fault-answer", f"{OPERATION} responds 503",
        f"{_SERVER}/error_responses.py", "_INTERNAL = ErrorReport(ApiError.status, ApiError.code, ApiError.message)",
        "_INTERNAL = ErrorReport(503, ApiError.code, ApiError.message)"),
    _one("an internal error in plain text", "undocumented-media-type", f"500 of {OPERATION} has media type text/plain",
        _RENDERED, "body, media_type = ...",
        'body, media_type = OLD\nmedia_type = "text/plain" if found.status == 500 else media_type'),
    _one("refused as forbidden", "wrong-refusal", OPERATION,
        f"{_SERVER}/errors.py::Unauthenticated", "status, code, message = 401, ..., ...",
        "status, code, message = 403, OLD, 'A valid credential is required'"),
]  # fmt: skip

CREDENTIALS = [
    _accepted("requests without a credential are accepted", OPERATION,
        _SECURITY, 'raise Unauthenticated(self._invitation, reason="missing")',
        f'return {{}}, await self._identify(claims={{"userId": "{_ADMIN}"}})'),
    _unchecked("an expired token", "verify_exp", "expired"),
    _unchecked("a token that is not valid yet", "verify_nbf", "not valid yet"),
    _unchecked("any signature", "verify_signature", "another key"),
    _unchecked("a token for another service", "verify_aud", "meant for somebody else"),
    _accepted("a token without exp", "exp",
        f"{_SERVER}/tokens.py::_Jwt._decode_payload", "claims = _object(...)",
        'claims = {"exp": time.time() + 60, **_object(OLD)}'),
    _accepted("any algorithm of the family", "HS512",
        f"{_VERIFIER}._verify", "[key.algorithm]", '[key.algorithm, "HS384", "HS512"]'),
    _accepted("a disabled user", "disabled user", _IDENTIFY, "user.login_disabled", "False"),
    _accepted("an unknown user", "unknown user",
        _IDENTIFY, "member = await store.member(user_id)",
        f'member = await store.member(user_id) or await store.member("{_ADMIN}")'),
    _accepted("a token without a user", "userId", _IDENTIFY, 'claims.get("userId", ...)', f'claims.get("userId", "{_ADMIN}")'),
    _one("a token without a user causes an internal error", "wrong-refusal", "userId",
        _IDENTIFY, 'claims.get("userId", ...)', 'claims["userId"]'),
    _accepted("the first of two tokens counts", "two", f"{_CREDENTIALS}::_authorization", "_only(...)", "_only((OLD)[:1])"),
    _accepted("a token in the query", "query",
        f"{_CREDENTIALS}::extractor", "lambda headers, _query: _bearer(headers)",
        'lambda headers, query: _bearer(headers) or query.decode().partition("access_token=")[2] or None'),
    _one("a role without permission", "role-refused", "sales rep",
        _IDENTIFY, "return ...", 'if user.access_role == "SALES_REP":\n    raise NotSignedIn("disabled")\nreturn OLD'),
]  # fmt: skip

_SPEC = "spec/openapi.yaml"
_RESPONSES = ("paths", "/api/calls/voice-ai/config", "get", "responses")

OTHERS = [
    _one("a secret in hexadecimal, in a header", "leaked-secret", OPERATION,
        "scripts/relay/validation/http.py", '(b"cache-control", b"no-store")',
        '(b"x-debug", b"demo-sinch-key-secret".hex().encode()), OLD'),
    _one("the key in the log", "leaked-secret", "log",
        f"{_VERIFIER}._verify", "max_life = ...",
        '__import__("logging").getLogger("relay").info("verified with %s", key.key.decode())\nmax_life = OLD'),
    Mutant(
        "a stale handler",
        "stale-handler",
        "handlers/calls.py",
        (
            Append(
                "handlers/calls.py",
                '\n\nasync def get_calls_old_config(*, caller: Caller) -> None:\n    """Serve what the contract once had."""\n',
            ),
            Append("handlers/_types.py", "# get /calls/old = calls.get_calls_old_config()\n"),
        ),
    ),
    _one("stale types", "types-outdated", "handlers/_types.py",
        "handlers/_types.py", "hasApiKey: NotRequired[bool]", "hasApiKey: NotRequired[str]"),
    Mutant("an example that breaks its schema", "invalid-example",
        f"{_SPEC}:", (Set(_SPEC, ("components", "schemas", "CallsVoiceAiConfigResponse", "example", "hasApiKey"), "yes"),)),
    Mutant("a documented response that never occurs", "low-coverage",
        f"404 without a body of {OPERATION}", (Set(_SPEC, (*_RESPONSES, "404"), {"description": "No such thing"}),)),
]  # fmt: skip

MUTANTS = [*RESPONSES, *ERRORS, *CREDENTIALS, *OTHERS]

COMBINED = [tuple(filter(None, each)) for each in zip_longest(RESPONSES, ERRORS, CREDENTIALS, OTHERS)]
"""Defects of different parts of the service, which one run has to report together."""
