"""Operations without a function: `scripts/relay/server/binding.py`, and what `compilation.py` and `app.py` make of it."""

import importlib.util
import json
from unittest.mock import patch

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.settings import Settings
from relay.server.compilation import create
from support.hosting import SECRET, ask, assert_problem, bearer, calling, contract, operation, query

BEARER = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
KEY = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
LOGS = {**operation("list_logs"), "tags": ["Event Logs"]}
TWO = contract({"/things": {"get": operation("list_things")}, "/logs": {"get": LOGS}})


@pytest.fixture
def hosted(tmp_path, monkeypatch, hosting):
    """Host a contract with policies for what is missing."""
    monkeypatch.chdir(tmp_path)

    def hosted(document, *missing, settings=None, **modules):
        return hosting(document, settings={"missing": missing, **(settings or {})}, **modules)

    return hosted


@pytest.fixture
def refused(hosted):
    """Host a contract with policies, and return what is wrong with them."""

    def refused(document, *missing, **rest):
        with pytest.raises(SetupError) as raised:
            hosted(document, *missing, **rest)
        return [str(problem) for problem in raised.value.problems]

    return refused


async def test_stands_in_for_what_is_missing_only(hosted):
    paths = {**TWO["paths"], "/more": {"get": operation("list_more")}}
    application = hosted(contract(paths), "stub", things="async def list_things():\n    return 'mine'\n")

    async with calling(application) as client:
        assert (await client.get("/things")).json() == "mine"
        assert_problem(await client.get("/more"), 501, "NOT_IMPLEMENTED")
        assert_problem(await client.get("/logs"), 501, "NOT_IMPLEMENTED")

    assert [str(binding.operation) for binding in application.missing] == ["GET /logs", "GET /more"]


@pytest.mark.parametrize(("policy", "status"), [("stub", 501), ("mock", 200)])
async def test_what_stands_in_asks_for_a_credential_and_a_valid_request_first(hosted, policy, status):
    """It is behind everything that the real function will be behind."""
    limit = query("limit", {"type": "integer"})
    listed = operation("list_things", security=[{"token": []}], parameters=[limit])
    application = hosted(contract({"/things": {"get": listed}}, components=BEARER), policy)

    async with calling(application) as client:
        unknown = await client.get("/things")
        invalid, valid = [
            await client.get(f"/things?limit={limit}", headers=bearer({"sub": "u1"})) for limit in ("x", "1")
        ]

    assert_problem(unknown, 401, "UNAUTHENTICATED")
    assert_problem(invalid, 400, "VALIDATION_ERROR")
    assert (valid.status_code, valid.headers.get("x-mock")) == (status, "true" if status == 200 else None)
    assert "x-mock" not in unknown.headers


def test_the_policy_of_a_tag_goes_before_the_general_one(refused):
    problems = refused(TWO, "Event Logs = fail", "stub")
    assert len(problems) == 1
    assert "GET /logs has no handler: write list_logs() in the module " in problems[0]


def test_refuses_policies_that_mean_nothing(refused):
    """A misspelt tag would leave its operations to another policy."""
    assert refused(TWO, "mokc", "Logs=stub", "=stub") == [
        "RELAY_MISSING: unknown policy 'mokc'; use fail, stub or mock, or TAG=mock for one tag",
        "RELAY_MISSING: no operation has the first tag 'Logs'; the tags are Event Logs, Things",
        "RELAY_MISSING: no operation has the first tag ''; the tags are Event Logs, Things",
    ]


@pytest.mark.parametrize(
    ("things", "message"),
    [
        ("import nothing_like_this\n", "cannot be imported: ModuleNotFoundError"),
        ("def broken(:\n", "cannot be imported: SyntaxError"),
        ("raise SystemExit(3)\n", "cannot be imported: SystemExit: 3"),
        ("async def list_things(*, more): ...\n\nasync def list_things(a, /): ...\n", "remove the '/'"),
    ],
)
def test_hides_nothing_that_is_broken(refused, things, message):
    document = contract({"/things": {"get": operation("list_things")}})
    problems = refused(document, "mock", things=things)
    assert len(problems) == 1
    assert message in problems[0]


