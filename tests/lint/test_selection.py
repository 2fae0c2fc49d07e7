"""Which findings of a contract are shown: the first of each rule, all, those that are new; rules can be off."""

import json

import pytest

from support.hosting import contract
from support.running import invoke

BARE = {"responses": {"204": {"description": "ok"}}}
WEAK = contract({f"/{number}": {"get": BARE} for number in range(3)})


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a project with a weak contract the working directory; return what sets its pyproject.toml."""
    monkeypatch.chdir(tmp_path)

    def write(document=WEAK, table=""):
        (tmp_path / "spec").mkdir(exist_ok=True)
        (tmp_path / "spec/openapi.yaml").write_text(json.dumps(document), "utf-8")
        (tmp_path / "pyproject.toml").write_text(f"[tool.relay]\n{table}", "utf-8")
        return tmp_path

    write()
    return write


def lint(*arguments):
    """Run `relay lint`; return its exit code, its lines and its errors."""
    result = invoke("lint", *arguments)
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_the_first_finding_of_each_rule_and_the_number_of_others_are_shown(project):
    """On a contract of two thousand warnings, that is a page."""
    code, (*lines, total), _ = lint()

    assert code == 0
    assert [line.rpartition("[")[2] for line in lines] == [
        "missing-operation-id] (and 2 more)",
        "unsecured-operation] (and 2 more)",
        "missing-error-response] (and 2 more)",
    ]
    assert lines[0].startswith("spec/openapi.yaml:1:82: warning: GET /0 has no operationId")
    assert total == "relay lint: 9 warnings; `relay lint --all` lists them"


def test_errors_come_first(project):
    """They are what has to be corrected."""
    project(contract({"/0": {"get": BARE}, "/1": {"get": {**BARE, "tegs": []}}}))
    code, lines, _ = lint()
    assert code == 1
    assert "error: unknown field 'tegs'" in lines[0]


def test_all_are_listed_on_request(project):
    """In the order of the file."""
    _, (*lines, total), _ = lint("--all")
    assert len(lines) == 9
    assert total == "relay lint: 9 warnings"


def test_findings_of_some_rules_are_listed(project):
    """A rule is corrected throughout the contract; notes are named like any other."""
    _, (*lines, _total), _ = lint("--rule", "unsecured-operation", "--rule", "missing-tag")
    assert [line.rpartition("[")[2] for line in lines] == ["unsecured-operation]"] * 3 + ["missing-tag]"] * 3


def test_an_unknown_rule_is_an_error_with_the_nearest(project):
    """A check of nothing would pass."""
    assert lint("--rule", "unsecured-operations")[::2] == (
        2,
        "error: --rule: there is no rule 'unsecured-operations'; did you mean unsecured-operation?\n",
    )


def test_a_rule_can_be_off_with_a_reason(project):
    """The other rules stay, and the summary says that one is off."""
    project(table='[tool.relay.lint.off]\nmissing-error-response = "the gateway documents them"\n')
    _, lines, _ = lint("--format", "json")
    rules = {row["rule"] for row in json.loads("\n".join(lines))["findings"]}

    project(
        contract({}), table='[tool.relay.lint.off]\nmissing-error-response = "the gateway documents them"\n'
    )
    clean = lint()[1]

    assert "missing-error-response" not in rules
    assert "unsecured-operation" in rules
    assert clean[0].startswith("relay lint: nothing found (1 of ")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("lint = 5", "must be a table with `off`"),
        ("lint.off = []", "must be a table with `off`"),
        ("lint.of = {}", "of: unknown key; there is only off"),
        ("lint.off.missing-tags = 'x'", "off.missing-tags: there is no rule 'missing-tags'; did you mean missing-tag?"),
        ("lint.off.structure = 'x'", "off.structure: an error cannot be off: `relay serve --strict` refuses it"),
        ("lint.off.missing-tag = ' '", "off.missing-tag: state why the rule is off, as a text"),
        ("lint.off.missing-tag = true", "off.missing-tag: state why the rule is off, as a text"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_an_error(project, table, message):
    """A typing error must neither leave on a rule that is meant to be off, nor the other way round."""
    project(table=table)
    code, _, stderr = lint()
    assert code == 2
    assert "pyproject.toml: tool.relay.lint" in stderr
    assert message in stderr


def test_only_what_is_new_since_a_report_is_shown(project, tmp_path):
    """Even if everything has moved; of equal findings, one more is new."""
    report = tmp_path / "lint.json"
    report.write_text("\n".join(lint("--format", "json")[1]), "utf-8")
    project(contract({"/new": {"get": BARE}, **WEAK["paths"]}))

    code, (*lines, total), _ = lint("--baseline", "lint.json", "--all")

    assert code == 0
    assert all("GET /new" in line for line in lines)
    assert total == "relay lint: 3 warnings"
    project()
    assert lint("--baseline", "lint.json")[1] == ["relay lint: nothing found"]


def test_a_known_operation_that_is_not_served_may_move(project, tmp_path):
    """Its reason is at another place, and still the same."""
    bad = {"get": {**BARE, "parameters": [{"name": "b", "in": "body", "schema": {}}]}}
    project(contract({"/bad": bad}))
    (tmp_path / "lint.json").write_text("\n".join(lint("--format", "json")[1]), "utf-8")
    project(contract({"/bad": bad}, tags=[]), table="")
    moved = (tmp_path / "spec/openapi.yaml").read_text("utf-8").replace('"paths"', '\n\n"paths"')
    (tmp_path / "spec/openapi.yaml").write_text(moved, "utf-8")

    assert lint("--baseline", "lint.json")[1] == ["relay lint: nothing found"]


def test_a_known_error_does_not_fail(project, tmp_path):
    """A team that cannot correct its contract today still learns of the next error."""
    project(contract({"/0": {"get": {**BARE, "tegs": []}}}))
    (tmp_path / "lint.json").write_text("\n".join(lint("--format", "json")[1]), "utf-8")
    assert lint()[0] == 1
    assert lint("--baseline", "lint.json")[0] == 0


@pytest.mark.parametrize(
    "content", ["", "{}", '{"command": "drift", "findings": []}', '{"command": "lint", "findings": [1]}']
)
def test_a_baseline_that_is_no_report_is_an_error(project, tmp_path, content):
    """It would hide nothing, or everything."""
    (tmp_path / "lint.json").write_text(content, "utf-8")
    code, _, stderr = lint("--baseline", "lint.json")
    assert (code, stderr) == (
        2, "error: lint.json: is not a report of `relay lint --format json`; write it again\n"
    )  # fmt: skip
