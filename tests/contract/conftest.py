"""Fixtures that several test files of contracts share."""

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract.documents import read_document


@pytest.fixture
def read(request, tmp_path, monkeypatch):
    """Read a text as a file of the working directory: `c.json` in tests of JSON, else `c.yaml`."""
    monkeypatch.chdir(tmp_path)
    default = "c.json" if "json" in request.node.path.name else "c.yaml"

    def read(text, name=default):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_document(path)

    return read


@pytest.fixture
def problems_of(read):
    """Return what is wrong with a text, of which there is something."""

    def problems_of(text):
        with pytest.raises(SetupError) as raised:
            read(text)
        return [str(problem) for problem in raised.value.problems]

    return problems_of
