"""The process that generates types: `scripts/relay/codegen/type_generator.py`."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys

from relay.codegen import type_generator
from support.hosting import contract
from support.running import ROOT

DOCUMENT = {**contract({}), "components": {"schemas": {"Pet": {"type": "object"}}}}
GENERATE = """\
import copy, json, sys
sys.path.insert(0, sys.argv[1])  # before the Relay that runs these tests
from relay.codegen.type_generator import generate_within_limits
print(generate_within_limits(json.loads(sys.argv[2])).source)
"""


def generated(folder):
    """Generate types in a process of Relay that is installed in a folder."""
    return subprocess.run(
        [sys.executable, "-c", GENERATE, str(folder), json.dumps(DOCUMENT)],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )


def test_a_package_next_to_relay_replaces_no_module_of_the_standard_library(tmp_path):
    """Such as a backport in site-packages, which Python finds after its own modules."""
    shutil.copytree(ROOT / "scripts/relay", tmp_path / "relay")
    (tmp_path / "copy.py").write_text("raise RuntimeError('not the standard library')\n", "utf-8")

    finished = generated(tmp_path)

    assert finished.stderr == ""
    assert "Pet" in finished.stdout


def test_a_limit_is_lowered_at_most(monkeypatch):
    """Also for root, who may raise it."""
    set_to = {}
    monkeypatch.setattr(type_generator.resource, "getrlimit", lambda _: (5, 8))
    monkeypatch.setattr(type_generator.resource, "setrlimit", set_to.__setitem__)

    type_generator.lower_limit(resource.RLIMIT_CPU, 10, 13)
    type_generator.lower_limit(resource.RLIMIT_DATA, 3, 6)

    assert set_to == {resource.RLIMIT_CPU: (8, 8), resource.RLIMIT_DATA: (3, 6)}
