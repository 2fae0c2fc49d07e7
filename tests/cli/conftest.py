"""Commands, run in this process."""

from __future__ import annotations

import pytest

from support.commands import commands
from support.running import as_project


@pytest.fixture
def run(tmp_path):
    """Run a command in the test's folder, and return its result."""
    with commands(tmp_path) as run:
        yield run


@pytest.fixture
def run_ours(run, tmp_path):
    """Do as `run` in a project with our contract and handlers."""
    as_project(tmp_path)
    return run
