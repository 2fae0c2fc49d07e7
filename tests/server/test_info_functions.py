"""Verifiers that a contract names, as Connexion calls them: `scripts/relay/server/info_functions.py`."""

import base64
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.server.info_functions import has_scopes
from support.hosting import SECRET, ask, assert_problem, bearer, calling, contract
from support.naming import named_operation

SHOW = "def show(claims=None):\n    return claims\n"
FLOWS = {"implicit": {"authorizationUrl": "https://example.com", "scopes": {"read": "", "write": ""}}}
BEARER = {"type": "http", "scheme": "bearer"}
BASIC = {"type": "http", "scheme": "basic"}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
OAUTH = {"type": "oauth2", "flows": FLOWS}


@pytest.fixture
def hosted(hosting_named):
    """Host one operation that needs a credential of one scheme."""

    def hosted(scheme, source, *scopes, **settings):
        document = contract(
            {"/things": {"get": named_operation("show", security=[{"scheme": [*scopes]}])}},
            components={"securitySchemes": {"scheme": scheme}},
        )
        return hosting_named(document, f"{SHOW}\n{source}", **settings)

    return hosted


@pytest.fixture
def get(hosted):
    """Host one operation that needs a credential of one scheme, and call it with some headers."""

    async def get(scheme, source, *scopes, headers):
        return await ask(hosted(scheme, source, *scopes), "/things", headers=headers)

    return get


def authorization(scheme, credential):
    return {"Authorization": f"{scheme} {credential}"}


def basic(user, password):
    """A Basic credential (RFC 7617)."""
    return authorization("Basic", base64.b64encode(f"{user}:{password}".encode()).decode())


T = authorization("Bearer", "t")
TOKEN = {**BEARER, "x-bearerInfoFunc": "api.check"}
KEY_CHECK = {**KEY, "x-apikeyInfoFunc": "api.check"}
BASIC_CHECK = {**BASIC, "x-basicInfoFunc": "api.check"}
BEARER_KEY = {**TOKEN, **KEY, "name": "Authorization", "x-authentication-scheme": "Bearer"}
X_KEY, ADA = {"X-Key": "k"}, basic("ada", "a:b")


@pytest.mark.parametrize(
    "signature", ["token", "token, required_scopes", "token, **more", "token, required_scopes=None"]
)
@pytest.mark.parametrize("prefix", ["", "async "])
async def test_a_token_is_verified_by_the_function_that_the_scheme_names(hosted, signature, prefix):
    source = f"""
{prefix}def check({signature}):
    return {{"sub": "u"}} if token == "right" else None
"""
    async with calling(hosted(TOKEN, source, "read")) as client:
        assert (await client.get("/things", headers=authorization("Bearer", "right"))).json() == {"sub": "u"}
        assert_problem(
            await client.get("/things", headers=authorization("Bearer", "x")), 401, "UNAUTHENTICATED"
        )
        missing = await client.get("/things")

    assert_problem(missing, 401, "UNAUTHENTICATED")
    assert missing.headers["www-authenticate"] == 'Bearer realm="Test"'


@pytest.mark.parametrize(
    ("scheme", "signature", "given", "headers", "expected"),
    [
        (TOKEN, "token, required_scopes", "[token, required_scopes]", T, ["t", ["read", "write"]]),
        (KEY_CHECK, "apikey, required_scopes, request", "[apikey, request.method]", X_KEY, ["k", "GET"]),
        (BASIC_CHECK, "username, password, required_scopes=None", "[username, password]", ADA, ["ada", "a:b"]),
        (KEY_CHECK, "apikey, required_scopes", "7", X_KEY, 7),
        (BEARER_KEY, "token", "token", T, "t"),
    ],
    ids=["scopes", "request", "password with a colon", "key", "key as bearer"],
)  # fmt: skip
async def test_a_function_is_called_as_connexion_calls_it(get, scheme, signature, given, headers, expected):
    source = (
        f"{'async ' * ('request' in signature)}def check({signature}):\n    return {{'given': {given}}}\n"
    )
    assert (await get(scheme, source, "read", "write", headers=headers)).json() == {"given": expected}


async def test_claims_may_be_empty(get):
    assert (await get(KEY_CHECK, "def check(apikey):\n    return {}\n", headers=X_KEY)).json() == {}


@pytest.mark.parametrize(
    ("scheme", "headers"), [(KEY_CHECK, {"X-Key": "x"}), (BEARER_KEY, authorization("Basic", "t"))]
)
async def test_a_key_that_is_refused_is_a_401(get, scheme, headers):
    """By None, and one of another scheme where `x-authentication-scheme` says Bearer."""
    assert (await get(scheme, "def check(token):\n    return None\n", headers=headers)).status_code == 401


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
async def test_the_scopes_of_oauth2_are_checked(get, claims, status):
    """`scope` as RFC 8693 section 4.2 has it, or `scopes`; text or a list."""
    scheme = {**OAUTH, "x-tokenInfoFunc": "api.check"}
    answer = await get(scheme, f"def check(token):\n    return {claims}\n", "read", headers=T)
    assert answer.status_code == status


@pytest.mark.parametrize(("granted", "status"), [("read", 200), ("other", 403)])
async def test_a_function_of_the_contract_may_compare_scopes(get, granted, status):
    """`x-scopeValidateFunc` takes the required ones first."""
    source = f"""
    def check(token):
        return {{"scope": ["{granted}"]}}

    async def covers(required_scopes, token_scopes):
        return required_scopes == ["read"] and token_scopes == ["read"]
    """
    scheme = {**OAUTH, "x-tokenInfoFunc": "api.check", "x-scopeValidateFunc": "api.covers"}

    assert (await get(scheme, textwrap.dedent(source), "read", headers=T)).status_code == status


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
async def test_an_exception_with_a_status_refuses_the_credential(get, raised, status):
    """As Connexion's own do; anything else is an error of the service."""
    imports = "import connexion.exceptions, werkzeug.exceptions\n"
    answer = await get(TOKEN, f"{imports}def check(token):\n    raise {raised}\n", headers=T)
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status < 500)


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
    (tmp_path / f"auth_{variable.lower()}.py").write_text(
        "def check(*credential):\n    return {'sub': 'u'}\n"
    )
    monkeypatch.setenv(variable, f"auth_{variable.lower()}.check")
    assert (await ask(hosted(scheme, ""), "/things", headers=headers)).json() == {"sub": "u"}


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ({**KEY, "x-apikeyInfoFunc": "api.gone"}, "write gone() in"),
        ({**KEY, "x-apikeyInfoFunc": "os.getenv"}, "x-apikeyInfoFunc names 'os.getenv', which is not there"),
        ({**OAUTH, "x-tokenInfoUrl": "https://example.com/info"}, "x-tokenInfoUrl of the security scheme 'scheme' is not called"),
        (KEY, "the security scheme 'scheme' has no verifier"),
        (BEARER, "the contract's security scheme scheme needs a key"),
    ],
)  # fmt: skip
def test_says_at_the_start_which_scheme_cannot_be_verified(hosted, scheme, message):
    """In Connexion, such a scheme answers every request with 401."""
    with pytest.raises(SetupError) as raised:
        hosted(scheme, "")
    assert len(raised.value.problems) == 1
    assert message in raised.value.problems[0].message


async def test_a_key_for_tokens_goes_before_the_contracts_function(hosted):
    """A project that has set one has chosen how its tokens are verified."""
    source = "def check(token):\n    return {'sub': 'anyone'}\n"
    async with calling(hosted(TOKEN, source, jwt_secret=SECRET)) as client:
        assert (await client.get("/things", headers=T)).status_code == 401
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
