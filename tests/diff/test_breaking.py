"""`relay breaking`: revisions, ignore files and impact: `relay.cli.breaking` and `relay.diff`."""

import json

import pytest
import yaml

from support.hosting import contract, operation, put
from support.running import git, invoke

PET = {"type": "object", "required": ["tag"], "properties": {"tag": {"type": "string"}}}


def pets(pet=PET, **rest):
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
    def run(*arguments, below="."):
        monkeypatch.chdir(tmp_path / below)
        return invoke("breaking", *arguments)

    return run


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        put(
            tmp_path / name, content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        )
        return name

    return write


@pytest.fixture
def compared(run, write):
    def compared(old, new, *arguments):
        write("old.yaml", old)
        write("new.yaml", new)
        result = run("old.yaml", "new.yaml", *arguments)
        return result.exit_code, (result.stdout + result.stderr).splitlines()

    return compared


@pytest.fixture
def commit(tmp_path, write):
    def commit(**files):
        for name, content in files.items():
            write(f"spec/{name}.yaml", content)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-m", "x")

    git(tmp_path, "init", "-b", "main")
    return commit


def test_reports_a_breaking_change_in_one_line(compared):
    code, lines = compared(pets(), pets(WITHOUT_TAG))

    assert code == 1
    place, change = "new.yaml:24:17", "GET /pets/{id}: 200 body.tag: removed; "
    assert lines[0].startswith(f"{place}: error: {change}clients that read it do not get it: keep sending it")
    assert lines[0].endswith(" [response-property-removed] (see old.yaml:27:19)")
    assert lines[1:] == ["relay breaking: 1 error"]


def test_a_change_that_breaks_no_client_passes(compared):
    code, lines = compared(pets(), pets(deprecated=True))

    assert code == 0
    assert lines[0].startswith("new.yaml:29:7: info: GET /pets/{id}: now deprecated; ")
    assert lines[1:] == ["relay breaking: 1 note"]


def test_compares_with_the_served_contract_by_default(run, write, monkeypatch):
    monkeypatch.setenv("RELAY_SPEC", write("new.yaml", pets(WITHOUT_TAG)))

    result = run(write("old.yaml", pets()))

    assert result.exit_code == 1
    assert "new.yaml:24:17: error: " in result.stdout


def test_lists_its_rules(run):
    result = run("--rules")

    assert result.exit_code == 0
    assert "error   operation-removed: clients that call it get 405: " in result.stdout


REFERRING = {"openapi": pets({"$ref": "parts.yaml#/Pet"}), "parts": {"Pet": PET}}
OUTSIDE = {"openapi": pets({"$ref": "../../outside.yaml#/Pet"})}
OLDER = {"openapi": "openapi: 2.0.0\ninfo: {title: x, version: '1'}\npaths: {}\n", "parts": "a: 1"}
WHERE = "write the path from the repository's root, or start it with ./"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("commits", "arguments", "below", "expected"),
    [
        pytest.param(
            [REFERRING, {"parts": {"Pet": WITHOUT_TAG}}], "HEAD~1:spec/openapi.yaml spec/openapi.yaml", ".",
            (1, "spec/parts.yaml:3:3: error: Pet.tag (GET /pets/{id}): removed; ", "(see HEAD~1:spec/parts.yaml:6:5)"),
            id="with the files that it refers to",
        ),
        pytest.param(
            [{"openapi": pets()}, {"openapi": pets(WITHOUT_TAG)}], "HEAD~1:./openapi.yaml HEAD:spec/openapi.yaml", "spec",
            (1, "HEAD:spec/openapi.yaml:24:17: error: ", "(see HEAD~1:spec/openapi.yaml:27:19)"),
            id="as in git, from the root, or with ./ from the working directory",
        ),
        *(
            pytest.param([{"openapi": pets()}], f"{old} spec/openapi.yaml", ".", (2, f"error: {old}: {message}\n"), id=old)
            for old, message in [
                ("v9:spec/openapi.yaml", "'v9' is not a revision; see `git log --oneline`"),
                ("HEAD:nope.yaml", f"'HEAD' has no file nope.yaml; {WHERE}"),
                ("HEAD:spec", f"'HEAD' has no file spec; {WHERE}"),
                ("HEAD:/etc/hosts", f"'HEAD' has no file /etc/hosts; {WHERE}"),
                ("HEAD:../outside.yaml", f"'HEAD' has no file ../outside.yaml; {WHERE}"),
            ]
        ),
        pytest.param(
            [OUTSIDE, {"openapi": pets()}], "HEAD~1:spec/openapi.yaml spec/openapi.yaml", ".",
            (0, "HEAD~1:spec/openapi.yaml:", "'../../outside.yaml#/Pet' is outside the contract's folder"),
            id="nothing outside of the contract's folder",
        ),
        pytest.param(
            [OLDER], "HEAD:spec/openapi.yaml spec/parts.yaml", ".",
            (2, "error: HEAD:spec/openapi.yaml:1:1: ", "error: spec/parts.yaml:1:1: not an OpenAPI 3.0, 3.1 or 3.2 document: "),
            id="the errors of both",
        ),
    ],
)  # fmt: skip
def test_either_contract_is_a_file_of_a_revision(run, commit, commits, arguments, below, expected):
    """Files in the working tree may differ; locations are those of the revision."""
    for files in commits:
        commit(**files)

    result = run(*arguments.split(), below=below)

    code, *words = expected
    assert result.exit_code == code
    assert result.output.startswith(words[0])
    assert all(word in result.output for word in words)


