"""`relay import`: `scripts/relay/cli/import_.py` together with `scripts/relay/importer/`."""

import copy
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.contract.documents import read_document
from relay.contract.loading import load_contract
from relay.contract.methods import METHODS
from relay.importer.prose import same, structure
from relay.importer.sources_lock import read_lock
from relay.importer.yaml_text import block, inline
from relay.project.files import replace_files
from support.documenting import STRUCTURE, described, page, thing
from support.hosting import put
from support.running import SPEC, invoke, relay

NAME = "get-organization-level-voice-ai-configuration.md"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name, document):
    """Write a page (`.md`) or a YAML file."""
    put(Path(name), page(document) if name.endswith(".md") else yaml.safe_dump(document, sort_keys=False))


def shaped(**types):
    """The schema of an object with properties of some types."""
    return {"type": "object", "properties": {name: {"type": kind} for name, kind in types.items()}}


KEY = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}


def run(*arguments, code=0):
    """Import into `api.yaml` in this process, and return the output."""
    result = invoke("import", "--spec", "api.yaml", *arguments)
    assert result.exit_code == code, result.output
    return result.output


def spec():
    return Path("api.yaml").read_text("utf-8")


def at(text, line):
    """The number of the first line that is `line`."""
    return text.splitlines().index(line) + 1


class TestAdding:
    """New operations."""

    @pytest.mark.slow
    @pytest.mark.parametrize("start", [None, "", "# ours\n", "---\n# ours"])
    def test_an_empty_contract_becomes_the_published_one(self, start):
        """Structure, names, examples and their order are the same; existing comments stay."""
        write(f"docs/{NAME}", described(STRUCTURE))
        if start is not None:
            Path("api.yaml").write_text(start, "utf-8")

        printed = run(f"docs/{NAME}")

        assert printed.splitlines() == [
            f"added GET /api/calls/voice-ai/config (docs/{NAME})",
            "next: relay lint, relay regenerate",
        ]
        assert json.dumps(structure(load_contract(Path("api.yaml")).document)) == json.dumps(STRUCTURE)
        assert spec().startswith(start or "openapi: 3.0.3\n")

    def test_our_own_contract_has_the_published_operation_already(self):
        """Our wording stays the same to the byte; the difference is a note, not an error."""
        Path("api.yaml").write_bytes(SPEC.read_bytes())
        write(NAME, described(STRUCTURE))

        printed = run(NAME)

        assert spec() == SPEC.read_text("utf-8")
        assert f"unchanged GET /api/calls/voice-ai/config ({NAME})" in printed
        assert "the wording of components/schemas/CallsErrorResponse differs from the page's" in printed
        assert "next:" not in printed

    def test_a_second_method_goes_into_its_path(self):
        write("api.yaml", thing("pet"))
        document = thing("pet")
        document["paths"]["/pet"] = {"post": {**document["paths"]["/pet"]["get"], "operationId": "add_pet"}}
        write("add.md", document)

        run("add.md")

        assert list(yaml.safe_load(spec())["paths"]["/pet"]) == ["get", "post"]
        assert spec().count("/pet:") == 1

    def test_the_security_of_a_whole_page_is_not_lost(self):
        """Otherwise the contract's own default could make the operation public."""
        write("api.yaml", thing("open"))
        document = thing("closed", security=[{"key": []}])
        document["components"]["securitySchemes"] = KEY
        write("closed.md", document)

        run("closed.md")

        found = {one.path: one.security for one in load_contract(Path("api.yaml")).operations}
        assert found == {"/open": (), "/closed": ({"key": []},)}
        assert "unchanged" in run("closed.md")

    def test_root_fields_are_imported_once(self):
        """Title, servers and the like belong to the contract; a different page only causes a note."""
        write("a.md", thing("a", servers=[{"url": "https://a.example"}]))
        write("b.md", thing("b", servers=[{"url": "https://b.example"}]))

        run("a.md")
        printed = run("b.md")

        assert yaml.safe_load(spec())["servers"] == [{"url": "https://a.example"}]
        place = f"api.yaml:{at(spec(), 'servers:')}:1"
        what = "'servers' differs from the page's; the contract is not changed [ours-stays] (see b.md:"
        assert f"{place}: info: {what}" in printed

    def test_shows_what_would_change_and_writes_nothing(self):
        write("api.yaml", thing("a"))
        write("b.md", thing("b"))
        before = spec()

        printed = run("--diff", "b.md")

        assert "+  /b:\n" in printed
        assert not [line for line in printed.splitlines() if re.match(r"-(?!-- )", line)]
        assert spec() == before
        assert not Path("sources.lock").exists()


