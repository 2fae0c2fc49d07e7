"""A whole run, as far as it needs no process: `scripts/relay/contract_tests/run.py`, `scripts/relay/cli/contract.py`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

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
from support.hosting import contract, json_of, operation
from support.running import relay_here

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = {status: {"description": "an answer"} for status in ("200", "404")}
SHOP = read(
    contract(
        {
            "/pets": {"get": operation("list_pets", responses=ANSWERS)},
            "/keepers": {"get": operation("list_keepers", responses=ANSWERS)},
        }
    )
)
BOTH = [Exchange(Request("GET", "http://h/pets"), status, (), b"", "properties") for status in (200, 404)]


def options(folder: Path, **given) -> Options:
    nothing = dict.fromkeys(("url", "spec", "handlers", "config", "min_coverage"))
    given = {
        **nothing,
        "har": (),
        "serve": False,
        "selection": Selection(),
        "failures": folder / "failures",
        **given,
    }
    return Options(budget=Budget(1, None, 1), **given)


def covered(
    folder, exchanges, *, closed: set[str] | None = None, waivers=(), mocked=(), unwritten=None, **given
):
    """Cover the shop with exchanges; `closed` are the operations that nobody may call, None without a service."""
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


def rules(part):
    return [(failure.rule, failure.operation) for failure in part.failures]


class TestCover:
    """`_cover`: what was seen of the contract, and what should have been."""

    def test_an_operation_that_never_succeeded_is_wrong(self, tmp_path):
        """It may be one that cannot succeed; an operation that did is none of those."""
        part = covered(tmp_path, BOTH, closed=set())

        assert rules(part) == [("never-succeeded", "GET /keepers")]
        assert part.failures[0].where == SHOP.place(("paths", "/keepers", "get"))
        assert not part.held

    def test_one_that_nobody_has_a_credential_for_is_not_run(self, tmp_path):
        part = covered(tmp_path, BOTH, closed={"list_keepers"})

        assert part.failures == []
        assert part.not_run[0].case == "a success of GET /keepers"
        assert "[tool.relay.contract]" in part.not_run[0].reason

    def test_one_that_a_mock_cannot_answer_is_not_run(self, tmp_path):
        not_mocked = Exchange(Request("GET", "http://h/keepers"), 501, (), b"", "properties")
        part = covered(tmp_path, [*BOTH, not_mocked], closed=set(), mocked={"list_keepers"})

        assert part.failures == []
        assert part.not_run[0] == NotRun("a success of GET /keepers", UNMOCKABLE)

    def test_recorded_traffic_alone_need_not_show_a_success(self, tmp_path):
        part = covered(tmp_path, BOTH)

        assert part.failures == []
        assert [one.case for one in part.not_run] == [
            "200 without a body of GET /keepers",
            "404 without a body of GET /keepers",
        ]

    def test_each_answer_that_is_missing_is_wrong_where_all_are_asked(self, tmp_path):
        """At the place where the contract promises it, with how many were seen and how many are asked."""
        part = covered(tmp_path, BOTH, min_coverage=75.0)

        assert rules(part) == [("low-coverage", "GET /keepers")] * 2
        assert [failure.where for failure in part.failures] == [
            SHOP.place(("paths", "/keepers", "get", "responses", status)) for status in ANSWERS
        ]
        assert "50 % of the responses were observed, 75 % are required" in part.failures[0].message
        assert part.not_run == []

    def test_an_operation_that_is_not_written_yet_is_a_note(self, tmp_path):
        part = covered(
            tmp_path, BOTH, closed=set(), unwritten={"list_keepers": "shop/things.py:list_keepers"}
        )

        (note,) = part.failures
        assert (note.severity, note.rule, note.operation) == ("info", "not-written-yet", "GET /keepers")
        assert note.message == "not written yet: GET /keepers (shop/things.py:list_keepers)"

    def test_what_is_seen_enough_is_not_wrong(self, tmp_path):
        part = covered(tmp_path, BOTH, min_coverage=50.0)

        assert part.held
        assert len(part.not_run) == 2

    def test_waived_answers_are_not_asked(self, tmp_path):
        place = SourceLocation("w.yaml", 1, 1)
        waivers = [
            Waiver("list_keepers", "200", None, "not sold yet", place),
            Waiver("list_keepers", "404", None, "not sold yet", place),
            Waiver("list_pets", "404", None, "never seen", place),
        ]

        part = covered(tmp_path, BOTH, closed=set(), waivers=waivers, min_coverage=100.0)

        assert rules(part) == [("unused-waiver", None)]
        assert part.held


@pytest.mark.parametrize(("logged", "found"), [(b"fine\nthe key is k-canary\n", 1), (b"fine\nand well\n", 0)])
def test_a_secret_in_the_services_log_is_told(tmp_path, logged, found):
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
        (tmp_path / "api.json").write_text(json.dumps(contract({"/pets": {"get": listed}})), "utf-8")
        (tmp_path / "pyproject.toml").write_text(
            '[tool.relay.contract]\nsecrets = ["THEIR_SECRET"]\n', "utf-8"
        )
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
    (tmp_path / "api.json").write_text(json.dumps(contract({})), "utf-8")

    result = relay_here(tmp_path, "contract", "--spec", "api.json", "--har", "none.har")

    assert result.returncode == 2
    assert "api.json: the contract has no operation" in result.stderr


def test_traffic_without_relevant_exchanges_is_an_error(run_with_har):
    result, _ = run_with_har(url="http://localhost/other")

    assert result.returncode == 2
    assert "seen.har: it has no exchange of this contract" in result.stderr


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
        """The first say it all; how many more there are is said behind them."""
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
