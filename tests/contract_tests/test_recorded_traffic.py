"""Check recorded traffic against a contract: `scripts/relay/contract_tests/recorded_traffic.py`."""

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
def make_checker(tmp_path):
    """Make a checker for a contract with some servers; its base path is that of the first server."""

    def make_checker(*servers):
        path = tmp_path / "api.json"
        written = contract({"/pets": {"get": operation("list", responses=NUMBERS)}})
        path.write_bytes(orjson.dumps({**written, "servers": [{"url": url} for url in servers or ["/"]]}))
        read = load_contract(path)
        return ConformanceChecker(read, read.base_path)

    return make_checker


@pytest.fixture
def recorded(tmp_path):
    """Write a file of responses to GET requests of some addresses."""

    def write(*urls, body=b"1"):
        path = tmp_path / "traffic.har"
        write_har([Exchange(Request("GET", url), 200, JSON, body, "") for url in urls], path)
        return path

    return write


def checked(paths, checker, url=None):
    """Check the exchanges of some files."""
    return judge_traffic({path: read_traffic(path) for path in paths}, checker, url)


def paths(part):
    """The addresses that were checked."""
    return [exchange.request.url for exchange in part.exchanges]


def test_a_violation_is_reported_once(make_checker, recorded):
    """The number of recordings does not matter."""
    part = checked([recorded("http://h/pets", "http://h/pets?a=1", body=b'"x"')], make_checker())

    (failure,) = part.failures
    assert (failure.finding.rule, failure.operation, failure.count) == ("response-violation", "GET /pets", 2)
    assert failure.exchange.part == "traffic.har"
    assert (part.name, part.unit, part.cases, part.notes) == ("recorded traffic", "exchanges", 2, [])


@pytest.mark.parametrize(
    ("header", "found"),
    [("If-None-Match", []), ("if-modified-since", []), ("X-Other", ["undocumented-status"])],
)
def test_a_304_of_a_browsers_cache_is_no_violation(tmp_path, make_checker, header, found):
    """A browser revalidates its cache by itself; archives show the cached body with the 304."""
    file = tmp_path / "browser.har"
    write_har([Exchange(Request("GET", "http://h/pets", ((header, "x"),)), 304, JSON, b"1", "")], file)

    part = checked([file], make_checker())

    assert [one.finding.rule for one in part.failures] == found


def test_other_hosts_are_skipped_and_counted(make_checker, recorded):
    """A browser records all requests of a page, and other hosts may have the same path."""
    file = recorded("https://api.example.com/pets", "https://cdn.example.com/pets", "https://ads.test.io/x")

    part = checked([file], make_checker("https://api.example.com"))

    assert paths(part) == ["https://api.example.com/pets"]
    assert len(part.notes) == 1
    assert part.notes[0].endswith(
        "traffic.har: 2 entries are not about this contract (cdn.example.com, ads.test.io)"
    )


@pytest.mark.parametrize("host", ["127.0.0.1:4711", "localhost:80", "[::1]:8000", "test", "api.localhost"])
def test_local_hosts_are_always_accepted(make_checker, recorded, host):
    """Test suites use any port and any name."""
    file = recorded(f"http://{host}/pets", "https://api.elsewhere.com/pets")

    part = checked([file], make_checker("https://api.example.com"))

    assert paths(part) == [f"http://{host}/pets"]


def test_without_any_known_host_the_path_decides(make_checker, recorded):
    """Servers in a contract are often placeholders."""
    file = recorded("https://real.example.org/pets", "https://real.example.org/other")

    part = checked([file], make_checker("https://your-instance.example.com"))

    assert paths(part) == ["https://real.example.org/pets"]


def test_the_tested_service_is_accepted(make_checker, recorded):
    """Its address is not among the contract's servers."""
    file = recorded("https://staging.example.org/v2/pets", "https://cdn.example.org/pets")

    part = checked([file], make_checker(), "https://staging.example.org/v2")

    assert paths(part) == ["https://staging.example.org/pets"]


def test_servers_with_variables_are_accepted(make_checker, recorded):
    """A variable matches any part of the host."""
    file = recorded("https://eu.example.com/pets", "https://cdn.example.org/pets")

    part = checked([file], make_checker("https://{region}.example.com"))

    assert paths(part) == ["https://eu.example.com/pets"]


def test_another_base_path_is_replaced(make_checker, recorded):
    """A gateway may add or remove a path prefix."""
    checker = make_checker("https://api.example.com/v1", "https://gateway.example.com/shop/v1")
    file = recorded("https://api.example.com/v1/pets", "https://gateway.example.com/shop/v1/pets?a=1")
    coverage = Coverage(checker.contract)

    part = checked([file], checker)
    coverage.add(part.exchanges, checker)

    assert paths(part) == ["https://api.example.com/v1/pets", "https://gateway.example.com/v1/pets?a=1"]
    assert coverage.cells[0].seen == {"traffic.har": 2}


def test_a_body_that_was_not_recorded_is_not_a_violation(make_checker, recorded):
    """A note says that it was not checked."""
    part = checked([recorded("http://h/pets", body=None)], make_checker())

    assert part.held
    assert part.notes[0].endswith(
        "traffic.har: 1 entry is recorded without the response's body, which was not checked"
    )


def test_redacted_parts_of_a_request_are_not_checked(tmp_path):
    """Its query is checked, as it was recorded unchanged."""
    where = ("query", "cookie")
    limited = [{"name": "n", "in": one, "required": True, "schema": {"type": "integer"}} for one in where]
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    add = operation("add", responses=NUMBERS, parameters=limited, requestBody=body)
    (tmp_path / "api.json").write_bytes(orjson.dumps(contract({"/pets": {"post": add}})))
    request = Request("POST", "http://h/pets?n=x", (*JSON, ("Cookie", "n=[redacted]")), None)
    write_har([Exchange(request, 200, JSON, b"1", "")], tmp_path / "a.har")

    part = checked([tmp_path / "a.har"], ConformanceChecker(load_contract(tmp_path / "api.json"), ""))

    (failure,) = part.failures
    assert "whose query violates the contract at /n" in failure.finding.message


def test_a_file_without_relevant_exchanges_is_reported(make_checker, recorded):
    """The hosts are listed without the password in their address."""
    part = checked([recorded("http://me:password@h/other")], make_checker())

    ((case, _),) = part.not_run
    assert case.endswith("traffic.har")
    assert part.notes[0].endswith("1 entry is not about this contract (h)")
