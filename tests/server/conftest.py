"""Fixtures that tests of the server share."""

from __future__ import annotations

import sys
from functools import partial

import pytest

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
