"""Tokens that a function verifies are not signed: `scripts/relay/server/{package_hooks,token_minting}.py`."""

from uuid import uuid4

import orjson
import pytest

from relay import testing
from relay.contract.diagnostics import SetupError
from relay.project.settings import Settings
from relay.server.compilation import create
from support.hosting import SECRET, bearer, contract
from support.naming import named_operation
from support.running import relay

BEARER = {"type": "http", "scheme": "bearer", "x-bearerInfoFunc": "api.check"}
OAUTH = {"type": "openIdConnect", "openIdConnectUrl": "https://example.com"}
SOURCE = """
def check(token):
    return {"sub": token} if token == "tok-ada" else None


def show(user):
    return user
"""


@pytest.fixture
def spec(tmp_path, as_before):
    """Write a contract whose operation accepts a token of any of some schemes; functions of a module serve it."""
    name = f"api_{uuid4().hex}"

    def write(**schemes):
        security = [{scheme: []} for scheme in schemes]
        document = contract(
            {"/a": {"get": named_operation("show", security=security)}},
            components={"securitySchemes": schemes},
        )
        (tmp_path / f"{name}.py").write_text(SOURCE, "utf-8")
        (tmp_path / "api.json").write_bytes(orjson.dumps(document).replace(b'"api.', f'"{name}.'.encode()))
        (tmp_path / "pyproject.toml").write_text('[tool.relay]\nspec = "api.json"\n', "utf-8")
        return tmp_path / "api.json"

    return write


def test_a_client_with_claims_says_which_function_verifies_the_tokens(spec, tmp_path):
    """A secret, which was asked for, would replace the function; the header of a client is sent as it is."""
    application = create(Settings(spec=spec(token=BEARER)), folder=tmp_path)

    with pytest.raises(
        SetupError, match=r"api\.json:1:\d+: the function api_\w+\.check verifies the tokens of 'token'"
    ):
        testing.token(application, {"sub": "ada"})
    with testing.client(application, headers={"Authorization": "Bearer tok-ada"}) as api:
        assert api.get("/a").json() == "tok-ada"


def test_a_client_with_claims_signs_what_a_key_verifies(spec, tmp_path):
    settings = Settings(spec=spec(token=BEARER), jwt_secret=SECRET)
    with testing.client(create(settings, folder=tmp_path), claims={"sub": "ada"}) as api:
        assert api.get("/a").json() == "ada"
    both = create(Settings(spec=spec(token=BEARER, login=OAUTH)), lambda: SECRET, tmp_path)
    with testing.client(both, claims={"sub": "ada"}) as api:
        assert api.get("/a").json() == "ada"


def test_the_command_prints_no_token_that_the_service_refuses(spec, tmp_path):
    spec(token=BEARER)

    refused = relay(tmp_path, "token", "--claim", "sub=ada")
    signed = relay(tmp_path, "token", "--claim", "sub=ada", RELAY_JWT_SECRET=SECRET)
    spec(token=BEARER, login=OAUTH)
    other = relay(tmp_path, "token", "--claim", "sub=ada")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    assert "so Relay signs none; use one that it accepts" in refused.stderr
    assert signed.stdout.count(".") == other.stdout.count(".") == 2
    assert len(signed.stdout) > len(bearer({"sub": "ada"})["Authorization"]) // 2
