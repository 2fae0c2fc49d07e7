"""Schemathesis as a part of a contract test: what it exchanged is judged, what it found is told in our words."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests import schemathesis_process
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config, Identity
from relay.contract_tests.credential_labels import Labels
from relay.contract_tests.credentials import Credentials
from relay.contract_tests.property_tests import Budget, _Reading, check_properties
from relay.contract_tests.results import NotRun, Phase
from relay.contract_tests.schemathesis_events import read_events
from relay.contract_tests.service_under_test import (
    ContractSettings,
    ServiceUnderTest,
    base_url,
    load_strict_contract,
)
from specs.garage import STOREROOM_KEY
from support.answering import Asked, Told, answering
from support.hosting import SECRET, contract, operation
from support.running import ROOT, relay, serving

if TYPE_CHECKING:
    from pathlib import Path

GARAGE = ROOT / "tests/specs/garage/openapi.yaml"
SMALL = Budget(max_examples=5, max_seconds=None, seed=4711)
VALUE = "value-of-somebody"


def subject_of(spec: Path, url: str, *identities: Identity, **settings: Any) -> ServiceUnderTest:
    """A subject at an address, tested by some identities."""
    config = Config(identities)
    found = load_strict_contract(spec, config)
    return ServiceUnderTest(base_url(url, found), found, config, ContractSettings(**settings))


def written(folder: Path, paths: dict[str, Any], schemes: dict[str, Any] | None = None) -> Path:
    """Write a contract down."""
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(contract(paths, components={"securitySchemes": schemes or {}})), "utf-8")
    return spec


def check(subject: ServiceUnderTest, budget: Budget = SMALL, progress: list[int] | None = None) -> Phase:
    """Run the part."""
    judge = ConformanceChecker(subject.contract, subject.base_path)
    told = [] if progress is None else progress
    return check_properties(subject, Credentials(subject), judge, budget, told.append)


def rules(part: Phase, about: str | None) -> set[str]:
    """The rules that were broken by an operation."""
    return {failure.finding.rule for failure in part.failures if failure.operation == about}


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
    """A failed check, whose message holds what was sent as those of Schemathesis do."""
    failure = {"title": title, "message": f"Got {VALUE}", "operation": "GET /things"}
    return {"name": name, "status": "failure", "failure_info": {"failure": failure}}


@pytest.fixture
def reading(tmp_path):
    """Read lines of a log of `GET /things`, which answers an object and takes `limit`."""
    things = operation("list_things")
    things["parameters"] = [{"name": "limit", "in": "query", "schema": {"type": "integer"}}]
    things["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "object"}
    subject = subject_of(written(tmp_path, {"/things": {"get": things}}), "http://test")

    def read(*lines: str) -> _Reading:
        (tmp_path / "events.ndjson").write_text("".join(lines), "utf-8")
        found = _Reading(ConformanceChecker(subject.contract, ""), Labels(subject.contract, "", {}))
        found.read(tmp_path / "events.ndjson")
        return found

    return read


def test_an_interaction_becomes_an_exchange(reading):
    """Nothing of request and answer is lost, whatever the part of the run that reads it next."""
    (exchange,) = reading(event(body=b'{"a": "\xff"}')).exchanges

    assert (exchange.request.method, exchange.request.url) == ("GET", "http://test/things?limit=10")
    assert exchange.request.headers == (("X-Id", "1"),)
    assert (exchange.status, exchange.body) == (200, b'{"a": "\xff"}')
    assert exchange.header("x-twice") == "a, b"
    assert (exchange.part, exchange.credential, exchange.seconds) == ("properties", None, 0.5)
    assert exchange.started.timestamp() == 1000


def test_reads_as_far_as_the_log_is_whole(tmp_path):
    """A process that was ended left half a line."""
    log = tmp_path / "events.ndjson"
    log.write_text(event() + event()[:200], "utf-8")

    assert len(list(read_events(log))) == 1
    assert list(read_events(tmp_path / "none")) == []


def test_a_failed_check_is_told_in_our_words(reading):
    """Rule, place and what was wrong with the data; never what was sent."""
    line = event(
        failed("negative_data_rejection"),
        scenario="incorrect_type",
        parameter="limit",
        parameter_location="query",
    )

    (failure,) = reading(line).failures

    assert failure.finding.rule == "negative-data-rejection"
    assert failure.finding.message == (
        "200 of GET /things: data that breaks the contract was accepted; refuse it "
        "(query 'limit': incorrect type)"
    )
    assert failure.finding.where.line == 1
    assert failure.operation == "GET /things"
    assert 400 in failure.expected
    assert failure.exchange.status == 200


def test_names_that_the_contract_does_not_have_are_not_told(reading):
    """A made-up name is as good a value as any."""
    line = event(failed("negative_data_rejection"), parameter=VALUE, parameter_location="query")

    (failure,) = reading(line).failures

    assert VALUE not in failure.finding.message


def test_what_our_judge_says_better_is_told_once(reading):
    """The same breach twice would be two things to mend."""
    found = reading(event(failed("response_schema_conformance"), body=b"[]"))

    assert [failure.finding.rule for failure in found.failures] == ["response-violation"]


def test_a_second_opinion_stands_where_our_judge_sees_nothing(reading):
    """Two validators may differ, and then a person has to look."""
    found = reading(event(failed("response_schema_conformance")))

    assert [failure.finding.rule for failure in found.failures] == ["response-schema-conformance"]


def test_a_check_of_a_later_release_is_told_by_its_title(reading):
    """What we do not know is no reason to say nothing."""
    (failure,) = reading(event(failed("cache_control", "Answer may be cached"))).failures

    assert failure.finding.rule == "cache-control"
    assert failure.finding.message == "200 of GET /things: Answer may be cached"


def test_a_check_that_crashed_is_not_taken_for_one_that_held(reading):
    """It has seen nothing."""
    found = reading(event({"name": "ignored_auth", "status": "error"}))

    assert found.failures == []
    assert [case for case, _ in found.not_run] == ["GET /things"]


def trouble(about: str, kind: str, message: str) -> str:
    """A line of the log: an error of Schemathesis itself."""
    value = {"type": kind, "message": message}
    return json.dumps({"NonFatalError": {"label": about, "phase": "fuzzing", "value": value}}) + "\n"


def test_trouble_tells_of_the_contract_but_not_of_data(reading):
    """Some messages quote the contract, others what was made up from it."""
    lines = [
        trouble("GET /things", "Unsatisfiable", "Cannot make 'limit'\nmore"),
        trouble("GET /things", "Flaky", VALUE),
    ]

    assert reading(*lines).not_run == [
        NotRun("GET /things", "fuzzing of Schemathesis could not go on: Cannot make 'limit'"),
        NotRun("GET /things", "fuzzing of Schemathesis could not go on: Flaky"),
    ]


@pytest.mark.parametrize("about", ["GET /things", "Stateful tests"])
def test_a_failure_of_the_network_is_no_answer(reading, about):
    """Its text may hold an address with a query; ours does not."""
    (failure,) = reading(trouble(about, "ConnectionError", VALUE)).failures

    assert failure.finding.rule == "no-answer"
    assert VALUE not in failure.finding.message
    assert failure.operation == ("GET /things" if about == "GET /things" else None)


def test_what_a_request_has_told_of_the_network_is_told_once(reading):
    """The error of the phase is the same cut connection again."""
    silent = json.loads(event())
    silent["ScenarioFinished"]["recorder"]["interactions"]["c1"].pop("response")

    found = reading(json.dumps(silent) + "\n", trouble("Stateful tests", "ConnectionError", ""))

    assert [failure.operation for failure in found.failures] == ["GET /things"]


def test_an_operation_that_got_no_request_is_told(reading):
    """An empty log holds no failure, and proves nothing."""
    assert [case for case, _ in reading().not_run] == ["GET /things"]


# The process


def test_credentials_stand_in_the_environment_only(tmp_path):
    """Files are read by others, and the command is in everybody's list of processes."""
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
    assert list(variables.values()) == [
        "user:pass:word",
        "user",
        "pass:word",
        "Hawk user:pass:word",
        "user:pass:word",
    ]


