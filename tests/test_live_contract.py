"""Schemathesis against live services: our own contract, and the garage's, which uses what ours does not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from hosting import SECRET
from running import ROOT, relay, serving
from specs.garage import STOREROOM_KEY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.contract

OUR_CONTRACT = ROOT / "spec/openapi.yaml"
GARAGE = ROOT / "tests/specs/garage/openapi.yaml"

# No schema says that text has no NUL; the host refuses it in every JSON body all the same.
CONFIGURATION = "[generation]\nallow-x00 = false\n"

OPTIONS = [
    *"--phases examples,coverage,fuzzing,stateful --checks all --seed 4711 --continue-on-failure".split(),
    *"--generation-database none --report json,ndjson".split(),
    *"--report-json-path report.json --report-ndjson-path events.ndjson".split(),
]


def run(
    folder: Path, spec: Path, url: str, *, examples: int, **credentials: dict[str, str]
) -> dict[str, Any]:
    """Run every phase and every check, with credentials by security scheme, and return the report."""
    schemes = [
        f"[auth.openapi.{scheme}]\n{key} = {json.dumps(value)}\n"
        for scheme, credential in credentials.items()
        for key, value in credential.items()
    ]
    (folder / "schemathesis.toml").write_text("\n".join([CONFIGURATION, *schemes]), "utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(spec), "--url", url]
    finished = subprocess.run(
        [*command, "--max-examples", str(examples), *OPTIONS],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


def exchanged(folder: Path) -> int:
    """Count the cases whose request and answer the last run's log of events holds."""
    events = [json.loads(line) for line in (folder / "events.ndjson").read_text("utf-8").splitlines()]
    recorders = [event["ScenarioFinished"]["recorder"] for event in events if "ScenarioFinished" in event]
    return sum(len(recorder.get("interactions", {})) for recorder in recorders)


def assert_nothing_found(report: dict[str, Any], *, operations: int) -> None:
    """Assert that a run went through every operation to its end and found nothing, not even a doubt."""
    assert report["complete"]
    assert report["operations"]["tested"] == report["operations"]["total"] == operations
    assert report["failures"] == report["errors"] == []
    assert report["test_cases"]["with_failures"] == report["test_cases"]["errored"] == 0
    assert {name: found for name, found in report["warnings"].items() if found} == {}


def test_our_service_keeps_to_our_contract(tmp_path):
    """The demo, as a newcomer starts it, and a number of cases that was really exchanged."""
    with serving(tmp_path, "--demo") as service:
        token = relay(tmp_path, "token", "--demo").stdout.strip()

        report = run(tmp_path, OUR_CONTRACT, service.url, examples=100, bearerAuth={"bearer": token})

    assert_nothing_found(report, operations=1)
    assert report["test_cases"]["generated"] == exchanged(tmp_path) >= 100


def test_any_service_keeps_to_its_contract(tmp_path):
    """Every phase has work in the garage, and every operation succeeds at least once."""
    token = jwt.encode({"sub": "astrid", "exp": 4102444800}, SECRET, algorithm="HS256")
    options = ["--spec", str(GARAGE), "--handlers", "tests.specs.garage"]
    with serving(tmp_path, *options, RELAY_JWT_SECRET=SECRET) as service:
        report = run(
            tmp_path,
            GARAGE,
            f"{service.url}/garage/v1",
            examples=30,
            bearerAuth={"bearer": token},
            storeroomKey={"api_key": STOREROOM_KEY},
        )

    assert_nothing_found(report, operations=14)
    assert report["test_cases"]["generated"] == exchanged(tmp_path)
    assert {phase["status"] for phase in report["phases"].values()} == {"success"}
    assert len(report["valid_rates"]) == 14
    for phases in report["valid_rates"].values():
        assert any(phase["accepted"] for phase in phases.values())
