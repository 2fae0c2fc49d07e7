"""Run commands of `relay` in this process, as long as they start no service."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from click.testing import Result

from .hosting import unchanged_logs
from .running import as_if_started, invoke


@contextmanager
def commands(folder: Path) -> Iterator[Callable[..., Result]]:
    """Yield the function that runs a command in a folder with no other settings than those that it is given."""

    def run(*arguments: str, **variables: str) -> Result:
        with mock.patch.dict(os.environ, variables):
            return invoke(*arguments)

    # Signals, garbage collection and log stay the tests'.
    with (
        as_if_started(folder),
        unchanged_logs(),
        mock.patch("relay.cli.serve.prepare", return_value=None),
        mock.patch("relay.server.logs.configure", return_value=None),
    ):
        yield run
