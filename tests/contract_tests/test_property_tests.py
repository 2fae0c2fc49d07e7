"""Schemathesis as a part of a contract test: its exchanges are checked, its findings get our messages."""

import base64
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests import schemathesis_process
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config, Identity
from relay.contract_tests.property_tests import Budget, _EventReader, check_properties
from relay.contract_tests.results import NotRun, Phase
from relay.contract_tests.sample_requests import UNREACHABLE
from relay.contract_tests.schemathesis_events import ADDED_HEADERS, Labels, read_events
from relay.contract_tests.service_under_test import (
    ContractSettings,
    ServiceUnderTest,
    base_url,
    load_strict_contract,
)
from relay.contract_tests.session import Caller, Session
from support.answering import PreparedResponse, ReceivedRequest, answering
from support.compiled import read
from support.hosting import contract, operation, put
from support.running import ROOT, relay, serving_demo

SMALL = Budget(max_examples=5, max_seconds=None, seed=4711)
VALUE = "value-of-somebody"


def subject_of(spec: Path, url: str, *identities: Identity, **settings: Any) -> ServiceUnderTest:
    config = Config(identities)
    found = load_strict_contract(spec, config)
    return ServiceUnderTest(base_url(url, found), found, config, ContractSettings(**settings))


def written(folder: Path, paths: dict[str, Any], schemes: dict[str, Any] | None = None) -> Path:
    spec = folder / "openapi.json"
    put(spec, contract(paths, components={"securitySchemes": schemes or {}}))
    return spec


def check(subject: ServiceUnderTest, budget: Budget = SMALL, progress: list[int] | None = None) -> Phase:
    checker = ConformanceChecker(subject.contract, subject.base_path)
    counts = [] if progress is None else progress
    return check_properties(Session(subject, checker), budget, counts.append)


def rules(part: Phase, about: str | None) -> set[str]:
    return {failure.rule for failure in part.failures if failure.operation == about}


