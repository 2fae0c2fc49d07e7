"""A contract's text in the output of commands: `scripts/relay/contract/printable.py`, over every command and format."""

import ast
import json
import os
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from relay.cli.startup_banner import print_banner
from relay.contract.printable import escape_unprintable, json_text, one_line, terminal_line, workflow_text
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import write_har
from relay.project.settings import Settings
from relay.server.compilation import create
from support.hostile_text import COMMAND, RAW, TEXTS
from support.hosting import contract, write_package
from support.hosting import operation as plain

ANY = st.text(st.characters(exclude_categories=()))


def operation(text, number):
    schema = {
        "type": "object",
        "title": text,
        "description": text,
        "required": [text, "absent"],
        "properties": {text: {"type": "string", "enum": [text, number], "example": 1, "description": text}},
    }
    answer = {
        "description": text,
        "content": {"application/json": {"schema": schema, "example": {text: text}}},
    }
    return {
        "operationId": f"op{number}",
        "tags": [f"{text} {number}"],
        "summary": text,
        "description": text,
        "parameters": [
            {"name": f"{text}{number}", "in": "query", "description": text, "schema": {"type": "string", "enum": [text], "default": 5}},
        ],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"200": answer, "404": {"description": text}},
    }  # fmt: skip


def valid(texts=TEXTS, **rest):
    paths = {f"/p{number}": {"post": operation(text, number)} for number, text in enumerate(texts)}
    document = contract(paths, **rest)
    document["info"] |= {"title": " ".join(texts), "description": " ".join(texts)}
    return document


def named(texts=TEXTS):
    """One whose names of operations, paths, components and keys are the texts."""
    document = valid(texts)
    for number, text in enumerate(texts):
        item = document["paths"].pop(f"/p{number}")
        item["post"]["operationId"] = text
        document["paths"]["/" + re.sub("[{}]", "", text)] = item
    return document


def broken(texts=TEXTS):
    """One with the texts in place of what a contract defines."""
    document = valid(texts)
    operations = [item["post"] for item in document["paths"].values()]
    for number, (one, text) in enumerate(zip(operations, texts, strict=True)):
        place = number % 5
        if place == 0:
            one[text] = text
        elif place == 1:
            one["responses"][text] = {"$ref": f"#/components/{text}"}
        elif place == 2:
            one["parameters"][0] |= {"in": text, "style": text}
        elif place == 3:
            one["requestBody"]["content"]["application/json"]["schema"] = {
                "type": text,
                "pattern": f"({text}",
            }
        else:
            one["security"] = [{text: [text]}]
    return document


def written(document):
    """A contract as YAML in ASCII: it has an escape for each character."""
    return yaml.safe_dump(document, sort_keys=False)


CONTRACTS = {"valid": valid, "named": named, "broken": broken}
FORMATS = ["text", "json", "junit", "github"]


@pytest.fixture
def project(tmp_path, monkeypatch, run):
    """Make the test's folder a project with a contract and a package; return the function that runs commands."""
    monkeypatch.syspath_prepend(tmp_path)
    package = write_package(tmp_path)

    def run_with(document, *command):
        (tmp_path / "api.yaml").write_text(written(document), "ascii")
        table = f'[tool.relay]\nspec = "api.yaml"\nhandlers = "{package}"\n'
        (tmp_path / "pyproject.toml").write_text(table, "utf-8")
        result = run(*command)
        assert result.exit_code in (0, 1, 2)
        return result.output_bytes.decode("utf-8")

    return run_with


def assert_harmless(output):
    """Nothing in an output controls a terminal or a CI runner."""
    assert not RAW.findall(output)
    assert not COMMAND.findall("\n".join(line for line in output.split("\n") if not line.startswith("::")))
    assert not COMMAND.match(output)


@pytest.mark.slow
@pytest.mark.parametrize("made", CONTRACTS)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "command", [["lint"], ["drift"], ["check"], ["breaking", "old.yaml", "api.yaml"]], ids=lambda one: one[0]
)
def test_no_finding_controls_who_reads_it(project, tmp_path, command, form, made):
    """A contract comes from a stranger's pull request, and its text reaches the terminal and the log of CI."""
    (tmp_path / "old.yaml").write_text(written(valid([f"{text} once" for text in TEXTS])), "ascii")

    output = project(CONTRACTS[made](), *command, "--format", form)

    assert_harmless(output)
    lines = [line for line in output.splitlines() if not line.startswith(("error: ", "warning: "))]
    report = "\n".join(lines)
    if form == "junit" and report:
        ET.fromstring(report)  # noqa: S314 -- our own
    if form == "json" and report:
        json.loads(report)
    assert output


@pytest.mark.slow
@pytest.mark.parametrize("made", CONTRACTS)
@pytest.mark.parametrize("arguments", [["--check"], ["--diff"], []], ids=["check", "diff", "write"])
def test_regenerate_prints_and_writes_no_control_characters(project, tmp_path, arguments, made):
    """Invisible characters in source hide what it does, and a docstring must not end early."""
    assert_harmless(project(CONTRACTS[made](), "regenerate", *arguments))

    for file in tmp_path.glob("*/*.py"):
        source = file.read_text("utf-8")
        assert not RAW.findall(source)
        imports = [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Import)]
        assert all(one.names[0].name != "os" for one in imports)


