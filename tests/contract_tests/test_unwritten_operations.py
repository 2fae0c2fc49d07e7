"""Operations that are not written yet: `scripts/relay/contract_tests/unwritten_operations.py`."""

from __future__ import annotations

import json
import sys

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.coverage import Coverage, State
from relay.contract_tests.credential_matrix import Case
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.identity_checks import _send
from relay.contract_tests.results import Phase
from relay.contract_tests.schemathesis_checks import SchemathesisChecks
from relay.contract_tests.schemathesis_events import FailedCheck, SentCase
from relay.contract_tests.unwritten_operations import notes, unwritten_handlers, waive
from support.compiled import read
from support.hosting import contract, operation, write_package
from support.running import ROOT, relay

SHOP = read(
    contract(
        {"/pets": {"get": operation("list-pets")}, "/keepers": {"get": operation("listKeepers")}},
    )
)
STUB = "async def list_pets():\n    raise NotImplementedError\n"
WRITTEN = "async def listKeepers():\n    return []\n"


def answered(path, status, body=b""):
    """An exchange of the shop."""
    return Exchange(Request("GET", f"http://h{path}"), status, (), body, "properties")


class TestUnwrittenHandlers:
    """`unwritten_handlers`."""

    def test_finds_stubs_and_missing_functions(self, tmp_path, monkeypatch):
        """Both answer 501: a stub by itself, a missing function by --missing stub."""
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.chdir(tmp_path)
        stub, missing = (
            write_package(tmp_path, things=source) for source in (STUB + "\n\n" + WRITTEN, WRITTEN)
        )

        assert unwritten_handlers(SHOP, stub) == {"list-pets": f"{stub}/things.py:list_pets"}
        assert unwritten_handlers(SHOP, missing) == {"list-pets": f"{missing}/things.py:list_pets"}

    def test_leaves_a_broken_package_to_others(self, tmp_path, monkeypatch):
        """The service that does not start reports it."""
        monkeypatch.syspath_prepend(tmp_path)

        assert unwritten_handlers(SHOP, "there_is_no_such_package") == {}
        assert unwritten_handlers(SHOP, write_package(tmp_path, things="import nothing_of_the_kind")) == {}

    def test_a_function_that_the_contract_names_is_written(self, tmp_path, monkeypatch):
        """A service of Connexion has no package; what it lacks is answered by a mock or a stub."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
        (tmp_path / "unwritten_pets.py").write_text("def show(): ...\n", "utf-8")
        document = contract(
            {f"/{name}": {"get": operation(f"unwritten_pets.{name}")} for name in ("show", "gone")}
        )

        found = unwritten_handlers(read(document), "there_is_no_such_package", tmp_path)

        assert [*found] == ["unwritten_pets.gone"]


class TestConformance:
    """`ConformanceChecker` with operations that are not written yet."""

    CHECKER = ConformanceChecker(SHOP, "", ["a-secret-of-ours"], {"list-pets"})

    @pytest.mark.parametrize(
        ("path", "status", "rules"),
        [
            ("/pets", 501, []),
            ("/pets", 500, ["undocumented-status"]),
            ("/keepers", 501, ["undocumented-status"]),
        ],
    )
    def test_accepts_501_of_a_stub_and_of_nothing_else(self, path, status, rules):
        """A written handler that answers 501 breaks the contract, and so does a stub that fails otherwise."""
        found = self.CHECKER.check(answered(path, status))

        assert [failure.finding.rule for failure in found] == rules

    def test_reports_a_secret_all_the_same(self):
        """A leak is one in every response."""
        found = self.CHECKER.check(answered("/pets", 501, b"a-secret-of-ours"))

        assert [failure.finding.rule for failure in found] == ["leaked-secret"]

    def test_silences_the_checks_of_schemathesis(self):
        """They call 501 a server error."""
        failed = (FailedCheck("not_a_server_error"),)
        checks = SchemathesisChecks(self.CHECKER)

        assert checks.failures(SentCase("GET /pets", answered("/pets", 501), failed), ()) == []
        assert checks.failures(SentCase("GET /keepers", answered("/keepers", 501), failed), ()) != []


class Answering:
    """A client whose every response is 501."""

    def send(self, request, name):
        """Return the response."""
        return Exchange(request, 501, (), b"", "identity", name)


@pytest.mark.parametrize(
    ("expected", "rules", "not_run"),
    [((403,), [], 1), ((), [], 0), ((401,), ["wrong-refusal"], 0)],
    ids=["refused identity", "accepted identity", "forged token"],
)
def test_a_stub_cannot_refuse_an_identity(expected, rules, not_run):
    """Who may call is the handler's to say; that a forged token reaches it is a defect all the same."""
    checker = ConformanceChecker(SHOP, "", (), {"list-pets"})
    part = Phase("identity", "cases")
    case = Case("clerk", Request("GET", "http://h/pets"), expected)

    _send(part, Answering(), SHOP.operations[0], case, checker)

    assert [failure.finding.rule for failure in part.failures] == rules
    assert len(part.not_run) == not_run


def test_responses_are_waived_and_noted():
    """Nothing is expected of them, and the handler to write is named."""
    coverage, handlers = Coverage(SHOP), {"list-pets": "shop/things.py:list_pets"}

    waive(coverage, handlers)
    found = list(notes(SHOP, handlers))

    assert [cell.state for cell in coverage.cells] == [State.WAIVED, State.NOT_SEEN]
    assert [operation.id for operation in coverage.never_succeeded()] == ["listKeepers"]
    assert [failure.finding.message for failure in found] == [
        "not written yet: GET /pets (shop/things.py:list_pets)"
    ]
    assert {failure.finding.severity for failure in found} == {"info"}


@pytest.mark.contract
def test_a_package_of_stubs_keeps_its_contract(tmp_path):
    """One that a person has not begun to write is no failure; forged credentials are refused all the same."""
    problem = {"description": "no", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
    answers = {"responses": {**operation("x")["responses"], "401": problem}, "security": [{"token": []}]}
    document = contract(
        {"/pets": {"get": {**operation("list_pets"), **answers}}},
        components={"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    )
    (tmp_path / "spec").mkdir()
    (tmp_path / "spec" / "openapi.yaml").write_text(json.dumps(document), "utf-8")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.relay.contract.identities]\nx = { claims = {} }\n", "utf-8"
    )
    alone = str(ROOT / "scripts")  # without our own handlers

    made = relay(tmp_path, "regenerate", PYTHONPATH=alone)
    result = relay(tmp_path, "contract", "--max-examples", "5", "--min-coverage", "100", PYTHONPATH=alone)

    assert made.returncode == 0, made.stderr
    assert result.returncode == 0, result.stdout
    note = "info: not written yet: GET /pets (handlers/things.py:list_pets) [not-written-yet]"
    assert result.stdout.splitlines()[0].endswith(note)
