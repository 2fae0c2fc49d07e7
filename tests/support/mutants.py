"""Deliberate defects of the service, each with the rule that has to report it, and the location."""

from __future__ import annotations

from typing import NamedTuple

OPERATION = "GET /api/calls/voice-ai/config"


class Edit(NamedTuple):
    """A text that occurs once in a file, and its replacement."""

    file: str
    old: str
    new: str


class Mutant(NamedTuple):
    """A defect: its edits, the rule that reports it, and a part of the reported line (location and message)."""

    name: str
    edits: tuple[Edit, ...]
    rule: str
    message: str


_CALLS = "handlers/calls.py"
_AUTH = "scripts/relay/server/security.py"
_TOKENS = "scripts/relay/server/tokens.py"
_ERROR_RESPONSES = "scripts/relay/server/error_responses.py"
_RESPONSE_STAGE = "scripts/relay/server/stages/response_validation.py"
_ERRORS = "handlers/_errors.py"
_IDENTITY = "handlers/_identity.py"
_ROUTING_STAGE = "scripts/relay/server/stages/routing.py"
_SPEC = "spec/openapi.yaml"

# Without this edit the server itself replaces invalid responses of a handler.
_UNGUARDED = (
    Edit(
        "scripts/relay/validation/json_writing.py",
        "        if validator.accepts(value):\n            return orjson.dumps(value)",
        "        if True:\n            return orjson.dumps(value)",
    ),
)


def _handler(name: str, old: str, new: str, message: str, rule: str = "response-violation") -> Mutant:
    return Mutant(name, (*_UNGUARDED, Edit(_CALLS, old, new)), rule, message)


def _one(name: str, file: str, old: str, new: str, rule: str, message: str) -> Mutant:
    return Mutant(name, (Edit(file, old, new),), rule, message)


_RESPONSE = "                response.headers.extend(ALWAYS)\n"
_SENDING = "            from relay.server.sending import send_response\n            from relay.validation.http import Response\n"
_OPTIONS = 'self._options: Any = {"require": required, "enforce_minimum_key_length": True}'

