"""Kept failures, asked about again, against a real socket: `scripts/relay/contract_tests/kept_failures.py`."""

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
    """A service that answers as its test says, and knows what it was asked."""

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
        """Say nothing."""


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
def judge(subject):
    return ConformanceChecker(subject.contract, subject.base_path)


@pytest.fixture
def kept(subject, tmp_path):
    """Keep failures in a folder, and return it."""

    def write(*failures):
        keep(failures, tmp_path / "kept", Redactor(subject.contract, ["a-known-secret"]))
        return tmp_path / "kept"

    return write


def failing(judge, service, rule="response-violation", path="/pets/a%2Fb?x=1", **rest):
    """A failure of an operation, as a part of a run found it."""
    headers = (("Authorization", "Bearer old"), ("X-A", "1"), ("Host", "elsewhere"))
    method, body = ("POST", rest.pop("body", b"{}")) if path == "/logins" else ("GET", b"")
    about = "POST /logins" if path == "/logins" else "GET /pets/{id}"
    status = rest.pop("status", 200)
    request = Request(method, service.url + path, headers, body)
    exchange = Exchange(request, status, (), b'"no number"', "properties", "admin")
    told = finding(judge.contract, rule, ("paths",), rest.pop("message", "it is no integer"))
    return Failure(told, about, exchange, **rest)


def signed(_operation, request, credential):
    """Mint a credential that says whose it is."""
    return request.with_headers([("Authorization", f"Bearer new {credential}")])


def test_a_failure_that_is_still_there_is_told_again(service, subject, judge, kept):
    """The same request, with a credential of today, at where the service is today."""
    folder = kept(failing(judge, service))
    service.answer = 200, b'"no number"'

    part = replay(folder, subject, signed, judge)

    (failure,) = part.failures
    assert service.asked == [("/base/pets/a%2Fb?x=1", "Bearer new admin")]
    assert (failure.finding.rule, failure.finding.message) == ("response-violation", "it is no integer")
    assert failure.operation == "GET /pets/{id}"
    assert (part.name, part.unit, part.cases, part.notes) == (
        "kept failures", "requests", 1, ["still there: it is no integer"]
    )  # fmt: skip
    assert part.exchanges == [failure.exchange]
    assert len(list(folder.iterdir())) == 1


def test_a_failure_that_is_fixed_is_forgotten(service, subject, judge, kept):
    """The next run does not ask again."""
    folder = kept(failing(judge, service))

    part = replay(folder, subject, signed, judge)

    assert part.held
    assert part.notes == ["fixed: it is no integer"]
    assert list(folder.iterdir()) == []


def test_a_status_that_is_not_expected_is_the_failure(service, subject, judge, kept):
    """Of a role that is let in, the contract alone knows nothing."""
    folder = kept(failing(judge, service, "role-let-in", message="let in", expected=(403,)))

    still = replay(folder, subject, signed, judge)
    service.answer = 403, b""
    other = replay(folder, subject, signed, judge)

    assert [(one.finding.rule, one.expected) for one in still.failures] == [("role-let-in", (403,))]
    assert [one.finding.rule for one in other.failures] == ["undocumented-status"]


@pytest.mark.parametrize("answer", [(401, b""), (404, b"")])
def test_a_refusal_proves_nothing(service, subject, judge, kept, answer):
    """What was shown by a success is not fixed when nobody gets there any more."""
    folder = kept(failing(judge, service))
    service.answer = answer

    part = replay(folder, subject, signed, judge)

    ((case, reason),) = part.not_run
    assert case.endswith(".json")
    assert f"it was answered with {answer[0]}, and with 200 when it was kept; delete the file" in reason
    assert len(list(folder.iterdir())) == 1


def test_a_refusal_hides_a_failure_inside(service, subject, judge, kept):
    """Any answer is right but another failure, and still a refusal says nothing of it."""
    folder = kept(failing(judge, service, "not-a-server-error", status=500, expected=tuple(range(200, 500))))
    service.answer = 401, b""

    part = replay(folder, subject, signed, judge)

    assert len(part.not_run) == 1
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("check", CHECKS)
def test_what_schemathesis_found_is_read_again(service, subject, judge, kept, check):
    """A file that is written in one run must not stop the next."""
    folder = kept(failing(judge, service, check.replace("_", "-"), expected=(400,)))

    part = replay(folder, subject, signed, judge)

    assert part.not_run == []


