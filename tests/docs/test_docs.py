"""The documentation: every example runs, every output is current, every link leads somewhere."""

import json
import os
import re
import shutil
import sys
import tomllib

import jsonschema_rs
import pytest
import yaml

import relay
import relay.documents
import relay.testing
from handlers._settings import Settings as ServiceSettings
from relay.cli import reference
from relay.cli.main import COMMANDS
from relay.server import keys  # noqa: F401 -- its errors are subclasses of ApiError
from relay.server.errors import problem_details
from relay.validation.errors import InvalidRequest
from support import pages
from support.running import ROOT, ended, environment, git

UPDATE = os.environ.get("RELAY_TEST_UPDATE_DOCS")
"""Set, it writes what commands print into the pages, and the generated parts anew."""

EVERY = pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.stem)
DOCS = sorted((ROOT / "docs").glob("*.md"))
EMPTY = ("getting-started", "contracts", "coming-from-fastapi")
"""Pages whose files are for an empty folder, not for the project of docs/handlers.md."""
HANDLERS = ROOT / "docs" / "handlers.md"


def with_language(*languages):
    """Choose the pages that have a block of some languages."""
    found = [page for page in pages.PAGES if pages.blocks(page, *languages)]
    slow = [pytest.mark.contract] if "console" in languages else []
    rows = [pytest.param(page, marks=slow if page.stem == "contract-tests" else ()) for page in found]
    return pytest.mark.parametrize("page", rows, ids=[page.stem for page in found])


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory):
    """The project of docs/handlers.md, written once."""
    return pages.write_shop(tmp_path_factory.mktemp("template"))


@pytest.fixture
def shop(shop_template, tmp_path):
    """A copy of the project of docs/handlers.md, committed."""
    folder = tmp_path / "shop"
    shutil.copytree(shop_template, folder)
    (folder / ".gitignore").write_text(".bin/\n", "ascii")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "shop"]):
        git(folder, *arguments)
    return folder


RUNNER = """
import os, sys
import pytest, relay.server.app, relay.testing  # once for all projects
codes = []
for folder in sys.argv[1:]:
    if not (child := os.fork()):
        os.chdir(folder)
        os._exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "tests"]))
    codes.append(os.waitpid(child, 0)[1])
sys.exit(any(codes))
"""


def own_tests(*folders):
    """Run the tests of projects."""
    variables = environment(folders[0], PYTHONPATH=str(ROOT / "scripts"))
    found = ended([sys.executable, "-c", RUNNER, *folders], folders[0], env=variables, timeout=240)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.slow
@with_language("python")
def test_every_python_block_runs_in_the_project_of_the_pages(page, shop, tmp_path):
    """A block replaces the file that its first line names; then the project's tests pass."""
    found = pages.blocks(page, "python")
    assert all(block.path for block in found), "the first line of a block names its file"
    first: dict[str, str] = {}
    variants = []
    for block in found:
        if block.path in first:
            variants.append(block)
        else:
            first[block.path] = block.content
            pages.write(shop, block)
    projects = [shop]
    for number, block in enumerate(variants):
        projects.append(shutil.copytree(shop, tmp_path / f"variant-{number}"))
        pages.write(projects[-1], block)

    own_tests(*projects)


@pytest.mark.slow
@with_language("python")
def test_every_python_block_passes_the_linter_of_a_new_project(page, shop):
    """A reader copies it into a project of `relay init`."""
    template = (ROOT / "scripts/relay/init/templates/pyproject.toml.j2").read_text("utf-8")
    config = template[template.index("[tool.ruff]") : template.index("[tool.mypy]")]
    (shop / "pyproject.toml").write_text(re.sub(r"extend-exclude = .*", "", config), "utf-8")
    for block in pages.blocks(page, "python"):
        pages.write(shop, block)
        command = [sys.executable, "-m", "ruff", "check", "--no-cache", block.path]
        found = ended(command, shop)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.slow
def test_the_project_of_the_pages_passes_relays_own_checks(shop):
    assert pages.run(shop, "relay lint") == ["relay lint: nothing found"]
    assert pages.run(shop, "relay regenerate --check") == ["relay regenerate: nothing to do"]
    assert pages.run(shop, "relay drift") == ["relay drift: 3 operations, handlers and types agree"]
    for block in pages.blocks(HANDLERS, "python"):
        if block.path not in ("handlers/_collaborators.py", None):
            assert (shop / block.path).read_text("utf-8") == block.content


@pytest.mark.slow
@with_language("console")
def test_every_command_prints_what_its_page_shows(page, shop, tmp_path):
    """In the order of the page; what a diff, a YAML or a TOML block shows is applied before."""
    service, empty = tmp_path / "service", tmp_path / "empty"
    empty.mkdir()
    made = empty / "shop"
    text = page.read_text("utf-8")
    for block in pages.blocks(page):
        if block.language == "diff":
            edited = made if made.exists() else shop
            assert ended(["git", "apply", "-"], edited, input=block.text).returncode == 0
        elif block.language in ("yaml", "toml") and block.path and page != HANDLERS:
            pages.write(empty if page.stem in EMPTY else shop, block)
        if block.language != "console":
            continue
        folder = {"shop": shop, "service": service, "empty": empty, "made": made}[block.project]
        if block.project == "service" and not service.exists():
            _copy_service(service)
        for command in pages.commands(block):
            if not pages.is_relay(command):
                continue
            printed = pages.run(folder, command.line)
            if pages.agrees(command.shown, printed):
                continue
            if UPDATE and not any("…" in line for line in command.shown):
                old = "".join(f"{line}\n" for line in [f"$ {command.line}", *command.shown])
                new = "".join(f"{line}\n" for line in [f"$ {command.line}", *printed])
                text = text.replace(old, new)
                page.write_text(text, "utf-8")
            else:
                shown = "\n".join(command.shown)
                pytest.fail(f"$ {command.line}\n--- shown\n{shown}\n--- printed\n" + "\n".join(printed))


