"""Operations that a project serves, and the key of its tokens: `scripts/relay/contract_tests/service_target.py`."""

import json
import sys
from pathlib import Path

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config, Identity
from relay.contract_tests.coverage import Coverage, State
from relay.contract_tests.credential_matrix import Case
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.identity_checks import _Matrix, check_identities
from relay.contract_tests.results import Phase
from relay.contract_tests.sample_requests import model_requests
from relay.contract_tests.schemathesis_checks import SchemathesisChecks
from relay.contract_tests.schemathesis_events import FailedCheck, SentCase
from relay.contract_tests.service_start import served
from relay.contract_tests.service_target import find_mocked, is_served_alone, signing_key, unwritten_handlers
from relay.contract_tests.service_under_test import ContractSettings, Mocked, load_strict_contract
from relay.contract_tests.session import Session
from relay.project.project import find_project
from relay.project.settings import Settings, chosen
from support.compiled import read
from support.hosting import SECRET, contract, operation, put, write_package
from support.naming import ANSWER, named_operation
from support.running import ROOT, relay

BEARER = {"type": "http", "scheme": "bearer"}
OAUTH = {"type": "openIdConnect", "openIdConnectUrl": "https://example.com"}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
PAIR = {
    "/pets": {"get": operation("list_pets", tags=["Pets"], security=[{"key": []}])},
    "/staff": {"get": operation("list_staff", tags=["Staff"], security=[{"token": []}])},
}
MOCKED_SHOP = read(contract(PAIR, components={"securitySchemes": {"key": KEY, "token": BEARER}}))


def test_without_a_package_every_operation_is_mocked():
    """Nothing verifies keys there; tokens are verified by Relay itself."""
    found = find_mocked(MOCKED_SHOP, Settings(missing=("mock",)), None)

    assert found == Mocked(frozenset({"list_pets", "list_staff"}), frozenset({"key"}), is_alone=True)


