"""`relay breaking`: what it reads, ignores, and finds of ours: `scripts/relay/cli/breaking.py`."""

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
    """A contract whose one operation answers with a pet."""
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": pet}}}}
    get = {**operation("show_pet", responses=answer), **rest}
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return contract({"/pets/{id}": {"parameters": [parameter], "get": get}})


GONE = {"type": "object", "properties": {}}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `relay breaking` in this process, in the working directory or below it."""

    def run(*arguments, below="."):
        monkeypatch.chdir(tmp_path / below)
        return CliRunner().invoke(main, ["breaking", *arguments])

    return run


@pytest.fixture
def write(tmp_path):
    """Write a file of the working directory: YAML of a document, or text."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path.write_text(text, "utf-8")
        return name

    return write


@pytest.fixture
def compared(run, write):
    """Compare two documents, and return the exit code and the lines that are told."""

    def compared(old, new, *arguments):
        write("old.yaml", old)
        write("new.yaml", new)
        result = run("old.yaml", "new.yaml", *arguments)
        return result.exit_code, (result.stdout + result.stderr).splitlines()

    return compared


@pytest.fixture
def commit(tmp_path, write):
    """Commit files to a repository in the working directory."""

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


def test_tells_what_breaks_for_whom_and_where(compared):
    """In one line, with both sides' places, and an exit code for CI."""
    code, lines = compared(pets(), pets(GONE))

    assert code == 1
    place, told = "new.yaml:24:17", "GET /pets/{id}: 200 body.tag: it is gone; "
    assert lines[0].startswith(f"{place}: error: {told}clients that read it find nothing: keep sending it")
    assert lines[0].endswith(" [response-property-removed] (see old.yaml:27:19)")
    assert lines[1:] == ["relay breaking: 1 error"]


def test_a_change_that_breaks_nobody_passes(compared):
    """It is still told, for the changelog."""
    code, lines = compared(pets(), pets(deprecated=True))

    assert code == 0
    assert lines[0].startswith("new.yaml:29:7: info: GET /pets/{id}: it is deprecated; ")
    assert lines[1:] == ["relay breaking: 1 note"]


def test_compares_with_the_contract_that_is_served(tmp_path, write):
    """So that CI needs to name the old one only."""
    write("old.yaml", pets())
    write("new.yaml", pets(GONE))

    result = relay(tmp_path, "breaking", "old.yaml", RELAY_SPEC="new.yaml")

    assert result.returncode == 1
    assert "new.yaml:24:17: error: " in result.stdout


def test_lists_its_rules(run):
    """Whoever writes an ignore file looks there; no contract is needed."""
    result = run("--rules")

    assert result.exit_code == 0
    assert "error   operation-removed: clients that call it get 405: " in result.stdout


