"""`relay contract` against mocks of contracts with the faults of real publishers: `tox -e contract`, all: `-e corpus`."""

import json
import re
from itertools import cycle

import pytest

from support.running import relay
from support.wild import CONTRACTS, Project

SAMPLED = 24
"""Every run takes one of so many contracts, as each takes some seconds; `-e corpus` takes all."""

STATIC = frozenset(["lint", "examples"])
"""The parts of a run that are about the contract as it is written, whose faults these contracts have."""

REFUSED = re.compile(r"responded 4\d\d; the contract documents")
"""The message of a failure that most publishers leave out: of a wrong request, or one without credentials."""

NO_OPERATIONS = "no_operations"


def _sampled():
    marks = [pytest.mark.contract, *[pytest.mark.corpus] * (SAMPLED - 1)]
    names = [name for name in CONTRACTS if name != NO_OPERATIONS]
    return [pytest.param(name, marks=mark) for name, mark in zip(names, cycle(marks), strict=False)]


@pytest.mark.parametrize("name", _sampled())
def test_a_mock_has_no_fault_of_its_own(tmp_path, name):
    """All findings are faults of the contract: its text, and the failures that it does not document."""
    options = ["--seed", "4711", "--max-examples", "1", "--max-time", "15"]
    spec = Project.of(name, tmp_path).spec.name

    result = relay(tmp_path, "contract", "--spec", spec, *options, RELAY_MISSING="mock")

    assert "Traceback" not in result.stderr, result.stderr
    assert result.returncode in (0, 1), result.stderr
    parts = json.loads((tmp_path / "reports" / "contract.json").read_bytes())["parts"]
    found = [
        f"{part['name']}: {one['rule']}: {one['message']}"
        for part in parts
        for one in part["failures"]
        if part["name"] not in STATIC and one["severity"] == "error" and not REFUSED.search(one["message"])
    ]
    assert found == []
