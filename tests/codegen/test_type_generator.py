"""The process that generates types, and what is kept of it: `scripts/relay/codegen/type_generator.py`."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from relay.codegen import type_generator
from relay.codegen.type_generator import CannotGenerate, Generated
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


@pytest.mark.slow
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


SHIP = {"components": {"schemas": {"Ship": {"type": "object"}}}}


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Return the documents that were generated; the cache is in the test's own folder."""
    found = []

    def generate(document):
        found.append(document)
        return Generated(f"class Ship: ...  # {len(found)}\n", [])

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(type_generator, "generate_within_limits", generate)
    return found


def test_generates_a_document_once(runs):
    """Commands run often, and contracts change seldom."""
    first, second = type_generator.generated(SHIP), type_generator.generated(SHIP)

    assert (first, runs) == (second, [SHIP])


def test_generates_again_what_has_changed(runs):
    """The order of properties counts, too: it is that of the classes."""
    type_generator.generated({"a": 1, "b": 2})
    type_generator.generated({"b": 2, "a": 1})

    assert len(runs) == 2


@pytest.mark.parametrize("damage", [b"", b"null", b"[]", b'{"source": "x"}', b"\xff"])
def test_generates_again_what_cannot_be_read(runs, tmp_path, damage):
    """A file may be cut off, or be of another version."""
    type_generator.generated(SHIP)
    [file] = tmp_path.rglob("*.json")
    file.write_bytes(damage)

    type_generator.generated(SHIP)

    assert runs == [SHIP, SHIP]
    assert file.read_bytes() != damage


def test_generates_where_nothing_can_be_kept(runs, tmp_path, monkeypatch):
    """A container may have neither a home nor a disk that can be written."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert type_generator.generated(SHIP) == Generated("class Ship: ...  # 1\n", [])


def test_deletes_the_oldest(runs, tmp_path, monkeypatch):
    """The cache does not grow for ever; what was used last stays."""
    monkeypatch.setattr(type_generator, "KEPT", 2)
    for number in range(2):
        type_generator.generated({"number": number})
    for file in tmp_path.rglob("*.json"):
        os.utime(file, (0, 0))
    type_generator.generated({"number": 0})

    type_generator.generated({"number": 2})
    type_generator.generated({"number": 0})

    assert len(runs) == 3
    assert len([*tmp_path.rglob("*.json")]) == 2


def test_keeps_no_failure(runs, tmp_path, monkeypatch):
    """It may have been a limit that another machine does not reach."""

    def fail(_document):
        raise CannotGenerate("it is too large")

    monkeypatch.setattr(type_generator, "generate_within_limits", fail)

    with pytest.raises(CannotGenerate):
        type_generator.generated(SHIP)

    assert not [*tmp_path.rglob("*.json")]
