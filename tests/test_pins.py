"""Which versions are installed: `constraints.txt`, `.ci/venv`, and the requirements that they satisfy."""

import configparser
import os
import re
import shutil
import subprocess
import tomllib

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.running import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LINES = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line[0] != "#"]


def requirements():
    """Every requirement that a file of the project names."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    groups = [*PROJECT["dependency-groups"].values(), *PROJECT["project"]["optional-dependencies"].values()]
    texts = [
        *PROJECT["build-system"]["requires"],
        *PROJECT["project"]["dependencies"],
        *(text for group in groups for text in group if isinstance(text, str)),
        *tox["tox"]["requires"].splitlines(),
        f"tox>={tox['tox']['min_version']}",
    ]
    return [Requirement(text) for text in texts if text]


def test_every_pin_is_a_name_and_a_version():
    """No address and no hash: any index will do. A marker only chooses between two versions."""
    pins = [re.fullmatch(r"([a-z0-9-]+)==([^ ;]+)(?: ; (.+))?", line) for line in LINES]
    names = [pin[1] for pin in pins]

    assert names == sorted(names)
    for name, _, marker in (pin.groups() for pin in pins):
        assert (names.count(name) > 1) is (marker is not None), name
        assert marker is None or Marker(marker)


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_every_requirement_has_a_pin_that_satisfies_it(requirement):
    """After a new dependency, or a new bound, `scripts/lock` is due."""
    pins = [
        line.partition(" ")[0].partition("==")[2]
        for line in LINES
        if line.startswith(f"{canonicalize_name(requirement.name)}==")
    ]

    assert pins
    assert all(requirement.specifier.contains(version) for version in pins)


@pytest.fixture
def checkout(tmp_path):
    """A folder with `.ci/venv` and what it reads, whose name has a space."""
    folder = tmp_path / "a checkout"
    for name in (".ci/venv", "pyproject.toml", "constraints.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def set_up(checkout):
    """Run `.ci/venv` with a Python that only notes what pip is to install, and return those notes."""
    notes = checkout / "notes"
    python = checkout / "bin/python3"
    python.parent.mkdir()
    python.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        '*venv*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;\n'
        f'*pip*) cat "$PIP_CONSTRAINT" "$PIP_BUILD_CONSTRAINT" >/dev/null && echo "$*" >>"{notes}" ;;\nesac\n'
    )
    python.chmod(0o755)
    variables = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}

    def set_up(*packages):
        subprocess.run(
            [checkout / ".ci/venv", checkout / "made", *packages],
            env=variables, check=True, capture_output=True,
        )  # fmt: skip
        return notes.read_text("utf-8").splitlines()

    return set_up


def test_an_environment_is_made_anew_when_its_versions_change(checkout, set_up):
    """Else a renewal would reach new checkouts only."""
    first = len(set_up("tox"))
    again = len(set_up("tox"))
    (checkout / "constraints.txt").write_text("tox==1\n", "utf-8")
    renewed = len(set_up("tox"))

    assert (first, again, renewed) == (1, 1, 2)


def test_pip_reads_the_constraints_of_a_checkout_wherever_it_lies(set_up):
    """It would take a path with a space for two files; the noting Python fails where it cannot read them."""
    (note,) = set_up("tox", "tox-uv")

    assert note.endswith(" tox tox-uv")
