"""Fixtures that tests of the server share."""

import sys
from functools import partial

import pytest

from support.hosting import ask
from support.naming import host_named


@pytest.fixture
def as_before(tmp_path, monkeypatch):
    """Work in the folder of the test; the finders of the import system are as before afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])


@pytest.fixture
def hosting_named(as_before, tmp_path):
    """Serve contracts with the functions of one module, as `host_named` does."""
    return partial(host_named, tmp_path)


@pytest.fixture
def hosted(request, hosting):
    """Compile the DOCUMENT of the test's module with its modules INIT and THINGS, and with settings."""
    own = request.module
    package = {"init": getattr(own, "INIT", ""), "things": getattr(own, "THINGS", "")}
    return lambda **settings: hosting(own.DOCUMENT, settings=settings, **package)


@pytest.fixture
def get(hosted):
    """Ask the service of the test's module for a path."""
    return lambda path, **settings: ask(hosted(**settings), path)