def _copy_service(folder):
    """Make a copy of our own contract, handlers and settings."""
    for name in ("handlers", "spec"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)


@pytest.mark.slow
@with_language("toml", "yaml")
def test_every_toml_and_yaml_block_is_read(page):
    schema = json.loads((ROOT / "scripts" / "relay" / "tool-relay.schema.json").read_text("utf-8"))
    schema["additionalProperties"] = False
    schema["properties"] |= {"order-file": {"type": "string"}}  # of the pages' own project
    valid = jsonschema_rs.Draft7Validator(schema)
    for block in pages.blocks(page, "toml", "yaml"):
        if block.language == "yaml":
            yaml.safe_load(block.text)
        else:
            table = tomllib.loads(block.text).get("tool", {}).get("relay", {})
            assert [str(error) for error in valid.iter_errors(table)] == []


@EVERY
def test_every_link_leads_somewhere(page):
    broken = []
    for link in pages.links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in pages.anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_linked_from_the_readme():
    """A page that no link leads to is not read."""
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in pages.links(ROOT / "README.md")}

    assert {*DOCS} <= linked


def test_the_readme_is_short():
    """It says what Relay is, how to start, and where everything else is."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 120


def _is_current(page, part):
    """Assert that a page has a generated part; write it where that is asked for."""
    text = page.read_text("utf-8")
    if UPDATE and part not in text:
        head = part.partition("\n")[0]
        begin = text.index(head)
        while not text[begin:].startswith(part[:120]):  # tables share their head
            begin = text.index(head, begin + 1)
        end = text.find("\n\n", begin)
        text = text[:begin] + part + text[end + 1 :]
        page.write_text(text, "utf-8")
    assert part in text


def test_the_command_reference_is_current():
    """`python -m relay.cli.reference > docs/commands.md` writes it."""
    page = ROOT / "docs" / "commands.md"
    if UPDATE:
        page.write_text(reference.commands(), "utf-8")

    assert page.read_text("utf-8") == reference.commands()


def test_the_tables_of_settings_are_current():
    """`python -m relay.cli.reference settings` prints the first one."""
    page = ROOT / "docs" / "settings.md"

    _is_current(page, reference.settings())
    _is_current(page, reference.settings(ServiceSettings, inherited=False))


def test_every_error_of_relay_is_documented():
    rows = (ROOT / "docs" / "errors.md").read_text("utf-8")
    kinds = [kind for kind in _subclasses(relay.ApiError) if kind.__module__.startswith("relay.")]

    assert len(kinds) > 10
    assert [kind for kind in kinds if f"| {kind.status} | `{kind.code}` |" not in rows] == []


def _subclasses(kind):
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


def test_the_default_envelope_is_the_one_that_is_shown():
    """Problem details, as docs/errors.md has them."""
    (block,) = pages.blocks(ROOT / "docs" / "errors.md", "json")
    shown = json.loads(block.text)
    failure = InvalidRequest([])
    report = relay.ErrorReport(failure.status, failure.code, failure.message, tuple(shown["errors"]))

    assert problem_details(report) == (shown, "application/problem+json")


def test_every_public_name_is_documented():
    """A name that no page explains is not public."""
    text = "".join(page.read_text("utf-8") for page in DOCS)
    names = {*relay.__all__, *relay.testing.__all__, *relay.documents.__all__}

    assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set()


@pytest.mark.parametrize("page", [page for page in pages.PAGES if page.stem != "CHANGELOG"])
def test_every_command_that_is_named_exists(page):
    """`relay NAME` is a command of Relay's or of our service; a changelog also names former ones."""
    named = set(re.findall(r"`(?:[A-Z_]+=\S+ )*relay ([a-z]+)", page.read_text("utf-8")))

    assert named <= {*COMMANDS, "demo", "load", "keys"}


@EVERY
def test_every_variable_that_is_named_is_known(page):
    """A misspelt variable would be ignored."""
    named = set(re.findall(r"\bRELAY_[A-Z_]*[A-Z]\b", page.read_text("utf-8")))
    fields = {name.upper() for name in ServiceSettings.model_fields}
    others = "SECRETS_DIR JWT_PRIVATE_KEY JWT_REMEMBER ORDER_FILE PARTNER_KEY JWT_AUDIANCE".split()
    of_tests = "TEST_TRAFFIC TEST_SEED TEST_MONGODB_URI TEST_UPDATE_DOCS BENCH_MONGODB".split()

    assert {name.removeprefix("RELAY_") for name in named} <= {*fields, *others, *of_tests}