class TestRevisions:
    """A side can be a git revision."""

    def test_reads_a_contract_and_all_it_refers_to_from_the_revision(self, run, commit):
        """Files that lie beside it today may say something else; places are those of the revision."""
        ref = {"$ref": "parts.yaml#/Pet"}
        commit(openapi=pets(ref), parts={"Pet": PET})
        commit(parts={"Pet": GONE})

        result = run("HEAD~1:spec/openapi.yaml", "spec/openapi.yaml")

        assert result.exit_code == 1
        assert result.stdout.startswith("spec/parts.yaml:3:3: error: Pet.tag (GET /pets/{id}): it is gone; ")
        assert "(see HEAD~1:spec/parts.yaml:6:5)" in result.stdout

    def test_reads_both_sides_from_revisions_below_the_root(self, run, commit):
        """A path begins at the root of the repository, or where one is with `./`, as git has it."""
        commit(openapi=pets())
        commit(openapi=pets(GONE))

        result = run("HEAD~1:./openapi.yaml", "HEAD:spec/openapi.yaml", below="spec")

        assert result.exit_code == 1
        assert result.stdout.startswith("HEAD:spec/openapi.yaml:24:17: error: ")
        assert "(see HEAD~1:spec/openapi.yaml:27:19)" in result.stdout

    @pytest.mark.parametrize(
        ("old", "told"),
        [
            ("v9:spec/openapi.yaml", "'v9' is no revision here; see `git log --oneline`"),
            (
                "HEAD:nope.yaml",
                "'HEAD' has no file nope.yaml; a path begins at the repository's root, or with ./",
            ),
            ("HEAD:spec", "'HEAD' has no file spec; a path begins at the repository's root, or with ./"),
        ],
    )
    def test_says_what_a_revision_does_not_have(self, run, commit, old, told):
        """In a line, and with another exit code than a finding's."""
        commit(openapi=pets())

        result = run(old, "spec/openapi.yaml")

        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"error: {old}: {told}\n"

    @pytest.mark.parametrize("path", ["/etc/hosts", "../outside.yaml"])
    def test_reads_nothing_outside_of_the_revision(self, run, commit, path):
        """Not even where there is such a file."""
        commit(openapi=pets())

        result = run(f"HEAD:{path}", "spec/openapi.yaml")

        assert result.exit_code == 2
        assert f"'HEAD' has no file {path}; " in result.stderr

    def test_leaves_alone_what_a_contract_refers_to_outside_of_the_revision(self, run, commit, write):
        """It is told as what it is in that revision: missing."""
        commit(openapi=pets({"$ref": "../../outside.yaml#/Pet"}))

        result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

        assert result.exit_code == 2
        assert "error: HEAD:spec/openapi.yaml:" in result.stderr
        assert "'../../outside.yaml#/Pet' cannot be resolved" in result.stderr

    def test_says_that_there_is_no_repository(self, run, write, tmp_path, monkeypatch):
        """A colon may also have been meant as part of a file's name."""
        write("new.yaml", pets())

        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

        result = run("HEAD:a.yaml", "new.yaml")

        assert result.exit_code == 2
        assert result.stderr == "error: HEAD:a.yaml: there is no such file, and no git repository here\n"

    def test_tells_what_is_wrong_with_either_contract(self, run, commit):
        """Both at once, at places that can be looked up."""
        commit(openapi="openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: 1\n", parts="a: 1")

        result = run("HEAD:spec/openapi.yaml", "spec/parts.yaml")

        assert result.exit_code == 2
        told = result.stderr.splitlines()
        assert told[0].startswith("error: HEAD:spec/openapi.yaml:3:1: ")
        assert (
            told[1] == "error: spec/parts.yaml:1:1: not an OpenAPI 3.0 document: "
            "its version is missing; set `openapi: 3.0.3`"
        )


class TestIgnoring:
    """Changes that are meant."""

    @pytest.mark.parametrize("where", ["GET /pets/{id}", None])
    def test_a_change_that_is_meant_is_a_note_with_its_reason(self, compared, write, where):
        """From the usual file, at one place or anywhere."""
        entry = {"rule": "response-property-removed", "reason": "nobody reads it"}
        write(".relay-breaking.yaml", [{**entry, **({"where": where} if where else {})}])

        code, lines = compared(pets(), pets(GONE))

        assert code == 0
        assert "new.yaml:24:17: info: GET /pets/{id}: 200 body.tag: it is gone; " in lines[0]
        assert "(ignored: nobody reads it)" in lines[0]

    def test_the_usual_file_may_lie_beside_the_new_contract(self, run, write):
        """Where whoever changes the contract sees it."""
        write("old.yaml", pets())
        write("spec/new.yaml", pets(GONE))
        write("spec/.relay-breaking.yaml", [{"rule": "response-property-removed", "reason": "x"}])

        assert run("old.yaml", "spec/new.yaml").exit_code == 0

    def test_an_entry_that_ignores_nothing_is_told(self, compared, write):
        """Or it would hide the next change of its kind."""
        write("meant.yaml", [{"rule": "path-removed", "where": "GET /pets", "reason": "x"}])

        code, lines = compared(pets(), pets(), "--ignore", "meant.yaml")

        assert code == 0
        assert lines[0] == (
            "meant.yaml:1:3: warning: nothing is ignored by path-removed at GET /pets; remove the entry [stale-ignore]"
        )

    def test_an_entry_has_a_known_rule_and_a_reason(self, compared, write):
        """All that is wrong is told, at its place."""
        write(
            "meant.yaml",
            "- rule: nope\n  reason: x\n- rule: path-removed\n- where: 1\n  rule: path-removed\n  reason: ''\n- x\n",
        )

        code, lines = compared(pets(), pets(), "--ignore", "meant.yaml")

        assert code == 2
        assert lines == [
            "error: meant.yaml:1:3: there is no rule 'nope'; `relay breaking --rules` lists them",
            "error: meant.yaml:3:3: the entry has no reason; say why this change is meant",
            "error: meant.yaml:4:3: 'where' has to be a text",
            "error: meant.yaml:6:3: 'reason' has to be a text",
            "error: meant.yaml:7:3: an entry has a rule, a reason, and perhaps a where",
        ]

    def test_a_file_that_is_asked_for_has_to_be_there(self, compared):
        """A typing mistake must not let the findings fail, or pass, by chance."""
        code, lines = compared(pets(), pets(), "--ignore", "nope.yaml")

        assert code == 2
        assert lines == ["error: nope.yaml: cannot be read: No such file or directory"]


