"""Security requirements: `scripts/relay/server/security.py`."""

import base64
import json
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt import PyJWS

from relay.project.settings import Settings
from relay.server.errors import Unauthenticated
from relay.server.keys import secret_key
from relay.server.security import token_scopes
from relay.server.tokens import TokenVerifier
from support.hosting import SECRET, ask, assert_problem, bearer, calling, contract, operation, token
from support.schemas import json_values

FLOW = {"tokenUrl": "https://id.example/token", "scopes": {"read": "", "write": ""}}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "scoped": {"type": "oauth2", "flows": {"clientCredentials": FLOW}},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "login": {"type": "http", "scheme": "basic"},
}
SECURED = {"components": {"securitySchemes": SCHEMES}}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"good:pw").decode()}
INIT = """
    async def check(credential):
        if credential == "empty":
            return {}
        if credential == "malformed":
            raise ValueError(credential)
        return {"sub": credential} if credential.startswith("good") else None

    verifiers = {name: check for name in ("key", "query", "cookie", "login")}
"""
CLAIMS = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scp", "scopes", "userId"]
ANY_JSON = json_values(st.text(max_size=3), st.integers() | st.floats() | st.just(2**64))
THINGS = "async def show(claims):\n    return claims and claims.get('sub')\n"


@pytest.fixture
def get(hosting):

    async def get(needs, headers=None, query="", **rest):
        own = {} if needs is None else {"security": needs}
        document = contract({"/a": {"get": operation("show", **own)}}, **SECURED, **rest)
        return await ask(hosting(document, init=INIT, things=THINGS), f"/a{query}", headers=headers)

    return get


def assert_challenged(response, challenge):
    assert_problem(response, 401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == challenge


async def test_asks_for_a_token_where_none_is_shown(get):
    """RFC 6750 section 3: no error code for a request without credentials."""
    for headers in ({}, {"Authorization": "Basic Z29vZDp4"}, {"Authorization": "Token x"}):
        assert_challenged(await get([{"token": []}], headers), 'Bearer realm="Test"')
    # RFC 9700 section 4.3.2: query strings end in logs, so a token in one is none.
    assert_challenged(
        await get([{"token": []}], query=f"?access_token={token({'sub': 'u'})}"), 'Bearer realm="Test"'
    )


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer é", "Bearer a,b", "Bearer " + "x" * 9000]
)
async def test_refuses_a_malformed_credential(get, value):
    """And a huge one before it costs anything."""
    response = await get([{"token": []}], {"Authorization": value.encode("latin-1")})
    assert_challenged(response, 'Bearer realm="Test", error="invalid_token"')


TOKEN, KEY, REFUSED = bearer({"sub": "u"}), {"X-Key": "good"}, (401, "UNAUTHENTICATED")
EITHER, BOTH = [{"token": []}, {"key": []}], [{"token": [], "key": []}]
OPTIONAL, TWO_OR_NONE = ([{}, {"token": []}], [{"token": []}, {}]), [{"key": [], "login": []}, {}]
NOT_BASE64 = {"Authorization": "Basic !!!"}
REQUIREMENTS = [
    # The name of a scheme may be in any case (RFC 9110 section 11.1).
    ("token", {"Authorization": TOKEN["Authorization"].replace("Bearer", "bEARER ")}, "", "u"),
    # Credentials that are no tokens are those of the package's verifiers.
    ("key", {"X-Key": "good-1"}, "", "good-1"),
    ("query", {}, "?key=good-2", "good-2"),
    ("cookie", {"Cookie": "a=b; session=good-3"}, "", "good-3"),
    ("login", BASIC, "", "good:pw"),
    # A verifier that returns None or no claims, or raises ValueError, refuses; so do two credentials at once.
    *(("key", {"X-Key": key}, "", REFUSED) for key in ("bad", "empty", "malformed")),
    ("key", [("X-Key", "good")] * 2, "", REFUSED),
    *(("query", {}, f"?key=good&{rest}", REFUSED) for rest in ("key=good", "key=", "other=%zz")),
    ("query", {}, "?key=", REFUSED),
    *(("cookie", {"Cookie": cookie}, "", REFUSED) for cookie in ("session", "session=bad")),
    *(("login", headers, "", REFUSED) for headers in (NOT_BASE64, {})),
    # Any one of several requirements is enough, and all schemes of one are needed.
    *((EITHER, *sent) for sent in ((KEY, "", "good"), (TOKEN, "", "u"), ({}, "", REFUSED))),
    (BOTH, {**TOKEN, **KEY}, "", None),
    *((BOTH, headers, "", REFUSED) for headers in (TOKEN, KEY, {**TOKEN, "X-Key": "bad"})),
    # Scopes of a scheme that has none are ignored: every call was a 403. The contract gets an error.
    ([{"key": ["read"]}], KEY, "", "good"),
    ([{"token": ["read"]}], TOKEN, "", "u"),
    ([{"login": ["read"]}], BASIC, "", "good:pw"),
    *(([{scheme: ["read"]}], {}, "", REFUSED) for scheme in ("key", "token", "login")),
    # Where security is optional, a bad token is a mistake that its sender should learn of.
    *((needs, {}, "", None) for needs in OPTIONAL),
    *((needs, TOKEN, "", "u") for needs in OPTIONAL),
    *((needs, {"Authorization": "Bearer x.y.z"}, "", REFUSED) for needs in OPTIONAL),
    # Every credential that is shown is looked at.
    (TWO_OR_NONE, NOT_BASE64, "", REFUSED),
    (TWO_OR_NONE, KEY, "", None),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("needs", "headers", "query", "outcome"), REQUIREMENTS)