def test_a_run_that_does_not_end_is_ended(tmp_path, monkeypatch):
    """And what it has not shown is not taken for shown."""
    monkeypatch.setattr(schemathesis_process, "UNBOUNDED_SECONDS", 0.05)
    spec = written(tmp_path, {"/things": {"get": operation("list_things")}})

    part = check(subject_of(spec, "http://127.0.0.1:9"))

    assert [case for case, _ in part.not_run] == ["GET /things", "the rest of the run"]
    assert part.cases == 0


def test_ctrl_c_ends_the_process(tmp_path, monkeypatch):
    """It is in a session of its own, so that nobody else would."""
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

    with pytest.raises(KeyboardInterrupt):
        schemathesis_process.run(tmp_path, found, "http://127.0.0.1:9", {}, SMALL, interrupt)

    assert [process.returncode for process in started] == [-signal.SIGKILL]


def test_progress_counts_answers_while_the_log_grows(tmp_path):
    """Also one whose mark is cut in two by the moment of reading."""
    log = tmp_path / "events.ndjson"
    counts = schemathesis_process._answers(log)
    mark = '{"response":{"status_code":200}},'
    told = [next(counts)]

    for text in (mark, mark[:15], mark[15:] + mark):
        with log.open("a") as file:
            file.write(text)
        told.append(next(counts))

    assert told == [0, 1, 1, 3]


