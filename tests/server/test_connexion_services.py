"""Services as Connexion's users write them, started unchanged: `tests/specs/connexion`."""

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from relay.contract.diagnostics import Severity
from relay.server.connexion_code import connexion_notes
from support.running import ROOT, relay, serving

pytestmark = pytest.mark.slow

SERVICES = ROOT / "tests" / "specs" / "connexion"
SAFE = [sys.executable, "-P", "-m", "relay"]
VARIABLES = {"PYTHONPATH": str(ROOT / "scripts"), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def copied(tmp_path):
    """Copy a service out of our project, whose settings are not its own."""
    return lambda name: Path(shutil.copytree(SERVICES / name, tmp_path / name))


@pytest.fixture
def served(tmp_path, copied):
    """Run `relay serve` in the folder of a service, and return its client."""
    with ExitStack() as stack:

        def served(name):
            service = serving(tmp_path, cwd=copied(name), command=SAFE, **VARIABLES)
            url = stack.enter_context(service).url
            return stack.enter_context(httpx.Client(base_url=url))

        yield served


def test_an_async_function_answers_a_text(served):
    answer = served("greeting").post("/greetings/people/Ada")
    assert (answer.status_code, answer.text) == (200, "Good day, Ada")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_token_is_verified_by_the_service_itself(served):
    client = served("tokens")
    token = client.get("/tokens/12").text
    assert client.get("/me", headers={"Authorization": f"Bearer {token}"}).text == "12 of ['sub']"
    assert client.get("/me", headers={"Authorization": f"Bearer {token}x"}).status_code == 401


def test_a_contract_of_several_files_keeps_its_spelling(served):
    client = served("split")
    assert client.get("/pets-api/pets/2").json() == {"name": "Mia"}
    assert client.get("/pets-api/pets?limit=1").json() == [{"name": "Rex"}]


def test_a_controller_may_be_a_class(served):
    """Its body has the name that the contract gives it; a module next to its package is found."""
    client = served("store")
    assert client.get("/articles/lamp").status_code == 404
    assert client.put("/articles/lamp", json={"pieces": 3}).status_code == 201
    assert client.get("/articles/lamp").json() == {"pieces": 3}


def test_an_application_in_a_function_is_never_made(served):
    """So that Flask need not be installed; a warning says that it is not used."""
    assert served("proxied").get("/greetings/hello").text == "hello"
    assert "FlaskApp is not used" in connexion_notes(SERVICES / "proxied")[0].message


@pytest.mark.parametrize("command", ["check", "drift", "lint"])
@pytest.mark.parametrize("name", ["store", "tokens"])
def test_the_other_commands_have_no_error(copied, name, command):
    result = relay(copied(name), command, **VARIABLES, RELAY_PORT="0")

    if (name, command) == ("tokens", "lint"):
        assert "relay lint: 1 error" in result.stdout
        assert "[unexpected-scope]" in result.stdout
    else:
        assert result.returncode == 0, result.stdout + result.stderr
        assert f" {Severity.ERROR}: " not in result.stdout