class TestRefusing:
    """Contradictions are refused, and then nothing is written."""

    def refused(self, *arguments):
        before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        printed = run(*arguments, code=1)
        assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
        return printed.splitlines()

    def test_names_both_places_of_a_contradiction(self):
        write("api.yaml", thing("pet", shaped(age="integer")))
        write("good.md", thing("good"))
        write("pet.md", thing("pet", shaped(age="string")))

        finding, summary = self.refused("good.md", "pet.md")

        ours = at(spec(), "          type: integer")
        theirs = at(Path("pet.md").read_text("utf-8"), "          type: string")
        assert finding == (
            f"pet.md:{theirs}:11: error: components/schemas/pet differs from the contract's at "
            "'properties/age/type': it was not imported from this page; rename one of the two, or change the "
            f"contract by hand [contradiction] (see api.yaml:{ours}:11)"
        )
        assert summary == "relay import: 1 error"

    def test_reports_pages_that_contradict_each_other(self):
        write("docs/a.md", thing("pet"))
        write("docs/b.md", thing("pet", {"type": "string"}))

        finding, *_ = self.refused("docs")

        assert "components/schemas/pet differs from that of docs/a.md at 'type'" in finding
        assert "the two pages contradict each other; leave out one of them" in finding
        assert "(see docs/a.md:" in finding

    def test_an_operation_id_names_one_operation(self):
        write("api.yaml", thing("pet"))
        document = thing("pet")
        document["paths"] = {"/elsewhere": document["paths"]["/pet"]}
        write("moved.md", document)

        finding, *_ = self.refused("moved.md")

        assert "GET /elsewhere has the operationId 'get_pet' of GET /pet; change one of the two" in finding
        assert "[operation-id-taken] (see api.yaml:" in finding

    def test_the_shared_part_of_a_path_is_not_changed_by_another_page(self):
        """A parameter of all methods of a path would also change operations of other pages."""
        write("api.yaml", thing("pet"))
        document = thing("pet")
        item = {**document["paths"]["/pet"]["get"], "operationId": "add_pet"}
        shared = [{"name": "q", "in": "query", "schema": {"type": "string"}}]
        document["paths"]["/pet"] = {"parameters": shared, "post": item}
        write("add.md", document)

        finding, *_ = self.refused("add.md")

        assert "the shared part of /pet differs from the contract's at 'parameters'" in finding

    def test_the_result_has_to_be_a_valid_contract(self):
        """Each part may be valid and the whole ambiguous."""
        parameters = [{"name": "x", "in": "path", "required": True, "schema": {"type": "string"}}]
        for file, name in (("api.yaml", "x"), ("b.md", "y")):
            document = thing(name)
            document["paths"] = {f"/pets/{{{name}}}": document["paths"][f"/{name}"]}
            document["paths"][f"/pets/{{{name}}}"]["parameters"] = [{**parameters[0], "name": name}]
            write(file, document)

        finding, *_ = self.refused("b.md")

        why = "would no longer be a valid contract: GET /pets/{y} has the same path"
        assert finding.startswith(f"api.yaml: error: {why}")

    def test_an_invalid_contract_is_reported_before_the_import(self):
        Path("api.yaml").write_text("openapi: 3.0.3\ninfo: {title: x}\npaths: {}\n", "utf-8")
        write("a.md", thing("a"))

        assert run("a.md", code=2) == "error: api.yaml:2:1: 'version' is missing\n"


