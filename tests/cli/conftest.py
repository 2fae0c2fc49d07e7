"""Commands, run in this process."""

import pytest

from support.running import as_project


@pytest.fixture
def run_ours(run, tmp_path):
    """Do as `run` in a project with our contract and handlers."""
    as_project(tmp_path)
    return run
