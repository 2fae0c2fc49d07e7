"""`relay breaking`: revisions, ignore files and impact: `relay.cli.breaking` and `relay.diff`."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml
from click.testing import CliRunner

from relay.cli.main import main
from support.hosting import contract, operation
from support.running import relay

PET = {"type": "object", "required": ["tag"], "properties": {"tag": {"type": "string"}}}


def pets(pet=PET, **rest):
    """Return a contract whose operation responds with a pet."""
    responses = {"200": {"description": "ok", "content": {"application/json": {"schema": pet}}}}
    get = {**operation("show_pet", responses=responses), **rest}
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return contract({"/pets/{id}": {"parameters": [parameter], "get": get}})


WITHOUT_TAG = {"type": "object", "properties": {}}
INTENDED = """\
[[tool.relay.breaking.ignore]]
rule = "response-property-removed"
reason = "it is unused"
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `relay breaking` in this process, in the working directory or a subfolder."""

    def run(*arguments, below="."):
        monkeypatch.chdir(tmp_path / below)
        return CliRunner().invoke(main, ["breaking", *arguments])

    return run


@pytest.fixture
def write(tmp_path):
    """Write a file to the working directory: a document as YAML, or text."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path.write_text(text, "utf-8")
        return name

    return write


@pytest.fixture
def compared(run, write):
    """Compare two documents; return the exit code and the lines of output."""

    def compared(old, new, *arguments):
        write("old.yaml", old)
        write("new.yaml", new)
        result = run("old.yaml", "new.yaml", *arguments)
        return result.exit_code, (result.stdout + result.stderr).splitlines()

    return compared


