"""Verifiers that a contract names, as Connexion calls them: `scripts/relay/server/info_functions.py`."""

from __future__ import annotations

import base64
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.server.info_functions import has_scopes
from support.hosting import SECRET, assert_problem, bearer, calling, contract
from support.naming import host_named, named_operation

SHOW = """
    def show(claims=None):
        return claims
"""
FLOWS = {"implicit": {"authorizationUrl": "https://example.com", "scopes": {"read": "", "write": ""}}}
BEARER = {"type": "http", "scheme": "bearer"}
BASIC = {"type": "http", "scheme": "basic"}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
OAUTH = {"type": "oauth2", "flows": FLOWS}


@pytest.fixture
def hosted(tmp_path, monkeypatch):
    """Host one operation that needs a credential of one scheme."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])

    def hosted(scheme, source, *scopes, security=None, schemes=None, **settings):
        requirements = security or [{"scheme": list(scopes)}]
        document = contract(
            {"/things": {"get": named_operation("show", security=requirements)}},
            components={"securitySchemes": schemes or {"scheme": scheme}},
        )
        return host_named(tmp_path, document, SHOW + source, **settings)

    return hosted


def authorization(scheme, credential):
    """An Authorization header."""
    return {"Authorization": f"{scheme} {credential}"}


def basic(user, password):
    """A Basic credential (RFC 7617)."""
    return authorization("Basic", base64.b64encode(f"{user}:{password}".encode()).decode())


@pytest.mark.parametrize(
    "signature", ["token", "token, required_scopes", "token, **more", "token, required_scopes=None"]
)
@pytest.mark.parametrize("prefix", ["", "async "])
async def test_a_token_is_verified_by_the_function_that_the_scheme_names(hosted, signature, prefix):
    """It gets the scopes if it takes them; no key is needed, nor a handlers package."""
    source = f"""
    {prefix}def check({signature}):
        return {{"sub": "u"}} if token == "right" else None
    """
    application = hosted({**BEARER, "x-bearerInfoFunc": "api.check"}, source, "read")

    async with calling(application) as client:
        assert (await client.get("/things", headers=authorization("Bearer", "right"))).json() == {"sub": "u"}
        assert_problem(
            await client.get("/things", headers=authorization("Bearer", "x")), 401, "UNAUTHENTICATED"
        )
        missing = await client.get("/things")

    assert_problem(missing, 401, "UNAUTHENTICATED")
    assert missing.headers["www-authenticate"] == 'Bearer realm="Test"'


async def test_passes_the_scopes_of_the_operation(hosted):
    """They are the function's to check, but for oauth2."""
    source = """
    def check(token, required_scopes):
        return {"sub": token, "needed": required_scopes}
    """
    application = hosted({**BEARER, "x-bearerInfoFunc": "api.check"}, source, "read", "write")

    async with calling(application) as client:
        answer = await client.get("/things", headers=authorization("Bearer", "t"))

    assert answer.json() == {"sub": "t", "needed": ["read", "write"]}


async def test_a_function_may_look_at_the_request(hosted):
    """It is Connexion's own; the body is not its business, and not read yet."""
    source = """
    async def check(apikey, required_scopes, request):
        return {"sub": apikey, "method": request.method, "host": request.headers["host"]}
    """
    application = hosted({**KEY, "x-apikeyInfoFunc": "api.check"}, source)

    async with calling(application) as client:
        answer = await client.get("/things", headers={"X-Key": "k"})

    assert answer.json() == {"sub": "k", "method": "GET", "host": "test"}


async def test_a_password_arrives_apart_from_its_user(hosted):
    """A password may contain a colon, a user not (RFC 7617 section 2)."""
    source = """
    def check(username, password, required_scopes=None):
        return {"sub": username, "password": password}
    """
    application = hosted({**BASIC, "x-basicInfoFunc": "api.check"}, source)

    async with calling(application) as client:
        answer = await client.get("/things", headers=basic("ada", "a:b"))

    assert answer.json() == {"sub": "ada", "password": "a:b"}


async def test_a_key_is_verified_by_the_function_that_the_scheme_names(hosted):
    """`uid` is Connexion's other name for `sub`."""
    source = """
    def check(apikey, required_scopes):
        return {"uid": 7} if apikey == "k" else None
    """
    application = hosted({**KEY, "x-apikeyInfoFunc": "api.check"}, source)

    async with calling(application) as client:
        assert (await client.get("/things", headers={"X-Key": "k"})).json() == {"uid": 7}
        assert (await client.get("/things", headers={"X-Key": "x"})).status_code == 401


async def test_a_key_that_is_a_bearer_token_is_verified_as_one(hosted):
    """`x-authentication-scheme: Bearer` is how contracts of OpenAPI 2 wrote it."""
    scheme = {"type": "apiKey", "in": "header", "name": "Authorization", "x-authentication-scheme": "Bearer"}
    source = """
    def check(token):
        return {"sub": token}
    """
    application = hosted({**scheme, "x-bearerInfoFunc": "api.check"}, source)

    async with calling(application) as client:
        assert (await client.get("/things", headers=authorization("Bearer", "t"))).json() == {"sub": "t"}
        assert (await client.get("/things", headers=authorization("Basic", "t"))).status_code == 401


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ("{'scope': 'write read'}", 200),
        ("{'scope': ['read']}", 200),
        ("{'scopes': ['read']}", 200),
        ("{'scope': 'write'}", 403),
        ("{'scope': 'write', 'scopes': ['read']}", 403),
        ("{}", 403),
        ("None", 401),
    ],
)
async def test_the_scopes_of_oauth2_are_checked(hosted, claims, status):
    """`scope` as RFC 8693 section 4.2 has it, or `scopes`; text or a list."""
    source = f"""
    def check(token):
        return {claims}
    """
    application = hosted({**OAUTH, "x-tokenInfoFunc": "api.check"}, source, "read")

    async with calling(application) as client:
        assert (await client.get("/things", headers=authorization("Bearer", "t"))).status_code == status


