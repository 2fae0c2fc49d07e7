"""`relay contract` from outside, as a process: `scripts/relay/cli/contract.py` and all that it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from handlers._commands.demo import demo_secrets
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import read_traffic, write_har
from relay.contract_tests.reports.json_report import SCHEMA
from support.answering import Told, answering
from support.certificates import certificate
from support.hosting import SECRET, contract, operation, write_package
from support.running import COMMAND, SPEC, environment, relay, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.answering import Asked
pytestmark = pytest.mark.contract

CONFIG = ".relay-contract.yaml"
NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
PET = {"description": "a pet", "content": {"application/json": {"schema": NAMED}}}
PROBLEM = {"description": "refused", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
DEMO_PARTS = (
    "kept failures",
    "lint",
    "examples",
    "drift",
    "properties",
    "identity",
    "routing",
    "faults",
    "log",
    "coverage",
)


class Result(NamedTuple):
    """A run that is over: the folder it ran in, its exit code, what it printed and what it said."""

    folder: Path
    code: int
    printed: str
    said: str

    @property
    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return json.loads((self.folder / "reports/contract.json").read_bytes())

    @property
    def exchanges(self) -> list[Exchange]:
        """The recorded traffic of the run."""
        return read_traffic(self.folder / "reports/contract.har").exchanges

    @property
    def not_run(self) -> list[str]:
        """The cases that were not run, each with its reason."""
        return [
            f"{one['case']}: {one['reason']}" for part in self.document["parts"] for one in part["not_run"]
        ]

    @property
    def findings(self) -> list[str]:
        """The findings, with their rules first."""
        return [
            f"{one['rule']}: {one['message']}" for part in self.document["parts"] for one in part["failures"]
        ]


def run(folder: Path, *arguments: str, **variables: str) -> Result:
    """Test a service, with little made up."""
    options = ["--seed", "4711", "--max-examples", "1"]
    result = relay(folder, "contract", *options, *arguments, **variables)
    assert "Traceback" not in result.stderr, result.stderr
    return Result(folder, result.returncode, result.stdout, result.stderr)


def write(folder: Path, name: str, document: Any) -> str:
    """Write a document, as JSON, which is YAML, too."""
    (folder / name).write_text(json.dumps(document, indent=1), "utf-8")
    return name


def parts(result: Result) -> list[str]:
    """The parts that a run told of, in order, each with its verdict."""
    return [
        f"{name} {verdict}"
        for name, verdict in re.findall(
            r"^  (\S.*?) +(held|nothing|not run|\d+ found) ", result.said, re.MULTILINE
        )
    ]


# The demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Result:
    """The service itself, tested in an empty folder."""
    return run(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def again(demo, tmp_path_factory) -> Result:
    """The same once more, with the traffic of the first time, where an operator has settings."""
    folder = tmp_path_factory.mktemp("operator")
    settings = f"RELAY_STORE=sqlite:///{folder}/of-the-folder.db\nRELAY_JWT_SECRET={SECRET}\n"
    (folder / ".env").write_text(settings, "utf-8")
    (folder / "mine.db").write_bytes(b"")
    har = str(demo.folder / "reports/contract.har")
    return run(folder, "--serve", "--har", har, RELAY_STORE=f"sqlite:///{folder}/mine.db")


class TestDemo:
    """Nothing to install, to set or to start before."""

    def test_it_holds_and_each_part_says_so(self, demo):
        """A line a part, in the order they run in; the seed first, so that a run that ends early can be repeated."""
        assert demo.code == 0, demo.printed + demo.said
        assert demo.said.startswith("Seed: 4711\n")
        assert parts(demo) == ["kept failures nothing", *(f"{name} held" for name in DEMO_PARTS[1:])]
        assert "3 of 3 documented answers seen (100 %)\nReport: reports/contract.html\n" in demo.said
        assert demo.printed == "relay contract: the contract is kept\n"
        assert not (demo.folder / "reports/failures").exists()

    def test_the_reports_are_what_they_say(self, demo):
        """Programs read them: each in its format, all of the same run."""
        folder = demo.folder / "reports"

        jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(demo.document)
        junit = ET.parse(folder / "contract.junit.xml").getroot()  # noqa: S314 -- our own
        page = (folder / "contract.html").read_text("utf-8")

        assert demo.document["verdict"] == "held"
        assert demo.document["seed"] == 4711
        assert [part["name"] for part in demo.document["parts"]] == list(DEMO_PARTS)
        assert (junit.attrib["failures"], junit.attrib["errors"]) == ("0", "0")
        assert int(junit.attrib["tests"]) == len(list(junit.iter("testcase"))) >= len(DEMO_PARTS)
        assert len(demo.exchanges) == sum(part["exchanges"] for part in demo.document["parts"]) > 50
        assert "<title>Held" in page
        assert "<script src" not in page

    def test_nothing_secret_goes_out(self, demo):
        """Reports are kept by CI, and read by many: no token, no secret of the data, no place of this machine."""
        texts = {path.name: path.read_text("utf-8") for path in (demo.folder / "reports").iterdir()}
        texts |= {"printed": demo.printed, "said": demo.said}

        assert len(texts) == 6
        for name, text in texts.items():
            for secret in ["eyJ", *demo_secrets(), str(demo.folder), f"{gettempdir()}/relay-"]:
                assert secret not in text, (name, secret)

    def test_the_same_seed_makes_the_same_requests(self, demo, again):
        """A failure that cannot be repeated cannot be mended."""

        def made_up(result: Result) -> list[tuple[str, str, bytes | None]]:
            held = [one for one in result.document["parts"] if one["name"] == "properties"]
            before = [one["exchanges"] for one in result.document["parts"]]
            first = sum(before[: result.document["parts"].index(held[0])])
            exchanges = result.exchanges[first : first + held[0]["exchanges"]]
            sent = [exchange.request for exchange in exchanges]
            return [(one.method, re.sub(r":\d+/", "/", one.url), one.body) for one in sent]

        assert len(made_up(demo)) > 5
        assert made_up(demo) == made_up(again)

    def test_the_operators_data_is_left_alone(self, again):
        """The service that is tested has a store and a key of its own, whatever is set."""
        assert again.code == 0, again.printed + again.said
        assert sorted(path.name for path in again.folder.iterdir()) == [".env", "mine.db", "reports"]
        assert (again.folder / "mine.db").read_bytes() == b""

    def test_traffic_counts_beside_a_service(self, again):
        """With --serve the service is tested all the same."""
        assert parts(again)[-3:] == ["log held", "recorded traffic held", "coverage held"]
        assert all("contract.har" in cell["seen"] for cell in again.document["coverage"]["cells"])
        assert all(
            "properties" in cell["seen"] or "faults" in cell["seen"]
            for cell in again.document["coverage"]["cells"]
        )


# Recorded traffic


@pytest.fixture
def recorded(demo, tmp_path):
    """Write answers of the demo to a file, those of some statuses, with a body put in place of theirs."""

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
    """`--har`: what others have recorded is judged, and counts."""

    def test_no_service_is_started(self, recorded, tmp_path):
        """There is nothing to ask; what needs no service is checked all the same."""
        result = run(tmp_path, "--har", recorded(200, 401, 500), "--min-coverage", "100")

        assert result.code == 0, result.printed + result.said
        names = ["lint", "examples", "drift", "recorded traffic", "coverage"]
        assert parts(result) == [f"{name} held" for name in names]
        assert "3 of 3 documented answers seen (100 %)" in result.said
        assert result.document["url"] is None

    def test_a_recorded_violation_is_one(self, recorded, tmp_path):
        """As CI reads it, too."""
        body = b'{"hasApiKey": "yes"}'

        result = run(tmp_path, "--har", recorded(200, body=body), "--format", "junit")

        assert result.code == 1, result.said
        told = [case.find("failure") for case in ET.fromstring(result.printed).iter("testcase")]  # noqa: S314 -- our own
        assert any("/hasApiKey" in failure.attrib["message"] for failure in told if failure is not None)
        assert not (tmp_path / "reports/failures").exists()  # there is no service to ask again

    def test_what_nobody_has_seen_is_told_at_its_place(self, recorded, tmp_path):
        """It is there that the contract promises it."""
        result = run(tmp_path, "--har", recorded(200, 401), "--min-coverage", "100", "--format", "github")

        assert result.code == 1
        (line,) = re.findall(
            r"^::error file=\S*spec/openapi\.yaml,line=(\d+),col=\d+,title=low-coverage::",
            result.printed,
            re.MULTILINE,
        )
        assert SPEC.read_text("utf-8").splitlines()[int(line) - 1].strip() == "'500':"
        assert "2 of 3 documented answers seen (66.6 %)" in result.said

    def test_a_waiver_says_why_something_need_not_be_seen(self, recorded, tmp_path):
        """One that waives nothing any more is a warning, where it stands."""
        reason = "only a broken disk shows it"
        waivers = [{"status": status, "reason": reason} for status in ("500", "401")]
        write(tmp_path, CONFIG, {"waivers": waivers})

        result = run(tmp_path, "--har", recorded(200, 401), "--min-coverage", "100")

        assert result.code == 0, result.printed
        assert "2 of 3 documented answers seen, 1 waived (100 %)" in result.said
        assert re.search(
            rf"^{re.escape(CONFIG)}:\d+:\d+: warning: .*\[unused-waiver\]$", result.printed, re.MULTILINE
        )
        assert reason in (tmp_path / "reports/contract.html").read_text("utf-8")

    def test_what_lies_beside_the_service_is_part_of_the_verdict(self, tmp_path):
        """A contract that is wrong in itself, or that its code has left, cannot be kept."""
        media = {"schema": {"type": "integer"}, "example": "x"}
        answer = {"200": {"description": "ok", "content": {"application/json": media}}}
        endless = {
            "type": "object",
            "required": ["it"],
            "properties": {"it": {"$ref": "#/components/schemas/It"}},
        }
        paths = {"/a": {"get": operation("show", responses=answer)}}
        document = contract(paths, components={"schemas": {"It": endless}})
        spec, package = write(tmp_path, "api.json", document), write_package(tmp_path)
        seen = Exchange(Request("GET", "http://h/a"), 200, (("Content-Type", "application/json"),), b"1", "")
        write_har([seen], tmp_path / "seen.har")

        result = run(tmp_path, "--har", "seen.har", "--spec", spec, "--handlers", package, "--format", "json")

        assert result.code == 1
        rules = {one["rule"] for one in json.loads(result.printed)["findings"]}
        assert rules >= {"endless-schema", "invalid-example", "missing-handler"}


# A service that breaks its contract


@pytest.fixture(scope="module")
def mending(tmp_path_factory) -> Iterator[dict[str, Result]]:
    """A service that is tested broken, broken still, and mended, with its failures kept elsewhere in the end."""
    folder = tmp_path_factory.mktemp("mending")
    late = operation("late", responses={"200": PET, "404": PET})
    document = contract({"/pet": {"get": operation("show", responses={"200": PET})}, "/late": {"get": late}})
    is_mended = False

    def answer(asked: Asked) -> Told:
        path = asked.path.partition("?")[0]
        if path not in ("/pet", "/late"):
            return Told(404, {"name": "nothing"})
        if asked.method not in ("GET", "HEAD"):
            return Told(405, {"name": "no"}, headers=(("Allow", "GET, HEAD"),))
        if path == "/late" and not is_mended:
            return Told(404, {"name": "not yet"})
        return Told(200, {"name": "Rex" if is_mended else 7})

    write(folder, "api.json", document)
    with answering(answer) as url:
        options = ["--spec", "api.json", "--url", url]

        def tested(name: str, *more: str) -> Result:
            result = run(folder, *options, *more)
            return result._replace(
                folder=Path(shutil.copytree(folder, folder.parent / f"{folder.name}-{name}"))
            )

        results = {"first": tested("first", "--format", "json"), "second": tested("second")}
        (folder / "reports/failures").rename(folder / "kept")
        is_mended = True
        results["mended"] = tested("mended", "--failures", "kept")
    return results


class TestBroken:
    """A service that answers what it does not promise."""

    def test_is_told_where_the_contract_promises_otherwise(self, mending):
        """Exit code 1, and file, line and column, as programs read them."""
        result = mending["first"]

        assert result.code == 1
        told = [one for one in json.loads(result.printed)["findings"] if one["rule"] == "response-violation"]
        lines = (result.folder / "api.json").read_text("utf-8").splitlines()
        assert [one["file"] for one in told] == ["api.json"]
        assert lines[told[0]["line"] - 1][told[0]["column"] - 1 :].startswith('"content"')

    def test_is_told_to_people_on_a_line(self, mending):
        """What is wrong, where, and by which rule."""
        assert re.search(
            r"^api\.json:\d+:\d+: error: .*\[response-violation\]$", mending["second"].printed, re.MULTILINE
        )

    def test_can_be_shown_again(self, mending):
        """The page has a command for it, against the address that was tested."""
        page = (mending["first"].folder / "reports/contract.html").read_text("utf-8")

        assert "curl -i" in page
        assert "$URL/pet" in page

    def test_never_succeeding_is_told(self, mending):
        """An operation that only ever refuses is not known to work."""
        told = [one for one in mending["first"].findings if one.startswith("never-succeeded")]

        assert len(told) == 1
        assert "GET /late" in told[0]

    def test_fails_in_junit_as_often_as_it_was_found(self, mending):
        """A build shows what JUnit counts."""
        result = mending["first"]
        junit = ET.parse(result.folder / "reports/contract.junit.xml").getroot()  # noqa: S314 -- our own

        assert int(junit.attrib["failures"]) == len(list(junit.iter("failure"))) == len(result.findings)

    def test_drift_is_not_found_in_somebody_elses_code(self, mending):
        """The package at hand need not be what runs at an address."""
        assert "drift not run" in parts(mending["first"])
        assert any("name its package with --handlers" in line for line in mending["first"].not_run)

    def test_a_failure_is_asked_for_first_until_it_is_gone(self, mending):
        """It is kept as a file, told again while it is there, and noted when it is not; the file goes with it."""
        first, second, mended = (mending[name] for name in ("first", "second", "mended"))
        (kept,) = (first.folder / "reports/failures").glob("*-response-violation-*.json")

        assert parts(first)[0] == "kept failures nothing"
        assert parts(second)[0] == "kept failures 1 found"
        assert "still there: " in second.said
        assert (second.folder / "reports/failures" / kept.name).read_bytes() == kept.read_bytes()
        assert mended.code == 0, mended.printed
        assert "fixed: " in mended.said
        assert not (mended.folder / "kept" / kept.name).exists()

    def test_failures_may_be_kept_elsewhere(self, mending):
        """Beside the code, so that they are committed."""
        folder = mending["mended"].folder

        assert (folder / "kept").is_dir()
        assert not (folder / "reports/failures").exists()


# A service whose keys are somebody else's


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
IDENTITIES = {
    "boss": {"claims": {"sub": "boss"}, "variables": {"key": "SHOP_KEY"}},
    "guest": {"claims": {"sub": "guest"}, "refused": ["show"]},
    "ghost": {"claims": {"sub": "ghost"}, "signs-in": False},
}


def write_shop(folder: Path) -> list[str]:
    """Write a shop where a token shows a pet and a key opens a cage; return the options that name it."""
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
    write(folder, CONFIG, {"identities": IDENTITIES})
    return ["--spec", write(folder, "api.json", document), "--handlers", write_package(folder, **PETS)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[tuple[Path, list[str]]]:
    """The shop, running: its folder, and the options that lead to it."""
    folder = tmp_path_factory.mktemp("shop")
    options = write_shop(folder)
    with serving(folder, *options, RELAY_JWT_SECRET=SECRET) as service:
        yield folder, ["--spec", "api.json", "--url", service.url]


class TestElsewhere:
    """A service at an address, whose keys we have or have not."""

    def test_what_needs_a_key_is_told_as_not_run(self, shop):
        """It is no failure of the service; but nobody shall think that it was tested."""
        folder, options = shop

        result = run(folder, *options)

        assert result.code == 0, result.printed
        page = (folder / "reports/contract.html").read_text("utf-8")
        for name in ("GET /pet", "GET /cage"):
            assert any(line.startswith(f"a success of {name}: no identity") for line in result.not_run)
            assert f"a success of {name}" in page

    def test_keys_and_credentials_of_the_environment_open_it(self, shop):
        """Each is let in, refused, or turned away as the configuration says; no credential comes out."""
        folder, options = shop

        result = run(folder, *options, RELAY_JWT_SECRET=SECRET, SHOP_KEY="key-of-the-shop")

        assert result.code == 0, result.printed
        assert not any(line.startswith("a success of") for line in result.not_run)
        assert "5 of 5 documented answers seen (100 %)" in result.said
        for path in (folder / "reports").iterdir():
            text = path.read_text("utf-8")
            assert "key-of-the-shop" not in text
            assert "eyJ" not in text
            assert SECRET not in text

    def test_a_role_that_is_not_kept_to_is_told(self, shop):
        """Whom an operation refuses stays outside, whoever may not sign in, too, and whom it lets in comes in."""
        folder, options = shop
        wrong = {
            "boss": {"claims": {"sub": "boss"}, "refused": ["show"]},
            "former": {"claims": {"sub": "former"}, "signs-in": False},
            "guest": {"claims": {"sub": "guest"}},
        }
        write(folder, "wrong.yaml", {"identities": wrong})

        result = run(folder, *options, "--config", "wrong.yaml", RELAY_JWT_SECRET=SECRET)

        assert result.code == 1
        told = {one["rule"]: one["message"] for part in result.document["parts"] for one in part["failures"]}
        assert "boss" in told["role-let-in"]
        assert "former" in told["credential-accepted"]
        assert "guest" in told["role-refused"]

    def test_the_time_of_a_run_can_be_bounded(self, shop):
        """However much could be made up."""
        folder, options = shop
        begun = time.monotonic()

        result = run(folder, *options, "--max-examples", "100000", "--max-time", "1")

        assert result.code == 0, result.printed
        assert time.monotonic() - begun < 30


# What keeps a run from beginning


@pytest.fixture(scope="module")
def garden(tmp_path_factory) -> Path:
    """A folder full of what is wrong."""
    folder = tmp_path_factory.mktemp("garden")
    answer = {"200": {"description": "ok"}}
    write(folder, "api.json", contract({"/a": {"get": operation("show", responses=answer)}}))
    for name, source in {"good": "async def show(): ...\n", "bad": "async def other(): ...\n"}.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
        (folder / name / "things.py").write_text(source, "utf-8")
    (folder / "broken.yaml").write_text("openapi: [\n", "utf-8")
    (folder / "typo.yaml").write_text("identities:\n  boss: {claim: {}}\n", "utf-8")
    (folder / "stale.yaml").write_text("waivers:\n- {operation: gone, status: '200', reason: why}\n", "utf-8")
    (folder / "no.har").write_text("{}", "utf-8")
    (folder / "file").touch()
    private, other = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "private.pem").write_bytes(pem)
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    return folder


GOOD = ["--spec", "api.json", "--handlers", "good"]
BOTH_KEYS = {"RELAY_JWT_SECRET": SECRET, "RELAY_JWT_PUBLIC_KEY": "public.pem"}
NO_PAIR = {"RELAY_JWT_PRIVATE_KEY": "private.pem", "RELAY_JWT_PUBLIC_KEY": "public.pem"}


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        (["--spec", "none.yaml"], {}, r"none\.yaml: cannot be read: .*"),
        (["--spec", "broken.yaml"], {}, r"broken\.yaml:2:1: is not YAML: .*"),
        ([*GOOD, "--url", "http://127.0.0.1:1"], {}, r"--url: nothing answers at http://127\.0\.0\.1:1 .*"),
        ([*GOOD, "--url", "ftp://127.0.0.1"], {}, r"--url: has to be like http://.*"),
        (
            [*GOOD, "--config", "typo.yaml"],
            {},
            r"typo\.yaml:2:\d+: identities\.boss has no use for 'claim'; .*",
        ),
        ([*GOOD, "--config", "stale.yaml"], {}, r"stale\.yaml:2:\d+: the contract has no operation 'gone'"),
        ([*GOOD, "--har", "none.har", "--serve"], {}, r"none\.har: cannot be read: .*"),
        ([*GOOD, "--har", "no.har", "--serve"], {}, r"no\.har: is not a HAR: .*"),
        ([*GOOD, "--reports", "file/reports"], {}, r"file/reports: cannot be written: file is no folder"),
        ([*GOOD, "--failures", "file"], {}, r"file: cannot be written: file is no folder"),
        (
            ["--spec", "api.json", "--handlers", "bad"],
            {},
            r"the service did not start: .*GET /a has no handler: .*",
        ),
        (GOOD, BOTH_KEYS, r"RELAY_JWT_SECRET and RELAY_JWT_PUBLIC_KEY: .*keep one of them"),
        (GOOD, NO_PAIR, r"RELAY_JWT_PRIVATE_KEY: it does not belong to RELAY_JWT_PUBLIC_KEY; .*"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_what_keeps_a_run_from_beginning_is_one_line(garden, arguments, variables, told):
    """Exit code 2, before any part has run: what is wrong, where, and what to do; no report looks like a verdict."""
    result = run(garden, *arguments, **variables)

    assert (result.code, result.printed) == (2, "")
    assert re.fullmatch(rf"(Seed: 4711\n)?error: {told}\n", result.said), result.said
    assert not (garden / "reports").exists()


# Its end


def children(pid: int) -> list[int]:
    """The processes that a process has started and that are there still."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_service_behind_a_certificate_of_ones_own_is_tested(tmp_path):
    """Staging has a CA of its own; without its name nothing is sent, with it every part trusts it."""
    document = contract({"/pet": {"get": operation("show", responses={"200": PET})}})
    spec, file = write(tmp_path, "api.json", document), certificate(tmp_path)

    def answer(asked: Asked) -> Told:
        if asked.path.partition("?")[0] != "/pet":
            return Told(404, {"name": "nothing"})
        return Told(200, {"name": "Rex"}) if asked.method == "GET" else Told(405, headers=(("Allow", "GET"),))

    with answering(answer, file) as url:
        unknown = run(tmp_path, "--url", url, "--spec", spec)
        trusted = run(tmp_path, "--url", url, "--spec", spec, SSL_CERT_FILE=str(file))

    assert unknown.code == 2
    assert "is not trusted; name its CA's file in SSL_CERT_FILE" in unknown.said
    assert trusted.code == 0, trusted.printed + trusted.said
    assert "1 of 1 documented answers seen" in trusted.said


def heed_interrupts() -> None:
    """Undo what a shell does to its jobs in the background: they are told to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are counted in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_ends_it_ends_all_that_it_started(tmp_path, number, code):
    """The service and Schemathesis would run on, and hold what they hold; and it was no failure of ours."""
    options = [*write_shop(tmp_path), "--seed", "1", "--max-examples", "10000"]
    process = subprocess.Popen(
        [*COMMAND, "contract", *options],
        cwd=tmp_path,
        env={**environment(tmp_path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 -- no thread of ours holds a lock here
    )
    try:
        overdue = time.monotonic() + 30
        while len(started := children(process.pid)) < 2 and time.monotonic() < overdue:
            time.sleep(0.05)
        os.kill(process.pid, number)
        printed, said = process.communicate(timeout=30)
    finally:
        process.kill()

    assert len(started) == 2, said
    assert process.returncode == code, said
    assert not any(map(is_running, started))
    assert "Traceback" not in printed + said
    assert "error" not in said
    assert not list(tmp_path.glob("relay-*"))
    assert not (tmp_path / "reports").exists()