# Whole runs


@pytest.mark.contract
def test_our_service_holds_and_every_request_is_known_by_its_credential(tmp_path, monkeypatch):
    """The demo, signed in from the environment; hooks of somebody else's tests stay outside."""
    monkeypatch.setenv("SCHEMATHESIS_HOOKS", "no_such_module")
    progress: list[int] = []
    with serving(tmp_path, "--demo") as service:
        monkeypatch.setenv("TOKEN_OF_ERIKA", relay(tmp_path, "token", "--demo").stdout.strip())
        erika = Identity("erika", variables={"bearerAuth": "TOKEN_OF_ERIKA"})
        subject = subject_of(ROOT / "spec/openapi.yaml", service.url, erika)
        part = check(subject, Budget(max_examples=100, max_seconds=None, seed=4711), progress)

    assert part.failures == part.not_run == []
    assert part.cases == len(part.exchanges) == progress[-1] > 100
    assert {exchange.status for exchange in part.exchanges if exchange.credential == "erika"} >= {200}
    assert {exchange.credential for exchange in part.exchanges} == {"erika", "a wrong credential", None}
    assert part.notes[0].startswith("Schemathesis 4.")


@pytest.mark.contract
def test_any_service_holds(tmp_path, monkeypatch):
    """The garage has schemes and media types that our own contract has not."""
    monkeypatch.setenv("KEY_OF_ASTRID", STOREROOM_KEY)
    astrid = Identity("astrid", {"sub": "astrid"}, {"storeroomKey": "KEY_OF_ASTRID"})
    options = ["--spec", str(GARAGE), "--handlers", "tests.specs.garage"]
    with serving(tmp_path, *options, RELAY_JWT_SECRET=SECRET) as service:
        part = check(subject_of(GARAGE, service.url, astrid, jwt_secret=SECRET))

    assert part.failures == part.not_run == []
    assert part.cases > 500


