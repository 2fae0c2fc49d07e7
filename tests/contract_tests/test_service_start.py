"""Services started to be tested, and made to fail: `scripts/relay/contract_tests/{service_start,failing_service,provoked_faults}.py`."""

import os
from textwrap import dedent

import httpx
import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config, Identity
from relay.contract_tests.request_checks import check_faults
from relay.contract_tests.sample_requests import model_requests
from relay.contract_tests.service_start import connect, served
from relay.contract_tests.service_under_test import base_url, load_strict_contract
from relay.contract_tests.session import Session
from relay.project.settings import Chosen, chosen
from support.hosting import SECRET, contract, operation, put, write_package

pytestmark = pytest.mark.slow

FAILS = {"description": "broken", "content": {"application/json": {"schema": {"type": "object"}}}}


def faults_of(tested):
    judge = ConformanceChecker(tested.contract, tested.base_path, tested.secrets)
    models = model_requests(tested.contract, tested.url, judge, [])
    if tested.copy is None:
        return check_faults(Session(tested, judge), None, models)
    with tested.copy() as copy:
        return check_faults(Session(tested, judge), base_url(copy.url, tested.contract), models)


def serve(shop: Chosen, config: Config | None = None):
    config = config or Config()
    return served(shop, load_strict_contract(shop.spec, config), config)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A package in a project of its own, the working directory, whose errors are problem details."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    responses = {"200": {"description": "ok"}, "500": FAILS}
    document = contract({"/a": {"get": {**operation("show"), "responses": responses}}})
    put(tmp_path / "api.json", document)
    name = write_package(tmp_path, things="async def show():\n    return None\n")
    put(tmp_path / "pyproject.toml", f'[tool.relay]\nspec = "api.json"\nhandlers = "{name}"\n')
    return chosen()


def test_a_failure_inside_is_provoked_in_any_package(shop):
    """Its response is checked against the contract like any other: here it has another media type."""
    with serve(shop) as tested:
        part = faults_of(tested)

    assert [failure.rule for failure in part.failures] == ["undocumented-media-type"]
    assert part.exchanges[0].header("content-type") == "application/problem+json"


def test_somebody_elses_service_is_not_made_to_fail(shop):
    loaded = load_strict_contract(shop.spec, Config())
    with served(shop, loaded, Config()) as here:
        part = faults_of(connect(here.url, loaded, Config()))

    assert (part.cases, part.failures) == (0, [])
    assert [one.case for one in part.not_run] == ["500 of GET /a"]
    assert "--url" in part.not_run[0].reason


def test_a_service_that_does_not_start_reports_no_secret(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("RELAY_JWT_SECRET", SECRET)
    source = "import os, sys\n\nprint('error: bad key', os.environ['RELAY_JWT_SECRET'], file=sys.stderr)\nsys.exit(2)\n"
    (tmp_path / shop.handlers / "__init__.py").write_text(source, "utf-8")

    with pytest.raises(SetupError) as caught, serve(shop):
        pass

    assert "the service did not start: bad key [redacted]" in str(caught.value)


ENVIRONMENT = """
    def test_environment(folder):
        (folder / "data").write_text("prepared", "utf-8")
        return {"SHOP_DATA": str(folder / "data"), "SHOP_SECRET": "canary-of-the-shop"}
"""


def test_a_package_prepares_the_data_of_the_test(shop, tmp_path):
    """In a folder of the run, by variables of the service; a secret among them must not leave it."""
    source = "import os\nfrom pathlib import Path\n\n\nasync def show():\n    assert Path(os.environ['SHOP_DATA']).read_text('utf-8') == 'prepared'\n"
    (tmp_path / shop.handlers / "things.py").write_text(source, "utf-8")
    (tmp_path / shop.handlers / "__init__.py").write_text(dedent(ENVIRONMENT), "utf-8")
    config = Config(secrets=("SHOP_SECRET",))

    with serve(shop, config) as tested:
        answer = httpx.get(f"{tested.url}/a")
        secrets = tested.secrets

    assert answer.status_code == 200
    assert "canary-of-the-shop" in secrets
    assert not {"SHOP_DATA", "SHOP_SECRET"} & {*os.environ}


@pytest.mark.parametrize(
    "body", ["raise RuntimeError('sk_canary')", "import nothing_like_this", "return None"]
)
def test_a_failing_test_environment_is_an_error_of_the_set_up(shop, body):
    """It is neither a violation of the contract nor a missing extra, and its text may hold a secret."""
    init = shop.project.folder / shop.handlers / "__init__.py"
    init.write_text(f"def test_environment(folder):\n    {body}\n", "utf-8")

    message = r"__init__.py:1:1: test_environment\(\) failed: \w+Error"
    with pytest.raises(SetupError, match=message) as raised, serve(shop):
        pass

    assert "sk_canary" not in str(raised.value)


def test_credentials_of_the_test_environment_are_known_for_redaction(shop):
    init = shop.project.folder / shop.handlers / "__init__.py"
    init.write_text("def test_environment(folder):\n    return {'CLERK_KEY': 'sk_clerk'}\n", "utf-8")
    config = Config(identities=(Identity("clerk", variables={"key": "CLERK_KEY"}),))

    with serve(shop, config) as tested:
        pass

    assert "sk_clerk" in tested.shown_credentials
    assert "sk_clerk" not in repr(tested)
