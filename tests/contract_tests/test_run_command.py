"""A whole run, as far as it needs no process: `scripts/relay/contract_tests/run.py`, `scripts/relay/cli/contract.py`."""

import base64
import json
from pathlib import Path

import pytest

from relay.cli.contract import MAX_ALIKE, Progress, brief
from relay.contract.diagnostics import SourceLocation
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Waiver
from relay.contract_tests.coverage import Coverage
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import write_har
from relay.contract_tests.property_tests import Budget
from relay.contract_tests.results import Acceptance, Failure, NotRun, Phase
from relay.contract_tests.run import Options, _cover, _Run
from relay.contract_tests.selection import Selection
from relay.contract_tests.service_under_test import UNMOCKABLE
from relay.contract_tests.static_checks import check_log
from support.compiled import read
from support.hosting import contract, json_of, operation, put
from support.running import relay_here

ANSWERS = {status: {"description": "an answer"} for status in ("200", "404")}
PATHS = {f"/{name}": {"get": operation(f"list_{name}", responses=ANSWERS)} for name in ("pets", "keepers")}
SHOP = read(contract(PATHS))
BOTH = [Exchange(Request("GET", "http://h/pets"), status, (), b"", "properties") for status in (200, 404)]


def options(folder: Path, **given) -> Options:
    nothing = dict.fromkeys(("url", "spec", "handlers", "config", "min_coverage"))
    usual = {"har": (), "serve": False, "selection": Selection(), "failures": folder / "failures"}
    return Options(budget=Budget(1, None, 1), **{**nothing, **usual, **given})


def covered(
    folder, exchanges, *, closed: set[str] | None = None, waivers=(), mocked=(), unwritten=None, **given
):
    """Cover the shop with exchanges; `closed` are the operations that no identity may call, None without a service."""
    whole = _Run(
        *(SHOP, SHOP, SHOP),
        options(folder, **given),
        Progress(1),
        Coverage(SHOP, waivers),
        Acceptance((), SHOP),
        parts=[Phase("properties", exchanges=list(exchanges))],
        unwritten=unwritten or {},
    )
    return _cover(whole, ConformanceChecker(SHOP, "", mocked=mocked), closed)


def waiver(operation_id: str, status: str) -> Waiver:
    return Waiver(operation_id, status, None, "not sold yet", SourceLocation("w.yaml", 1, 1))


UNSEEN = [f"{status} without a body of GET /keepers" for status in ANSWERS]
SUCCESS = "a success of GET /keepers"
NOT_MOCKED = Exchange(Request("GET", "http://h/keepers"), 501, (), b"", "properties")
WAIVERS = [waiver("list_keepers", "200"), waiver("list_keepers", "404"), waiver("list_pets", "404")]


@pytest.mark.parametrize(
    ("exchanges", "given", "lines", "not_run"),
    [
        pytest.param(*case, id=id_)
        for id_, case in {
            # It may be one that cannot succeed; an operation that did is none of those.
            "no success": (BOTH, {"closed": set()},
             ["error: GET /keepers sent no documented success response [never-succeeded]"], UNSEEN),
            "no credential": (BOTH, {"closed": {"list_keepers"}}, [], [SUCCESS, *UNSEEN]),
            "not mocked": ([*BOTH, NOT_MOCKED], {"closed": set(), "mocked": {"list_keepers"}}, [],
             [SUCCESS, *UNSEEN]),
            "recorded traffic alone": (BOTH, {}, [], UNSEEN),
            "all are required": (BOTH, {"min_coverage": 75.0},
             [f"error: {one} was not observed; 50 % of the responses were observed, 75 % are required [low-coverage]"
              for one in UNSEEN], []),
            "as many as required": (BOTH, {"min_coverage": 50.0}, [], UNSEEN),
            "not written yet": (BOTH, {"closed": set(), "unwritten": {"list_keepers": "shop/things.py:list_keepers"}},
             ["info: not written yet: GET /keepers (shop/things.py:list_keepers) [not-written-yet]"], []),
            "waived": (BOTH, {"closed": set(), "waivers": WAIVERS, "min_coverage": 100.0},
             ["warning: the waived response was observed; remove the waiver [unused-waiver]"], []),
        }.items()
    ],
)  # fmt: skip
def test_the_coverage_reports_what_should_have_been_seen(tmp_path, exchanges, given, lines, not_run):
    part = covered(tmp_path, exchanges, **given)

    assert [one.line.removeprefix(f"{one.where}: ") for one in part.failures] == lines
    assert [one.case for one in part.not_run] == not_run
    assert part.held is not any(line.startswith("error") for line in lines)


def test_findings_of_the_coverage_have_their_place_and_skipped_cases_their_reason(tmp_path):
    """The place is where the contract promises the response."""
    keepers = ("paths", "/keepers", "get")
    (never,) = covered(tmp_path, BOTH, closed=set()).failures
    missed = covered(tmp_path, BOTH, min_coverage=75.0).failures
    closed = covered(tmp_path, BOTH, closed={"list_keepers"}).not_run
    not_mocked = covered(tmp_path, [*BOTH, NOT_MOCKED], closed=set(), mocked={"list_keepers"}).not_run

    assert (never.where, never.operation) == (SHOP.place(keepers), "GET /keepers")
    assert [one.where for one in missed] == [SHOP.place((*keepers, "responses", one)) for one in ANSWERS]
    assert "[tool.relay.contract]" in closed[0].reason
    assert not_mocked[0] == NotRun(SUCCESS, UNMOCKABLE)


