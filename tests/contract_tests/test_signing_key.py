"""The key that a run signs tokens with: `scripts/relay/contract_tests/signing_key.py`."""

from __future__ import annotations

import json

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config, Identity
from relay.contract_tests.credentials import Credentials
from relay.contract_tests.identity_checks import check_identities
from relay.contract_tests.sample_requests import model_requests
from relay.contract_tests.service_start import ServiceTarget, served
from relay.contract_tests.service_under_test import ContractSettings, load_strict_contract
from relay.contract_tests.signing_key import signing_key
from relay.project.project import find_project
from support.compiled import read
from support.hosting import SECRET, contract, operation
from support.naming import ANSWER, named_operation

BEARER = {"type": "http", "scheme": "bearer"}
OAUTH = {"type": "openIdConnect", "openIdConnectUrl": "https://example.com"}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
AUTH = """
from pathlib import Path


def bearer(token):
    Path("called").touch()
    return {"sub": "ada"} if token == "tok-ada" else None


def key(apikey):
    return {"sub": "ada"} if apikey == "k-ada" else None


def show_token(user):
    return user


def show_login(user):
    return user
"""
ANSWERS = ANSWER | {
    "401": {"description": "no", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
}


def secured(*schemes):
    """A contract whose only operation accepts a token of each scheme."""
    found = {name: {"token": BEARER, "login": OAUTH, "key": KEY}[name] for name in schemes}
    paths = {"/a": {"get": operation("show", security=[{name: []} for name in schemes])}}
    return read(contract(paths, components={"securitySchemes": found}))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of its own, the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.relay]\nspec = "api.json"\n', "utf-8")
    (tmp_path / "api.json").write_text("{}", "utf-8")
    return find_project()


class TestSigningKey:
    """A key of the run never replaces what verifies the tokens of the service."""

    def test_a_service_without_a_key_gets_a_secret_of_the_run(self, project):
        """Each time another one, long enough to sign with, which the run signs with."""
        made = [signing_key(secured("token"), ContractSettings(), (), project) for _ in range(2)]

        assert all(len(one.fresh) >= 32 for one in made)
        assert made[0].fresh != made[1].fresh
        assert made[0].settings.jwt_secret.get_secret_value() == made[0].fresh

    def test_a_key_of_the_settings_is_kept(self, project):
        """It verifies all tokens, also those of schemes with a function."""
        settings = ContractSettings(jwt_secret=SECRET)

        found = signing_key(secured("token", "login"), settings, ["token"], project)

        assert (found.settings, found.fresh, found.by_function) == (settings, None, frozenset())

    @pytest.mark.parametrize("schemes", [[], ["key"]])
    def test_a_service_without_tokens_gets_none(self, project, schemes):
        """Nothing would be signed with it."""
        assert signing_key(secured(*schemes), ContractSettings(), (), project).fresh is None

    def test_a_service_whose_functions_verify_all_tokens_gets_none(self, project):
        """It would verify them instead of the functions."""
        found = signing_key(secured("token", "key"), ContractSettings(), ["token", "key"], project)

        assert (found.settings.jwt_secret, found.fresh, found.by_function) == (None, None, {"token"})

    def test_tokens_of_functions_are_signed_with_a_private_key(self, project):
        """Whoever sets one for the run says that the functions accept its tokens."""
        settings = ContractSettings(jwt_private_key="a private key")

        assert signing_key(secured("token"), settings, ["token"], project).by_function == frozenset()

    def test_schemes_without_a_function_use_the_key_of_development(self, project):
        """`relay serve` uses it, too; a secret in the environment would replace the functions."""
        found = signing_key(secured("token", "login"), ContractSettings(), ["token"], project)

        assert (found.fresh, found.by_function) == (None, {"token"})
        key = (project.folder / ".relay" / "development.key").read_text("ascii").strip()
        assert found.settings.jwt_secret.get_secret_value() == key


def document(**schemes):
    """A contract whose operations need a credential of one scheme each."""
    paths = {
        f"/{name}": {"get": named_operation(f"show_{name}", security=[{name: []}]) | {"responses": ANSWERS}}
        for name in schemes
    }
    return contract(paths, components={"securitySchemes": schemes})


def identities_of(project, folder, spec, *identities):
    """Run the matrix on the service of a project that is started for it; return the part and the settings."""
    name = f"auth_{folder.name.replace('-', '_')}"
    (folder / f"{name}.py").write_text(AUTH, "utf-8")
    (folder / "api.json").write_text(json.dumps(spec).replace('"api.', f'"{name}.'), "utf-8")
    config = Config(identities=identities)
    own = ServiceTarget(project, project.spec, "no_package_here")
    with served(own, load_strict_contract(own.path, config), config) as tested:
        subject = tested.subject
        checker = ConformanceChecker(subject.contract, subject.base_path)
        models = model_requests(subject.contract, subject.url, checker, [])
        return check_identities(subject, Credentials(subject), models, checker), tested


def test_the_functions_of_the_contract_verify_the_tokens_of_a_run(project, tmp_path, monkeypatch):
    """The service that is tested is the one that is served; it accepts the token of the environment."""
    monkeypatch.setenv("ADA_TOK", "tok-ada")
    spec = document(token={**BEARER, "x-bearerInfoFunc": "api.bearer"})

    part, tested = identities_of(project, tmp_path, spec, Identity("ada", variables={"token": "ADA_TOK"}))

    assert part.failures == []
    assert (tmp_path / "called").exists()
    assert tested.subject.settings.jwt_secret is None
    assert "relay token" not in " ".join(tested.reproduce)
    assert "ada" in {exchange.credential for exchange in part.exchanges}


def test_an_identity_with_claims_only_has_no_token_that_a_function_verifies(project, tmp_path):
    """It is listed as not run, with what to set: no finding about tokens that nobody has accepted."""
    spec = document(token={**BEARER, "x-bearerInfoFunc": "api.bearer"})

    part, _ = identities_of(project, tmp_path, spec, Identity("ada", {"sub": "ada"}))

    reasons = {one.case: one.reason for one in part.not_run}
    assert part.failures == []
    assert reasons["ada"].startswith("a function verifies these tokens; name a variable")
    assert "so Relay signs none" in reasons["token of ada without sub (token)"]
    assert not any("RELAY_JWT" in reason for reason in reasons.values())


def test_schemes_with_and_without_a_function_are_tested_together(project, tmp_path, monkeypatch):
    """Tokens that Relay signs go to the scheme that a key verifies, the others to the function."""
    monkeypatch.setenv("ADA_TOK", "tok-ada")
    spec = document(token={**BEARER, "x-bearerInfoFunc": "api.bearer"}, login=OAUTH)
    identity = Identity("ada", {"scope": "any"}, variables={"token": "ADA_TOK"})

    part, tested = identities_of(project, tmp_path, spec, identity)

    assert part.failures == []
    assert tested.subject.by_function == {"token"}
    accepted = [one.request.url for one in part.exchanges if one.status == 200]
    assert {*accepted} == {f"{tested.subject.url}/{name}" for name in ("token", "login")}
