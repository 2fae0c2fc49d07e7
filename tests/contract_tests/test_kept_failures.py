"""Kept failures, repeated against a real socket: `scripts/relay/contract_tests/kept_failures.py`."""

import json
from dataclasses import replace

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.kept_failures import keep, replay
from relay.contract_tests.redaction import Redactor
from relay.contract_tests.results import Failure
from relay.contract_tests.schemathesis_checks import CHECKS
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest
from support.answering import PreparedResponse, answering
from support.compiled import read
from support.hosting import contract, operation, put

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


class Service:
    """A service with a prepared response that records its requests."""

    def __init__(self):
        self.answer = 200, b"1"
        self.asked = []

    def __call__(self, asked):
        self.asked.append((asked.path, asked.headers.get("authorization")))
        status, body = self.answer
        return PreparedResponse(status, body, headers=(CHALLENGE,)) if status else None


@pytest.fixture
def service():
    service = Service()
    with answering(service) as url:
        service.url = f"{url}/base"
        yield service


@pytest.fixture
def subject(service):
    return ServiceUnderTest(
        service.url, read(contract(PATHS, components=TOKEN)), Config(), ContractSettings()
    )


@pytest.fixture
def checker(subject):
    return ConformanceChecker(subject.contract, subject.base_path)


@pytest.fixture
def kept(subject, tmp_path):
    def write(*failures):
        keep(failures, tmp_path / "kept", Redactor(subject.contract, ["a-known-secret"]))
        return tmp_path / "kept"

    return write


def failing(checker, service, rule="response-violation", path="/pets/a%2Fb?x=1", **rest):
    headers = (("Authorization", "Bearer old"), ("X-A", "1"), ("Host", "elsewhere"))
    method, body = ("POST", rest.pop("body", b"{}")) if path == "/logins" else ("GET", b"")
    about = "POST /logins" if path == "/logins" else "GET /pets/{id}"
    status = rest.pop("status", 200)
    request = Request(method, service.url + path, headers, body)
    exchange = Exchange(request, status, (), b'"no number"', "properties", "admin")
    place, message = checker.contract.place(("paths",)), rest.pop("message", "it is not an integer")
    return Failure(place, message, rule, operation=about, exchange=exchange, **rest)


def signed(_operation, request, credential):
    return request.with_headers([("Authorization", f"Bearer new {credential}")])


SERVER_ERROR = {"rule": "not-a-server-error", "status": 500, "expected": tuple(range(200, 500))}


def test_a_failure_that_is_not_fixed_is_reported_again(service, subject, checker, kept):
    """The same request is sent with a new credential to the current address; later parts report it no more."""
    folder = kept(failing(checker, service))
    service.answer = 200, b'"no number"'

    part = replay(folder, subject, signed, checker)

    (failure,) = part.failures
    assert service.asked == [("/base/pets/a%2Fb?x=1", "Bearer new admin")]
    assert failure == checker.check(failure.exchange)[0]
    assert failure.rule == "response-violation"
    assert failure.operation == "GET /pets/{id}"
    assert (part.name, part.unit, part.cases) == ("kept failures", "requests", 1)
    assert part.notes == ["still there: it is not an integer"]
    assert part.exchanges == [failure.exchange]
    assert len(list(folder.iterdir())) == 1


def test_an_unexpected_status_is_the_failure(service, subject, checker, kept):
    folder = kept(failing(checker, service, "role-let-in", message="accepted", expected=(403,)))

    still = replay(folder, subject, signed, checker)
    service.answer = 403, b""
    other = replay(folder, subject, signed, checker)

    pointer = next(one.pointer for one in subject.contract.operations if str(one) == "GET /pets/{id}")
    assert [(one.rule, one.expected) for one in still.failures] == [("role-let-in", (403,))]
    assert still.failures[0].where == subject.contract.place((*pointer, "security"))
    assert [one.rule for one in other.failures] == ["undocumented-status"]


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
    assert [failure.rule for failure in part.failures] == ["credential-accepted"]
    assert len(list(folder.iterdir())) == 2