MUTANTS = [
    # Responses.
    _handler("wrong type", "settings.has_api_key,", '"yes",', "/hasApiKey"),
    _handler("null", "settings.has_tool_secret,", "None,", "/hasToolSecret"),
    _handler("number for text", "settings.sinch_est_trunk_id,", "7,", "/sinchEstTrunkId"),
    _handler("object for list", '"phoneNumbers": numbers,', '"phoneNumbers": {},', "/phoneNumbers"),
    _handler("field left out", '        "hasToolSecret": settings.has_tool_secret,\n', "", "/hasToolSecret"),
    _handler(
        "field too many",
        '        "phoneNumbers": numbers,',
        '        "phoneNumbers": numbers,\n        "internalId": 1,',
        "/internalId",
    ),
    _handler(
        "no member of the enum",
        '"phoneNumbers": numbers,',
        '"phoneNumbers": [{**number, "provider": "twilio"} for number in numbers],',
        "/phoneNumbers/*/provider",
    ),
    _handler(
        "owner left out",
        '"phoneNumbers": numbers,',
        '"phoneNumbers": [{k: v for k, v in number.items() if k != "userId"} for number in numbers],',
        "/phoneNumbers/*/userId",
    ),
    _one(
        "the server replaces an invalid response with a 500",
        _CALLS,
        "settings.has_api_key,",
        '"yes",',
        "never-succeeded",
        OPERATION,
    ),
    _one(
        "undocumented status",
        _RESPONSE_STAGE,
        _RESPONSE,
        f"{_RESPONSE}                response = response._replace(status=202)\n",
        "undocumented-status",
        f"{OPERATION} responded 202",
    ),
    _one(
        "wrong media type",
        _RESPONSE_STAGE,
        _RESPONSE,
        f'{_RESPONSE}                response.headers[0] = (b"content-type", b"text/html")\n',
        "undocumented-media-type",
        f"200 of {OPERATION} has media type text/html",
    ),
    _one(
        "no media type",
        _RESPONSE_STAGE,
        _RESPONSE,
        f"{_RESPONSE}                del response.headers[0]\n",
        "undocumented-media-type",
        f"200 of {OPERATION}",
    ),
    _one(
        "a key twice",
        _RESPONSE_STAGE,
        _RESPONSE,
        f"{_RESPONSE}                response = response._replace(body=response.body[:-1] + b',\"hasApiKey\":true}}')\n",
        "not-json",
        f"200 of {OPERATION}",
    ),
    _one(
        "a body cut short",
        _RESPONSE_STAGE,
        _RESPONSE,
        f"{_RESPONSE}                response = response._replace(body=response.body[:-1])\n",
        "not-json",
        f"200 of {OPERATION}",
    ),
    # Error responses.
    _one(
        "an error without its code",
        _ERRORS,
        'return {"success": False, "error": report.message, "code": report.code}, "application/json"',
        'return {"success": False, "error": report.message}, "application/json"',
        "response-violation",
        "/code",
    ),
    _one(
        "an error that says success",
        _ERRORS,
        'return {"success": False, "error": report.message,',
        'return {"success": True, "error": report.message,',
        "response-violation",
        "/success",
    ),
    _one(
        "an error with another schema",
        _ERRORS,
        '"error": report.message, "code": report.code}, "application/json"',
        '"error": [report.message], "code": report.code}, "application/json"',
        "response-violation",
        "/error",
    ),
    _one(
        "problem details in place of the envelope",
        "scripts/relay/server/package_hooks.py",
        'getattr(package, "render_error", problem_details)',
        "problem_details",
        "undocumented-media-type",
        f"401 of {OPERATION}",
    ),
    _one(
        "no challenge",
        _ERROR_RESPONSES,
        'lines = [(b"content-type", media_type.encode()), *headers, *ALWAYS]',
        'lines = [(b"content-type", media_type.encode()), *ALWAYS]',
        "missing-challenge",
        f"401 of {OPERATION}",
    ),
    _one(
        "Allow incomplete",
        _ROUTING_STAGE,
        'raise MethodNotAllowed({"allow": ", ".join(sorted(_allowed(match.routes)))})',
        'raise MethodNotAllowed({"allow": "POST"})',
        "incomplete-allow",
        "without GET",
    ),
    _one(
        "every method runs the handler of GET",
        _ROUTING_STAGE,
        "route = match.routes.get(method)",
        'method = "GET"; route = match.routes["GET"]',
        "undocumented-method",
        "/api/calls/voice-ai/config gets a ",
    ),
    _one(
        "an unknown path is found",
        _ROUTING_STAGE,
        "            raise NotFound\n",
        f'{_SENDING}            await send_response(send, Response(200, [], b""))\n            return\n',
        "undocumented-path",
        "spec/openapi.yaml",
    ),
    _one(
        "an unknown path is refused in plain text",
        _ROUTING_STAGE,
        "            raise NotFound\n",
        f'{_SENDING}            await send_response(send, Response(404, [(b"content-type", b"text/plain")], b"no"))\n'
        "            return\n",
        "error-shape",
        "unknown path",
    ),
    # Internal errors.
    _one(
        "an internal error shows its message",
        _ERROR_RESPONSES,
        "        found = known or _INTERNAL\n",
        "        found = known or ErrorReport(500, ApiError.code, str(exc))\n",
        "leaked-secret",
        f"500 of {OPERATION}",
    ),
    _one(
        "an internal error shows its traceback",
        _ERROR_RESPONSES,
        "        found = known or _INTERNAL\n",
        "        import traceback\n\n"
        '        found = known or ErrorReport(500, ApiError.code, "".join(traceback.format_tb(exc.__traceback__)))\n',
        "leaked-traceback",
        f"500 of {OPERATION}",
    ),
    _one(
        "an internal error is a 503",
        _ERROR_RESPONSES,
        "_INTERNAL = ErrorReport(ApiError.status,",
        "_INTERNAL = ErrorReport(503,",
        "wrong-fault-answer",
        f"{OPERATION} responds 503",
    ),
    _one(
        "an internal error in plain text",
        _ERROR_RESPONSES,
        "        written = body.encode() if is_text else orjson.dumps(body)\n",
        "        written = body.encode() if is_text else orjson.dumps(body)\n"
        '        media_type = "text/plain" if found.status == 500 else media_type\n',
        "undocumented-media-type",
        f"500 of {OPERATION} has media type text/plain",
    ),
    # Secrets.
    _one(
        "a secret in a field",
        _CALLS,
        "settings.ai_voice_provider,",
        '"demo-elevenlabs-api-key",',
        "leaked-secret",
        f"200 of {OPERATION}",
    ),
    _one(
        "a secret in hexadecimal, in a header",
        "scripts/relay/validation/http.py",
        '    (b"cache-control", b"no-store"),',
        '    (b"x-debug", b"demo-sinch-key-secret".hex().encode()),',
        "leaked-secret",
        OPERATION,
    ),
    _one(
        "the key in the log",
        _TOKENS,
        "        try:\n            claims = self._jwt.decode(\n",
        '        __import__("logging").getLogger("relay").info("verified with %s", key.key.decode())\n'
        "        try:\n            claims = self._jwt.decode(\n",
        "leaked-secret",
        "log",
    ),
    # Authentication.
    _one(
        "requests without a credential are accepted",
        _AUTH,
        '        raise Unauthenticated(self._invitation, reason="missing")\n',
        '        return {}, await self._identify(claims={"userId": "64f0a1b2c3d4e5f6a7b8c9d1"})\n',
        "credential-accepted",
        OPERATION,
    ),
    _one(
        "refused as forbidden",
        "scripts/relay/server/errors.py",
        'status, code, message = 401, "UNAUTHENTICATED"',
        'status, code, message = 403, "UNAUTHENTICATED"',
        "wrong-refusal",
        OPERATION,
    ),
    *(
        _one(
            name,
            _TOKENS,
            _OPTIONS,
            f'self._options: Any = {{"require": required, "enforce_minimum_key_length": True, "{check}": False}}',
            "credential-accepted",
            message,
        )
        for name, check, message in [
            ("an expired token", "verify_exp", "expired"),
            ("a token that is not valid yet", "verify_nbf", "not valid yet"),
            ("any signature", "verify_signature", "another key"),
            ("a token for another service", "verify_aud", "meant for somebody else"),
        ]
    ),
    _one(
        "a token without exp",
        _TOKENS,
        '        claims = _object(decoded["payload"])\n',
        '        claims = {"exp": time.time() + 60, **_object(decoded["payload"])}\n',
        "credential-accepted",
        "exp",
    ),
    _one(
        "any algorithm of the family",
        _TOKENS,
        "algorithms=[key.algorithm],",
        'algorithms=[key.algorithm, "HS384", "HS512"],',
        "credential-accepted",
        "HS512",
    ),
    _one(
        "a disabled user",
        _IDENTITY,
        "    if user.login_disabled:\n",
        "    if False:\n",
        "credential-accepted",
        "disabled user",
    ),
    _one(
        "an unknown user",
        _IDENTITY,
        "    if member is None:\n",
        '    member = member or await store.member("64f0a1b2c3d4e5f6a7b8c9d1")\n    if member is None:\n',
        "credential-accepted",
        "unknown user",
    ),
    _one(
        "a token without a user",
        _IDENTITY,
        '    user_id = claims.get("userId", claims.get("sub"))\n',
        '    user_id = claims.get("userId", "64f0a1b2c3d4e5f6a7b8c9d1")\n',
        "credential-accepted",
        "userId",
    ),
    _one(
        "a token without a user causes an internal error",
        _IDENTITY,
        '    user_id = claims.get("userId", claims.get("sub"))\n',
        '    user_id = claims["userId"]\n',
        "wrong-refusal",
        "userId",
    ),
    _one(
        "the first of two tokens counts",
        _AUTH,
        'value = _only(values) or b""',
        'value = _only(values[:1]) or b""',
        "credential-accepted",
        "two",
    ),
    _one(
        "a token in the query",
        _AUTH,
        "return lambda headers, _query: _bearer(headers)",
        'return lambda headers, query: _bearer(headers) or query.decode().partition("access_token=")[2] or None',
        "credential-accepted",
        "query",
    ),
    _one(
        "a role without permission",
        _IDENTITY,
        "    return Caller(",
        '    if user.access_role == "SALES_REP":\n        raise NotSignedIn("disabled")\n    return Caller(',
        "role-refused",
        "sales rep",
    ),
    # Contract and generated code.
    Mutant(
        "a stale handler",
        (
            Edit(
                _CALLS,
                "def _config_view(",
                "async def get_calls_old_config(*, caller: Caller) -> None:\n"
                '    """Serve what the contract once had."""\n\n\ndef _config_view(',
            ),
            Edit(
                "handlers/_types.py",
                "a rename is recognised:\n",
                "a rename is recognised:\n# get /calls/old = calls.get_calls_old_config()\n",
            ),
        ),
        "stale-handler",
        "handlers/calls.py",
    ),
    _one(
        "stale types",
        "handlers/_types.py",
        "hasApiKey: NotRequired[bool]",
        "hasApiKey: NotRequired[str]",
        "types-outdated",
        "handlers/_types.py",
    ),
    _one(
        "an example that breaks its schema",
        _SPEC,
        "        hasApiKey: true\n",
        "        hasApiKey: 'yes'\n",
        "invalid-example",
        "spec/openapi.yaml:",
    ),
    _one(
        "a documented response that never occurs",
        _SPEC,
        "        '500':\n",
        "        '404':\n          description: No such thing\n        '500':\n",
        "low-coverage",
        f"404 without a body of {OPERATION}",
    ),
]