def test_a_check_that_nobody_knows_yet_is_not_kept(service, judge, kept):
    """Schemathesis may have more of them one day; without its rule the file could not be read."""
    failure = failing(judge, service, expected=(400,))
    unknown = replace(failure, finding=replace(failure.finding, rule="of-tomorrow"))

    assert list(kept(unknown).glob("*")) == []


def test_a_request_without_an_answer_keeps_its_file(service, subject, judge, kept):
    """A service that breaks down over it is not fixed."""
    folder = kept(failing(judge, service))
    service.answer = 0, b""

    part = replay(folder, subject, signed, judge)

    assert [one.finding.rule for one in part.failures] == ["no-answer"]
    assert len(list(folder.iterdir())) == 1


def test_what_nobody_can_sign_in_for_is_not_asked(service, subject, judge, kept):
    """Without its credential it would be another request."""
    folder = kept(failing(judge, service))

    part = replay(folder, subject, lambda *_: None, judge)

    assert [one.reason for one in part.not_run] == [
        "there is nothing to sign in with as 'admin'; set what it needs"
    ]
    assert service.asked == []
    assert len(list(folder.iterdir())) == 1


def test_an_operation_that_is_gone_is_told(service, subject, judge, kept):
    """Renamed, perhaps: a person decides."""
    folder = kept(failing(judge, service))
    (path,) = folder.iterdir()
    path.write_text(path.read_text("utf-8").replace("show pet", "old"), "utf-8")

    part = replay(folder, subject, signed, judge)

    assert [one.reason for one in part.not_run] == [
        "the contract has no operation 'old'; delete the file if it is gone for good"
    ]
    assert path.exists()


def test_the_same_failure_has_the_same_file(service, judge, kept):
    """A checkout shows no change where nothing has."""
    folder = kept(failing(judge, service))
    (path,) = folder.iterdir()
    before = path.stat().st_mtime_ns, path.read_bytes()

    kept(failing(judge, service, path="/pets/other"))

    assert list(folder.iterdir()) == [path]
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert path.name.startswith("show_pet-response-violation-")


def test_no_credential_is_kept(service, judge, kept):
    """The files lie in a repository."""
    folder = kept(failing(judge, service, message="it is a-known-secret"))

    written = json.loads(next(folder.iterdir()).read_bytes())
    assert written["request"] == {
        "method": "GET",
        "path": "/pets/a%2Fb?x=1",
        "headers": [["X-A", "1"]],
        "body": "",
    }
    assert (written["credential"], written["message"]) == ("admin", "it is [redacted]")


def test_only_what_one_request_shows_is_kept(service, judge, kept):
    """Anything else would seem fixed the next time."""
    shown = failing(judge, service)
    stateful = Failure(shown.finding, None, shown.exchange)
    without = Failure(shown.finding, shown.operation)

    folder = kept(
        stateful,
        without,
        failing(judge, service, "wrong-fault-answer", expected=(503,)),
        failing(judge, service, "role-let-in"),
        failing(judge, service, path="/logins", body=b'{"password": "hunter2"}'),
        failing(judge, service, path="/logins", body=None),
        failing(judge, service, path="/pets/a-known-secret"),
    )

    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_file_that_cannot_be_read_is_told_before_anything_is_sent(
    service, subject, judge, kept, monkeypatch
):
    """All of them at once, by name."""
    folder = kept(failing(judge, service))
    good = json.loads(next(folder.iterdir()).read_bytes())
    (folder / "a.json").write_text("{", "utf-8")
    (folder / "b.json").write_text("[]", "utf-8")
    (folder / "c.json").write_text(json.dumps({**good, "rule": "odd"}), "utf-8")
    (folder / "d.json").write_text(json.dumps({**good, "status": "200"}), "utf-8")
    monkeypatch.chdir(folder)

    with pytest.raises(SetupError) as caught:
        replay(folder, subject, signed, judge)

    assert [str(problem) for problem in caught.value.problems] == [
        "a.json: is not JSON: line 1, column 2; mend it or delete it",
        'b.json: is no kept failure (this is not of type "object"); mend it or delete it',
        "c.json: is no kept failure (there is no rule 'odd'); mend it or delete it",
        "d.json: is no kept failure ('status': this is not of type \"integer\"); mend it or delete it",
    ]
    assert service.asked == []
    assert len(list(folder.iterdir())) == 5


def test_without_a_folder_there_is_nothing_to_do(subject, judge, tmp_path):
    """The first run has none."""
    part = replay(tmp_path / "none", subject, signed, judge)

    assert (part.cases, part.held) == (0, True)
