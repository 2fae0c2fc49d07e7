"""Mutation tests of `relay contract`: it finds deliberate defects in copies of the service, and none in the service."""

from __future__ import annotations

import compileall
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.mutants import MUTANTS
from support.running import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.mutations


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Path:
    """A copy of the service, compiled."""
    folder = tmp_path_factory.mktemp("pristine") / "copy"
    for name in ("handlers", "scripts", "spec"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    compileall.compile_dir(folder, quiet=2)
    return folder


def verdict(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """Test the copy in `folder`: return the exit code, the findings, and standard error."""
    command = [
        sys.executable,
        "-m",
        "relay",
        "contract",
        "--min-coverage",
        "100",
        "--format",
        "json",
    ]
    finished = subprocess.run(
        [*command, *options],
        cwd=folder,
        env=environment(folder, PYTHONPATH=f"{folder}:{folder / 'scripts'}"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout)["findings"], finished.stderr


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_defect_is_reported(pristine, tmp_path, mutant):
    """It is reported with its rule and location; an unreported defect is a gap in the tests."""
    copy = tmp_path / "copy"
    shutil.copytree(pristine, copy)
    for file, old, new in mutant.edits:
        source = (copy / file).read_text("utf-8")
        assert source.count(old) == 1, f"{file} has changed; change its mutant, too"
        (copy / file).write_text(source.replace(old, new), "utf-8")

    code, findings, said = verdict(copy, "--seed", "1", "--max-examples", "3")

    assert code == 1, said
    lines = [
        f"{one['file']}:{one['line']}: {one['message']}" for one in findings if one["rule"] == mutant.rule
    ]
    assert any(mutant.message in line for line in lines), "\n".join(str(one) for one in findings)


def test_there_are_enough_defects():
    """There are at least thirty, for at least fifteen rules."""
    assert len(MUTANTS) >= 30
    assert len({mutant.rule for mutant in MUTANTS}) >= 15


@pytest.mark.parametrize("seed", range(5))
def test_the_unchanged_service_conforms_to_its_contract(pristine, tmp_path, seed):
    """There are no false alarms for any generated requests."""
    copy = tmp_path / "copy"
    shutil.copytree(pristine, copy)

    code, findings, said = verdict(copy, "--seed", str(seed))

    assert (code, findings) == (0, []), said
