"""Security requirements: `scripts/relay/server/security.py`."""

from __future__ import annotations

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
from support.hosting import SECRET, assert_problem, bearer, calling, contract, host, operation

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
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(2**64),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
THINGS = "async def show(claims):\n    return claims and claims.get('sub')\n"


@pytest.fixture
def get(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))

    async def get(needs, headers=None, query="", **rest):
        own = {} if needs is None else {"security": needs}
        document = contract({"/a": {"get": operation("show", **own)}}, **SECURED, **rest)
        async with calling(host(tmp_path, document, init=INIT, things=THINGS)) as client:
            return await client.get(f"/a{query}", headers=headers)

    return get


def assert_challenged(response, challenge):
    assert_problem(response, 401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == challenge


async def test_asks_for_a_token_where_none_is_shown(get):
    """RFC 6750 section 3: no error code for a request without credentials."""
    for headers in ({}, {"Authorization": "Basic Z29vZDp4"}, {"Authorization": "Token x"}):
        assert_challenged(await get([{"token": []}], headers), 'Bearer realm="Test"')
    token = bearer({"sub": "u"})["Authorization"].removeprefix("Bearer ")
    # RFC 9700 section 4.3.2: query strings end in logs, so a token in one is none.
    assert_challenged(await get([{"token": []}], query=f"?access_token={token}"), 'Bearer realm="Test"')


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer é", "Bearer a,b", "Bearer " + "x" * 9000]
)
async def test_refuses_a_malformed_credential(get, value):
    """And a huge one before it costs anything."""
    response = await get([{"token": []}], {"Authorization": value.encode("latin-1")})

    assert_challenged(response, 'Bearer realm="Test", error="invalid_token"')


async def test_takes_the_schemes_name_in_any_case(get):
    """RFC 9110 section 11.1."""
    header = bearer({"sub": "u"})["Authorization"].replace("Bearer", "bEARER ")

    assert (await get([{"token": []}], {"Authorization": header})).json() == "u"


async def test_refuses_two_authorization_headers(get):
    """Connexion takes the first; a proxy may have checked the second."""
    good = bearer({"sub": "u"})["Authorization"]

    response = await get([{"token": []}], [("Authorization", good), ("Authorization", good)])

    assert_challenged(response, 'Bearer realm="Test", error="invalid_token"')


async def test_wants_the_scopes_of_the_operation(get):
    """Too little is 403, not 401 (RFC 6750 section 3.1)."""
    security = [{"scoped": ["read", "write"]}]

    for scopes in ({"scope": "read write more"}, {"scp": ["write", "read"]}):
        assert (await get(security, bearer({"sub": "u", **scopes}))).status_code == 200
    refused = await get(security, bearer({"sub": "u", "scope": "read"}))

    assert_problem(refused, 403, "FORBIDDEN")
    assert refused.headers["www-authenticate"] == 'Bearer realm="Test", error="insufficient_scope"'


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


@pytest.mark.parametrize(
    ("scheme", "headers", "query", "who"),
    [
        ("key", {"X-Key": "good-1"}, "", "good-1"),
        ("query", {}, "?key=good-2", "good-2"),
        ("cookie", {"Cookie": "a=b; session=good-3"}, "", "good-3"),
        ("login", BASIC, "", "good:pw"),
    ],
)
async def test_hands_other_credentials_to_the_packages_verifiers(get, scheme, headers, query, who):
    assert (await get([{scheme: []}], headers, query)).json() == who


@pytest.mark.parametrize(
    ("scheme", "headers", "query"),
    [
        ("key", {"X-Key": "bad"}, ""),
        ("key", {"X-Key": "empty"}, ""),
        ("key", {"X-Key": "malformed"}, ""),
        ("key", [("X-Key", "good"), ("X-Key", "good")], ""),
        ("query", {}, "?key=good&key=good"),
        ("query", {}, "?key=good&key="),
        ("query", {}, "?key=good&other=%zz"),
        ("query", {}, "?key="),
        ("cookie", {"Cookie": "session"}, ""),
        ("cookie", {"Cookie": "session=bad"}, ""),
        ("login", {"Authorization": "Basic !!!"}, ""),
        ("login", {}, ""),
    ],
)
async def test_refuses_what_a_verifier_does_not_accept(get, scheme, headers, query):
    """A verifier that returns None or no claims, or raises ValueError, refuses; so do two credentials at once."""
    assert_problem(await get([{scheme: []}], headers, query), 401, "UNAUTHENTICATED")