def test_compares_with_head_by_default(run, commit, write):
    """A hook names no revision; a contract that HEAD does not have breaks no caller."""
    commit(openapi=pets())
    write("spec/openapi.yaml", pets(WITHOUT_TAG))
    write("spec/new.yaml", pets())

    changed, new = run(), run("", "spec/new.yaml")

    assert changed.exit_code == 1
    assert "(see HEAD:spec/openapi.yaml:" in changed.stdout
    assert (new.exit_code, new.stdout) == (0, "relay breaking: HEAD has no version of the contract yet\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "spec/openapi.yaml: it is not in a repository that git can read"),
        (["HEAD:a.yaml", "spec/openapi.yaml"], "error: HEAD:a.yaml: no such file, and no git repository here\n"),
    ],
)  # fmt: skip
def test_needs_git_for_that(run, write, tmp_path, monkeypatch, arguments, message):
    """Nothing to compare with is no proof that nothing breaks."""
    write("spec/openapi.yaml", pets())
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.stderr


class TestIgnoring:
    """Intended changes are listed in an ignore file."""

    @pytest.mark.parametrize("where", ["GET /pets/{id}", None])
    def test_an_ignored_change_is_a_note_with_its_reason(self, compared, write, where):
        at = f'where = "{where}"\n' if where else ""
        write("pyproject.toml", f"{INTENDED}{at}")

        code, lines = compared(pets(), pets(WITHOUT_TAG))

        assert code == 0
        assert "new.yaml:24:17: info: GET /pets/{id}: 200 body.tag: removed; " in lines[0]
        assert "(ignored: it is unused)" in lines[0]

    def test_the_table_counts_below_the_folder_of_the_project(self, run, write):
        write("pyproject.toml", INTENDED)
        write("spec/old.yaml", pets())
        write("spec/new.yaml", pets(WITHOUT_TAG))

        assert run("old.yaml", "new.yaml", below="spec").exit_code == 0

    @pytest.mark.parametrize(
        ("files", "options", "message"),
        [
            ({"pyproject.toml": '[[tool.relay.breaking.ignore]]\nrule = "path-removed"\n'}, [],
             "pyproject.toml: tool.relay.breaking.ignore[0]: the entry has no reason; state why the change is intended"),
            ({"pyproject.toml": "[tool.relay.breaking]\nignored = []\n"}, [],
             "pyproject.toml: tool.relay.breaking.ignored: unknown key; there is only ignore"),
            ({"pyproject.toml": "[tool.relay]\n", ".relay-breaking.yaml": "[]"}, [],
             ".relay-breaking.yaml: is no longer read: move its entries to [tool.relay.breaking] in pyproject.toml"),
            ({}, ["--ignore", "nope.yaml"], "nope.yaml: cannot be read: No such file or directory"),
        ],
    )  # fmt: skip
    def test_a_list_that_cannot_be_read_is_an_error(self, compared, write, files, options, message):
        """An intended change would fail; TOML's lines are not kept."""
        for name, text in files.items():
            write(name, text)

        assert compared(pets(), pets(), *options) == (2, [f"error: {message}"])

    def test_warns_about_an_entry_without_a_change(self, compared, write):
        write("accepted.yaml", [{"rule": "path-removed", "where": "GET /pets", "reason": "x"}])

        code, lines = compared(pets(), pets(), "--ignore", "accepted.yaml")

        assert code == 0
        assert lines[0] == (
            "accepted.yaml:1:3: warning: no change matches path-removed at GET /pets; remove the entry [stale-ignore]"
        )

    def test_an_entry_must_have_a_known_rule_and_a_reason(self, compared, write):
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


