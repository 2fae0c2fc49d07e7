"""The built wheel, installed on its own, serves projects that stand elsewhere: `tox -e package`."""

import shutil
from importlib import metadata
from pathlib import Path

import httpx
import pytest

import relay
from support.hosting import SECRET, bearer
from support.running import ROOT, ended, environment, serving, serving_demo

pytestmark = pytest.mark.package

CONFIG = "/api/calls/voice-ai/config"
GARAGE = ROOT / "tests" / "specs" / "garage"


@pytest.fixture(autouse=True)
def _installed():
    """The wheel is tested: the checkout's `scripts` is not on the path."""
    assert "site-packages" in Path(relay.__file__).parts


@pytest.fixture
def command():
    """The installed command."""
    found = shutil.which("relay")
    assert found is not None
    return found


def copied(source, target):
    """Copy a folder without what Python has compiled."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def ours(tmp_path):
    """A copy of our service: its handlers, its contract, its section of pyproject.toml."""
    for name in ("handlers", "spec"):
        copied(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def garage(tmp_path):
    """The garage, as a project that names its contract and its package."""
    copied(GARAGE, tmp_path / "garage")
    table = "[tool.relay]\nspec = 'garage/openapi.yaml'\nhandlers = 'garage'\n"
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")
    return tmp_path


def test_the_installed_command_serves_the_demo(ours, command):
    """With the project's contract and demo data, and the docs of the wheel."""
    with serving_demo(ours, command=[command], PYTHONPATH="") as service:
        answer = httpx.get(service.url + CONFIG, headers={"Authorization": f"Bearer {service.token}"})
        contract = httpx.get(f"{service.url}/openapi.yaml")
        page = httpx.get(f"{service.url}/docs/swagger-ui-bundle.js")

    assert answer.status_code == 200
    assert len(answer.json()["phoneNumbers"]) == 2
    assert contract.content == ROOT.joinpath("spec", "openapi.yaml").read_bytes()
    assert page.status_code == 200


def test_the_installed_command_serves_another_project(garage, command):
    """Its contract and its package are where its pyproject.toml says."""
    with serving(garage, command=[command], PYTHONPATH="", RELAY_JWT_SECRET=SECRET) as service:
        vehicles = f"{service.url}/garage/v1/vehicles"
        answer = httpx.get(vehicles, headers=bearer({"sub": "astrid"}))
        refused = httpx.get(vehicles, headers=bearer({"sub": "astrid"}, "another-secret-of-32-bytes-or-more"))

    assert (answer.status_code, refused.status_code) == (200, 401)
    assert service.printed[0].startswith("Garage: ")


def test_the_installed_command_proves_its_contract_and_prints_a_workflow(ours, command):
    """With the project's configuration, and the reports' templates and the workflows of the wheel."""
    variables = environment(ours, PYTHONPATH="")
    options = ["--max-examples", "2", "--min-coverage", "100"]
    tested = ended([command, "contract", *options], ours, env=variables, timeout=120)
    printed = ended([command, "ci", "gitlab"], ours, env=variables)

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert (ours / "reports" / "contract.html").stat().st_size > 1000
    assert "contract.junit.xml" in printed.stdout


def test_the_wheel_holds_relay_and_nothing_of_ours():
    """Our service, its contract, the benchmark and the tests stay in the repository."""
    files = metadata.files("tether-relay")
    assert files is not None
    info = f"tether_relay-{relay.__version__}.dist-info"

    assert {file.parts[0] for file in files if ".." not in file.parts} == {"relay", info}


def test_the_wheel_says_what_it_is():
    found = metadata.metadata("tether-relay")

    assert found["Version"] == relay.__version__
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Requires-Python"] == ">=3.11"
