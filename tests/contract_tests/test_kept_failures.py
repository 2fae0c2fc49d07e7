"""Kept failures, repeated against a real socket: `scripts/relay/contract_tests/kept_failures.py`."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config
from relay.contract_tests.contract_rules import finding
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.kept_failures import keep, replay
from relay.contract_tests.redaction import Redactor
from relay.contract_tests.results import Failure
from relay.contract_tests.schemathesis_checks import CHECKS
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest
from support.hosting import contract, operation

NUMBERS = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "integer"}}}}}
ALSO = {**NUMBERS, "401": {"description": "who"}, "404": {"description": "none"}}
LOGIN = {"type": "object", "properties": {"password": {"type": "string", "format": "password"}}}
PATHS = {
    "/pets/{id}": {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "get": operation("show pet", responses=ALSO, security=[{"token": []}]),
    },
    "/logins": {
        "post": operation(
            "login", responses=NUMBERS, requestBody={"content": {"application/json": {"schema": LOGIN}}}
        )
    },
}
TOKEN = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
CHALLENGE = ("WWW-Authenticate", "Bearer")


class Service(ThreadingHTTPServer):
    """A service with prepared responses that records its requests."""

    answer = 200, b"1"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/base"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answer
        if status == 0:
            return  # closes the connection
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header(*CHALLENGE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Log nothing."""


@pytest.fixture
def service():
    server = Service()
    threading.Thread(target=server.serve_forever, args=[0.01]).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def subject(service, tmp_path):
    path = tmp_path / "api.json"
    path.write_bytes(orjson.dumps(contract(PATHS, components=TOKEN)))
    return ServiceUnderTest(service.url, load_contract(path), Config(), ContractSettings())


@pytest.fixture
def checker(subject):
    return ConformanceChecker(subject.contract, subject.base_path)


@pytest.fixture
def kept(subject, tmp_path):
    """Keep failures in a folder, and return it."""

    def write(*failures):
        keep(failures, tmp_path / "kept", Redactor(subject.contract, ["a-known-secret"]))
        return tmp_path / "kept"

    return write


def failing(checker, service, rule="response-violation", path="/pets/a%2Fb?x=1", **rest):
    """A failure of an operation, as a part of a run found it."""
    headers = (("Authorization", "Bearer old"), ("X-A", "1"), ("Host", "elsewhere"))
    method, body = ("POST", rest.pop("body", b"{}")) if path == "/logins" else ("GET", b"")
    about = "POST /logins" if path == "/logins" else "GET /pets/{id}"
    status = rest.pop("status", 200)
    request = Request(method, service.url + path, headers, body)
    exchange = Exchange(request, status, (), b'"no number"', "properties", "admin")
    found = finding(checker.contract, rule, ("paths",), rest.pop("message", "it is not an integer"))
    return Failure(found, about, exchange, **rest)


def signed(_operation, request, credential):
    """Add a credential that contains the identity's name."""
    return request.with_headers([("Authorization", f"Bearer new {credential}")])


def test_a_failure_that_is_not_fixed_is_reported_again(service, subject, checker, kept):
    """The same request is sent with a new credential to the current address; later parts report it no more."""
    folder = kept(failing(checker, service))
    service.answer = 200, b'"no number"'

    part = replay(folder, subject, signed, checker)

    (failure,) = part.failures
    assert service.asked == [("/base/pets/a%2Fb?x=1", "Bearer new admin")]
    assert failure.finding == checker.check(failure.exchange)[0].finding
    assert failure.finding.rule == "response-violation"
    assert failure.operation == "GET /pets/{id}"
    assert (part.name, part.unit, part.cases, part.notes) == (
        "kept failures", "requests", 1, ["still there: it is not an integer"]
    )  # fmt: skip
    assert part.exchanges == [failure.exchange]
    assert len(list(folder.iterdir())) == 1


def test_the_file_of_a_fixed_failure_is_deleted(service, subject, checker, kept):
    """The next run does not repeat it."""
    folder = kept(failing(checker, service))

    part = replay(folder, subject, signed, checker)

    assert part.held
    assert part.notes == ["fixed: it is not an integer"]
    assert list(folder.iterdir()) == []


def test_an_unexpected_status_is_the_failure(service, subject, checker, kept):
    """The contract alone does not define which roles are accepted."""
    folder = kept(failing(checker, service, "role-let-in", message="accepted", expected=(403,)))

    still = replay(folder, subject, signed, checker)
    service.answer = 403, b""
    other = replay(folder, subject, signed, checker)

    pointer = next(one.pointer for one in subject.contract.operations if str(one) == "GET /pets/{id}")
    assert [(one.finding.rule, one.expected) for one in still.failures] == [("role-let-in", (403,))]
    assert still.failures[0].finding.where == subject.contract.place((*pointer, "security"))
    assert [one.finding.rule for one in other.failures] == ["undocumented-status"]


def test_an_operation_that_is_not_written_yet_keeps_its_failures(service, subject, kept):
    """Its 501 does not show whether they are fixed; a refused credential does not reach the stub."""
    operation_id = next(one.id for one in subject.contract.operations if str(one) == "GET /pets/{id}")
    checker = ConformanceChecker(subject.contract, subject.base_path, unwritten={operation_id})
    folder = kept(
        failing(checker, service), failing(checker, service, "credential-accepted", expected=(401,))
    )
    service.answer = 501, b""

    part = replay(folder, subject, signed, checker)

    assert [reason for _, reason in part.not_run] == ["GET /pets/{id} is not written yet"]
    assert [failure.finding.rule for failure in part.failures] == ["credential-accepted"]
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("answer", [(401, b""), (404, b"")])
def test_a_refusal_does_not_show_that_a_failure_is_fixed(service, subject, checker, kept, answer):
    """The failure was shown by a success response."""
    folder = kept(failing(checker, service))
    service.answer = answer

    part = replay(folder, subject, signed, checker)

    ((case, reason),) = part.not_run
    assert case.endswith(".json")
    assert (
        f"the response is now {answer[0]}, and was 200 when the failure was kept; delete the file" in reason
    )
    assert len(list(folder.iterdir())) == 1


