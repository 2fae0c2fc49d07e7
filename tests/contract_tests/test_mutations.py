"""That `relay contract` bites: deliberate defects in copies of the service, and the service as it is."""

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
    compileall.compile_dir(folder, quiet=2)
    return folder


def verdict(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """Test the copy in `folder`: the exit code, what was found, and what was said beside it."""
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
        env=environment(folder, PYTHONPATH=str(folder)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout)["findings"], finished.stderr


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_defect_is_told(pristine, tmp_path, mutant):
    """By its rule, at its place; a defect that goes unnoticed is a blind spot."""
    copy = tmp_path / "copy"
    shutil.copytree(pristine, copy)
    for file, old, new in mutant.edits:
        source = (copy / file).read_text("utf-8")
        assert source.count(old) == 1, f"{file} has changed; change its mutant, too"
        (copy / file).write_text(source.replace(old, new), "utf-8")

    code, findings, said = verdict(copy, "--seed", "1", "--max-examples", "3")

    assert code == 1, said
    told = [
        f"{one['file']}:{one['line']}: {one['message']}" for one in findings if one["rule"] == mutant.rule
    ]
    assert any(mutant.told in line for line in told), "\n".join(str(one) for one in findings)


def test_there_are_enough_defects():
    """Of many kinds: at least thirty, by at least fifteen rules."""
    assert len(MUTANTS) >= 30
    assert len({mutant.rule for mutant in MUTANTS}) >= 15


@pytest.mark.parametrize("seed", range(10))
def test_the_service_as_it_is_keeps_its_contract(pristine, tmp_path, seed):
    """Whatever is made up: a check that cries wolf is switched off."""
    copy = tmp_path / "copy"
    shutil.copytree(pristine, copy)

    code, findings, said = verdict(copy, "--seed", str(seed))

    assert (code, findings) == (0, []), said
