"""Workflows that a team commits unchanged: `scripts/relay/cli/ci.py`, `scripts/workflows/`, and our own."""

import configparser
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from relay.cli.ci import FORGES, plan
from relay.contract.diagnostics import SetupError
from support.hosting import contract, operation, put
from support.running import COMMAND, ROOT, ended, environment, git, relay

OURS = ROOT / ".github/workflows/ci.yml"
WEEKLY = ROOT / ".github/workflows/weekly.yml"
INSTALL = (
    "PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt pip install -e '.[tools,service]'"
)
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
SPECS, PACKAGES = (None, "api.yaml", "our specs/it's $5.yaml"), (None, "shop.handlers")
INSTALLS = ("pip install 'tether-relay[tools]'", "echo \"a: b # c\" && pip install -e '.[tools,service]'")
OPTIONS = list(itertools.product(SPECS, PACKAGES, INSTALLS))


def jobs_of(workflow):
    """The shell scripts of a workflow, of either forge, in their order."""
    read = yaml.safe_load(workflow)
    if "jobs" in read:
        return [step["run"] for job in read["jobs"].values() for step in job["steps"] if "run" in step]
    return ["\n".join(read["contract"]["script"])]


def assert_valid(forge, *files):
    """Assert that files keep to the schema that a forge publishes."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[forge], *map(str, files)]
    found = ended(command, ROOT)
    assert found.returncode == 0, found.stdout


@pytest.mark.slow
@pytest.mark.parametrize("forge", FORGES)
def test_every_workflow_keeps_to_its_published_schema(forge, tmp_path):
    """With every combination of options, and file names that a shell or YAML could trip over."""
    files = [tmp_path / f"{number}.yml" for number in range(len(OPTIONS))]
    for file, options in zip(files, OPTIONS, strict=True):
        file.write_text(plan(forge, *options), "utf-8")

    assert_valid(forge, *files)


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("forge", FORGES)
def test_every_script_can_be_parsed(forge, shell):
    for options in OPTIONS:
        for script in jobs_of(plan(forge, *options)):
            parsed = ended([shell, "-n"], ROOT, input=script)
            assert (parsed.returncode, parsed.stderr) == (0, "")


@pytest.mark.parametrize("forge", FORGES)
def test_what_is_the_default_is_not_written_down(forge):
    """A workflow says no more than it has to; what was chosen, each command that knows it says."""
    plain = "\n".join(jobs_of(plan(forge, None, None)))
    chosen = "\n".join(jobs_of(plan(forge, "api.yaml", "shop")))

    assert "--spec" not in plain
    assert "--handlers" not in plain
    assert chosen.count("--spec api.yaml") == 2
    assert chosen.count("--handlers shop") == 3
    assert "lint api.yaml" in chosen


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("name", ["api${{ github.token }}.yaml", "$[[ inputs.a ]].yaml"])
def test_no_name_becomes_an_expression(forge, name):
    """GitHub replaces one before the shell sees its quotes."""
    for options in ((name, None), (None, name), (None, None, f"pip install {name}")):
        with pytest.raises(SetupError, match=r"must not contain \$\{\{ or \$\[\[, as CI would replace it"):
            plan(forge, *options)


@pytest.mark.slow
@example("-x")
@given(st.text(min_size=1).filter(lambda name: name.isprintable() and name.strip()))
def test_any_name_is_one_word_of_the_script(name):
    assume("${{" not in name and "$[[" not in name)
    scripts = jobs_of(plan("github", name, name))
    words = shlex.split(scripts[1])

    assert not any("${{" in script for script in scripts)
    assert words[:2] == ["relay", "lint"]
    assert Path(words[2]) == Path(name)
    assert not words[2].startswith("-")
    assert words[3:] == ["--format", "github"]


@pytest.fixture(params=["printed", "ours", "weekly"])
def workflow(request):
    if request.param == "printed":
        return plan("github", None, None)
    return {"ours": OURS, "weekly": WEEKLY}[request.param].read_text("utf-8")


def test_actions_are_named_by_commit(workflow):
    """A tag can be moved to another one; the comment says which it was, for people and for Dependabot."""
    uses = re.findall(r"uses: (.*)", workflow)

    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}  # v\d+(\.\d+)*", one) for one in uses), uses


def test_the_workflow_asks_for_little(workflow):
    """No write permission, no third party's action, an end to every job, no credentials left behind."""
    read = yaml.safe_load(workflow)
    steps = [step for job in read["jobs"].values() for step in job["steps"]]
    used = [(step["uses"].partition("@")[0], step) for step in steps if "uses" in step]

    assert read["permissions"] == {"contents": "read"}
    assert read["concurrency"]["cancel-in-progress"] is True
    assert all("permissions" not in job and job["timeout-minutes"] for job in read["jobs"].values())
    assert {name for name, _ in used} <= {
        f"actions/{name}" for name in ("checkout", "setup-python", "upload-artifact")
    }
    assert all(
        one["with"]["persist-credentials"] is False for name, one in used if name == "actions/checkout"
    )