@pytest.mark.slow
@pytest.mark.parametrize("made", CONTRACTS)
def test_import_and_upgrade_print_no_control_characters(project, tmp_path, made):
    """They report findings as the other commands do, and print the differences of files."""
    (tmp_path / "source.yaml").write_text(written(CONTRACTS[made]()), "ascii")
    old = {**CONTRACTS[made](), "swagger": "2.0", "parameters": {one: {"in": "formData"} for one in TEXTS}}
    del old["openapi"]
    (tmp_path / "old.yaml").write_text(written(old), "ascii")

    for arguments in ([], ["--diff"]):
        assert_harmless(project(contract({}), "import", "source.yaml", *arguments))
    for arguments in (["--check"], ["--diff"], []):
        assert_harmless(project(contract({}), "upgrade", "old.yaml", *arguments))


@pytest.mark.slow
@pytest.mark.parametrize("made", CONTRACTS)
def test_init_prints_and_writes_no_control_characters(project, tmp_path, made):
    """Its files are read, sourced and built."""
    (tmp_path / "source.yaml").write_text(written(CONTRACTS[made]()), "ascii")

    output = project(contract({}), "init", "new", "--spec", "source.yaml")

    assert_harmless(output)
    for file in (tmp_path / "new").rglob("*"):
        if file.is_file() and "spec" not in file.parts:  # the contract is a copy
            assert not RAW.findall(file.read_text("utf-8")), file


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [["lint"], ["breaking", "api.yaml"], ["import"], ["upgrade"], ["drift", "--spec"]],
    ids=" ".join,
)
def test_a_file_name_controls_nothing(project, tmp_path, command):
    """Nor does a name that is no text, or one that rich reads as markup."""
    for text in [*(one.replace("/", "_").replace("\0", "_") for one in TEXTS), os.fsdecode(b"\xff")]:
        (tmp_path / f"{text}.json").write_text("{", "utf-8")
        assert_harmless(project(contract({}), *command, f"{text}.json"))


@pytest.mark.slow
def test_a_revision_controls_nothing(project):
    """It is part of the call, and in CI a branch names it."""
    for text in (one for one in TEXTS if "\0" not in one):
        assert_harmless(project(contract({}), "breaking", f"{text}:api.yaml"))


@pytest.mark.slow
def test_a_mocked_service_starts_with_harmless_lines(project, tmp_path, capsys):
    """Its title, its operations and the `curl` to try are the contract's."""
    document = contract({"/a": {"get": plain("show")}})
    for text in TEXTS:
        document["info"]["title"] = text
        document["paths"] = {f"/{re.sub('[{}]', '', text)}": document["paths"].popitem()[1]}
        (tmp_path / "api.yaml").write_text(written(document), "ascii")
        package = write_package(tmp_path)
        application = create(Settings(spec=tmp_path / "api.yaml", handlers=package, missing=("mock",)))

        print_banner(application, 2212, record=Path(text))

        printed = capsys.readouterr().out
        assert_harmless(printed)
        assert len(printed.splitlines()) == 6


def har(path, texts):
    """Write recorded traffic that has a text wherever a client or a service may write one."""
    exchanges = []
    for text in texts:
        headers = (("X-A", text), (text, "1"), ("Content-Type", f"application/json; {text}"))
        request = Request("POST", f"http://test/p0?{text}", headers, text.encode())
        exchanges.append(Exchange(request, 200, headers, json.dumps({text: text}).encode(), ""))
    write_har(exchanges, path)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_reports_of_recorded_traffic_are_harmless(project, tmp_path, form):
    """The traffic's bodies, headers and addresses are its clients'."""
    har(tmp_path / "a.har", TEXTS)

    output = project(valid(), "contract", "--har", "a.har", "--format", form)

    assert_harmless(output)
    for file in (tmp_path / "reports").iterdir():
        assert not RAW.findall(file.read_text("utf-8")), file
    html = (tmp_path / "reports" / "contract.html").read_text("utf-8")
    assert "<script" not in html
    assert "<img" not in html
    ET.parse(tmp_path / "reports" / "contract.junit.xml")  # noqa: S314 -- our own
    json.loads((tmp_path / "reports" / "contract.json").read_bytes())


@given(ANY)
def test_any_text_is_one_harmless_line(text):
    """Reports of any contract can be encoded, parsed and shown."""
    line = terminal_line(text)

    assert_harmless(line)
    assert "\n" not in line
    assert line.isprintable() or line.encode()
    assert one_line(text) == one_line(one_line(text))


@given(ANY, ANY)
def test_any_text_stays_in_its_workflow_command(message, title):
    """GitHub decodes %XX again, and ends a property at a comma, the properties at a colon."""
    line = f"::error title={workflow_text(title, ':,')}::{workflow_text(message)}"

    properties, _, shown = line.removeprefix("::error ").partition("::")
    assert len(line.splitlines()) == 1
    assert "," not in properties
    assert (unquote(properties), unquote(shown)) == (
        f"title={escape_unprintable(title)}",
        escape_unprintable(message),
    )


@given(st.recursive(ANY, lambda values: st.lists(values) | st.dictionaries(ANY, values), max_leaves=5))
def test_any_data_is_harmless_json_that_says_the_same(data):
    text = json_text(data)

    assert_harmless(text)
    assert text.isascii()
    assert json.loads(text) == data
