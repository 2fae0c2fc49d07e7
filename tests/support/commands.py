"""Run commands of `relay` in this process, as long as they start no service."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay.cli.main import main

from .hosting import unchanged_logs


@contextmanager
def commands(folder: Path) -> Iterator[Callable[..., Result]]:
    """Yield the function that runs a command in a folder with no other settings than those that it is given."""
    with pytest.MonkeyPatch.context() as here, unchanged_logs():
        for name in (name for name in os.environ if name.startswith("RELAY_")):
            here.delenv(name)
        here.setenv("XDG_DATA_HOME", str(folder))
        here.chdir(folder)
        here.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
        for name in ("path", "meta_path"):  # commands make the project's package importable
            here.setattr(sys, name, [*getattr(sys, name)])
        for name in (
            "cli.serve.prepare",
            "server.logs.configure",
        ):  # signals, garbage collection and log stay ours
            here.setattr(f"relay.{name}", lambda *_: None)

        def run(*arguments: str, **variables: str) -> Result:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in variables.items():
                    patch.setenv(name, value)
                result = CliRunner().invoke(main, arguments)
            if not isinstance(result.exception, SystemExit | None):
                raise result.exception
            return result

        yield run