def test_reports_are_kept_when_a_check_failed():
    steps = yaml.safe_load(plan("github", None, None))["jobs"]["contract"]["steps"]
    artifacts = yaml.safe_load(plan("gitlab", None, None))["contract"]["artifacts"]

    assert steps[-1]["if"] == "${{ !cancelled() }}"
    assert steps[-1]["with"]["path"] == "reports/"
    assert artifacts["when"] == "always"
    assert artifacts["reports"] == {"junit": "reports/contract.junit.xml"}


class TestCommand:
    """`relay ci`."""

    def test_prints_what_was_chosen_by_options_or_settings(self, run, tmp_path):
        """A setting of this machine is none of the runner's, so it is written down."""
        (tmp_path / "api.yaml").write_text("", "utf-8")
        by_option = run("ci", "gitlab", "--spec", "./api.yaml", "--handlers", "shop")
        by_setting = run("ci", "gitlab", RELAY_SPEC="api.yaml", RELAY_HANDLERS="shop")

        assert by_option.stdout == by_setting.stdout == plan("gitlab", "api.yaml", "shop")
        assert by_option.exit_code == 0

    def test_names_the_contract_of_a_project_where_it_is(self, run, tmp_path):
        """A workflow compares the file with the base branch's; the package is the project's anyway."""
        put(tmp_path / "pyproject.toml", '[tool.relay]\nspec = "api.yaml"\nhandlers = "shop"\n')
        (tmp_path / "api.yaml").write_text("", "utf-8")

        assert run("ci", "gitlab").stdout == plan("gitlab", "api.yaml", None)

    def test_names_nothing_that_a_command_finds_itself(self, run_ours):
        assert run_ours("ci", "gitlab").stdout == plan("gitlab", None, None)

    @pytest.mark.parametrize("spec", ["nope.yaml", str(OURS)], ids=["missing", "outside"])
    def test_says_that_a_contract_is_not_here(self, run, tmp_path, spec):
        """A checkout would not have it either."""
        found = run("ci", "github", "--spec", spec, "--handlers", "shop")

        expected = (
            f"there is no file {tmp_path / spec} below this folder; call this at the root of the repository"
        )
        assert (found.exit_code, found.stderr) == (2, f"error: --spec: {expected}\n")

    @pytest.mark.parametrize("install", ["", "make\nmake install"])
    def test_takes_one_line_to_install(self, run_ours, install):
        found = run_ours("ci", "github", "--install", install)

        assert (found.exit_code, found.stdout) == (2, "")
        assert found.stderr == "error: --install: must be one line; join commands with &&\n"


