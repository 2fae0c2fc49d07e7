"""Schemathesis as others run it, against services of OpenAPI 3.1 and 3.2: it has no findings."""

import sys
from urllib.parse import urljoin

import pytest

from specs.nursery import GATE_KEY
from specs.observatory import SESSION
from support.running import ROOT, ended, serving

SERVICES = [
    ("nursery", "/v1", {"X-Gate-Key": GATE_KEY}),
    ("observatory", "/v1", {"X-Session": SESSION}),
    ("streams", "/", {}),
]
"""The name of a contract in tests/specs, the path of its server, and the headers that the service wants."""

EXCLUDED = ["--exclude-operation-id", "add_night", "--exclude-operation-id", "get_night"]
"""It sends the text of a list where a body, or a field of a form, consists of parts, and does not read `prefixItems` of a response."""


@pytest.mark.contract
@pytest.mark.parametrize(("name", "path", "headers"), SERVICES)
def test_finds_nothing(name, path, headers, tmp_path):
    contract = ["--spec", str(ROOT / f"tests/specs/{name}/openapi.yaml"), "--handlers", f"tests.specs.{name}"]
    with serving(tmp_path, *contract, cwd=ROOT) as service:
        options = [option for header in headers.items() for option in ("-H", ": ".join(header))]
        options += [*"--seed 4711 --max-examples 20 --no-color --url".split(), urljoin(service.url, path)]
        command = [sys.executable, "-m", "schemathesis.cli", "run", urljoin(service.url, "/openapi.json")]
        found = ended([*command, *options, *EXCLUDED], tmp_path, timeout=240)

    assert found.returncode == 0, found.stdout
    assert "Failures:" not in found.stdout
    assert "✅ Fuzzing" in found.stdout
