"""A large contract is served with work that grows as it does: documents are counted, and memory is generous."""

import json
import sys
from pathlib import Path

import pytest

from relay.project.settings import Settings
from relay.server.compilation import create
from relay.validation import schemas as compiling
from support.large_contracts import payment_style
from support.running import ROOT, ended

SECRET = "x" * 40


@pytest.fixture
def spec(tmp_path) -> Path:
    """Write a contract with a dense graph of schemas."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(payment_style(30, 60)), "utf-8")
    return path


@pytest.mark.slow
def test_mocks_of_a_dense_contract_do_not_compile_its_definitions_again(spec, monkeypatch):
    """The values of mock responses take thousands of schemas, of which each reaches nearly all others."""
    compiled: list[int] = []
    real = compiling._compiled

    def counted(document, *arguments, **options):
        if "additionalProperties" in document and "definitions" in document:
            compiled.append(sum("properties" in one for one in document["definitions"].values()))
        return real(document, *arguments, **options)

    monkeypatch.setattr(compiling, "_compiled", counted)

    create(Settings(spec=spec, missing=["mock"]), lambda: SECRET)

    assert len(compiled) > 50
    assert sum(compiled) <= 6 * 64


@pytest.mark.slow
def test_the_contract_is_written_as_yaml_only_when_it_is_asked_for(spec, monkeypatch):
    """It takes seconds for a contract of some megabytes."""
    monkeypatch.setattr("yaml.dump", lambda *_, **__: pytest.fail("it was written"))
    create(Settings(spec=spec, missing=["mock"]), lambda: SECRET)


MEASURED = """
import resource, sys
from pathlib import Path
from relay.project.settings import Settings
from relay.server.compilation import create
create(Settings(spec=Path(sys.argv[1]), missing=["mock"]), lambda: "x" * 40)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.corpus
def test_a_payment_providers_contract_is_served_in_bounded_memory(tmp_path):
    """450 operations and 800 schemas took two gigabytes once."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(payment_style()), "utf-8")
    finished = ended([sys.executable, "-c", MEASURED, path], ROOT, timeout=300)
    assert int(finished.stdout) < 600, finished.stderr