async def test_a_request_needs_what_its_operation_requires(get, needs, headers, query, outcome):
    response = await get([{needs: []}] if isinstance(needs, str) else needs, headers, query)
    if isinstance(outcome, tuple):
        assert_problem(response, *outcome)
    else:
        assert (response.status_code, response.json()) == (200, outcome)


async def test_wants_the_scopes_of_the_operation(get):
    """Too little is 403, not 401 (RFC 6750 section 3.1)."""
    security = [{"scoped": ["read", "write"]}]
    for scopes in ({"scope": "read write more"}, {"scp": ["write", "read"]}):
        assert (await get(security, bearer({"sub": "u", **scopes}))).status_code == 200
    refused = await get(security, bearer({"sub": "u", "scope": "read"}))
    assert_problem(refused, 403, "FORBIDDEN")
    assert refused.headers["www-authenticate"] == 'Bearer realm="Test", error="insufficient_scope"'


@pytest.mark.slow
@pytest.mark.parametrize("scopes", [[["read"]], [{"read": 1}], {"read": 1}, 7, None, True, [None, "read"]])
@pytest.mark.parametrize("claim", ["scope", "scp", "scopes"])
async def test_a_scope_that_is_no_text_grants_nothing(get, claim, scopes):
    """A token may be well signed and badly made."""
    response = await get([{"scoped": ["read", "write"]}], bearer({"sub": "u", claim: scopes}))
    assert_problem(response, 403, "FORBIDDEN")


@given(st.dictionaries(st.sampled_from(CLAIMS), ANY_JSON))
@settings(deadline=None)
async def test_claims_of_any_type_are_taken_or_rejected(claims):
    """An issuer may put anything into its tokens; it is never an unexpected failure."""
    verify = TokenVerifier(secret_key(SECRET), Settings(jwt_leeway=0, jwt_max_life=3600))
    payload = json.dumps({"sub": "u", "exp": int(time.time()) + 60, **claims}).encode()
    token = PyJWS().encode(payload, SECRET, "HS256")
    with suppress(Unauthenticated):
        for _ in range(2):  # the second time it comes from the cache
            assert all(isinstance(scope, str) for scope in token_scopes(await verify(token)))


async def test_the_claims_of_several_schemes_are_kept_apart(hosting):
    """They were merged, so that of two subjects one was lost; a single scheme's claims are flat."""
    needs = [{"token": [], "key": []}, {"login": []}]
    document = contract({"/a": {"get": operation("show", security=needs)}}, **SECURED)
    identify = "\n    def identify(claims):\n        return sorted(claims)\n"
    things = "def show(claims, caller):\n    return [claims, caller]\n"

    async with calling(hosting(document, init=INIT + identify, things=things)) as client:
        both = await client.get("/a", headers={**bearer({"sub": "u"}), "X-Key": "good"})
        one = await client.get("/a", headers=BASIC)

    claims, caller = both.json()
    assert caller == ["key", "token"]
    assert (claims["key"], claims["token"]["sub"]) == ({"sub": "good"}, "u")
    assert one.json() == [{"sub": "good:pw"}, ["sub"]]


async def test_says_every_way_to_sign_in(get):
    """And, to a credential that was refused, what was wrong with that one."""
    security = [{"key": []}, {"login": []}, {"scoped": ["read"]}]
    invited = await get(security)
    refused = await get(security, {"Authorization": "Bearer x.y.z"})
    ways = 'ApiKey realm="Test", Basic realm="Test", Bearer realm="Test"'
    assert invited.headers["www-authenticate"] == ways
    assert refused.headers["www-authenticate"] == 'Bearer realm="Test", error="invalid_token"'


@pytest.mark.parametrize(
    ("needs", "headers", "reason"),
    [
        ([{"token": []}], [("Authorization", "Bearer a.b.c")] * 2, "ambiguous"),
        ([{"token": []}], {"Authorization": "Bearer " + "x" * 9000}, "too-long"),
        ([{"key": []}], {"X-Key": "x" * 9000}, "too-long"),
        ([{"token": []}], {"Authorization": "Bearer a b"}, "malformed"),
        ([{"key": []}], {"X-Key": "bad"}, "refused"),
        ([{"key": []}, {"token": []}], {"X-Key": "bad", "Authorization": "Bearer a b"}, "refused"),
    ],
)
async def test_the_log_says_why_a_credential_is_refused(get, logged_requests, needs, headers, reason):
    await get(needs, headers)
    [line] = logged_requests()
    assert (line["status"], line["code"], line["reason"]) == (401, "UNAUTHENTICATED", reason)


async def test_applies_the_security_of_the_top_level(get):
    """An operation that says nothing has it; one that says `[]` is open."""
    top = [{"token": []}]
    assert_problem(await get(None, security=top), 401, "UNAUTHENTICATED")
    assert (await get([], security=top)).status_code == 200
