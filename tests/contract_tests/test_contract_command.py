"""`relay contract` as a process: `scripts/relay/cli/contract.py` and everything that it runs."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from handlers._commands.demo import demo_secrets
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import read_traffic, write_har
from relay.contract_tests.reports.json_report import SCHEMA
from support.answering import PreparedResponse, ReceivedRequest, answering
from support.certificates import certificate
from support.hosting import SECRET, contract, operation, put, write_package
from support.running import COMMAND, as_project, environment, eventually, relay, relay_here, serving, started
from support.signing import EC, ED, pem, private_pem

pytestmark = pytest.mark.contract

NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
PET = {"description": "a pet", "content": {"application/json": {"schema": NAMED}}}
PROBLEM = {"description": "refused", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
DEMO_PARTS = "kept failures|lint|examples|routing|drift|properties|identity|faults|log|coverage".split("|")


class Result(NamedTuple):
    """A finished run: its folder, exit code, standard output and standard error."""

    folder: Path
    code: int
    printed: str
    said: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads((self.folder / "reports/contract.json").read_bytes())

    @property
    def exchanges(self) -> list[Exchange]:
        return read_traffic(self.folder / "reports/contract.har").exchanges

    @property
    def not_run(self) -> list[str]:
        return [
            f"{one['case']}: {one['reason']}" for part in self.document["parts"] for one in part["not_run"]
        ]

    @property
    def findings(self) -> list[str]:
        return [
            f"{one['rule']}: {one['message']}" for part in self.document["parts"] for one in part["failures"]
        ]


def run(folder: Path, *arguments: str, by: Any = relay, **variables: str) -> Result:
    """Run the command with few generated requests, by `relay` or `relay_here`."""
    options = ["--seed", "4711", "--max-examples", "1"]
    result = by(folder, "contract", *options, *arguments, **variables)
    assert "Traceback" not in result.stderr, result.stderr
    return Result(folder, result.returncode, result.stdout, result.stderr)


def parts(result: Result) -> list[str]:
    return [
        f"{name} {verdict}"
        for name, verdict in re.findall(
            r"^  (\S.*?) +(passed|nothing|not run|\d+ found) ", result.said, re.MULTILINE
        )
    ]


# The demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Result:
    """The service itself, tested in a project without settings of its own."""
    return run(as_project(tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="module")
def again(demo, tmp_path_factory) -> Result:
    """The same once more, with the traffic of the first time, where an operator has settings."""
    folder = as_project(tmp_path_factory.mktemp("operator"))
    settings = f"RELAY_STORE=sqlite:///{folder}/of-the-folder.db\nRELAY_JWT_SECRET={SECRET}\nRELAY_JWT_AUDIENCE=somebody\n"
    put(folder / ".env", settings)
    put(folder / "mine.db")
    har = str(demo.folder / "reports/contract.har")
    variables = {"RELAY_STORE": f"sqlite:///{folder}/mine.db", "RELAY_KEYRING": "no-keyring-at-all"}
    return run(folder, "--serve", "--har", har, **variables)


class TestDemo:
    """The demo needs no installation, settings or running service."""

    def test_it_conforms_and_prints_one_line_per_part(self, demo):
        """The parts are in the order of the run; the seed comes first, so that an aborted run can be repeated."""
        assert demo.code == 0, demo.printed + demo.said
        assert demo.said.startswith("Seed: 4711\n")
        assert parts(demo) == ["kept failures nothing", *(f"{name} passed" for name in DEMO_PARTS[1:])]
        assert "3 of 3 documented responses observed (100 %)\nReport: reports/contract.html\n" in demo.said
        assert demo.printed == "relay contract: the contract is kept\n"
        assert not (demo.folder / "reports/failures").exists()

    def test_the_reports_are_valid_and_consistent(self, demo):
        folder = demo.folder / "reports"

        jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(demo.document)
        junit = ET.parse(folder / "contract.junit.xml").getroot()  # noqa: S314 -- our own
        page = (folder / "contract.html").read_text("utf-8")

        assert demo.document["verdict"] == "held"
        assert demo.document["seed"] == 4711
        assert [part["name"] for part in demo.document["parts"]] == DEMO_PARTS
        assert (junit.attrib["failures"], junit.attrib["errors"]) == ("0", "0")
        assert int(junit.attrib["tests"]) == len(list(junit.iter("testcase"))) >= len(DEMO_PARTS)
        assert len(demo.exchanges) == sum(part["exchanges"] for part in demo.document["parts"]) > 50
        assert "<title>Held" in page
        assert "<script src" not in page

    def test_the_output_contains_no_secret(self, demo):
        """CI stores reports, and many people read them: no token, no secret of the data, no local path."""
        texts = {path.name: path.read_text("utf-8") for path in (demo.folder / "reports").iterdir()}
        texts |= {"printed": demo.printed, "said": demo.said}

        assert len(texts) == 6
        for name, text in texts.items():
            for secret in ["eyJ", *demo_secrets(), str(demo.folder), f"{gettempdir()}/relay-"]:
                assert secret not in text, (name, secret)

    def test_the_same_seed_generates_the_same_requests(self, demo, again):
        def made_up(result: Result) -> list[tuple[str, str, bytes | None]]:
            properties = [one for one in result.document["parts"] if one["name"] == "properties"]
            before = [one["exchanges"] for one in result.document["parts"]]
            first = sum(before[: result.document["parts"].index(properties[0])])
            exchanges = result.exchanges[first : first + properties[0]["exchanges"]]
            sent = [exchange.request for exchange in exchanges]
            return [(one.method, re.sub(r":\d+/", "/", one.url), one.body) for one in sent]

        assert len(made_up(demo)) > 5
        assert made_up(demo) == made_up(again)

    def test_the_operators_data_is_not_used(self, again):
        """A contract test never touches real data; what tokens need still counts."""
        assert again.code == 0, again.printed + again.said
        of_project = {"handlers", "spec", "pyproject.toml"}
        assert {path.name for path in again.folder.iterdir()} == {".env", "mine.db", "reports"} | of_project
        assert (again.folder / "mine.db").read_bytes() == b""

    def test_recorded_traffic_counts_together_with_a_service(self, again):
        assert parts(again)[2:5] == ["examples passed", "recorded traffic passed", "routing passed"]
        assert all("contract.har" in cell["seen"] for cell in again.document["coverage"]["cells"])
        assert all(
            "properties" in cell["seen"] or "faults" in cell["seen"]
            for cell in again.document["coverage"]["cells"]
        )


# Recorded traffic


@pytest.fixture
def recorded(demo, tmp_path):
    """Write answers of the demo to a file of a project: some statuses, with a body put in place of theirs."""
    as_project(tmp_path)

    def recorded(*statuses: int, body: bytes | None = None) -> str:
        chosen = [exchange for exchange in demo.exchanges if exchange.status in statuses]
        assert {exchange.status for exchange in chosen} == set(statuses)
        write_har(
            [exchange if body is None else replace(exchange, body=body) for exchange in chosen],
            tmp_path / "a.har",
        )
        return "a.har"

    return recorded


class TestRecorded:
    """`--har`: recorded traffic is checked and counts for coverage."""

    def test_no_service_is_started(self, recorded, tmp_path):
        result = run(tmp_path, "--har", recorded(200, 401, 500), "--min-coverage", "100", by=relay_here)

        assert result.code == 0, result.printed + result.said
        names = ["lint", "examples", "drift", "recorded traffic", "coverage"]
        assert parts(result) == [f"{name} passed" for name in names]
        assert "3 of 3 documented responses observed (100 %)" in result.said
        assert result.document["url"] is None

    def test_a_recorded_violation_is_reported(self, recorded, tmp_path):
        body = b'{"hasApiKey": "yes"}'

        result = run(tmp_path, "--har", recorded(200, body=body), "--format", "junit", by=relay_here)

        assert result.code == 1, result.said
        found = [case.find("failure") for case in ET.fromstring(result.printed).iter("testcase")]  # noqa: S314 -- our own
        assert any("/hasApiKey" in failure.attrib["message"] for failure in found if failure is not None)
        assert not (tmp_path / "reports/failures").exists()  # there is no service to ask again

    def test_a_waiver_excludes_a_response_from_the_coverage(self, recorded, tmp_path):
        reason = "only a broken disk shows it"
        waivers = "".join(
            f'[[tool.relay.contract.waivers]]\nstatus = "{status}"\nreason = "{reason}"\n'
            for status in ("500", "401")
        )
        har = recorded(200, 401)
        (tmp_path / "pyproject.toml").unlink()
        put(tmp_path / "pyproject.toml", waivers)

        result = run(tmp_path, "--har", har, "--min-coverage", "100", by=relay_here)

        assert result.code == 0, result.printed
        assert "2 of 3 documented responses observed, 1 waived (100 %)" in result.said
        assert re.search(
            r"^pyproject\.toml: tool\.relay\.contract\.waivers\[1\]: warning: .*\[unused-waiver\]$",
            result.printed,
            re.MULTILINE,
        )
        assert reason in (tmp_path / "reports/contract.html").read_text("utf-8")

    def test_contract_and_code_are_part_of_the_verdict(self, tmp_path):
        media = {"schema": {"type": "integer"}, "example": "x"}
        answer = {"200": {"description": "ok", "content": {"application/json": media}}}
        document = contract({"/a": {"get": operation("show", responses=answer, tegs=[])}})
        spec, package = put(tmp_path / "api.json", document).name, write_package(tmp_path)
        seen = Exchange(Request("GET", "http://h/a"), 200, (("Content-Type", "application/json"),), b"1", "")
        write_har([seen], tmp_path / "seen.har")

        options = ["--har", "seen.har", "--spec", spec, "--handlers", package, "--format", "json"]

        result = run(tmp_path, *options, by=relay_here)

        assert result.code == 1
        rules = {one["rule"] for one in json.loads(result.printed)["findings"]}
        assert rules >= {"structure", "invalid-example", "missing-handler"}


# A service that breaks its contract


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory) -> Iterator[dict[str, Result]]:
    """Three runs: two against a broken service, one against the fixed service with another folder for failures."""
    folder = tmp_path_factory.mktemp("three_runs")
    late = operation("late", responses={"200": PET, "404": PET})
    document = contract({"/pet": {"get": operation("show", responses={"200": PET})}, "/late": {"get": late}})
    is_fixed = False

    def answer(asked: ReceivedRequest) -> PreparedResponse:
        path = asked.path.partition("?")[0]
        if path not in ("/pet", "/late"):
            return PreparedResponse(404, {"name": "nothing"})
        if asked.method not in ("GET", "HEAD"):
            return PreparedResponse(405, {"name": "no"}, headers=(("Allow", "GET, HEAD"),))
        if path == "/late" and not is_fixed:
            return PreparedResponse(404, {"name": "not yet"})
        return PreparedResponse(200, {"name": "Rex" if is_fixed else 7})

    put(folder / "api.json", json.dumps(document, indent=1))
    with answering(answer) as url:
        options = ["--spec", "api.json", "--url", url]

        def tested(name: str, *more: str) -> Result:
            result = run(folder, *options, *more)
            return result._replace(
                folder=Path(shutil.copytree(folder, folder.parent / f"{folder.name}-{name}"))
            )

        results = {"first": tested("first", "--format", "json"), "second": tested("second")}
        (folder / "reports/failures").rename(folder / "kept")
        is_fixed = True
        results["fixed"] = tested("fixed", "--failures", "kept")
    return results


class TestBroken:
    """A service that violates its contract."""

    def test_a_violation_is_reported_at_its_location_in_the_contract(self, three_runs):
        """As JSON with file, line and column; as text on one line; in the page with a command that reproduces it."""
        result = three_runs["first"]

        assert result.code == 1
        found = [one for one in json.loads(result.printed)["findings"] if one["rule"] == "response-violation"]
        lines = (result.folder / "api.json").read_text("utf-8").splitlines()
        assert [one["file"] for one in found] == ["api.json"]
        assert lines[found[0]["line"] - 1][found[0]["column"] - 1 :].startswith('"content"')
        line = r"^api\.json:\d+:\d+: error: .*\[response-violation\]$"
        assert re.search(line, three_runs["second"].printed, re.MULTILINE)
        page = (result.folder / "reports/contract.html").read_text("utf-8")
        assert "curl -i" in page
        assert "$URL/pet" in page

    def test_an_operation_that_never_succeeds_is_reported(self, three_runs):
        (found,) = (one for one in three_runs["first"].findings if one.startswith("never-succeeded"))

        assert "GET /late" in found

    def test_drift_is_not_checked_for_a_service_at_an_address(self, three_runs):
        assert "drift not run" in parts(three_runs["first"])
        assert any("name its package with --handlers" in line for line in three_runs["first"].not_run)

    def test_a_kept_failure_is_repeated_until_it_is_fixed(self, three_runs):
        """It is kept as a file, reported while it exists, and noted and deleted when it is fixed."""
        first, second, fixed = (three_runs[name] for name in ("first", "second", "fixed"))
        (kept,) = (first.folder / "reports/failures").glob("*-response-violation-*.json")

        assert parts(first)[0] == "kept failures nothing"
        assert parts(second)[0] == "kept failures 1 found"
        assert "still there: " in second.said
        assert (second.folder / "reports/failures" / kept.name).read_bytes() == kept.read_bytes()
        assert fixed.code == 0, fixed.printed
        assert "fixed: " in fixed.said
        assert not (fixed.folder / "kept" / kept.name).exists()
        assert not (fixed.folder / "reports/failures").exists()


# A service whose keys belong to another team


PETS = {
    "init": """
        class Unknown(Exception):
            status, code, message = 401, "UNKNOWN", "Nobody knows you"
            headers = (("WWW-Authenticate", "Bearer"),)

        async def identify(claims):
            if claims.get("sub") not in ("boss", "guest", "former", "keeper"):
                raise Unknown
            return claims["sub"]

        verifiers = {"key": lambda key: {"sub": "keeper"} if key == "key-of-the-shop" else None}
    """,
    "things": """
        class Guest(Exception):
            status, code, message = 403, "GUEST", "Guests may not see it"

        async def show(*, caller):
            if caller == "guest":
                raise Guest
            return {"name": "Rex"}

        async def open():
            return {"name": "Tom"}
    """,
}
IDENTITIES = """\
[tool.relay.contract.identities]
boss = { claims = { sub = "boss" }, variables = { key = "SHOP_KEY" } }
guest = { claims = { sub = "guest" }, refused = ["show"] }
ghost = { claims = { sub = "ghost" }, signs-in = false }
"""


def write_shop(folder: Path) -> list[str]:
    """Write a shop where a token shows a pet and a key opens a cage; return the options for it."""
    answers = {"200": PET, "401": PROBLEM}
    show = operation("show", responses={**answers, "403": PROBLEM}, security=[{"token": []}])
    open_ = operation("open", responses=answers, security=[{"key": []}])
    schemes = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    }
    document = contract(
        {"/pet": {"get": show}, "/cage": {"get": open_}}, components={"securitySchemes": schemes}
    )
    put(folder / "pyproject.toml", IDENTITIES)
    put(folder / "api.json", document)
    return ["--spec", "api.json", "--handlers", write_package(folder, **PETS)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[tuple[Path, list[str]]]:
    folder = tmp_path_factory.mktemp("shop")
    options = write_shop(folder)
    with serving(folder, *options, RELAY_JWT_SECRET=SECRET) as service:
        yield folder, ["--spec", "api.json", "--url", service.url]


KEYS = {"RELAY_JWT_SECRET": SECRET, "SHOP_KEY": "key-of-the-shop"}


class TestElsewhere:
    """A service at an address, with and without its keys."""

    def test_cases_without_a_key_are_reported_as_not_run(self, shop):
        """This is not a failure of the service, but the report must show that they were not tested."""
        folder, options = shop

        result = run(folder, *options)

        assert result.code == 0, result.printed
        page = (folder / "reports/contract.html").read_text("utf-8")
        for name in ("GET /pet", "GET /cage"):
            assert any(line.startswith(f"a success of {name}: no identity") for line in result.not_run)
            assert f"a success of {name}" in page

    def test_keys_and_credentials_are_taken_from_the_environment(self, shop):
        """Each identity is accepted or refused as configured; no credential is in the output."""
        folder, options = shop

        result = run(folder, *options, **KEYS)

        assert result.code == 0, result.printed
        assert not any(line.startswith("a success of") for line in result.not_run)
        assert "5 of 5 documented responses observed (100 %)" in result.said
        for path in (folder / "reports").iterdir():
            text = path.read_text("utf-8")
            assert "key-of-the-shop" not in text
            assert "eyJ" not in text
            assert SECRET not in text

    def test_the_time_of_a_run_can_be_limited(self, shop):
        """It ends with what it found, after the cheap parts, and says what it left out."""
        folder, options = shop

        result = run(folder, *options, "--max-examples", "100000", "--max-time", "1")

        assert result.code == 0, result.printed
        assert result.printed == "relay contract: no violation found before --max-time ended the run\n"
        assert "Cut by --max-time after" in result.said
        assert "routing passed" in parts(result)
        assert result.document["cut"]
        assert any("raise --max-time" in line for line in result.not_run)
        assert "cut by its time limit" in (folder / "reports/contract.html").read_text("utf-8")

    def test_only_selected_operations_are_tested(self, shop):
        folder, options = shop
        cage = Exchange(Request("GET", "http://localhost/cage"), 200, (), b"", "")
        write_har([cage, replace(cage, request=Request("GET", "http://localhost/pet"))], folder / "own.har")

        result = run(folder, *options, "--operation", "GET /cage", "--har", "own.har", **KEYS)

        paths = {one.request.url.partition("?")[0].rpartition("/")[2] for one in result.exchanges}
        assert paths == {"cage"}
        assert {cell["operation_id"] for cell in result.document["coverage"]["cells"]} == {"open"}
        assert any(
            "own.har: 1 entry is about operations that are not selected" in note
            for part in result.document["parts"]
            for note in part["notes"]
        )


# A mock


def test_a_mock_keeps_its_own_contract(tmp_path):
    """Without a package nothing verifies keys, stores data or can fail; that is not run, and no finding."""
    answers = {"200": PET, **dict.fromkeys(("400", "401", "403", "415", "500", "default"), PROBLEM)}
    secured = {"read": [{"key": []}, {"token": []}], "remove": [{"key": []}], "add": [{"token": []}]}
    read, remove, add = (
        operation(name, responses=answers, security=security) for name, security in secured.items()
    )
    add["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": NAMED}}}
    path = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "Authorization"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    paths = {"/pets/{id}": {"parameters": [path], "get": read, "delete": remove}, "/pets": {"post": add}}
    put(tmp_path / "api.json", contract(paths, components={"securitySchemes": schemes}))
    put(tmp_path / "pyproject.toml", IDENTITIES.replace("show", "add"))

    result = run(tmp_path, "--spec", "api.json", RELAY_MISSING="mock", SHOP_KEY="key-of-the-shop")

    assert result.findings == []
    assert result.code == 0, result.said
    assert any("write `verifiers`" in line for line in result.not_run)
    assert any(line.startswith("500 of GET /pets/{id}: the mock") for line in result.not_run)


# A service with a certificate of its own


def test_a_service_with_a_private_ca_is_tested(tmp_path):
    """Nothing is sent without the CA's file; with it every part trusts the service."""
    document = contract({"/pet": {"get": operation("show", responses={"200": PET})}})
    spec, file = put(tmp_path / "api.json", document).name, certificate(tmp_path)

    def answer(asked: ReceivedRequest) -> PreparedResponse:
        if asked.path.partition("?")[0] != "/pet":
            return PreparedResponse(404, {"name": "nothing"})
        if asked.method != "GET":
            return PreparedResponse(405, headers=(("Allow", "GET"),))
        return PreparedResponse(200, {"name": "Rex"})

    with answering(answer, file) as url:
        unknown = run(tmp_path, "--url", url, "--spec", spec)
        trusted = run(tmp_path, "--url", url, "--spec", spec, SSL_CERT_FILE=str(file))

    assert unknown.code == 2
    assert "is not trusted; name its CA's file in SSL_CERT_FILE" in unknown.said
    assert trusted.code == 0, trusted.printed + trusted.said
    assert "1 of 1 documented responses observed" in trusted.said


