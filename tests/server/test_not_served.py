"""A contract with faults serves the operations that have none, unless it has to be strict."""

import json
import re

import pytest

from relay.cli.startup_banner import print_banner
from relay.contract.diagnostics import SetupError
from relay.project.settings import Settings
from relay.server.compilation import create
from support.hosting import calling, contract, operation
from support.running import relay

BAD_PARAMETER = {"name": "b", "in": "body", "schema": {}}
FAULTY = contract(
    {
        "/good": {"get": operation("good")},
        "/bad/{id}": {"get": operation("bad", parameters=[BAD_PARAMETER]), "put": operation("put")},
        "/worse": {"get": {"operationId": "worse", "responses": {"200": {"$ref": "#/nowhere"}}}},
    }
)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Compile a contract whose operations are mocked."""
    monkeypatch.chdir(tmp_path)

    def serve(document=FAULTY, **settings):
        (tmp_path / "c.json").write_text(json.dumps(document), "utf-8")
        return create(Settings(spec=tmp_path / "c.json", **{"missing": ["mock"], **settings}))

    return serve


async def test_the_sound_operations_are_served_and_the_others_answer_501(served):
    """An error in one of a hundred operations is no reason to have none."""
    async with calling(served()) as client:
        answers = {
            f"{method} {path}": (await client.request(method, path)).status_code
            for method, path in [("GET", "/good"), ("PUT", "/bad/7"), ("GET", "/bad/7"), ("GET", "/worse")]
        }
        allowed = (await client.delete("/bad/7")).headers["allow"]
        ready = (await client.get("/readyz")).json()
        problem = (await client.get("/bad/7")).json()

    assert answers == {"GET /good": 200, "PUT /bad/7": 200, "GET /bad/7": 501, "GET /worse": 200}
    assert allowed == "GET, HEAD, PUT"
    assert ready == {"status": "ready", "not_served": 1}
    assert problem["code"] == "NOT_IMPLEMENTED"


async def test_a_path_whose_operations_are_not_known_answers_501_to_every_method(served):
    """Its publisher has documented operations there; 404 would deny that."""
    elsewhere = contract({"/good": {"get": operation("good")}, "/bad": {"$ref": "#/nowhere"}})
    async with calling(served(elsewhere)) as client:
        answers = [(await client.request(method, "/bad")).status_code for method in ("GET", "POST", "DELETE")]
    assert answers == [501, 501, 501]


async def test_a_package_is_served_likewise_in_development(hosting):
    things = "".join(f"async def {name}(**_): return 1\n" for name in ("good", "bad", "put"))
    application = hosting(FAULTY, things=things, default="async def worse(): return None, 200\n")
    async with calling(application) as client:
        answers = [(await client.get(path)).status_code for path in ("/good", "/bad/7")]
    assert answers == [200, 501]


@pytest.mark.parametrize("settings", [{"strict": True}, {"environment": "production", "missing": ["stub"]}])
def test_strictly_every_error_refuses(served, settings):
    """Production does not start with a contract that it does not understand."""
    with pytest.raises(SetupError) as raised:
        served(**settings)
    assert {problem.rule for problem in raised.value.problems} >= {"structure", "dangling-ref"}


def test_the_start_says_what_is_not_served_and_what_is_worked_around(served, capsys):
    print_banner(served(), 2212)

    printed = capsys.readouterr()
    assert printed.out.startswith("Test: 3 of 4 operations at http://127.0.0.1:2212\n")
    lines = printed.err.splitlines()
    assert re.fullmatch(
        r"warning: c.json:1:\d+: GET /bad/\{id\} is not served: 'body' is not one of .*", lines[0]
    )
    assert any("'#/nowhere' does not exist" in line for line in lines)


def test_the_start_shows_no_request_to_what_is_not_served(served, capsys):
    """The first command that somebody tries would be answered with 501."""
    wrong = {"name": "q", "in": "query", "schema": {"type": "number", "oneOf": []}}
    responses = {"200": {"description": "ok"}}
    paths = {
        "/a": {"get": {"parameters": [wrong], "responses": responses}},
        "/b": {"get": {"responses": responses}},
    }

    print_banner(served(contract(paths)), 2212)

    assert capsys.readouterr().out.endswith("Try:\n  curl http://127.0.0.1:2212/b\n")


def test_a_long_list_of_warnings_is_cut(served, capsys):
    paths = {f"/{number}": {"get": {"responses": {"200": {}}}} for number in range(100)}
    print_banner(served(contract(paths)), 2212)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[-1] == "warning: contract: 81 more; `relay lint --all` lists them"


@pytest.mark.slow
def test_check_warns_of_what_is_not_served(tmp_path):
    """So `relay check --strict` fails, as production would."""
    (tmp_path / "c.json").write_text(json.dumps(FAULTY), "utf-8")
    given = ["--spec", "c.json"]
    checked = relay(tmp_path, "check", *given, RELAY_MISSING="mock", RELAY_PORT="0")
    strict = relay(tmp_path, "check", *given, "--strict", RELAY_MISSING="mock", RELAY_PORT="0")
    assert "GET /bad/{id} is not served: 'body' is not one of" in checked.stdout
    assert (checked.returncode, strict.returncode) == (0, 1)
