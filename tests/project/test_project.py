"""Finding the current project: `scripts/relay/project/project.py`."""

import os

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.project import Project, current_project, find_project
from support.hosting import put
from support.running import as_project, relay

pytestmark = pytest.mark.usefixtures("without_settings")


class TestFind:
    """`find_project`."""

    @pytest.mark.parametrize(
        ("files", "start", "folder"),
        [
            # A command works in any folder below, as git does.
            ({"pyproject.toml": "[tool.relay]\n", "shop/pyproject.toml": "[tool.relay]\n"}, "shop/src/deep", "shop"),
            # A table is explicit; a contract below it may belong to another tool.
            ({"pyproject.toml": "[tool.relay]\n", "vendor/spec/openapi.yaml": ""}, "vendor", "."),
            # A pyproject.toml without [tool.relay] is ignored.
            ({"pyproject.toml": "[tool.ruff]\n", "spec/openapi.yaml": ""}, "handlers", "."),
            # The caller decides what that means.
            ({}, ".", None),
        ],
        ids=["nearest table", "table before contract", "nearest contract", "nothing"],
    )  # fmt: skip
    def test_takes_the_nearest_table_upward_else_the_nearest_contract(self, tmp_path, files, start, folder):
        for name, text in files.items():
            put(tmp_path / name, text)
        (tmp_path / start).mkdir(parents=True, exist_ok=True)
        project = find_project(tmp_path / start)
        assert (project and project.folder) == (tmp_path / folder if folder else None)

    def test_a_project_has_the_names_of_its_table(self, tmp_path):
        put(tmp_path / "pyproject.toml", '[tool.relay]\nhandlers = "shop"\n')
        project = find_project(tmp_path)
        assert (project.handlers, project.spec) == ("shop", tmp_path / "spec/openapi.yaml")

    @pytest.mark.parametrize(
        ("text", "message"),
        [("[tool.relay\n", "cannot be read: "), ("[tool]\nrelay = 3\n", "tool.relay must be a table")],
    )
    def test_reports_a_file_that_it_cannot_use(self, tmp_path, text, message):
        """A broken table must not count as a missing project."""
        put(tmp_path / "pyproject.toml", text)
        with pytest.raises(SetupError, match=rf"pyproject.toml: {message}"):
            find_project(tmp_path)


class TestCurrent:
    """`current_project`."""

    def test_says_what_to_do_outside_a_project(self):
        """The message names the command that creates a project."""
        with pytest.raises(SetupError, match=r"no project here: .* run `relay init`, or name a contract"):
            current_project()

    @pytest.mark.parametrize("by", ["option", "variable"])
    def test_a_named_contract_makes_the_working_directory_one(self, tmp_path, monkeypatch, by):
        """A first try needs no file except the contract."""
        if by == "variable":
            monkeypatch.setenv("RELAY_SPEC", "api.yaml")
        project = current_project(tmp_path / "api.yaml" if by == "option" else None)
        assert (project.folder, project.is_implicit) == (tmp_path, True)


class TestProject:
    """A project."""

    @pytest.mark.parametrize("path", ["../other/spec.yaml", ".venv/lib/python3.13/site-packages/handlers"])
    def test_refuses_to_write_outside_and_into_installed_packages(self, tmp_path, path):
        """An environment may be inside the project's folder, as may files that do not exist yet."""
        Project(tmp_path).check_inside(tmp_path / "handlers/new.py")
        with pytest.raises(SetupError, match="is outside the project"):
            Project(tmp_path).check_inside(tmp_path / path)

    def test_names_the_entries_of_its_tables(self, tmp_path):
        """Diagnostics show the path of an entry."""
        section = Project(tmp_path, {"contract": {"waivers": [{}]}}).section("contract")
        assert section.place(("waivers", "0")) == "pyproject.toml: tool.relay.contract.waivers[0]"

    def test_does_not_ignore_a_file_that_a_table_replaced(self, tmp_path):
        """Its ignored entries would be reported as findings again."""
        put(tmp_path / ".relay-contract.yaml", "secrets: [KEY]\n")
        with pytest.raises(SetupError, match=r"no longer read: move its entries to \[tool.relay.contract\]"):
            Project(tmp_path).section("contract")


@pytest.mark.slow
@pytest.mark.parametrize("name", [".env", "pyproject.toml"])
@pytest.mark.parametrize("command", ["lint", "drift", "check"])
def test_a_pipe_is_no_file_of_a_project(tmp_path, name, command):
    """A command that reads one waits for ever."""
    as_project(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)

    done = relay(tmp_path, command)

    assert f"{name}: is not a regular file; replace it by one" in done.stdout + done.stderr
    assert done.returncode in (1, 2)