@pytest.mark.contract
def test_each_breach_is_found_at_its_operation(tmp_path):
    """One service, wrong in many ways; nothing that was exchanged is in a message."""
    answers = {
        "/type": Told(body={"id": VALUE}),
        "/status": Told(418, {"id": 1}),
        "/media": Told(body=VALUE.encode(), media_type="text/plain"),
        "/fails": Told(500, {"id": VALUE}),
        "/negative": Told(body={"id": 1}),
        "/picky": Told(400, {"id": 1}),
    }
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    documented = {path: operation(path.strip("/")) for path in answers}
    for one in documented.values():
        one["responses"]["200"]["content"]["application/json"]["schema"] = schema
        one["parameters"] = [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}}]
    documented["/fails"]["responses"]["500"] = documented["/fails"]["responses"]["200"]
    documented["/picky"]["responses"]["400"] = documented["/picky"]["responses"]["200"]

    def answer(asked: Asked) -> Told:
        path = asked.path.partition("?")[0]
        if path not in answers:
            return Told(404)
        return answers[path] if asked.method == "GET" else Told(405, headers=(("Allow", "GET"),))

    with answering(answer) as url:
        spec = written(tmp_path, {path: {"get": one} for path, one in documented.items()})
        part = check(subject_of(spec, url))

    assert "response-violation" in rules(part, "GET /type")
    assert "undocumented-status" in rules(part, "GET /status")
    assert "undocumented-media-type" in rules(part, "GET /media")
    assert "not-a-server-error" in rules(part, "GET /fails")
    assert rules(part, "GET /negative") == {"request-accepted"}
    assert rules(part, "GET /picky") == {"positive-data-acceptance"}
    assert not any(VALUE in failure.finding.message for failure in part.failures)
    assert all("\n" not in failure.finding.message for failure in part.failures)
    assert len({(failure.operation, failure.finding) for failure in part.failures}) == len(part.failures)


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
def test_a_service_that_lets_everybody_in_is_found(tmp_path, monkeypatch, scheme):
    """Whatever the scheme: a credential went out, and what came without was let in, too."""
    monkeypatch.setenv("CREDENTIAL", "user:password")
    secured = {**operation("open"), "security": [{"door": []}]}
    spec = written(tmp_path, {"/open": {"get": secured}}, {"door": scheme})

    with answering(lambda _asked: Told(body={})) as url:
        part = check(subject_of(spec, url, Identity("user", variables={"door": "CREDENTIAL"})))

    assert "ignored-auth" in rules(part, "GET /open")
    assert {exchange.credential for exchange in part.exchanges} >= {"user", None}
    assert part.not_run == []


@pytest.mark.contract
def test_what_nobody_can_sign_in_to_is_told(tmp_path):
    """Refusals alone prove little."""
    secured = {**operation("closed"), "security": [{"door": []}]}
    secured["responses"]["401"] = {"description": "no"}
    spec = written(tmp_path, {"/closed": {"get": secured}}, {"door": {"type": "http", "scheme": "bearer"}})

    with answering(lambda _asked: Told(401, headers=(("WWW-Authenticate", "Bearer"),))) as url:
        part = check(subject_of(spec, url))

    assert [case for case, _ in part.not_run] == ["GET /closed"]
    assert any("401" in note and "GET /closed" in note for note in part.notes)


@pytest.mark.contract
def test_a_connection_that_is_cut_is_no_answer(tmp_path):
    """And told once, with how often."""
    spec = written(tmp_path, {"/cut": {"get": operation("cut")}})

    with answering(lambda asked: None if asked.path.startswith("/cut") else Told(404)) as url:
        part = check(subject_of(spec, url))

    (failure,) = (failure for failure in part.failures if failure.finding.rule == "no-answer")
    assert (failure.operation, failure.exchange) == ("GET /cut", None)
    assert failure.count > 1


@pytest.mark.contract
def test_a_set_up_that_it_refuses_is_told_without_the_secret(tmp_path, monkeypatch):
    """A header has no room for such a name."""
    monkeypatch.setenv("CREDENTIAL", "κλειδί-of-the-door:password")
    secured = {**operation("open"), "security": [{"door": []}]}
    spec = written(tmp_path, {"/open": {"get": secured}}, {"door": {"type": "http", "scheme": "basic"}})

    with pytest.raises(SetupError, match="schemathesis: ") as caught:
        check(subject_of(spec, "http://127.0.0.1:9", Identity("user", variables={"door": "CREDENTIAL"})))

    assert "κλειδί" not in str(caught.value)