@pytest.mark.parametrize(("logged", "found"), [(b"fine\nthe key is k-canary\n", 1), (b"fine\nand well\n", 0)])
def test_a_secret_in_the_services_log_is_reported(tmp_path, logged, found):
    (tmp_path / "service.log").write_bytes(logged)

    part = check_log(tmp_path / "service.log", SHOP, ("k-canary",))

    assert (part.cases, len(part.failures)) == (2, found)
    assert all(failure.rule == "leaked-secret" for failure in part.failures)
    assert "canary" not in str(part.failures)


def failures(
    count: int, rule: str = "no-answer", line: int = 1, credential: str | None = None
) -> list[Failure]:
    """Failures of one rule at one place, each with a message of its own."""
    exchange = Exchange(Request("GET", "http://h/"), 200, (), b"", "identity", credential)
    place = SourceLocation("a", line, 1)
    return [Failure(place, f"{rule} {n}", rule, exchange=exchange) for n in range(count)]


CANARY = "canary-of-a-secret"
SPELLINGS = [CANARY.encode(), base64.b64encode(CANARY.encode()), CANARY.encode().hex().encode()]
NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}


@pytest.fixture
def run_with_har(tmp_path):
    """Check a recorded response to `GET /pets`, or to another address: return the result, and all output."""

    def run(body=b"{}", *, url="http://localhost/pets", media_type="application/json", options=()):
        listed = operation("list_pets", responses={"200": json_of(NUMBERS)})
        put(tmp_path / "api.json", contract({"/pets": {"get": listed}}))
        put(tmp_path / "pyproject.toml", '[tool.relay.contract]\nsecrets = ["THEIR_SECRET"]\n')
        one = Exchange(Request("GET", url), 200, (("Content-Type", media_type),), body, "")
        write_har([one], tmp_path / "seen.har")
        given = ("--spec", "api.json", "--har", "seen.har", "--handlers", "shop", *options)
        result = relay_here(tmp_path, "contract", *given, THEIR_SECRET=CANARY)
        written = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("reports/**/*.*")))
        return result, result.stdout.encode() + result.stderr.encode() + written

    return run


def test_recorded_traffic_needs_no_handlers_and_the_verdict_names_what_was_not_run(run_with_har):
    result, _ = run_with_har()

    assert result.returncode == 0, result.stdout
    assert "the contract is kept, as far as it was tested; 1 not run" in result.stdout


def test_an_empty_contract_is_an_error(tmp_path):
    put(tmp_path / "api.json", contract({}))

    result = relay_here(tmp_path, "contract", "--spec", "api.json", "--har", "none.har")

    assert result.returncode == 2
    assert "api.json: the contract has no operation" in result.stderr


def test_traffic_without_relevant_exchanges_is_an_error(run_with_har):
    result, _ = run_with_har(url="http://localhost/other")

    assert result.returncode == 2
    assert "seen.har: it has no exchange of this contract" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
@pytest.mark.parametrize(
    "leak",
    [
        {"body": json.dumps({CANARY: "x"}).encode()},
        {"body": json.dumps({"key": base64.b64encode(CANARY.encode()).decode()}).encode()},
        {"body": json.dumps({"key": CANARY.encode().hex()}).encode()},
        {"media_type": f"text/{CANARY}"},
    ],
    ids=["name of a property", "base64", "hexadecimal", "media type"],
)
def test_a_leak_is_reported_without_the_secret(run_with_har, leak, form):
    """The secret is not in the output and not in any file, in any encoding."""
    result, everything = run_with_har(**leak, options=("--format", form))

    assert result.returncode == 1
    assert "leaked-secret" in result.stdout
    assert not [spelling for spelling in SPELLINGS if spelling in everything]


class TestBrief:
    """`brief`: what a terminal shows of many failures."""

    def test_leaves_out_what_repeats_itself(self):
        shown = [one.line for one in brief(failures(MAX_ALIKE + 4))]

        assert shown[:-1] == [f"a:1:1: error: no-answer {n} [no-answer]" for n in range(MAX_ALIKE)]
        assert shown[-1] == "a:1:1: error: and 4 more like these, see the report [no-answer]"

    def test_names_whom_the_rest_is_about(self):
        """An expired token that is let in must not hide behind malformed ones."""
        given = [*failures(MAX_ALIKE), *failures(1, credential="expired token of admin")]

        assert list(brief(given))[-1].line.endswith(
            "and 1 more like these: expired token of admin [no-answer]"
        )

    def test_shows_all_where_they_are_few_or_differ(self):
        given = [*failures(MAX_ALIKE), *failures(MAX_ALIKE, line=2), *failures(MAX_ALIKE, "not-json")]

        assert list(brief(given)) == given


def test_a_long_part_says_how_far_it_has_come(monkeypatch, capsys):
    """A log in CI that stands still for minutes looks like a run that hangs."""
    progress = Progress(7)
    progress.begin("properties")
    progress.count(5)
    monkeypatch.setattr("relay.cli.contract.QUIET_SECONDS", 0.0)
    progress.count(900)

    said = capsys.readouterr().err
    assert said.startswith("Seed: 7\n")
    assert "requests: 5" not in said
    assert "  properties       running   requests: 900\n" in said
