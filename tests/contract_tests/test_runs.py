"""Whole runs, of recorded traffic where no service is needed: `scripts/relay/contract_tests/run.py`."""

from __future__ import annotations

import base64
import json

import pytest

from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import write_har
from support.hosting import contract, operation
from support.running import relay

CANARY = "canary-of-a-secret"
SPELLINGS = [CANARY.encode(), base64.b64encode(CANARY.encode()), CANARY.encode().hex().encode()]
NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
ANSWER = {"200": {"description": "ok", "content": {"application/json": {"schema": NUMBERS}}}}


@pytest.fixture
def judged(tmp_path):
    """Judge an answer to `GET /pets`, or to another address: what the command says, and all that it writes."""

    def judge(body=b"{}", *, url="http://localhost/pets", media_type="application/json", options=()):
        document = contract({"/pets": {"get": operation("list_pets", responses=ANSWER)}})
        (tmp_path / "api.json").write_text(json.dumps(document), "utf-8")
        (tmp_path / ".relay-contract.yaml").write_text("secrets: [THEIR_SECRET]\n", "utf-8")
        one = Exchange(Request("GET", url), 200, (("Content-Type", media_type),), body, "")
        write_har([one], tmp_path / "seen.har")
        given = ("--spec", "api.json", "--har", "seen.har", *options)
        told = relay(tmp_path, "contract", *given, THEIR_SECRET=CANARY)
        written = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("reports/**/*.*")))
        return told, written

    return judge


def test_recorded_traffic_of_another_contract_needs_no_handlers(judged):
    """Ours have nothing to do with it."""
    told, _ = judged()

    assert told.returncode == 0, told.stdout


def test_an_empty_contract_is_not_kept(tmp_path):
    """All of nothing would be a hundred percent."""
    (tmp_path / "api.json").write_text(json.dumps(contract({})), "utf-8")

    told = relay(tmp_path, "contract", "--spec", "api.json", "--har", "none.har", "--min-coverage", "100")

    assert told.returncode == 2
    assert "api.json: the contract has no operation" in told.stderr


def test_no_more_is_said_to_be_kept_than_was_tested(judged):
    """Drift was not looked for, as there is no code here."""
    told, _ = judged()

    assert "the contract is kept, as far as it was tested; 1 not run" in told.stdout


def test_traffic_about_nothing_is_no_proof(judged):
    """Exit code 0 would say that something was judged."""
    told, _ = judged(url="http://localhost/other")

    assert told.returncode == 2
    assert "seen.har: it holds nothing about this contract" in told.stderr


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
def test_a_leak_is_told_and_not_repeated(judged, leak, form):
    """Not in what is printed, not in any file, in no spelling."""
    told, written = judged(**leak, options=("--format", form))

    assert told.returncode == 1
    assert "leaked-secret" in told.stdout
    everything = told.stdout.encode() + told.stderr.encode() + written
    assert not [spelling for spelling in SPELLINGS if spelling in everything]