class TestOurs:
    """`.github/workflows/`."""

    @pytest.mark.slow
    def test_is_valid_and_its_scripts_can_be_parsed(self):
        assert_valid("github", OURS, WEEKLY)
        for file in (OURS, WEEKLY):
            for script in jobs_of(file.read_text("utf-8")):
                subprocess.run(["bash", "-n"], input=script, text=True, check=True)
                assert "${{" not in script

    def test_runs_on_every_python_that_is_supported(self):
        matrix = yaml.safe_load(OURS.read_text("utf-8"))["jobs"]["tests"]["strategy"]["matrix"]
        classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]

        promised = [text.rpartition(" ")[2] for text in classifiers if "Python ::" in text]
        assert matrix["python"] == promised

    def test_tries_the_newest_and_the_lowest_versions_once_a_week(self):
        """On the newest and on the oldest Python; both are environments of tox that a person can run, too."""
        read = yaml.safe_load(WEEKLY.read_text("utf-8"))
        chosen = read["jobs"]["versions"]["strategy"]["matrix"]["include"]
        tox = configparser.ConfigParser(interpolation=None)
        tox.read(ROOT / "tox.ini", "utf-8")

        assert [entry["cron"].split()[2:] for entry in read[True]["schedule"]] == [["*", "*", "1"]]
        assert [one["environment"] for one in chosen] == ["latest", "lowest", "corpus", "coverage"]
        assert all(f"testenv:{one['environment']}" in tox for one in chosen)

    def test_tests_the_contract_as_we_tell_others_to(self):
        """The job is what the command prints for us."""
        printed = yaml.safe_load(plan("github", None, None, INSTALL))
        ours = yaml.safe_load(OURS.read_text("utf-8"))

        for key in (True, "permissions", "concurrency"):  # YAML 1.1 reads `on` as True
            assert ours[key] == printed[key]
        assert ours["jobs"]["contract"] == printed["jobs"]["contract"]


class Repository:
    """A team's repository: a contract, a package, a branch `main` at its origin, and what runs checks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        bare = folder / "origin.git"
        git(folder, "init", "--quiet", "--bare", "-b", "main", bare)
        git(folder, "clone", "--quiet", bare, self.folder)
        bin_ = folder / "bin"
        bin_.mkdir()
        command = " ".join(COMMAND)
        shim = f'#!/bin/sh\n[ "$1" = contract ] && {{ echo tested; exit; }}\nexec {command} "$@"\n'
        (bin_ / "relay").write_text(shim, "utf-8")  # contract tests have tests of their own
        (bin_ / "relay").chmod(0o755)
        self._variables = {
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        }

    def git(self, *arguments: str) -> None:
        git(self.folder, *arguments)

    def commit(self, document: object = None) -> None:
        if document is not None:
            (self.folder / "api.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a runner does: by bash, which stops at what fails."""
        variables = environment(self.folder, **self._variables, **variables)
        return ended(["bash", "-e", "-c", script], self.folder, env=variables)


def things(*fields: str):
    schema = {
        "type": "object",
        "required": list(fields),
        "properties": {name: {"type": "string", "maxLength": 9, "example": name} for name in fields},
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    show = operation("show", responses={"200": {"description": "ok", "content": content}})
    return contract({"/things": {"get": show}}, components={"schemas": {"Thing": schema}})


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "api.yaml").write_text(yaml.safe_dump(things("id", "name")), "utf-8")
    relay(folder, "regenerate", "--spec", "api.yaml", "--handlers", "shop")
    return folder / "shop"


@pytest.fixture
def repository(tmp_path, package):
    """A repository on a branch of its own, whose checks find nothing."""
    repository = Repository(tmp_path)
    shutil.copytree(package, repository.folder / "shop")
    repository.commit(things("id", "name"))
    repository.git("push", "--quiet", "origin", "HEAD:main")
    repository.git("checkout", "--quiet", "-b", "mine")
    return repository


@pytest.fixture
def steps():
    """The scripts of GitHub's workflow by the ids of their steps."""
    read = yaml.safe_load(plan("github", "api.yaml", "shop"))["jobs"]["contract"]["steps"]
    return {step.get("id", step.get("name")): step["run"] for step in read if "run" in step}