def test_a_service_whose_functions_the_contract_names_is_not_a_mock(tmp_path, monkeypatch):
    """Its info functions verify credentials, so that these are tested."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELAY_MISSING", "mock")
    (tmp_path / "mocked_pets.py").touch()
    here = chosen(Path("api.yaml"))
    paths = {"/pets": {"get": operation("mocked_pets.show")}}

    assert not is_served_alone(here, read(contract(paths)))
    assert is_served_alone(here, MOCKED_SHOP)


@pytest.mark.parametrize(
    ("policies", "unwritten", "mocked"),
    [
        (("mock",), ["list_pets"], "list_pets"),
        (("stub", "Staff=mock"), ["list_pets", "list_staff"], "list_staff"),
    ],
)
def test_with_a_package_its_unwritten_operations_of_the_policy_are_mocked(policies, unwritten, mocked):
    assert find_mocked(MOCKED_SHOP, Settings(missing=policies), unwritten) == Mocked(frozenset({mocked}))


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
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "pyproject.toml", '[tool.relay]\nspec = "api.json"\n')
    put(tmp_path / "api.json", {})
    return find_project()


class TestSigningKey:
    """A key of the run never replaces what verifies the tokens of the service."""

    def test_a_service_without_a_key_gets_a_secret_of_the_run(self, project):
        """Each time another one, long enough to sign with, which the run signs with."""
        made = [signing_key(secured("token"), ContractSettings(), (), project) for _ in range(2)]

        assert all(len(one.fresh) >= 32 for one in made)
        assert made[0].fresh != made[1].fresh
        assert made[0].settings.jwt_secret.get_secret_value() == made[0].fresh

    @pytest.mark.parametrize(
        ("schemes", "key", "functions", "by_function"),
        [
            (["token", "login"], {"jwt_secret": SECRET}, ["token"], set()),
            # A key that is set for the run says that the functions accept its tokens.
            (["token"], {"jwt_private_key": "a private key"}, ["token"], set()),
            ([], {}, [], set()),
            (["key"], {}, [], set()),
            (["token", "key"], {}, ["token", "key"], {"token"}),
        ],
        ids=["a secret is set", "a private key is set", "no scheme", "no token", "functions verify all"],
    )
    def test_a_service_that_needs_no_secret_gets_none(self, project, schemes, key, functions, by_function):
        settings = ContractSettings(**key)

        found = signing_key(secured(*schemes), settings, functions, project)

        assert (found.settings, found.fresh, found.by_function) == (settings, None, by_function)

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


def identities_of(folder, spec, *identities):
    """Run the matrix on the service of a project that is started for it; return the part and the settings."""
    name = f"auth_{folder.name.replace('-', '_')}"
    (folder / f"{name}.py").write_text(AUTH, "utf-8")
    (folder / "api.json").write_text(json.dumps(spec).replace('"api.', f'"{name}.'), "utf-8")
    config = Config(identities=identities)
    own = chosen(handlers="no_package_here")
    with served(own, load_strict_contract(own.spec, config), config) as tested:
        checker = ConformanceChecker(tested.contract, tested.base_path)
        models = model_requests(tested.contract, tested.url, checker, [])
        return check_identities(Session(tested, checker), models), tested


@pytest.mark.slow
def test_the_functions_of_the_contract_verify_the_tokens_of_a_run(project, tmp_path, monkeypatch):
    """The service that is tested is the one that is served; it accepts the token of the environment."""
    monkeypatch.setenv("ADA_TOK", "tok-ada")
    spec = document(token={**BEARER, "x-bearerInfoFunc": "api.bearer"})

    part, tested = identities_of(tmp_path, spec, Identity("ada", variables={"token": "ADA_TOK"}))

    assert part.failures == []
    assert (tmp_path / "called").exists()
    assert tested.settings.jwt_secret is None
    assert "relay token" not in " ".join(tested.reproduce)
    assert "ada" in {exchange.credential for exchange in part.exchanges}


@pytest.mark.slow
def test_an_identity_with_claims_only_has_no_token_that_a_function_verifies(project, tmp_path):
    """It is listed as not run, with what to set: no finding about tokens that no function accepts."""
    spec = document(token={**BEARER, "x-bearerInfoFunc": "api.bearer"})

    part, _ = identities_of(tmp_path, spec, Identity("ada", {"sub": "ada"}))

    reasons = {one.case: one.reason for one in part.not_run}
    assert part.failures == []
    assert reasons["ada"].startswith("a function verifies these tokens; name a variable")
    assert "so Relay signs none" in reasons["token of ada without sub (token)"]
    assert not any("RELAY_JWT" in reason for reason in reasons.values())


@pytest.mark.slow
def test_schemes_with_and_without_a_function_are_tested_together(project, tmp_path, monkeypatch):
    """Tokens that Relay signs go to the scheme that a key verifies, the others to the function."""
    monkeypatch.setenv("ADA_TOK", "tok-ada")
    spec = document(token={**BEARER, "x-bearerInfoFunc": "api.bearer"}, login=OAUTH)
    identity = Identity("ada", {"scope": "any"}, variables={"token": "ADA_TOK"})

    part, tested = identities_of(tmp_path, spec, identity)

    assert part.failures == []
    assert tested.by_function == {"token"}
    accepted = [one.request.url for one in part.exchanges if one.status == 200]
    assert {*accepted} == {f"{tested.url}/{name}" for name in ("token", "login")}


SHOP = read(
    contract({"/pets": {"get": operation("list-pets")}, "/keepers": {"get": operation("listKeepers")}})
)
STUB = "async def list_pets():\n    raise NotImplementedError\n"
WRITTEN = "async def listKeepers():\n    return []\n"


def answered(path, status):
    return Exchange(Request("GET", f"http://h{path}"), status, (), b"", "properties")


class TestUnwrittenHandlers:
    """`unwritten_handlers`."""

    def test_finds_stubs_and_missing_functions(self, tmp_path, monkeypatch):
        """Both answer 501: a stub by itself, a missing function by --missing stub."""
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.chdir(tmp_path)
        stub, missing = (
            write_package(tmp_path, things=source) for source in (STUB + "\n\n" + WRITTEN, WRITTEN)
        )

        assert unwritten_handlers(SHOP, stub) == {"list-pets": f"{stub}/things.py:list_pets"}
        assert unwritten_handlers(SHOP, missing) == {"list-pets": f"{missing}/things.py:list_pets"}

    def test_leaves_a_broken_package_to_others(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)

        assert unwritten_handlers(SHOP, "there_is_no_such_package") == {}
        assert unwritten_handlers(SHOP, write_package(tmp_path, things="import nothing_of_the_kind")) == {}

    def test_a_function_that_the_contract_names_is_written(self, tmp_path, monkeypatch):
        """A service of Connexion has no package; what it lacks is answered by a mock or a stub."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
        (tmp_path / "unwritten_pets.py").write_text("def show(): ...\n", "utf-8")
        document = contract(
            {f"/{name}": {"get": operation(f"unwritten_pets.{name}")} for name in ("show", "gone")}
        )

        found = unwritten_handlers(read(document), "there_is_no_such_package", tmp_path)

        assert [*found] == ["unwritten_pets.gone"]