class TestUpdating:
    """Pages that changed since they were imported."""

    def test_imports_the_structure_of_a_page_and_keeps_our_wording(self):
        """Wording stays with what it describes; new or changed parts get the page's wording."""
        schema = {"type": "object", "description": "One pet", "properties": {
            "age": {"type": "integer", "description": "In years"},
            "name": {"type": "string", "description": "As called"},
        }}  # fmt: skip
        write("pet.md", thing("pet", schema))
        run("pet.md")
        ours = spec().replace("One pet", "A friend  # not a comment").replace("In years", "Age")
        ours = ours.replace("As called", "What it hears to  ") + "# the end\n"
        Path("api.yaml").write_text(ours, "utf-8")
        changed = copy.deepcopy(schema)
        changed["properties"] |= {"age": {"type": "number", "description": "In parts of years"}}
        changed["properties"] |= {"owner": {"type": "string", "description": "A person"}}
        write("pet.md", thing("pet", changed))

        assert "use --update to import the page's version" in run("pet.md", code=1)
        assert run("--update", "pet.md").splitlines()[0] == "updated GET /pet (pet.md)"

        assert spec() == ours.replace(
            "          type: integer\n          description: Age\n",
            "          type: number\n          description: In parts of years\n",
        ).replace(
            "          description: What it hears to  \n",
            "          description: What it hears to  \n        owner:\n          type: string\n"
            "          description: A person\n",
        )
        assert run("pet.md") == "unchanged GET /pet (pet.md)\n" or "ours-stays" in run("pet.md")

    def test_updates_only_from_the_page_that_an_operation_came_from(self):
        write("pet.md", thing("pet"))
        run("pet.md")
        write("other.md", thing("pet", {"type": "string"}))

        assert "it was not imported from this page" in run("--update", "other.md", code=1)

    def test_does_not_change_a_path_that_is_in_another_file(self):
        """Only the contract's own file is edited, not a file that it refers to."""
        write("pet.md", thing("pet"))
        run("pet.md")
        document = thing("pet")
        text = yaml.safe_dump(document["paths"].pop("/pet")).replace("#/", "api.yaml#/")
        Path("paths.yaml").write_text(text, "utf-8")
        write("api.yaml", {**document, "paths": {"/pet": {"$ref": "paths.yaml"}}})
        before = spec()

        printed = run("--update", "pet.md", code=1)

        assert "the shared part of /pet differs from the contract's at '$ref'" in printed
        assert spec() == before

    def test_removes_what_the_page_no_longer_has(self):
        write("pet.md", thing("pet", {**shaped(a="string", b="string"), "required": ["a"]}))
        run("pet.md")
        before = spec()
        write("pet.md", thing("pet", shaped(a="string")))

        run("--update", "pet.md")

        less = before.replace("      required:\n        - a\n", "")
        assert spec() == less.replace("        b:\n          type: string\n", "")


class TestLock:
    """`sources.lock`."""

    def test_has_an_entry_for_each_operation(self):
        for name in ("b", "a"):
            write(f"docs/{name}.md", thing(name))

        run("docs")

        text = Path("sources.lock").read_text("utf-8")
        assert text.startswith("# Where each operation of the contract came from.")
        rows = yaml.safe_load(text)["operations"]
        assert [(row["method"], row["path"], row["operationId"], row["page"]) for row in rows] == [
            ("get", "/a", "get_a", "docs/a.md"),
            ("get", "/b", "get_b", "docs/b.md"),
        ]

    def test_distinguishes_changed_wording_from_changed_structure(self):
        """There are two digests: one of the block's bytes, one of its structure."""
        schema = {**shaped(description="string"), "example": {"summary": "x"}}

        def digests(document):
            write("pet.md", document)
            Path("api.yaml").unlink(missing_ok=True)
            run("pet.md")
            (row,) = yaml.safe_load(Path("sources.lock").read_text("utf-8"))["operations"]
            return row["block"], row["structure"]

        first = digests(thing("pet", schema))
        reworded = digests(thing("pet", {"description": "Words", **schema}))
        changed = digests(thing("pet", {**schema, "example": {"summary": "y"}}))
        elsewhere = digests({**thing("pet", schema), "tags": [{"name": "Others"}]})

        assert first[0] != reworded[0]
        assert first[1] == reworded[1] == elsewhere[1]
        assert changed[1] != first[1]

    def test_does_not_change_for_an_unchanged_page_in_another_folder(self):
        """Another download of the same page must not cause a diff."""
        write("docs/pet.md", thing("pet"))
        run("docs/pet.md")
        before = Path("sources.lock").read_bytes()
        write("again/pet.md", thing("pet"))

        run("again/pet.md")

        assert Path("sources.lock").read_bytes() == before

    def test_an_invalid_entry_is_reported_with_its_location(self):
        """The lock is parsed as strictly as a contract."""
        Path("sources.lock").write_text("operations:\n  - method: get\n", "utf-8")
        write("a.md", thing("a"))

        assert run("a.md", code=2) == (
            "error: sources.lock:2:5: is not a valid entry, which has block, method, operationId, page, path, "
            "structure; delete it, and import its page again\n"
        )

    def test_our_lock_matches_our_contract(self):
        lock = read_lock(SPEC.with_name("sources.lock"))

        write(NAME, described(STRUCTURE))
        Path("api.yaml").write_bytes(SPEC.read_bytes())
        run(NAME)

        (imported,) = read_lock(Path("sources.lock")).records.values()
        (ours,) = lock.records.values()
        assert replace(ours, page="", block="") == replace(imported, page="", block="")
        assert lock.as_yaml() == SPEC.with_name("sources.lock").read_text("utf-8")