@pytest.mark.slow
class TestGitHub:
    """The steps of its workflow, run."""

    def test_passes_what_is_in_order(self, repository, steps):
        found = {name: repository.run(steps[name], BASE="main") for name in ("lint", "drift", "breaking")}

        for result in found.values():
            assert result.returncode == 0, result.stdout + result.stderr
        assert found["breaking"].stdout == "relay breaking: nothing changed\n"

    def test_fails_a_breaking_change(self, repository, steps):
        """It is shown at the line; the types differ, which is drift."""
        repository.commit(things("id"))

        breaking = repository.run(steps["breaking"], BASE="main")
        drift = repository.run(steps["drift"])

        assert breaking.returncode == 1
        assert breaking.stdout.startswith("::error file=api.yaml,line=")
        assert drift.returncode == 1
        assert "::error file=" in drift.stdout

    def test_skips_a_contract_that_is_new_where_all_can_see_it(self, repository, steps):
        repository.git("checkout", "--quiet", "--orphan", "empty")
        repository.git("rm", "--quiet", "-r", "--cached", ".")
        repository.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
        repository.git("push", "--quiet", "origin", "HEAD:empty")

        found = repository.run(steps["breaking"], BASE="empty")

        assert found.returncode == 0
        assert found.stdout.startswith("::notice::relay breaking: skipped, ")

    def test_fails_without_the_base_branch(self, repository, steps):
        """A checkout without history must not look like success."""
        assert repository.run(steps["breaking"], BASE="gone").returncode != 0

    def test_a_branch_cannot_write_the_script(self, repository, steps):
        """Git lets a branch be called nearly anything."""
        name = 'x$(touch${IFS}owned)`touch${IFS}owned`";touch${IFS}owned;"'
        repository.git("push", "--quiet", "origin", f"HEAD:refs/heads/{name}")

        found = repository.run(steps["breaking"], BASE=name)

        assert found.stdout == "relay breaking: nothing changed\n"
        assert not (repository.folder / "owned").exists()

    def test_sums_up(self, repository, steps, tmp_path):
        repository.run(
            steps["Summary"], LINT="success", DRIFT="failure", BREAKING="skipped", CONTRACT="success"
        )

        lines = (tmp_path / "summary.md").read_text("utf-8").splitlines()
        expected = {"lint": "success", "drift": "failure", "breaking": "skipped", "contract": "success"}
        assert lines[2:6] == [f"| relay {name} | {result} |" for name, result in expected.items()]
        assert lines[-1].endswith("the artifact `contract`: open `contract.html`.")


@pytest.mark.slow
class TestGitLab:
    """The script of its job, run without its first line, which installs."""

    SCRIPT = yaml.safe_load(plan("gitlab", "api.yaml", "shop"))["contract"]["script"][1]

    def test_passes_what_is_in_order_and_says_what_was_skipped(self, repository):
        """A branch without a merge request has nothing to be compared with."""
        found = repository.run(self.SCRIPT)

        assert found.returncode == 0, found.stdout + found.stderr
        assert "tested\n" in found.stdout
        assert found.stdout.splitlines()[-1] == "relay breaking: skipped, this is no merge request"

    def test_runs_every_check_and_sums_up(self, repository):
        """A finding of one check keeps none of the others from running."""
        repository.commit(things("id"))

        found = repository.run(self.SCRIPT, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")

        assert found.returncode == 1
        assert "tested\n" in found.stdout
        assert found.stdout.splitlines()[-1] == "failed: drift breaking"

    def test_is_not_blamed_for_what_the_target_branch_got_since(self, repository):
        """Only what this branch changed can break somebody by it."""
        repository.git("checkout", "--quiet", "-b", "theirs")
        repository.commit(things("id", "name", "price"))
        repository.git("push", "--quiet", "origin", "HEAD:main")
        repository.git("checkout", "--quiet", "mine")

        found = repository.run(self.SCRIPT, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")

        assert found.returncode == 0, found.stdout
        assert found.stdout.endswith("relay breaking: nothing changed\n")
