"""The description of the machine in the report: `scripts/bench/machine.py`."""

from __future__ import annotations

import json
import sys

from bench.machine import machine


class Generator:
    """A load generator."""

    title = "wrk 4.1.0"


def test_describes_machine_and_software(tmp_path):
    """Readers must be able to see whether two reports are comparable."""
    described = machine(Generator(), [sys.executable], tmp_path, ["--rounds 3"])

    assert described["Command"] == "python -m bench --rounds 3"
    assert described["Load"] == "wrk 4.1.0"
    assert " cores" in described["Processor"]
    assert described["Memory"].endswith(" GiB")
    assert "Linux " in described["System"]
    assert "connexion 3." in described["In Python"]
    assert "In Node.js" not in described


def test_lists_the_requested_npm_packages(tmp_path):
    """Without their dependencies."""
    package = tmp_path / "node" / "node_modules" / "express"
    package.mkdir(parents=True)
    (tmp_path / "node" / "package.json").write_text(json.dumps({"dependencies": {"express": "^5"}}), "utf-8")
    (package / "package.json").write_text(json.dumps({"version": "5.2.1"}), "utf-8")

    described = machine(Generator(), [], tmp_path, [])

    assert described.get("In Node.js", "express 5.2.1").endswith("express 5.2.1")