CHANGED = ": 'relay import --update docs/a.md' imports the change [page-changed]"


class TestChecking:
    """`relay import --check`."""

    @pytest.fixture(autouse=True)
    def imported(self):
        write("docs/a.md", thing("a", shaped(x="string")))
        write("docs/b.md", thing("b"))
        run("docs")

    def test_finds_nothing_directly_after_an_import(self):
        assert run("--check") == run("--check", "docs") == "relay import: no page has changed\n"

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("schema", "message"),
        [
            ({"description": "Words", **shaped(x="string")},
             "only its wording changed; 'relay import docs/a.md' records that [page-reworded]"),
            (shaped(x="string", y="string"), f"changed, additive{CHANGED}"),
            (shaped(x="integer"), f"changed, breaking{CHANGED}"),
            ({**shaped(x="string"), "example": {"x": "y"}}, f"changed, no effect on clients{CHANGED}"),
        ],
    )  # fmt: skip
    def test_reports_the_kind_of_a_change(self, schema, message):
        """A change is in the wording, additive, or breaking for clients; nothing is written."""
        write("docs/a.md", thing("a", schema))
        before = spec()

        line, *rest = run("--check", code=1).splitlines()

        assert message in line
        assert line.startswith(f"docs/a.md:{at(Path('docs/a.md').read_text('utf-8'), '    get:')}:5: error: ")
        is_breaking = any(": error: a.x (GET /a): the type changed from" in more for more in rest)
        assert ("breaking" in message) == is_breaking
        assert spec() == before
        run("--update", "docs/a.md")
        assert run("--check") == "relay import: no page has changed\n"

    def test_reports_pages_that_appeared_and_vanished(self):
        """A given folder stands for all pages in it."""
        Path("docs/b.md").unlink()
        write("docs/c.md", thing("c"))

        appeared, vanished, _ = run("--check", "docs", code=1).splitlines()

        assert "GET /c is not in sources.lock; 'relay import docs/c.md' adds it [page-appeared]" in appeared
        assert vanished == (
            "sources.lock: error: GET /b is no longer in docs/b.md; remove it from the contract and from this "
            "file [page-vanished]"
        )

    def test_reports_an_operation_that_its_page_no_longer_has(self):
        write("docs/b.md", thing("c"))

        printed = run("--check", code=1)

        assert "sources.lock: error: GET /b is no longer in docs/b.md" in printed
        assert "GET /c is not in sources.lock" in printed

    def test_notes_pages_that_do_not_exist_here(self):
        """Addresses are fetched only if they are given, not because the lock has them."""
        Path("docs/b.md").unlink()

        note, _ = run("--check").splitlines()

        assert note == (
            "sources.lock: info: GET /b was not compared: docs/b.md does not exist here; name it as a SOURCE "
            "[not-checked]"
        )

    def test_reports_a_manual_change_of_the_contract(self):
        Path("api.yaml").write_text(spec().replace("type: string", "type: integer"), "utf-8")

        finding, _ = run("--check", code=1).splitlines()

        assert finding.startswith("api.yaml: error: GET /a differs from what was imported; ")

    def test_reports_in_the_formats_of_every_check(self):
        write("docs/c.md", thing("c"))

        report = json.loads(run("--check", "docs", "--format", "json", code=1))

        assert [finding["rule"] for finding in report["findings"]] == ["page-appeared"]


class TestWriting:
    """Files are replaced as a whole."""

    def test_keeps_its_mode_and_the_link_that_leads_to_it(self, folder):
        real, link = folder / "real", folder / "link"
        real.write_text("old", "utf-8")
        real.chmod(0o640)
        link.symlink_to(real)

        replace_files({link: b"new"})

        assert (link.is_symlink(), real.read_text("utf-8")) == (True, "new")
        assert real.stat().st_mode & 0o777 == 0o640

    def test_writes_nothing_when_one_file_cannot_be_written(self, folder):
        """There is no partial import, and no temporary file remains."""
        (folder / "a").write_text("old", "utf-8")
        (folder / "blocked").write_text("", "utf-8")

        with pytest.raises(SetupError, match=r"cannot be written: Not a directory|File exists"):
            replace_files({folder / "a": b"new", folder / "blocked" / "b": b"new"})

        assert (folder / "a").read_text("utf-8") == "old"
        assert sorted(path.name for path in folder.iterdir()) == ["a", "blocked"]