def test_invents_nothing_in_production(refused, hosted):
    """A made-up answer looks like a true one; a 501 does not."""
    production = {"environment": "production"}
    assert refused(TWO, "stub", "Things=mock", settings=production) == [
        "RELAY_MISSING: mock responses are not allowed with RELAY_ENVIRONMENT=production; use stub or fail"
    ]
    assert len(hosted(TWO, "stub", settings=production).missing) == 2


def test_reads_policies_from_a_variable(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELAY_MISSING", "mock, Event Logs=stub")
    assert Settings.load().missing == ("mock", " Event Logs=stub")
    assert Settings.load(missing=("A, B=stub",)).missing == ("A, B=stub",)


@pytest.fixture
def without(tmp_path, monkeypatch):
    """Host a contract for which no package is named."""
    monkeypatch.chdir(tmp_path)

    def without(document, *missing, **settings):
        spec = tmp_path / "api.json"
        spec.write_text(json.dumps(document), "utf-8")
        return create(Settings(**{"spec": spec, "missing": missing, "jwt_secret": SECRET, **settings}))

    return without


def secured(scheme):
    """A contract of an operation with one security scheme, `token` or `key`."""
    shown = operation("show", security=[{scheme: []}])
    return contract({"/a": {"get": shown}}, components=BEARER if scheme == "token" else KEY)


async def test_serves_the_contract_alone(without):
    """Who has just written one has nothing else yet; our own store and users are nothing to it."""
    application = without(TWO, "stub")
    assert_problem(await ask(application, "/things"), 501, "NOT_IMPLEMENTED")
    assert application.collaborators == {}


@pytest.mark.parametrize("policy", ["fail", "stub", "mock"])
def test_refuses_a_named_package_that_is_not_there(without, policy):
    """A typo must not remove the verifiers and so accept any credential."""
    with pytest.raises(SetupError) as raised:
        without(secured("key"), policy, handlers="nowhere")
    assert [str(problem) for problem in raised.value.problems] == [
        "RELAY_HANDLERS: there is no package 'nowhere' here"
    ]


def test_says_what_to_do_where_no_package_is_named_and_none_is_there(without):
    with patch.object(importlib.util, "find_spec", lambda _name: None), pytest.raises(SetupError) as raised:
        without(TWO, "stub", "Things=fail")
    (problem,) = raised.value.problems
    assert str(problem) == (
        "RELAY_HANDLERS: there is no package 'handlers' here; create it with `relay regenerate`, or use --missing mock"
    )


async def test_takes_any_credential_that_only_a_package_could_verify(without):
    """But one has to be shown; nothing is behind it that is worth a key."""
    async with calling(without(secured("key"), "stub")) as client:
        assert_problem(await client.get("/a"), 401, "UNAUTHENTICATED")
        assert_problem(await client.get("/a", headers={"X-Key": "any"}), 501, "NOT_IMPLEMENTED")


def test_still_wants_the_key_of_what_the_host_verifies(without):
    """A token is a token: `relay token` mints one."""
    with pytest.raises(SetupError, match="RELAY_JWT_SECRET: missing"):
        without(secured("token"), "stub", jwt_secret=None)


async def test_mocks_a_stub_that_is_not_filled(hosted):
    """Scaffolding a package must not take its mocks away; the least of a body counts as written."""
    document = contract({f"/{name}": {"get": operation(name)} for name in ("stub", "doubt", "written")})
    source = '''
        async def stub(*, q: str | None = None) -> dict:
            """Say something."""
            raise NotImplementedError

        async def doubt():
            if not doubt.__doc__:
                raise NotImplementedError

        async def written():
            return "here"
    '''
    for path in document["paths"].values():
        path["get"]["responses"]["200"]["content"]["application/json"]["example"] = "made up"

    async with calling(hosted(document, "mock", things=source)) as client:
        answers = {name: await client.get(f"/{name}") for name in ("stub", "doubt", "written")}

    assert [answer.status_code for answer in answers.values()] == [200, 501, 200]
    assert (answers["stub"].json(), answers["stub"].headers["x-mock"]) == ("made up", "true")
    assert answers["written"].json() == "here"
