"""Check recorded traffic in whole runs without a service: `scripts/relay/contract_tests/run.py`."""

from __future__ import annotations

import base64
import json

import pytest

from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import write_har
from support.hosting import contract, operation
from support.running import ROOT, relay

CANARY = "canary-of-a-secret"
SPELLINGS = [CANARY.encode(), base64.b64encode(CANARY.encode()), CANARY.encode().hex().encode()]
NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
ANSWER = {"200": {"description": "ok", "content": {"application/json": {"schema": NUMBERS}}}}


@pytest.fixture
def run_with_har(tmp_path):
    """Check a recorded response to `GET /pets`, or to another address: return the result, and all output."""

    def run(body=b"{}", *, url="http://localhost/pets", media_type="application/json", options=()):
        document = contract({"/pets": {"get": operation("list_pets", responses=ANSWER)}})
        (tmp_path / "api.json").write_text(json.dumps(document), "utf-8")
        (tmp_path / "pyproject.toml").write_text(
            '[tool.relay.contract]\nsecrets = ["THEIR_SECRET"]\n', "utf-8"
        )
        one = Exchange(Request("GET", url), 200, (("Content-Type", media_type),), body, "")
        write_har([one], tmp_path / "seen.har")
        given = ("--spec", "api.json", "--har", "seen.har", *options)
        result = relay(tmp_path, "contract", *given, THEIR_SECRET=CANARY, PYTHONPATH=str(ROOT / "scripts"))
        written = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("reports/**/*.*")))
        return result, written

    return run


def test_recorded_traffic_of_another_contract_needs_no_handlers(run_with_har):
    """There are none here."""
    result, _ = run_with_har()

    assert result.returncode == 0, result.stdout


def test_an_empty_contract_is_an_error(tmp_path):
    """Without operations the coverage would be 100 %."""
    (tmp_path / "api.json").write_text(json.dumps(contract({})), "utf-8")

    result = relay(tmp_path, "contract", "--spec", "api.json", "--har", "none.har", "--min-coverage", "100")

    assert result.returncode == 2
    assert "api.json: the contract has no operation" in result.stderr


def test_the_verdict_names_what_was_not_run(run_with_har):
    """Drift was not checked, as there is no code."""
    result, _ = run_with_har()

    assert "the contract is kept, as far as it was tested; 1 not run" in result.stdout


def test_traffic_without_relevant_exchanges_is_an_error(run_with_har):
    """Exit code 0 would mean that something was checked."""
    result, _ = run_with_har(url="http://localhost/other")

    assert result.returncode == 2
    assert "seen.har: it has no exchange of this contract" in result.stderr


@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
@pytest.mark.parametrize(
    "leak",
    [
        {"body": json.dumps({CANARY: "x"}).encode()},
        {"body": json.dumps({"key": base64.b64encode(CANARY.encode()).decode()}).encode()},
        {"body": json.dumps({"key": CANARY.encode().hex()}).encode()},
        {"media_type": f"text/{CANARY}"},
    ],
    ids=["name of a property", "base64", "hexadecimal", "media type"],
)
def test_a_leak_is_reported_without_the_secret(run_with_har, leak, form):
    """The secret is not in the output and not in any file, in any encoding."""
    result, written = run_with_har(**leak, options=("--format", form))

    assert result.returncode == 1
    assert "leaked-secret" in result.stdout
    everything = result.stdout.encode() + result.stderr.encode() + written
    assert not [spelling for spelling in SPELLINGS if spelling in everything]