def test_a_refusal_may_hide_an_internal_error(service, subject, checker, kept):
    """Any status but a 5xx is expected, but after a refusal the error may still exist."""
    folder = kept(
        failing(checker, service, "not-a-server-error", status=500, expected=tuple(range(200, 500)))
    )
    service.answer = 401, b""

    part = replay(folder, subject, signed, checker)

    assert len(part.not_run) == 1
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("check", CHECKS)
def test_a_failure_found_by_schemathesis_can_be_read_back(service, subject, checker, kept, check):
    """A file of one run must not stop the next."""
    folder = kept(failing(checker, service, check.replace("_", "-"), expected=(400,)))

    part = replay(folder, subject, signed, checker)

    assert part.not_run == []


def test_a_check_without_a_rule_is_not_kept(service, checker, kept):
    """A later Schemathesis may have more checks; without a rule the file could not be read."""
    failure = failing(checker, service, expected=(400,))
    unknown = replace(failure, finding=replace(failure.finding, rule="of-tomorrow"))

    assert list(kept(unknown).glob("*")) == []


def test_a_request_without_a_response_keeps_its_file(service, subject, checker, kept):
    """A service that crashes is not fixed."""
    folder = kept(failing(checker, service))
    service.answer = 0, b""

    part = replay(folder, subject, signed, checker)

    assert [one.finding.rule for one in part.failures] == ["no-answer"]
    assert len(list(folder.iterdir())) == 1


def test_a_request_without_its_credential_is_not_sent(service, subject, checker, kept):
    """Without its credential it would be another request."""
    folder = kept(failing(checker, service))

    part = replay(folder, subject, lambda *_: None, checker)

    assert [one.reason for one in part.not_run] == [
        "there is no credential for 'admin'; set the variables that it needs"
    ]
    assert service.asked == []
    assert len(list(folder.iterdir())) == 1


def test_a_failure_of_a_removed_operation_is_not_run(service, subject, checker, kept):
    """The operation may have been renamed, so a person decides."""
    folder = kept(failing(checker, service))
    (path,) = folder.iterdir()
    path.write_text(path.read_text("utf-8").replace("show pet", "old"), "utf-8")

    part = replay(folder, subject, signed, checker)

    assert [one.reason for one in part.not_run] == [
        "the contract has no operation 'old'; delete the file if it was removed"
    ]
    assert path.exists()


def test_the_same_failure_has_the_same_file(service, checker, kept):
    """A version control system shows no change."""
    folder = kept(failing(checker, service))
    (path,) = folder.iterdir()
    before = path.stat().st_mtime_ns, path.read_bytes()

    kept(failing(checker, service, path="/pets/other"))

    assert list(folder.iterdir()) == [path]
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert path.name.startswith("show_pet-response-violation-")


def test_no_credential_is_kept(service, checker, kept):
    """The files are in a repository."""
    folder = kept(failing(checker, service, message="it is a-known-secret"))

    written = json.loads(next(folder.iterdir()).read_bytes())
    assert written["request"] == {
        "method": "GET",
        "path": "/pets/a%2Fb?x=1",
        "headers": [["X-A", "1"]],
        "body": "",
    }
    assert (written["credential"], written["message"]) == ("admin", "it is [redacted]")


def test_only_failures_that_one_request_shows_are_kept(service, checker, kept):
    """Others would look fixed in the next run."""
    shown = failing(checker, service)
    stateful = Failure(shown.finding, None, shown.exchange)
    without = Failure(shown.finding, shown.operation)

    folder = kept(
        stateful,
        without,
        failing(checker, service, "wrong-fault-answer", expected=(503,)),
        failing(checker, service, "role-let-in"),
        failing(checker, service, path="/logins", body=b'{"password": "hunter2"}'),
        failing(checker, service, path="/logins", body=None),
        failing(checker, service, path="/pets/a-known-secret"),
    )

    assert not folder.exists() or list(folder.iterdir()) == []


def test_invalid_files_are_reported_before_any_request(service, subject, checker, kept, monkeypatch):
    """All of them are reported at once, by name."""
    folder = kept(failing(checker, service))
    good = json.loads(next(folder.iterdir()).read_bytes())
    (folder / "a.json").write_text("{", "utf-8")
    (folder / "b.json").write_text("[]", "utf-8")
    (folder / "c.json").write_text(json.dumps({**good, "rule": "odd"}), "utf-8")
    (folder / "d.json").write_text(json.dumps({**good, "status": "200"}), "utf-8")
    monkeypatch.chdir(folder)

    with pytest.raises(SetupError) as caught:
        replay(folder, subject, signed, checker)

    assert [str(problem) for problem in caught.value.problems] == [
        "a.json: is not JSON: line 1, column 2; fix it or delete it",
        'b.json: is not a kept failure (this is not of type "object"); fix it or delete it',
        "c.json: is not a kept failure (there is no rule 'odd'); fix it or delete it",
        "d.json: is not a kept failure ('status': this is not of type \"integer\"); fix it or delete it",
    ]
    assert service.asked == []
    assert len(list(folder.iterdir())) == 5


def test_without_a_folder_there_is_nothing_to_do(subject, checker, tmp_path):
    """The first run has no folder."""
    part = replay(tmp_path / "none", subject, signed, checker)

    assert (part.cases, part.held) == (0, True)