@pytest.fixture
def commit(tmp_path, write):
    """Return a function that commits files to a repository in the working directory."""

    def git(*arguments):
        names = "-c", "user.name=x", "-c", "user.email=x@example.com"
        subprocess.run(["git", *names, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(**files):
        for name, content in files.items():
            write(f"spec/{name}.yaml", content)
        git("add", ".")
        git("commit", "-m", "x")

    git("init", "-b", "main")
    return commit


def test_reports_a_breaking_change_in_one_line(compared):
    """With the locations in both contracts, and an exit code for CI."""
    code, lines = compared(pets(), pets(WITHOUT_TAG))

    assert code == 1
    place, change = "new.yaml:24:17", "GET /pets/{id}: 200 body.tag: removed; "
    assert lines[0].startswith(f"{place}: error: {change}clients that read it do not get it: keep sending it")
    assert lines[0].endswith(" [response-property-removed] (see old.yaml:27:19)")
    assert lines[1:] == ["relay breaking: 1 error"]


def test_a_change_that_breaks_no_client_passes(compared):
    """It is still reported, for the changelog."""
    code, lines = compared(pets(), pets(deprecated=True))

    assert code == 0
    assert lines[0].startswith("new.yaml:29:7: info: GET /pets/{id}: now deprecated; ")
    assert lines[1:] == ["relay breaking: 1 note"]


def test_compares_with_the_served_contract_by_default(tmp_path, write):
    """So CI needs to name only the old contract."""
    write("old.yaml", pets())
    write("new.yaml", pets(WITHOUT_TAG))

    result = relay(tmp_path, "breaking", "old.yaml", RELAY_SPEC="new.yaml")

    assert result.returncode == 1
    assert "new.yaml:24:17: error: " in result.stdout


def test_lists_its_rules(run):
    """Authors of an ignore file need them; no contract is required."""
    result = run("--rules")

    assert result.exit_code == 0
    assert "error   operation-removed: clients that call it get 405: " in result.stdout


class TestRevisions:
    """Either contract can be a file of a git revision."""

    def test_reads_the_contract_and_its_references_from_the_revision(self, run, commit):
        """Files in the working tree may differ; locations are those of the revision."""
        ref = {"$ref": "parts.yaml#/Pet"}
        commit(openapi=pets(ref), parts={"Pet": PET})
        commit(parts={"Pet": WITHOUT_TAG})

        result = run("HEAD~1:spec/openapi.yaml", "spec/openapi.yaml")

        assert result.exit_code == 1
        assert result.stdout.startswith("spec/parts.yaml:3:3: error: Pet.tag (GET /pets/{id}): removed; ")
        assert "(see HEAD~1:spec/parts.yaml:6:5)" in result.stdout

    def test_compares_with_head_by_default(self, run, commit, write):
        """A hook names no revision; a contract that HEAD does not have breaks no caller."""
        commit(openapi=pets())
        write("spec/openapi.yaml", pets(WITHOUT_TAG))
        write("spec/new.yaml", pets())

        changed, new = run(), run("", "spec/new.yaml")

        assert changed.exit_code == 1
        assert "(see HEAD:spec/openapi.yaml:" in changed.stdout
        assert (new.exit_code, new.stdout) == (
            0,
            "relay breaking: HEAD has no version of the contract yet\n",
        )

    def test_needs_git_for_that(self, run, write):
        """Nothing to compare with is no proof that nothing breaks."""
        write("spec/openapi.yaml", pets())

        result = run()

        assert result.exit_code == 2
        assert "spec/openapi.yaml: it is not in a repository that git can read" in result.stderr

    def test_reads_both_sides_from_revisions_below_the_root(self, run, commit):
        """As in git, a path starts at the repository's root, or with `./` at the working directory."""
        commit(openapi=pets())
        commit(openapi=pets(WITHOUT_TAG))

        result = run("HEAD~1:./openapi.yaml", "HEAD:spec/openapi.yaml", below="spec")

        assert result.exit_code == 1
        assert result.stdout.startswith("HEAD:spec/openapi.yaml:24:17: error: ")
        assert "(see HEAD~1:spec/openapi.yaml:27:19)" in result.stdout

    @pytest.mark.parametrize(
        ("old", "message"),
        [
            ("v9:spec/openapi.yaml", "'v9' is not a revision; see `git log --oneline`"),
            (
                "HEAD:nope.yaml",
                "'HEAD' has no file nope.yaml; write the path from the repository's root, or start it with ./",
            ),
            (
                "HEAD:spec",
                "'HEAD' has no file spec; write the path from the repository's root, or start it with ./",
            ),
        ],
    )
    def test_reports_a_missing_revision_or_file(self, run, commit, old, message):
        """In one line, with an exit code that differs from that of a finding."""
        commit(openapi=pets())

        result = run(old, "spec/openapi.yaml")

        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"error: {old}: {message}\n"

    @pytest.mark.parametrize("path", ["/etc/hosts", "../outside.yaml"])
    def test_reads_nothing_outside_of_the_revision(self, run, commit, path):
        """Even if such a file exists."""
        commit(openapi=pets())

        result = run(f"HEAD:{path}", "spec/openapi.yaml")

        assert result.exit_code == 2
        assert f"'HEAD' has no file {path}; " in result.stderr

    def test_does_not_follow_references_outside_of_the_revision(self, run, commit, write):
        """Nor out of the folder of the contract."""
        commit(openapi=pets({"$ref": "../../outside.yaml#/Pet"}))
        write("spec/openapi.yaml", pets())

        result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

        assert result.exit_code == 0
        assert "HEAD:spec/openapi.yaml:" in result.stdout
        assert "'../../outside.yaml#/Pet' is outside the contract's folder" in result.stdout

    def test_reports_a_missing_repository(self, run, write, tmp_path, monkeypatch):
        """The message also covers a file name with a colon."""
        write("new.yaml", pets())

        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

        result = run("HEAD:a.yaml", "new.yaml")

        assert result.exit_code == 2
        assert result.stderr == "error: HEAD:a.yaml: no such file, and no git repository here\n"

    def test_reports_the_errors_of_both_contracts(self, run, commit):
        """Both in one run, with locations that include the revision."""
        commit(openapi="openapi: 2.0.0\ninfo: {title: x, version: '1'}\npaths: {}\n", parts="a: 1")

        result = run("HEAD:spec/openapi.yaml", "spec/parts.yaml")

        assert result.exit_code == 2
        lines = result.stderr.splitlines()
        assert lines[0].startswith("error: HEAD:spec/openapi.yaml:1:1: ")
        assert (
            lines[1] == "error: spec/parts.yaml:1:1: not an OpenAPI 3.0, 3.1 or 3.2 document: "
            "its version is missing; set `openapi: 3.1.1`"
        )


class TestIgnoring:
    """Intended changes are listed in an ignore file."""

    @pytest.mark.parametrize("where", ["GET /pets/{id}", None])
    def test_an_ignored_change_is_a_note_with_its_reason(self, compared, write, where):
        """From the project's table, at one place or anywhere."""
        at = f'where = "{where}"\n' if where else ""
        write("pyproject.toml", f"{INTENDED}{at}")

        code, lines = compared(pets(), pets(WITHOUT_TAG))

        assert code == 0
        assert "new.yaml:24:17: info: GET /pets/{id}: 200 body.tag: removed; " in lines[0]
        assert "(ignored: it is unused)" in lines[0]

    def test_the_table_counts_below_the_folder_of_the_project(self, run, write):
        """Wherever in the project the command is called."""
        write("pyproject.toml", INTENDED)
        write("spec/old.yaml", pets())
        write("spec/new.yaml", pets(WITHOUT_TAG))

        assert run("old.yaml", "new.yaml", below="spec").exit_code == 0

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (
                '[[tool.relay.breaking.ignore]]\nrule = "path-removed"\n',
                "ignore[0]: the entry has no reason; state why the change is intended",
            ),
            ("[tool.relay.breaking]\nignored = []\n", "ignored: unknown key; there is only ignore"),
        ],
    )
    def test_says_what_is_wrong_with_the_table(self, compared, write, table, message):
        """By the entry's number, since TOML's lines are not kept."""
        write("pyproject.toml", table)

        assert compared(pets(), pets()) == (2, [f"error: pyproject.toml: tool.relay.breaking.{message}"])

    def test_a_file_that_the_table_has_replaced_is_an_error(self, compared, write):
        """It would be ignored, and an intended change would fail."""
        write("pyproject.toml", "[tool.relay]\n")
        write(".relay-breaking.yaml", "[]")

        assert compared(pets(), pets()) == (
            2,
            [
                "error: .relay-breaking.yaml: is no longer read: move its entries to [tool.relay.breaking] in pyproject.toml"
            ],
        )

    def test_warns_about_an_entry_without_a_change(self, compared, write):
        """Otherwise it would hide the next change of this kind."""
        write("accepted.yaml", [{"rule": "path-removed", "where": "GET /pets", "reason": "x"}])

        code, lines = compared(pets(), pets(), "--ignore", "accepted.yaml")

        assert code == 0
        assert lines[0] == (
            "accepted.yaml:1:3: warning: no change matches path-removed at GET /pets; remove the entry [stale-ignore]"
        )

    def test_an_entry_must_have_a_known_rule_and_a_reason(self, compared, write):
        """All errors are reported, with their locations."""
        write(
            "accepted.yaml",
            "- rule: nope\n  reason: x\n- rule: path-removed\n- where: 1\n  rule: path-removed\n  reason: ''\n- x\n",
        )

        code, lines = compared(pets(), pets(), "--ignore", "accepted.yaml")

        assert code == 2
        assert lines == [
            "error: accepted.yaml:1:3: unknown rule 'nope'; `relay breaking --rules` lists them",
            "error: accepted.yaml:3:3: the entry has no reason; state why the change is intended",
            "error: accepted.yaml:4:3: 'where' must be a non-empty string",
            "error: accepted.yaml:6:3: 'reason' must be a non-empty string",
            "error: accepted.yaml:7:3: an entry must have a rule and a reason, and may have a where",
        ]

    def test_a_given_ignore_file_must_exist(self, compared):
        """A typo in its name must not change the result silently."""
        code, lines = compared(pets(), pets(), "--ignore", "nope.yaml")

        assert code == 2
        assert lines == ["error: nope.yaml: cannot be read: No such file or directory"]