def test_a_stub_silences_the_checks_of_schemathesis():
    checks = SchemathesisChecks(ConformanceChecker(SHOP, "", (), {"list-pets"}), Mocked())
    failed = (FailedCheck("not_a_server_error"),)

    assert checks.failures(SentCase("GET /pets", answered("/pets", 501), failed), ()) == []
    assert checks.failures(SentCase("GET /keepers", answered("/keepers", 501), failed), ()) != []


class Answering:
    """A client whose every response is 501."""

    def send(self, request, name):
        return Exchange(request, 501, (), b"", "identity", name)


@pytest.mark.parametrize(
    ("expected", "rules", "not_run"),
    [((403,), [], 1), ((), [], 0), ((401,), ["wrong-refusal"], 0)],
    ids=["refused identity", "accepted identity", "forged token"],
)
def test_a_stub_cannot_refuse_an_identity(expected, rules, not_run):
    """The handler decides who may call; a forged token that reaches it is a defect all the same."""
    checker = ConformanceChecker(SHOP, "", (), {"list-pets"})
    part = Phase("identity", "cases")
    case = Case("clerk", Request("GET", "http://h/pets"), expected)

    _Matrix(part, Answering(), checker).send(SHOP.operations[0], case)

    assert [failure.rule for failure in part.failures] == rules
    assert len(part.not_run) == not_run


def test_responses_are_waived_and_noted():
    coverage, handlers = Coverage(SHOP), {"list-pets": "shop/things.py:list_pets"}

    coverage.waive_unwritten(handlers)

    assert [cell.state for cell in coverage.cells] == [State.WAIVED, State.NOT_SEEN]
    assert [operation.id for operation in coverage.never_succeeded()] == ["listKeepers"]


@pytest.mark.contract
def test_a_package_of_stubs_keeps_its_contract(tmp_path):
    """One that a person has not begun to write is no failure; forged credentials are refused all the same."""
    problem = {"description": "no", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
    answers = {"responses": {**operation("x")["responses"], "401": problem}, "security": [{"token": []}]}
    document = contract(
        {"/pets": {"get": {**operation("list_pets"), **answers}}},
        components={"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    )
    put(tmp_path / "spec" / "openapi.yaml", document)
    put(tmp_path / "pyproject.toml", "[tool.relay.contract.identities]\nx = { claims = {} }\n")
    alone = str(ROOT / "scripts")  # without our own handlers

    made = relay(tmp_path, "regenerate", PYTHONPATH=alone)
    result = relay(tmp_path, "contract", "--max-examples", "5", "--min-coverage", "100", PYTHONPATH=alone)

    assert made.returncode == 0, made.stderr
    assert result.returncode == 0, result.stdout
    note = "info: not written yet: GET /pets (handlers/things.py:list_pets) [not-written-yet]"
    assert result.stdout.splitlines()[0].endswith(note)