NOW = "the response is now {}, and was {} when the failure was kept; delete the file if that is correct"
NO_CREDENTIAL = "there is no credential for 'admin'; set the variables that it needs"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "answer", "credential", "rules", "reasons", "is_left"),
    [
        ({}, (200, b"1"), signed, [], [], False),
        ({}, (401, b""), signed, [], [NOW.format(401, 200)], True),
        ({}, (404, b""), signed, [], [NOW.format(404, 200)], True),
        # Any status but a 5xx is expected, but after a refusal the error may still exist.
        (SERVER_ERROR, (401, b""), signed, [], [NOW.format(401, 500)], True),
        ({}, (0, b""), signed, ["no-answer"], [], True),
        ({}, (200, b"1"), lambda *_: None, [], [NO_CREDENTIAL], True),
    ],
    ids=["fixed", "refused", "gone", "an internal error hidden", "no response", "no credential"],
)
def test_a_file_is_deleted_only_when_its_failure_is_fixed(
    service, subject, checker, kept, *, kind, answer, credential, rules, reasons, is_left
):
    folder = kept(failing(checker, service, **kind))
    service.answer = answer

    part = replay(folder, subject, credential, checker)

    assert [one.rule for one in part.failures] == rules
    assert [reason for _, reason in part.not_run] == reasons
    assert part.notes == ([] if is_left else ["fixed: it is not an integer"])
    assert bool(list(folder.iterdir())) is is_left
    assert bool(service.asked) is (credential is signed)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_a_failure_found_by_schemathesis_can_be_read_back(service, subject, checker, kept, check):
    folder = kept(failing(checker, service, check.replace("_", "-"), expected=(400,)))

    part = replay(folder, subject, signed, checker)

    assert part.not_run == []


def test_a_failure_of_a_removed_operation_is_not_run(service, subject, checker, kept):
    folder = kept(failing(checker, service))
    (path,) = folder.iterdir()
    path.write_text(path.read_text("utf-8").replace("show pet", "old"), "utf-8")

    part = replay(folder, subject, signed, checker)

    assert [one.reason for one in part.not_run] == [
        "the contract has no operation 'old'; delete the file if it was removed"
    ]
    assert path.exists()


def test_the_same_failure_has_the_same_file(service, checker, kept):
    folder = kept(failing(checker, service))
    (path,) = folder.iterdir()
    before = path.stat().st_mtime_ns, path.read_bytes()

    kept(failing(checker, service, path="/pets/other"))

    assert list(folder.iterdir()) == [path]
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert path.name.startswith("show_pet-response-violation-")


def test_no_credential_is_kept(service, checker, kept):
    folder = kept(failing(checker, service, message="it is a-known-secret"))

    written = json.loads(next(folder.iterdir()).read_bytes())
    request = {"method": "GET", "path": "/pets/a%2Fb?x=1", "headers": [["X-A", "1"]], "body": ""}
    assert written["request"] == request
    assert (written["credential"], written["message"]) == ("admin", "it is [redacted]")


def test_only_failures_that_one_request_shows_are_kept(service, checker, kept):
    shown = failing(checker, service)

    folder = kept(
        replace(shown, operation=None),
        replace(shown, exchange=None),
        # A later Schemathesis may have more checks; without a rule the file could not be read.
        replace(shown, rule="of-tomorrow", expected=(400,)),
        failing(checker, service, "wrong-fault-answer", expected=(503,)),
        failing(checker, service, "role-let-in"),
        failing(checker, service, path="/logins", body=b'{"password": "hunter2"}'),
        failing(checker, service, path="/logins", body=None),
        failing(checker, service, path="/pets/a-known-secret"),
    )

    assert not folder.exists() or list(folder.iterdir()) == []


def test_invalid_files_are_reported_before_any_request(service, subject, checker, kept, monkeypatch):
    folder = kept(failing(checker, service))
    good = json.loads(next(folder.iterdir()).read_bytes())
    (folder / "a.json").write_text("{", "utf-8")
    (folder / "b.json").write_text("[]", "utf-8")
    put(folder / "c.json", {**good, "rule": "odd"})
    put(folder / "d.json", {**good, "status": "200"})
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
