"""Recorded traffic held against the contract: `scripts/relay/contract_tests/recorded_traffic.py`."""

from __future__ import annotations

import orjson
import pytest

from relay.contract.loading import load_contract
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.coverage import Coverage
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import read_traffic, write_har
from relay.contract_tests.recorded_traffic import judge_traffic
from support.hosting import contract, operation

NUMBERS = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "integer"}}}}}
JSON = (("Content-Type", "application/json"),)


@pytest.fixture
def judging(tmp_path):
    """Make a judge of a contract with some servers, whose paths lie where its first server's do."""

    def judging(*servers):
        path = tmp_path / "api.json"
        written = contract({"/pets": {"get": operation("list", responses=NUMBERS)}})
        path.write_bytes(orjson.dumps({**written, "servers": [{"url": url} for url in servers or ["/"]]}))
        read = load_contract(path)
        return ConformanceChecker(read, read.base_path)

    return judging


@pytest.fixture
def recorded(tmp_path):
    """Write a file of answers to GETs of some addresses."""

    def write(*urls, body=b"1"):
        path = tmp_path / "traffic.har"
        write_har([Exchange(Request("GET", url), 200, JSON, body, "") for url in urls], path)
        return path

    return write


def judged(paths, judge, url=None):
    """ConformanceChecker what some files hold."""
    return judge_traffic({path: read_traffic(path) for path in paths}, judge, url)


def paths(part):
    """The addresses that were judged."""
    return [exchange.request.url for exchange in part.exchanges]


def test_what_breaks_the_contract_is_told_once(judging, recorded):
    """However often somebody recorded it."""
    part = judged([recorded("http://h/pets", "http://h/pets?a=1", body=b'"x"')], judging())

    (failure,) = part.failures
    assert (failure.finding.rule, failure.operation, failure.count) == ("response-violation", "GET /pets", 2)
    assert failure.exchange.part == "traffic.har"
    assert (part.name, part.unit, part.cases, part.notes) == ("recorded traffic", "exchanges", 2, [])


def test_other_hosts_are_left_out_and_counted(judging, recorded):
    """A browser records all that a page asks for; each of its hosts may have a path of the same name."""
    file = recorded("https://api.example.com/pets", "https://cdn.example.com/pets", "https://ads.test.io/x")

    part = judged([file], judging("https://api.example.com"))

    assert paths(part) == ["https://api.example.com/pets"]
    assert len(part.notes) == 1
    assert part.notes[0].endswith(
        "traffic.har: 2 entries are not about this contract (cdn.example.com, ads.test.io)"
    )


@pytest.mark.parametrize("host", ["127.0.0.1:4711", "localhost:80", "[::1]:8000", "test", "api.localhost"])
def test_ones_own_machine_is_known_without_a_word(judging, recorded, host):
    """Test suites take any port, and any name."""
    file = recorded(f"http://{host}/pets", "https://api.elsewhere.com/pets")

    part = judged([file], judging("https://api.example.com"))

    assert paths(part) == [f"http://{host}/pets"]


def test_without_any_known_host_the_path_decides(judging, recorded):
    """Servers of a contract are often placeholders."""
    file = recorded("https://real.example.org/pets", "https://real.example.org/other")

    part = judged([file], judging("https://your-instance.example.com"))

    assert paths(part) == ["https://real.example.org/pets"]


def test_a_tested_service_is_known(judging, recorded):
    """By its address, which none of the contract's servers has."""
    file = recorded("https://staging.example.org/v2/pets", "https://cdn.example.org/pets")

    part = judged([file], judging(), "https://staging.example.org/v2")

    assert paths(part) == ["https://staging.example.org/pets"]


def test_servers_with_variables_are_known(judging, recorded):
    """A variable stands for anything within the host."""
    file = recorded("https://eu.example.com/pets", "https://cdn.example.org/pets")

    part = judged([file], judging("https://{region}.example.com"))

    assert paths(part) == ["https://eu.example.com/pets"]


def test_what_lay_below_another_path_is_where_coverage_finds_it(judging, recorded):
    """A gateway puts a path before the contract's, or takes one away."""
    judge = judging("https://api.example.com/v1", "https://gateway.example.com/shop/v1")
    file = recorded("https://api.example.com/v1/pets", "https://gateway.example.com/shop/v1/pets?a=1")
    coverage = Coverage(judge.contract)

    part = judged([file], judge)
    coverage.add(part.exchanges, judge)

    assert paths(part) == ["https://api.example.com/v1/pets", "https://gateway.example.com/v1/pets?a=1"]
    assert coverage.cells[0].seen == {"traffic.har": 2}


def test_a_body_that_was_not_recorded_breaks_nothing(judging, recorded):
    """It is said that nobody looked at it."""
    part = judged([recorded("http://h/pets", body=None)], judging())

    assert part.held
    assert part.notes[0].endswith(
        "traffic.har: 1 entry is recorded without the answer's body, which was not judged"
    )


def test_what_of_a_request_is_not_known_is_not_held_against_it(tmp_path):
    """Its query is, which stands there as it was sent."""
    where = ("query", "cookie")
    limited = [{"name": "n", "in": one, "required": True, "schema": {"type": "integer"}} for one in where]
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    add = operation("add", responses=NUMBERS, parameters=limited, requestBody=body)
    (tmp_path / "api.json").write_bytes(orjson.dumps(contract({"/pets": {"post": add}})))
    request = Request("POST", "http://h/pets?n=x", (*JSON, ("Cookie", "n=[redacted]")), None)
    write_har([Exchange(request, 200, JSON, b"1", "")], tmp_path / "a.har")

    part = judged([tmp_path / "a.har"], ConformanceChecker(load_contract(tmp_path / "api.json"), ""))

    (failure,) = part.failures
    assert "whose query breaks the contract at /n" in failure.finding.message


def test_a_file_about_nothing_is_told(judging, recorded):
    """It proves nothing; who was asked is told without the password that was in the address."""
    part = judged([recorded("http://me:password@h/other")], judging())

    ((case, _),) = part.not_run
    assert case.endswith("traffic.har")
    assert part.notes[0].endswith("1 entry is not about this contract (h)")