class TestImpact:
    """What of ours names what changed."""

    def impact(
        self, run, write, tests, handler="def show_pet(id):\n    return {'tag': 1}\n", old=None, new=None
    ):
        """The places that are told, by message."""
        write("shop/__init__.py", "")
        write("shop/things.py", f"import nothing_like_this\n\n\n{handler}")
        for name, source in tests.items():
            write(f"tests/{name}.py", source)
        write("old.yaml", old or pets())
        write("new.yaml", new or pets(GONE))
        result = run("old.yaml", "new.yaml", "--handlers", "shop", "--format", "json")
        findings = json.loads(result.stdout)["findings"]
        return {
            f"{found['file']}:{found['line']}": found["message"]
            for found in findings
            if found["rule"] == "impact"
        }

    def test_names_the_function_and_the_tests(self, run, write):
        """Read from source: what cannot be imported is found all the same."""
        told = self.impact(
            run,
            write,
            {
                "test_function": "from shop.things import show_pet\n\nassert show_pet(1)['tag']\n",
                "test_path": "\nclient.get('/pets/7').json()['tag']\n",
                "test_template": "client.get(f'{url}/pets/{pet}?x=1').tag\n",
            },
        )

        message = "names GET /pets/{id} and tag, which changed: response-property-removed"
        assert told == {
            "shop/things.py:4": message,
            "tests/test_function.py:1": message,
            "tests/test_path.py:2": message,
            "tests/test_template.py:1": message,
        }

    def test_is_not_misled_by_what_only_looks_alike(self, run, write):
        """A property's name alone says nothing, nor do prose, other paths, or files that are not Python."""
        told = self.impact(
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

        assert told == {}

    def test_a_change_of_the_operation_reaches_whoever_names_it(self, run, write):
        """Under the name that it had, too, since handlers and tests still have that."""
        told = self.impact(
            run,
            write,
            {"test_a": "get_pet(1)\n", "test_b": "'show_pet'\nshow_pet(1)\n"},
            handler="def get_pet(id): ...\n",
            old=pets(GONE, operationId="get_pet"),
        )

        message = "names GET /pets/{id}, which changed: operation-id-changed"
        assert told == {
            "shop/things.py:4": message,
            "tests/test_a.py:1": message,
            "tests/test_b.py:2": message,
        }

    def test_what_a_request_is_new_to_have_concerns_whoever_names_the_operation(self, run, write):
        """No file can name it yet, and every caller has to send it from now on."""
        new = pets()
        limit = {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer"}}
        new["paths"]["/pets/{id}"]["get"].setdefault("parameters", []).append(limit)

        told = self.impact(run, write, {"test_a": "show_pet(1)\n", "test_b": "other(1)\n"}, new=new)

        message = "names GET /pets/{id}, which changed: parameter-required-added"
        assert told == {"shop/things.py:4": message, "tests/test_a.py:1": message}

    def test_a_package_that_is_not_there_is_told(self, compared):
        """Or nothing would seem to be named."""
        code, lines = compared(pets(), pets(), "--handlers", "nope.deeper")

        assert code == 2
        assert lines == ["error: RELAY_HANDLERS: there is no package 'nope.deeper' here"]