@pytest.mark.parametrize(("granted", "status"), [("read", 200), ("other", 403)])
async def test_a_function_of_the_contract_may_compare_scopes(hosted, granted, status):
    """`x-scopeValidateFunc` takes the required ones first."""
    source = f"""
    def check(token):
        return {{"scope": ["{granted}"]}}

    async def covers(required_scopes, token_scopes):
        return required_scopes == ["read"] and token_scopes == ["read"]
    """
    scheme = {**OAUTH, "x-tokenInfoFunc": "api.check", "x-scopeValidateFunc": "api.covers"}

    async with calling(hosted(scheme, source, "read")) as client:
        assert (await client.get("/things", headers=authorization("Bearer", "t"))).status_code == status


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        ("connexion.exceptions.OAuthProblem('x')", 401),
        ("connexion.exceptions.Unauthorized()", 401),
        ("connexion.exceptions.Forbidden()", 403),
        ("connexion.exceptions.OAuthScopeProblem([], [])", 403),
        ("werkzeug.exceptions.Unauthorized()", 401),
        ("ValueError('x')", 401),
        ("RuntimeError('x')", 500),
    ],
)
async def test_an_exception_with_a_status_refuses_the_credential(hosted, raised, status):
    """As Connexion's own do; anything else is an error of the service."""
    source = f"""
    import connexion.exceptions, werkzeug.exceptions

    def check(token):
        raise {raised}
    """
    application = hosted({**BEARER, "x-bearerInfoFunc": "api.check"}, source)

    async with calling(application) as client:
        answer = await client.get("/things", headers=authorization("Bearer", "t"))

    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status < 500)


async def test_empty_claims_are_claims(hosted):
    """Only None refuses a credential in Connexion."""
    source = """
    def check(apikey):
        return {}
    """

    async with calling(hosted({**KEY, "x-apikeyInfoFunc": "api.check"}, source)) as client:
        assert (await client.get("/things", headers={"X-Key": "k"})).status_code == 200


@pytest.mark.parametrize(
    ("scheme", "variable", "headers"),
    [
        (BEARER, "BEARERINFO_FUNC", authorization("Bearer", "t")),
        (OAUTH, "TOKENINFO_FUNC", authorization("Bearer", "t")),
        (KEY, "APIKEYINFO_FUNC", {"X-Key": "k"}),
        (BASIC, "BASICINFO_FUNC", basic("a", "b")),
    ],
)
async def test_an_environment_variable_names_the_function_of_a_kind_of_schemes(
    hosted, tmp_path, monkeypatch, scheme, variable, headers
):
    """For schemes that name none themselves."""
    (tmp_path / f"auth_{variable.lower()}.py").write_text(
        "def check(*credential):\n    return {'sub': 'u'}\n"
    )
    monkeypatch.setenv(variable, f"auth_{variable.lower()}.check")

    async with calling(hosted(scheme, "")) as client:
        assert (await client.get("/things", headers=headers)).json() == {"sub": "u"}


@pytest.mark.parametrize(
    ("scheme", "told"),
    [
        ({**KEY, "x-apikeyInfoFunc": "api.gone"}, "write gone() in"),
        ({**KEY, "x-apikeyInfoFunc": "os.getenv"}, "x-apikeyInfoFunc names 'os.getenv', which is not there"),
        ({**OAUTH, "x-tokenInfoUrl": "https://example.com/info"}, "x-tokenInfoUrl of the security scheme 'scheme' is not called"),
        (KEY, "the security scheme 'scheme' has no verifier"),
        (BEARER, "the contract's security scheme scheme needs a key"),
    ],
)  # fmt: skip
def test_says_at_the_start_which_scheme_cannot_be_verified(hosted, scheme, told):
    """In Connexion, such a scheme answers every request with 401."""
    with pytest.raises(SetupError) as raised:
        hosted(scheme, "")

    assert len(raised.value.problems) == 1
    assert told in raised.value.problems[0].message


async def test_a_key_for_tokens_goes_before_the_contracts_function(hosted):
    """A project that has set one has chosen how its tokens are verified."""
    source = """
    def check(token):
        return {"sub": "anyone"}
    """
    application = hosted({**BEARER, "x-bearerInfoFunc": "api.check"}, source, jwt_secret=SECRET)

    async with calling(application) as client:
        assert (await client.get("/things", headers=authorization("Bearer", "t"))).status_code == 401
        assert (await client.get("/things", headers=bearer({"sub": "u"}))).json()["sub"] == "u"


@given(
    st.sets(st.from_regex(r"[a-z:]{1,6}", fullmatch=True)),
    st.sets(st.from_regex(r"[a-z:]{1,6}", fullmatch=True)),
)
def test_scopes_may_be_text_or_a_list(required, granted):
    """Both mean the same set (RFC 6749 section 3.3)."""
    expected = required <= granted

    assert has_scopes([*required], " ".join(granted)) == expected
    assert has_scopes([*required], [*granted]) == expected