def test_schemathesis_gets_keywords_of_json_schema_2020_12(tmp_path):
    """In OpenAPI 3.1 it takes `nullable` and `exclusiveMinimum: true` for what they are in JSON Schema: nothing."""
    size = {"type": ["integer", "null"], "exclusiveMinimum": 0, "maximum": 9}
    things = operation("list_things")
    things["responses"]["200"]["content"]["application/json"]["schema"] = {"properties": {"size": size}}
    whole = read({**contract({"/things": {"get": things}}), "openapi": "3.1.0"})

    document = schemathesis_process._document(whole)

    content = document["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]
    assert content["schema"]["properties"]["size"] == size


def test_operations_that_schemathesis_does_not_read_are_not_run(tmp_path):
    """Instead of none of them being mentioned; the sample request is still sent."""
    document = contract({"/things": {"additionalOperations": {"LOCK": operation("lock_things")}}})
    spec = tmp_path / "openapi.json"
    put(spec, {**document, "openapi": "3.2.0"})

    part = check(subject_of(spec, "http://test"))

    reason = "Schemathesis does not read `additionalOperations`"
    assert part.not_run == [NotRun("LOCK /things", reason)]


# Reading what was written down


def event(
    check_: dict[str, Any] | None = None, *, status: int = 200, body: bytes = b"{}", **data: str
) -> str:
    """A line of the log: one case of `GET /things`, with a failed check."""
    scenario: dict[str, Any] = {"label": "GET /things"}
    meta = {"phase": {"name": "coverage", "data": data}}
    scenario["cases"] = {"c1": {"value": {"method": "GET", "path": "/things", "meta": meta}}}
    scenario["checks"] = {"c1": [check_]} if check_ else {}
    headers = {"content-type": ["application/json"], "x-twice": ["a", "b"]}
    answer = {"status_code": status, "headers": headers, "elapsed": 0.5}
    answer["content"] = {"$base64": base64.b64encode(body).decode()}
    request = {"method": "GET", "uri": "http://test/things?limit=10", "headers": {"X-Id": ["1"]}}
    scenario["interactions"] = {"c1": {"request": request, "response": answer, "timestamp": 1000.5}}
    return json.dumps({"ScenarioFinished": {"phase": "coverage", "recorder": scenario}}) + "\n"


def failed(name: str, title: str = "A title") -> dict[str, Any]:
    """A failed check, whose message contains request data, as those of Schemathesis do."""
    failure = {"title": title, "message": f"Got {VALUE}", "operation": "GET /things"}
    return {"name": name, "status": "failure", "failure_info": {"failure": failure}}


@pytest.fixture
def reading(tmp_path):
    """Read lines of a log of `GET /things`, which responds with an object and has the parameter `limit`."""
    things = operation("list_things")
    things["parameters"] = [{"name": "limit", "in": "query", "schema": {"type": "integer"}}]
    things["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "object"}
    subject = subject_of(written(tmp_path, {"/things": {"get": things}}), "http://test")

    def read(*lines: str) -> Phase:
        (tmp_path / "events.ndjson").write_text("".join(lines), "utf-8")
        checker = ConformanceChecker(subject.contract, "")
        labels = Labels(subject.contract, "", {})
        part = Phase("properties")
        reader = _EventReader(part, Session(subject, checker), labels, subject.contract.operations)
        reader.read(tmp_path / "events.ndjson", "no time")
        return part

    return read


def test_an_interaction_becomes_an_exchange(reading):
    """Request and response are complete, so that any later part can use them."""
    (exchange,) = reading(event(body=b'{"a": "\xff"}')).exchanges

    assert (exchange.request.method, exchange.request.url) == ("GET", "http://test/things?limit=10")
    assert exchange.request.headers == (("X-Id", "1"), *ADDED_HEADERS.items())
    assert (exchange.status, exchange.body) == (200, b'{"a": "\xff"}')
    assert exchange.header("x-twice") == "a, b"
    assert (exchange.part, exchange.credential, exchange.seconds) == ("properties", None, 0.5)
    assert exchange.started.timestamp() == 1000


def test_reads_the_log_up_to_its_last_complete_line(tmp_path):
    log = tmp_path / "events.ndjson"
    log.write_text(event() + event()[:200], "utf-8")

    assert len(list(read_events(log))) == 1
    assert list(read_events(tmp_path / "none")) == []


def test_a_failed_check_gets_our_message(reading):
    """It has the rule, the location and the kind of data, but never the data itself."""
    sent = {"scenario": "incorrect_type", "parameter": "limit", "parameter_location": "query"}
    line = event(failed("negative_data_rejection"), status=302, **sent)

    _, failure = reading(line.replace("limit=10", "limit=many")).failures

    assert failure.rule == "negative-data-rejection"
    assert failure.message == (
        "302 of GET /things: invalid data was accepted; refuse it (query 'limit': incorrect type)"
    )
    assert failure.where.line == 1
    assert failure.operation == "GET /things"
    assert 400 in failure.expected
    assert failure.exchange.status == 302


def trouble(about: str, kind: str, message: str) -> str:
    value = {"type": kind, "message": message}
    return json.dumps({"NonFatalError": {"label": about, "phase": "fuzzing", "value": value}}) + "\n"


SILENT = json.loads(event())
SILENT["ScenarioFinished"]["recorder"]["interactions"]["c1"].pop("response")
HEADER = {"parameter": "Accept", "parameter_location": "header"}
STOPPED = "fuzzing of Schemathesis stopped: {}".format
INVALID = "Schemathesis takes a request for valid whose query violates the contract at /limit: the value is not of type"


@pytest.mark.parametrize(
    ("lines", "rules", "reasons"),
    [
        pytest.param(*case, id=id_)
        for id_, case in {
            # The same violation twice would look like two problems.
            "reported in detail by our checker": ([event(failed("response_schema_conformance"), body=b"[]")],
             ["response-violation"], []),
            # Contracts can be read in several ways; the server and our checker share one of them.
            "a response that our checker accepts": ([event(failed("response_schema_conformance"))], [],
             ["Schemathesis takes a valid body of a 200 for invalid"]),
            # OpenAPI ignores a parameter that is called Accept, for example, and Schemathesis does not.
            "an ignored header": ([event(failed("missing_required_header"), **HEADER)], [], []),
            "a request that our checker accepts": ([event(failed("negative_data_rejection"), **HEADER)], [], []),
            # Schemathesis sends wrong examples as valid data; the report says so without blaming the service.
            "a wrong example": ([event(failed("positive_data_acceptance"), status=400).replace("=10", "=many")],
             ["undocumented-status"], [INVALID]),
            "an unknown check": ([event(failed("cache_control", "Answer may be cached"))], ["cache-control"], []),
            "a crashed check": ([event({"name": "ignored_auth", "status": "error"})], [],
             ["the check ignored_auth of Schemathesis crashed"]),
            # Some messages quote the contract, others quote generated data.
            "errors of Schemathesis": ([trouble("GET /things", "Unsatisfiable", "Cannot make 'limit'\nmore"),
             trouble("GET /things", "Flaky", VALUE)], [], [STOPPED("Cannot make 'limit'"), STOPPED("Flaky")]),
            "a network error": ([trouble("GET /things", "ConnectionError", VALUE)], ["no-answer"], []),
            "a network error of a phase": ([trouble("Stateful tests", "ConnectionError", VALUE)], ["no-answer"],
             ["no time"]),
            # The error of the phase is the same closed connection.
            "the same network error twice": ([json.dumps(SILENT) + "\n",
             trouble("Stateful tests", "ConnectionError", "")], ["no-answer"], []),
            "nothing": ([], [], ["no time"]),
        }.items()
    ],
)  # fmt: skip
def test_what_is_logged_becomes_findings_and_cases_that_were_not_run(reading, lines, rules, reasons):
    part = reading(*lines)

    assert [one.rule for one in part.failures] == rules
    assert VALUE not in str([*part.failures, *part.not_run])
    assert len(part.not_run) == len(reasons)
    for (case, found), reason in zip(part.not_run, reasons, strict=True):
        assert (case, found[: len(reason)]) == ("GET /things", reason)


def test_a_finding_says_what_it_is_about(reading):
    """A title of Schemathesis is fixed text; a name that is not in the contract is data."""
    (titled,) = reading(event(failed("cache_control", "Answer may be cached"))).failures
    line = event(failed("negative_data_rejection"), status=302, parameter=VALUE, parameter_location="query")
    _, named = reading(line.replace("limit=10", "limit=many")).failures
    (of_phase,) = reading(trouble("Stateful tests", "ConnectionError", VALUE)).failures

    assert titled.message == "200 of GET /things: Answer may be cached"
    assert VALUE not in named.message
    assert of_phase.operation is None


def test_an_operation_that_no_request_reaches_is_not_run(tmp_path):
    """A `?` in a path begins the query, so every response would be that of another path."""
    spec = written(tmp_path, {"/rest?method=list": {"get": operation("list_things")}})

    part = check(subject_of(spec, "http://127.0.0.1:9"))

    assert part.failures == []
    assert part.not_run == [NotRun("GET /rest?method=list", UNREACHABLE)]


# The process


def test_credentials_are_only_in_the_environment(tmp_path):
    schemes = {
        'a "quoted" name': {"type": "openIdConnect", "openIdConnectUrl": "https://test/id"},
        "basic": {"type": "http", "scheme": "basic"},
        "hawk": {"type": "http", "scheme": "Hawk"},
        "key": {"type": "apiKey", "in": "query", "name": "key"},
    }
    spec = written(tmp_path, {"/things": {"get": operation("list_things")}}, schemes)
    found = load_strict_contract(spec, Config())

    text, variables = schemathesis_process._configuration(found, dict.fromkeys(schemes, "user:pass:word"))

    assert "pass" not in text.replace("password =", "").replace("_PASSWORD}", "")
    whole = "user:pass:word"
    assert list(variables.values()) == [whole, "user", "pass:word", f"Hawk {whole}", whole]


@pytest.mark.slow
def test_a_run_that_does_not_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(schemathesis_process, "UNBOUNDED_SECONDS", 0.05)
    spec = written(tmp_path, {"/things": {"get": operation("list_things")}})

    part = check(subject_of(spec, "http://127.0.0.1:9"))

    assert [case for case, _ in part.not_run] == ["GET /things", "the rest of the run"]
    assert part.cases == 0


@pytest.mark.slow
def test_ctrl_c_kills_the_process(tmp_path, monkeypatch):
    """It is in its own session, so it does not get the signal itself."""
    started = []

    class Watched(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    def interrupt(_count):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Watched)
    spec = written(tmp_path, {"/things": {"get": operation("list_things")}})
    found = load_strict_contract(spec, Config())
    everything = Caller(None, list(found.operations), {})

    with pytest.raises(KeyboardInterrupt):
        schemathesis_process.run(tmp_path, found, "http://127.0.0.1:9", everything, SMALL, interrupt)

    assert [process.returncode for process in started] == [-signal.SIGKILL]


def test_progress_counts_responses_while_the_log_grows(tmp_path):
    log = tmp_path / "events.ndjson"
    counts = schemathesis_process._answers(log)
    mark = '{"response":{"status_code":200}},'
    observed = [next(counts)]

    for text in (mark, mark[:15], mark[15:] + mark):
        with log.open("a") as file:
            file.write(text)
        observed.append(next(counts))

    assert observed == [0, 1, 1, 3]


# Whole runs


@pytest.mark.contract
def test_our_service_has_no_failures_and_every_request_has_its_credential(tmp_path, monkeypatch):
    """The demo, with credentials from the environment; hooks of other test tools are not loaded."""
    monkeypatch.setenv("SCHEMATHESIS_HOOKS", "no_such_module")
    progress: list[int] = []
    with serving_demo(tmp_path) as service:
        monkeypatch.setenv("TOKEN_OF_ERIKA", relay(tmp_path, "token").stdout.strip())
        erika = Identity("erika", variables={"bearerAuth": "TOKEN_OF_ERIKA"})
        subject = subject_of(ROOT / "spec/openapi.yaml", service.url, erika)
        part = check(subject, Budget(max_examples=100, max_seconds=None, seed=4711), progress)

    assert part.failures == part.not_run == []
    assert part.cases == len(part.exchanges) == progress[-1] > 100
    assert {exchange.status for exchange in part.exchanges if exchange.credential == "erika"} >= {200}
    assert {exchange.credential for exchange in part.exchanges} == {"erika", "a wrong credential", None}
    assert part.notes[0].startswith("Schemathesis 4.")


@pytest.mark.contract
def test_each_violation_is_found_at_its_operation(tmp_path):
    """One service with many errors, a connection that it closes, and an operation without a credential.

    No message contains data of an exchange.
    """
    answers = {
        "/type": PreparedResponse(body={"id": VALUE}),
        "/status": PreparedResponse(418, {"id": 1}),
        "/media": PreparedResponse(body=VALUE.encode(), media_type="text/plain"),
        "/fails": PreparedResponse(500, {"id": VALUE}),
        "/negative": PreparedResponse(body={"id": 1}),
        "/picky": PreparedResponse(400, {"id": 1}),
        "/cut": None,
        "/closed": PreparedResponse(401, headers=(("WWW-Authenticate", "Bearer"),)),
    }
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    documented = {path: operation(path.strip("/")) for path in answers}
    for one in documented.values():
        one["responses"]["200"]["content"]["application/json"]["schema"] = schema
        one["parameters"] = [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}}]
    documented["/fails"]["responses"]["500"] = documented["/fails"]["responses"]["200"]
    documented["/picky"]["responses"]["400"] = documented["/picky"]["responses"]["200"]
    secured = {"responses": {"401": {"description": "no"}}, "security": [{"door": []}]}
    documented["/closed"] = operation("closed") | secured

    def answer(asked: ReceivedRequest) -> PreparedResponse | None:
        path = asked.path.partition("?")[0]
        if path not in answers:
            return PreparedResponse(404)
        is_known = asked.method == "GET" or path == "/cut"
        return answers[path] if is_known else PreparedResponse(405, headers=(("Allow", "GET"),))

    with answering(answer) as url:
        door = {"door": {"type": "http", "scheme": "bearer"}}
        spec = written(tmp_path, {path: {"get": one} for path, one in documented.items()}, door)
        part = check(subject_of(spec, url))

    (cut,) = (failure for failure in part.failures if failure.rule == "no-answer")
    assert (cut.operation, cut.exchange) == ("GET /cut", None)
    assert cut.count > 1
    assert [case for case, _ in part.not_run] == ["GET /closed"]
    assert any("401" in note and "GET /closed" in note for note in part.notes)
    assert "response-violation" in rules(part, "GET /type")
    assert "undocumented-status" in rules(part, "GET /status")
    assert "undocumented-media-type" in rules(part, "GET /media")
    assert "not-a-server-error" in rules(part, "GET /fails")
    assert rules(part, "GET /negative") == {"request-accepted"}
    assert rules(part, "GET /picky") == {"positive-data-acceptance"}
    assert not any(VALUE in failure.message for failure in part.failures)
    assert all("\n" not in failure.message for failure in part.failures)
    assert len({(failure.operation, failure) for failure in part.failures}) == len(part.failures)