REMOVED = "names GET /pets/{id} and tag, which changed: response-property-removed"
RENAMED = "names GET /pets/{id}, which changed: operation-id-changed"
ADDED = "names GET /pets/{id}, which changed: parameter-required-added"
LIMIT = {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer"}}


@pytest.mark.parametrize(
    ("handler", "tests", "contracts", "expected"),
    [
        pytest.param(
            "def show_pet(id):\n    return {'tag': 1}\n",
            {
                "test_function": "from shop.things import show_pet\n\nassert show_pet(1)['tag']\n",
                "test_path": "\nclient.get('/pets/7').json()['tag']\n",
                "test_template": "client.get(f'{url}/pets/{pet}?x=1').tag\n",
            },
            (pets(), pets(WITHOUT_TAG)),
            dict.fromkeys(("shop/things.py:4", "test_function.py:1", "test_path.py:2", "test_template.py:1"), REMOVED),
            id="by function and path, of what cannot be imported, too",
        ),
        pytest.param(
            "def show_pet(id):\n    return {}\n",
            {
                "test_name": "assert pet['tag']\n",
                "test_comment": "assert pet['tag']  # show_pet\n",
                "test_docstring": 'def test():\n    """Of show_pet and tag."""\n',
                "test_path": "client.get('/pets/7/tags').tag\n",
                "test_other": "assert show_pet(1)['name']\n",
                "broken": "def (\n",
            },
            (pets(), pets(WITHOUT_TAG)),
            {},
            id="no name of a property alone, no prose, no other path, no file that is not Python",
        ),
        pytest.param(
            "def get_pet(id): ...\n",
            {"test_a": "get_pet(1)\n", "test_b": "'show_pet'\nshow_pet(1)\n"},
            (pets(WITHOUT_TAG, operationId="get_pet"), pets(WITHOUT_TAG)),
            dict.fromkeys(("shop/things.py:4", "test_a.py:1", "test_b.py:2"), RENAMED),
            id="by the old name of an operation, too",
        ),
        pytest.param(
            "def show_pet(id): ...\n",
            {"test_a": "show_pet(1)\n", "test_b": "other(1)\n"},
            (pets(), pets(parameters=[LIMIT])),
            dict.fromkeys(("shop/things.py:4", "test_a.py:1"), ADDED),
            id="of a new part that no file names yet, and every caller must send",
        ),
    ],
)  # fmt: skip
def test_names_the_handlers_and_tests_of_a_change(run, write, handler, tests, contracts, expected):
    """Source is read, not imported."""
    write("shop/__init__.py", "")
    write("shop/things.py", f"import nothing_like_this\n\n\n{handler}")
    for name, source in tests.items():
        write(f"tests/{name}.py", source)
    old, new = (write(f"{number}.yaml", document) for number, document in enumerate(contracts))

    result = run(old, new, "--handlers", "shop", "--format", "json")

    found = [one for one in json.loads(result.stdout)["findings"] if one["rule"] == "impact"]
    places = {f"{one['file'].removeprefix('tests/')}:{one['line']}": one["message"] for one in found}
    assert places == expected


def test_reports_a_missing_package(compared):
    """Otherwise the impact would silently be empty."""
    code, lines = compared(pets(), pets(), "--handlers", "nope.deeper")

    assert (code, lines) == (2, ["error: RELAY_HANDLERS: there is no package 'nope.deeper' here"])


@pytest.mark.slow
def test_a_revision_reads_within_the_contract_root(run, commit, write, tmp_path, monkeypatch):
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


@pytest.mark.slow
@pytest.mark.parametrize("ref", ["http://[x/y", "a\0b", "c%00d", "%ff", "//[", "\ud800", "a" * 5000])
def test_a_reference_of_a_revision_that_names_no_file_is_reported(run, commit, write, ref):
    commit(openapi=pets({"$ref": ref}))
    write("spec/openapi.yaml", pets())

    result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

    assert result.exit_code in (0, 2)
    assert "HEAD:spec/openapi.yaml:" in result.output


class TestFaults:
    """Contracts with errors are compared in what is sound."""

    BAD = "/a/{b}/{b}"

    def test_the_sound_operations_of_a_contract_with_errors_are_compared(self, compared):
        old, new = pets(), pets(WITHOUT_TAG)
        for document in (old, new):
            document["paths"][self.BAD] = {"get": operation("bad")}
        old["tegs"] = new["pathz"] = []

        code, lines = compared(old, new)

        assert code == 1
        for words in (
            "[response-property-removed]",
            "warning: old contract: unknown field 'tegs'",
            "warning: new contract: unknown field 'pathz'",
            "warning: both contracts: ",
            "1 operation was not compared, because a contract has errors in it",
        ):
            assert any(words in line for line in lines)

    def test_an_operation_that_has_errors_now_is_not_called_removed(self, compared):
        """It is still in the contract, and its clients get 501; what it was before it was corrected cannot be said."""
        sound, faulty = pets(), pets()
        values = [{"name": name, "in": "path", "required": True, "schema": {}} for name in "bc"]
        sound["paths"]["/a/{b}/{c}"] = {"get": {**operation("bad"), "parameters": values}}
        faulty["paths"][self.BAD] = {"get": operation("bad")}

        code, lines = compared(sound, faulty)
        assert code == 1
        assert any("[operation-faulty]" in line for line in lines)
        assert not any("removed]" in line for line in lines)

        code, lines = compared(faulty, sound)
        assert code == 0
        assert not any("added]" in line for line in lines)

    @pytest.mark.parametrize("is_parameter", [True, False])
    def test_an_operation_that_can_no_longer_be_compiled_is_reported(self, compared, is_parameter):
        old, new = pets(), pets()
        for document, schema in ((old, {"type": "number"}), (new, {"type": "number", "oneOf": []})):
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

    def test_a_contract_with_many_errors_is_reported_shortly(self, compared):
        old = pets()
        for number in range(200):
            old["paths"][f"/{number}/{{b}}/{{b}}"] = {"get": operation(f"bad{number}")}

        _, lines = compared(old, pets())

        assert len(lines) < 30
        assert any(" more errors; `relay lint` lists them" in line for line in lines)


def test_a_contract_root_that_names_no_folder_is_an_error(run, commit, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.relay]\ncontract-root = "a\\u0000b"\n', "utf-8")
    commit(openapi=pets())

    result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"error: contract-root: '{tmp_path}/a\\x00b' is not the name of a folder"
    ]


def selecting(**mapping):
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    dog = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    return pets(schema) | {"components": {"schemas": {"Dog": dog}}}


def test_a_mapping_may_name_a_component_or_lead_nowhere(compared):
    """A name and a reference are the same; the comparison ended with a traceback where a reference led nowhere."""
    written = selecting(dog="Dog", cow="#/components/schemas/Cow", ape="Ape")

    same = selecting(dog="#/components/schemas/Dog")
    assert compared(written, same) == (0, ["relay breaking: nothing changed"])
    code, lines = compared(written, selecting(hound="Dog"))
    assert code == 1
    assert "response-discriminator-changed" in lines[0]


def test_a_revision_has_the_files_that_only_a_mapping_leads_to(run, commit):
    """Otherwise its mapping would differ from that of the same files in the working directory."""
    commit(openapi=selecting(dog="Dog", cat="cat.yaml"), cat={"type": "object"})

    result = run("HEAD:spec/openapi.yaml", "spec/openapi.yaml")

    assert (result.exit_code, result.output) == (0, "relay breaking: nothing changed\n")
