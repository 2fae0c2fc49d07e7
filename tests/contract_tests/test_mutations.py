"""Mutation tests of `relay contract`: it finds deliberate defects in copies of the service, and none in the service."""

import compileall
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.mutants import COMBINED, MUTANTS
from support.running import COMMAND, ROOT, ended, environment


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
    command = [*COMMAND, "contract", "--min-coverage", "100", "--format", "json", *options]
    variables = environment(folder, PYTHONPATH=f"{folder}:{folder / 'scripts'}")
    finished = ended(command, folder, env=variables, timeout=120)
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout)["findings"], finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_defect_changes_is_in_the_service(tmp_path, mutant):
    """A change of the service that a defect depends on is noticed without a run of contract tests."""
    for file in {edit.file for edit in mutant.edits}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for edit in mutant.edits:
        edit.apply(tmp_path)
        if edit.file.endswith(".py"):
            compile((tmp_path / edit.file).read_text("utf-8"), edit.file, "exec")


@pytest.mark.mutations
@pytest.mark.parametrize("mutants", COMBINED, ids=lambda mutants: mutants[0].name)
def test_defects_are_reported(pristine, tmp_path, mutants):
    """Each is reported with its rule and location; an unreported defect is a gap in the tests."""
    copy = tmp_path / "copy"
    shutil.copytree(pristine, copy)
    for mutant in mutants:
        for edit in mutant.edits:
            edit.apply(copy)

    code, findings, said = verdict(copy, "--seed", "1", "--max-examples", "3")

    assert code == 1, said
    lines = [f"{one['rule']} {one['file']}:{one['line']}: {one['message']}" for one in findings]
    missing = [
        mutant
        for mutant in mutants
        if not any(line.startswith(f"{mutant.rule} ") and mutant.message in line for line in lines)
    ]
    assert not missing, "\n".join(lines)


def test_there_are_enough_defects():
    assert len(MUTANTS) >= 30
    assert len({mutant.rule for mutant in MUTANTS}) >= 15


@pytest.mark.mutations
@pytest.mark.parametrize("seed", range(3))
def test_the_unchanged_service_conforms_to_its_contract(pristine, tmp_path, seed):
    """There are no false alarms for any generated requests."""
    copy = tmp_path / "copy"
    shutil.copytree(pristine, copy)

    code, findings, said = verdict(copy, "--seed", str(seed))

    assert (code, findings) == (0, []), said