@pytest.mark.contract
@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "openIdConnect", "openIdConnectUrl": "https://test/id"},
        {"type": "http", "scheme": "Hawk"},
        {"type": "http", "scheme": "basic"},
        {"type": "apiKey", "in": "cookie", "name": "session"},
    ],
    ids=lambda scheme: scheme.get("scheme", scheme["type"]),
)
def test_a_service_that_accepts_any_caller_is_found(tmp_path, monkeypatch, scheme):
    """This holds for any scheme: credentials were sent, and requests without them were accepted, too."""
    monkeypatch.setenv("CREDENTIAL", "user:password")
    secured = operation("open", security=[{"door": []}])
    spec = written(tmp_path, {"/open": {"get": secured}}, {"door": scheme})

    with answering(lambda _asked: PreparedResponse(body={})) as url:
        part = check(subject_of(spec, url, Identity("user", variables={"door": "CREDENTIAL"})))

    assert "ignored-auth" in rules(part, "GET /open")
    assert {exchange.credential for exchange in part.exchanges} >= {"user", None}
    assert part.not_run == []


@pytest.mark.contract
def test_a_setup_error_is_reported_without_the_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIAL", "κλειδί-of-the-door:password")
    secured = operation("open", security=[{"door": []}])
    spec = written(tmp_path, {"/open": {"get": secured}}, {"door": {"type": "http", "scheme": "basic"}})

    with pytest.raises(SetupError, match="schemathesis: ") as caught:
        check(subject_of(spec, "http://127.0.0.1:9", Identity("user", variables={"door": "CREDENTIAL"})))

    assert "κλειδί" not in str(caught.value)