async def test_takes_any_one_of_several_requirements(get):
    either = [{"token": []}, {"key": []}]

    assert (await get(either, {"X-Key": "good"})).json() == "good"
    assert (await get(either, bearer({"sub": "u"}))).json() == "u"
    assert_problem(await get(either), 401, "UNAUTHENTICATED")


async def test_takes_all_schemes_of_one_requirement(get):
    both = [{"token": [], "key": []}]

    assert (await get(both, {**bearer({"sub": "u"}), "X-Key": "good"})).status_code == 200
    for headers in (bearer({"sub": "u"}), {"X-Key": "good"}, {**bearer({"sub": "u"}), "X-Key": "bad"}):
        assert_problem(await get(both, headers), 401, "UNAUTHENTICATED")


async def test_the_claims_of_several_schemes_are_kept_apart(tmp_path, monkeypatch):
    """They were merged, so that of two subjects one was lost; a single scheme's claims are flat."""
    monkeypatch.syspath_prepend(str(tmp_path))
    needs = [{"token": [], "key": []}, {"login": []}]
    document = contract({"/a": {"get": operation("show", security=needs)}}, **SECURED)
    identify = "\n    def identify(claims):\n        return sorted(claims)\n"
    things = "def show(claims, caller):\n    return [claims, caller]\n"

    async with calling(host(tmp_path, document, init=INIT + identify, things=things)) as client:
        both = await client.get("/a", headers={**bearer({"sub": "u"}), "X-Key": "good"})
        one = await client.get("/a", headers=BASIC)

    claims, caller = both.json()
    assert caller == ["key", "token"]
    assert (claims["key"], claims["token"]["sub"]) == ({"sub": "good"}, "u")
    assert one.json() == [{"sub": "good:pw"}, ["sub"]]


@pytest.mark.parametrize(
    ("scheme", "headers"), [("key", {"X-Key": "good"}), ("token", bearer({"sub": "u"})), ("login", BASIC)]
)
async def test_scopes_of_a_scheme_that_has_none_are_ignored(get, scheme, headers):
    """OpenAPI 3.0 allows none; every call was a 403. The contract gets an error, production does not start."""
    assert (await get([{scheme: ["read"]}], headers)).status_code == 200
    assert_problem(await get([{scheme: ["read"]}]), 401, "UNAUTHENTICATED")


async def test_lets_anybody_in_where_security_is_optional(get):
    """But a bad token is a mistake that its sender should learn of."""
    for optional in ([{}, {"token": []}], [{"token": []}, {}]):
        assert (await get(optional)).json() is None
        assert (await get(optional, bearer({"sub": "u"}))).json() == "u"
        assert_problem(await get(optional, {"Authorization": "Bearer x.y.z"}), 401, "UNAUTHENTICATED")


async def test_looks_at_every_credential_that_is_shown(get):
    optional = [{"key": [], "login": []}, {}]

    assert_problem(await get(optional, {"Authorization": "Basic !!!"}), 401, "UNAUTHENTICATED")
    assert (await get(optional, {"X-Key": "good"})).json() is None


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
async def test_tells_the_log_why_a_credential_is_refused(get, requests_told, needs, headers, reason):
    await get(needs, headers)

    [line] = requests_told()
    assert (line["status"], line["code"], line["reason"]) == (401, "UNAUTHENTICATED", reason)


async def test_applies_the_security_of_the_top_level(get):
    """An operation that says nothing has it; one that says `[]` is open."""
    top = [{"token": []}]

    assert_problem(await get(None, security=top), 401, "UNAUTHENTICATED")
    assert (await get([], security=top)).status_code == 200