def test_a_run_without_sources_prints_the_usage(folder):
    result = relay(folder, "import")

    assert (result.returncode, result.stdout) == (2, "")
    assert (
        "name a SOURCE: a page, an OpenAPI file, a folder, an llms.txt, an https:// address" in result.stderr
    )
    assert "relay import docs/get-order.md" in relay(folder, "import", "--help").stdout


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
COMPONENTS = st.from_regex(r"[A-Za-z0-9._-]{1,10}", fullmatch=True)
FIELDS = {"description": st.text(max_size=90), "x-any": st.text(max_size=9), "nullable": st.booleans()}
SCHEMAS = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "boolean"])}, optional=FIELDS),
    lambda inner: (
        st.dictionaries(WORDS, inner, max_size=3).map(lambda found: {"type": "object", "properties": found})
        | inner.map(lambda found: {"type": "array", "items": found})
    ),
    max_leaves=5,
)


@st.composite
def documents(draw):
    """A contract with one operation and arbitrary names."""
    path = "/" + draw(WORDS).translate(dict.fromkeys(map(ord, "{}/")))
    method = draw(st.sampled_from([method for method in METHODS if method not in ("trace", "query")]))
    document = thing("made", draw(st.just({"type": "object"}) | SCHEMAS))
    (item,) = document["paths"].values()
    operation = {**item["get"], "operationId": draw(WORDS), "description": draw(st.text(max_size=90))}
    document["paths"] = {path: {method: operation}}
    document["components"]["schemas"] |= draw(st.dictionaries(COMPONENTS, SCHEMAS, max_size=2))
    document["tags"] = [{"name": name} for name in draw(st.lists(WORDS, min_size=1, max_size=2, unique=True))]
    return document


STYLES = {
    "ours": block,
    "indentless, with comments": lambda data: re.sub(
        r"^(?=[a-z]+:)", "# before\n\n", yaml.safe_dump(data, sort_keys=False), flags=re.MULTILINE
    ),
    "flow": lambda data: inline(data, 0),
    "one line": inline,
}
"""Styles in which an existing contract may be written."""


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), documents(), st.sampled_from(list(STYLES)))
def test_any_operation_can_be_imported_into_any_contract(existing, new, style):
    """The result is a valid contract, no existing line is lost, and a second import changes nothing."""
    for path in Path().iterdir():
        path.unlink()
    schemas = new["components"]["schemas"]
    new["components"]["schemas"] = {one if one == "made" else f"{one}-new": schemas[one] for one in schemas}
    before = STYLES[style](existing)
    Path("api.yaml").write_text(before, "utf-8")
    assume(same(read_document(Path("api.yaml")).data, existing))  # PyYAML writes '1e3' without quotes
    Path("new.json").write_text(inline(new), "utf-8")

    if _is_imported("new.json"):
        once = spec()
        following = iter(once.split("\n"))
        assert style in ("flow", "one line") or all(line in following for line in before.rstrip().split("\n"))
        operations = load_contract(Path("api.yaml")).operations
        ((path, item),) = new["paths"].items()
        assert {(path, method) for method in item} <= {(found.path, found.method) for found in operations}
        assert _is_imported("new.json")
        assert spec() == once
    else:
        assert spec() == before


def _is_imported(name):
    """Import, and return whether it succeeded; contradictions are refused."""
    result = invoke("import", "--spec", "api.yaml", name)
    assert result.exit_code in (0, 1), result.output
    return result.exit_code == 0


def test_the_contract_cannot_be_its_own_source():
    """It would be recorded as the page that its operations came from."""
    write("pet.md", thing("pet"))
    run("pet.md")
    before = Path("sources.lock").read_text("utf-8")

    printed = run("api.yaml", code=2)

    assert (
        printed == "error: api.yaml: is the contract itself; name the pages that its operations come from\n"
    )
    assert Path("sources.lock").read_text("utf-8") == before


def test_a_check_without_any_import_is_an_error():
    """A check that compared nothing must not look like a success."""
    write("api.yaml", thing("pet"))

    assert run("--check", code=2) == "error: sources.lock: does not exist: nothing was imported yet\n"


def test_reports_the_file_that_is_missing():
    document = thing("pet")
    document["components"]["schemas"] |= {"Extra": {"$ref": "nofile.yaml#/x"}}
    write("theirs.yaml", document)

    printed = run("theirs.yaml", code=2)

    assert "error: nofile.yaml: cannot be read: No such file or directory\n" in printed