# What keeps a run from beginning


@pytest.fixture(scope="module")
def garden(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("garden")
    answer = {"200": {"description": "ok"}}
    files = {
        "api.json": contract({"/a": {"get": operation("show", responses=answer)}}),
        "good_package/__init__.py": "",
        "good_package/things.py": "async def show(): ...\n",
        "bad_package/__init__.py": "",
        "bad_package/things.py": "async def other(): ...\n",
        "broken.yaml": "openapi: [\n",
        "typo.yaml": "identities:\n  boss: {claim: {}}\n",
        "stale.yaml": "waivers:\n- {operation: gone, status: '200', reason: why}\n",
        "no.har": "{}",
        "file": "",
        "private.pem": private_pem(EC),
        "public.pem": pem(ED),
    }
    for name, content in files.items():
        put(folder / name, content)
    return folder


GOOD, BAD = (["--spec", "api.json", "--handlers", f"{name}_package"] for name in ("good", "bad"))
BOTH_KEYS = {"RELAY_JWT_SECRET": SECRET, "RELAY_JWT_PUBLIC_KEY": "public.pem"}
NO_PAIR = {"RELAY_JWT_PRIVATE_KEY": "private.pem", "RELAY_JWT_PUBLIC_KEY": "public.pem"}


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--spec", "none.yaml"], {}, r"none\.yaml: cannot be read: .*"),
        (["--spec", "broken.yaml"], {}, r"broken\.yaml:2:1: is not YAML: .*"),
        ([*GOOD, "--url", "http://127.0.0.1:1"], {}, r"--url: no service answers at http://127.* .*"),
        ([*GOOD, "--url", "ftp://127.0.0.1"], {}, r"--url: has to be like http://.*"),
        ([*GOOD, "--config", "typo.yaml"], {}, r"typo\.yaml:2:\d+: identities\.boss has the unknown key .*"),
        ([*GOOD, "--config", "stale.yaml"], {}, r"stale\.yaml:2:\d+: the contract has no operation 'gone'"),
        ([*GOOD, "--har", "none.har", "--serve"], {}, r"none\.har: cannot be read: .*"),
        ([*GOOD, "--har", "no.har", "--serve"], {}, r"no\.har: is not a HAR: .*"),
        ([*GOOD, "--reports", "file/reports"], {}, r"file/reports: cannot be written: file is not a folder"),
        ([*GOOD, "--failures", "file"], {}, r"file: cannot be written: file is not a folder"),
        (BAD, {}, r"the service did not start: .*GET /a has no handler: .*"),
        (GOOD, BOTH_KEYS, r"RELAY_JWT_SECRET and RELAY_JWT_PUBLIC_KEY: .*set only one of them"),
        (GOOD, NO_PAIR, r"RELAY_JWT_PRIVATE_KEY: it does not belong to RELAY_JWT_PUBLIC_KEY; .*"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_a_setup_error_is_one_line(garden, arguments, variables, message):
    """The exit code is 2, before any part runs; the line says what is wrong, where, and what to do. No report is written."""
    result = run(garden, *arguments, by=relay_here, **variables)

    assert (result.code, result.printed) == (2, "")
    assert re.fullmatch(rf"(Seed: 4711\n)?error: {message}\n", result.said), result.said
    assert not (garden / "reports").exists()


# Its end


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def heed_interrupts() -> None:
    """Restore the handler of Ctrl-C, which a shell ignores for background jobs."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are counted in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_child_processes(tmp_path, number, code):
    """The service and Schemathesis must not keep running; the exit code is that of the signal."""
    options = [*write_shop(tmp_path), "--seed", "1", "--max-examples", "10000"]
    command, env = [*COMMAND, "contract", *options], environment(tmp_path, TMPDIR=str(tmp_path))
    streams = {"stderr": subprocess.PIPE, "preexec_fn": heed_interrupts}
    with started(command, tmp_path, 0, env=env, **streams) as process:
        eventually(lambda: len(children(process.pid)) == 2, 30)
        running = children(process.pid)
        os.kill(process.pid, number)
        printed, said = process.communicate(timeout=30)

    assert process.returncode == code, said
    assert not any(map(is_running, running))
    assert "Traceback" not in printed + said
    assert "error" not in said
    assert not list(tmp_path.glob("relay-*"))
    assert not (tmp_path / "reports").exists()