class TestImpact:
    """Handlers and tests that name what changed."""

    def impact(
        self, run, write, tests, handler="def show_pet(id):\n    return {'tag': 1}\n", old=None, new=None
    ):
        """Return the messages of the rule `impact` by location."""
        write("shop/__init__.py", "")
        write("shop/things.py", f"import nothing_like_this\n\n\n{handler}")
        for name, source in tests.items():
            write(f"tests/{name}.py", source)
        write("old.yaml", old or pets())
        write("new.yaml", new or pets(WITHOUT_TAG))
        result = run("old.yaml", "new.yaml", "--handlers", "shop", "--format", "json")
        findings = json.loads(result.stdout)["findings"]
        return {
            f"{found['file']}:{found['line']}": found["message"]
            for found in findings
            if found["rule"] == "impact"
        }

    def test_names_the_function_and_the_tests(self, run, write):
        """Source is read, not imported, so modules that cannot be imported are found too."""
        reported = self.impact(
            run,
            write,
            {
                "test_function": "from shop.things import show_pet\n\nassert show_pet(1)['tag']\n",
                "test_path": "\nclient.get('/pets/7').json()['tag']\n",
                "test_template": "client.get(f'{url}/pets/{pet}?x=1').tag\n",
            },
        )

        message = "names GET /pets/{id} and tag, which changed: response-property-removed"
        assert reported == {
            "shop/things.py:4": message,
            "tests/test_function.py:1": message,
            "tests/test_path.py:2": message,
            "tests/test_template.py:1": message,
        }

    def test_ignores_similar_names(self, run, write):
        """A property's name alone is ignored, as are prose, other paths, and files that are not Python."""
        reported = self.impact(
            run,
            write,
            {
                "test_name": "assert pet['tag']\n",
                "test_comment": "assert pet['tag']  # show_pet\n",
                "test_docstring": 'def test():\n    """Of show_pet and tag."""\n',
                "test_path": "client.get('/pets/7/tags').tag\n",
                "test_other": "assert show_pet(1)['name']\n",
                "broken": "def (\n",
            },
            handler="def show_pet(id):\n    return {}\n",
        )

        assert reported == {}

    def test_a_change_of_an_operation_affects_files_that_name_it(self, run, write):
        """Also by its old name, which handlers and tests still use."""
        reported = self.impact(
            run,
            write,
            {"test_a": "get_pet(1)\n", "test_b": "'show_pet'\nshow_pet(1)\n"},
            handler="def get_pet(id): ...\n",
            old=pets(WITHOUT_TAG, operationId="get_pet"),
        )

        message = "names GET /pets/{id}, which changed: operation-id-changed"
        assert reported == {
            "shop/things.py:4": message,
            "tests/test_a.py:1": message,
            "tests/test_b.py:2": message,
        }

    def test_a_part_added_to_a_request_affects_files_that_name_the_operation(self, run, write):
        """No file names the new part yet, but every caller must send it."""
        new = pets()
        limit = {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer"}}
        new["paths"]["/pets/{id}"]["get"].setdefault("parameters", []).append(limit)

        reported = self.impact(run, write, {"test_a": "show_pet(1)\n", "test_b": "other(1)\n"}, new=new)

        message = "names GET /pets/{id}, which changed: parameter-required-added"
        assert reported == {"shop/things.py:4": message, "tests/test_a.py:1": message}

    def test_reports_a_missing_package(self, compared):
        """Otherwise the impact would silently be empty."""
        code, lines = compared(pets(), pets(), "--handlers", "nope.deeper")

        assert code == 2
        assert lines == ["error: RELAY_HANDLERS: there is no package 'nope.deeper' here"]


def test_a_revision_reads_within_the_contract_root(run, commit, write, tmp_path, monkeypatch):
    """The folder is taken from the revision, too."""
    write("shared.yaml", {"Pet": {"type": "object"}})
    commit(openapi=pets({"$ref": "../shared.yaml#/Pet"}))

    refused = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")
    write("new.yaml", pets())
    changed = run("HEAD:spec/openapi.yaml", "new.yaml")
    monkeypatch.setenv("RELAY_CONTRACT_ROOT", ".")
    result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

    assert (refused.exit_code, changed.exit_code) == (0, 0)
    assert "both contracts: 1 error" in refused.stdout
    assert "outside the contract's folder" in changed.stdout
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("ref", ["http://[x/y", "a\0b", "c%00d", "%ff", "//[", "\ud800", "a" * 5000])
def test_a_reference_of_a_revision_that_names_no_file_is_reported(run, commit, write, ref):
    """As in a file of the working directory."""
    commit(openapi=pets({"$ref": ref}))
    write("spec/openapi.yaml", pets())

    result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

    assert result.exit_code in (0, 2)
    assert "HEAD:spec/openapi.yaml:" in result.output


class TestFaults:
    """Contracts with errors are compared in what is sound."""

    BAD = "/a/{b}/{b}"

    def test_the_sound_operations_of_a_contract_with_errors_are_compared(self, compared):
        """A contract that somebody else wrote has errors, and still its changes are of interest."""
        old, new = pets(), pets(WITHOUT_TAG)
        for document in (old, new):
            document["paths"][self.BAD] = {"get": operation("bad")}
        old["tegs"] = new["pathz"] = []

        code, lines = compared(old, new)

        assert code == 1
        assert any("[response-property-removed]" in line for line in lines)
        assert any("warning: old contract: unknown field 'tegs'" in line for line in lines)
        assert any("warning: new contract: unknown field 'pathz'" in line for line in lines)
        assert any("warning: both contracts: " in line for line in lines)
        assert any(
            "1 operation was not compared, because a contract has errors in it" in line for line in lines
        )

    def test_an_operation_that_has_errors_now_is_not_called_removed(self, compared):
        """It is still in the contract, and its clients get 501."""
        old, new = pets(), pets()
        values = [{"name": name, "in": "path", "required": True, "schema": {}} for name in "bc"]
        old["paths"]["/a/{b}/{c}"] = {"get": {**operation("bad"), "parameters": values}}
        new["paths"][self.BAD] = {"get": operation("bad")}

        code, lines = compared(old, new)

        assert code == 1
        assert any("[operation-faulty]" in line for line in lines)
        assert not any("removed]" in line for line in lines)

    @pytest.mark.parametrize("is_parameter", [True, False])
    def test_an_operation_that_can_no_longer_be_compiled_is_reported(self, compared, is_parameter):
        """It is in the contract, and its clients get 501 all the same."""
        old, new = pets(), pets()
        for document, schema in (
            (old, {"type": "number"}),
            (new, {"type": "number", "oneOf": []}),
        ):
            part = (
                {"parameters": [{"name": "q", "in": "query", "schema": schema}]}
                if is_parameter
                else {"requestBody": {"content": {"application/json": {"schema": schema}}}}
            )
            document["paths"]["/a"] = {"post": {**operation("bad"), **part}}

        code, lines = compared(old, new)

        assert code == 1
        assert [line for line in lines if "[operation-faulty]" in line and "cannot be compiled" in line]
        code, lines = compared(new, old)
        assert code == 0
        assert compared(new, new)[0] == 0

    def test_an_operation_whose_errors_are_corrected_is_no_new_one(self, compared):
        """What it was cannot be said."""
        old, new = pets(), pets()
        values = [{"name": name, "in": "path", "required": True, "schema": {}} for name in "bc"]
        old["paths"][self.BAD] = {"get": operation("bad")}
        new["paths"]["/a/{b}/{c}"] = {"get": {**operation("bad"), "parameters": values}}

        code, lines = compared(old, new)

        assert code == 0
        assert not any("added]" in line for line in lines)

    def test_a_contract_with_many_errors_is_reported_shortly(self, compared):
        """The errors are of no interest here; lint lists them."""
        old = pets()
        for number in range(200):
            old["paths"][f"/{number}/{{b}}/{{b}}"] = {"get": operation(f"bad{number}")}

        _, lines = compared(old, pets())

        assert len(lines) < 30
        assert any(" more errors; `relay lint` lists them" in line for line in lines)


def test_a_contract_root_that_names_no_folder_is_an_error(run, commit, tmp_path):
    """For a revision, too."""
    (tmp_path / "pyproject.toml").write_text('[tool.relay]\ncontract-root = "a\\u0000b"\n', "utf-8")
    commit(openapi=pets())

    result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"error: contract-root: '{tmp_path}/a\\x00b' is not the name of a folder"
    ]


def selecting(**mapping):
    """Return a contract whose pet is selected by a discriminator."""
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    dog = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    return pets(schema) | {"components": {"schemas": {"Dog": dog}}}


def test_a_mapping_may_name_a_component_or_lead_nowhere(compared):
    """A name and a reference are the same; the comparison ended with a traceback where a reference led nowhere."""
    written = selecting(dog="Dog", cow="#/components/schemas/Cow", ape="Ape")

    assert compared(written, selecting(dog="#/components/schemas/Dog")) == (
        0,
        ["relay breaking: nothing changed"],
    )
    code, lines = compared(written, selecting(hound="Dog"))
    assert code == 1
    assert "response-discriminator-changed" in lines[0]


def test_a_revision_has_the_files_that_only_a_mapping_leads_to(run, commit):
    """Otherwise its mapping would differ from that of the same files in the working directory."""
    commit(openapi=selecting(dog="Dog", cat="cat.yaml"), cat={"type": "object"})

    result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

    assert (result.exit_code, result.output) == (0, "relay breaking: nothing changed\n")
