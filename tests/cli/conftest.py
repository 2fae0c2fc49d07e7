"""Commands, run in this process."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from relay.cli.main import main
from support.running import as_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@pytest.fixture
def run(tmp_path, monkeypatch, logs_as_before) -> Callable[..., Result]:
    """Run a command in the test's folder with no other settings than those that are given, and return its result."""
    for name in (name for name in os.environ if name.startswith("RELAY_")):
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    for name in ("path", "meta_path"):  # commands make the project's package importable
        monkeypatch.setattr(sys, name, [*getattr(sys, name)])
    for name in (
        "cli.serve.prepare",
        "server.logs.configure",
    ):  # signals, garbage collection and log are the tests'
        monkeypatch.setattr(f"relay.{name}", lambda *_: None)

    def run(*arguments: str, **variables: str) -> Result:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            result = CliRunner().invoke(main, arguments)
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        return result

    return run


@pytest.fixture
def run_ours(run, tmp_path) -> Callable[..., Result]:
    """Do as `run` in a project with our contract and handlers."""
    as_project(tmp_path)
    return run
