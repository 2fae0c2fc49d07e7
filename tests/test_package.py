"""The built wheel, installed on its own: `tox -e package`."""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import httpx
import pytest

import handlers
from support.running import ROOT, environment, serving

pytestmark = pytest.mark.package

CONFIG = "/api/calls/voice-ai/config"


@pytest.fixture(autouse=True)
def _installed():
    """What is tested is the wheel: the checkout is not on the path."""
    assert "site-packages" in Path(handlers.__file__).parts


def test_the_installed_command_serves_the_demo(tmp_path):
    """With its contract, its demo data and its docs on board."""
    relay = shutil.which("relay")
    assert relay is not None

    with serving(tmp_path, "--demo", command=[relay], PYTHONPATH="") as service:
        token = service.printed[-1].partition("Bearer ")[2].partition("'")[0]
        answer = httpx.get(service.url + CONFIG, headers={"Authorization": f"Bearer {token}"})
        contract = httpx.get(f"{service.url}/openapi.yaml")
        page = httpx.get(f"{service.url}/docs/swagger-ui-bundle.js")

    assert answer.status_code == 200
    assert len(answer.json()["phoneNumbers"]) == 2
    assert contract.content == ROOT.joinpath("spec", "openapi.yaml").read_bytes()
    assert page.status_code == 200


def test_the_installed_command_proves_its_contract_and_prints_a_workflow(tmp_path):
    """With its configuration, its reports' templates and its workflows on board."""
    folder = environment(tmp_path, PYTHONPATH="")
    relay = shutil.which("relay")
    assert relay is not None

    tested = subprocess.run(
        [relay, "contract", "--max-examples", "2", "--min-coverage", "100"],
        cwd=tmp_path, env=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    printed = subprocess.run(
        [relay, "ci", "gitlab"], cwd=tmp_path, env=folder, capture_output=True, check=False
    )

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert (tmp_path / "reports" / "contract.html").stat().st_size > 1000
    assert b"contract.junit.xml" in printed.stdout


def test_the_wheel_says_what_it_is():
    """One version, one license."""
    found = metadata.metadata("tether-relay")

    assert found["Version"] == handlers.__version__
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Requires-Python"] == ">=3.11"
