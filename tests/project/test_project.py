"""Finding the current project: `scripts/relay/project/project.py`."""

from __future__ import annotations

import os

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.project import Project, current_project, find_project
from support.running import as_project, relay


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAY_SPEC", raising=False)


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


class TestFind:
    """`find_project`."""

    def test_takes_the_nearest_table_upward(self, tmp_path):
        """A command works in any folder below, as git does."""
        write(tmp_path / "pyproject.toml", "[tool.relay]\n")
        write(tmp_path / "shop/pyproject.toml", '[tool.relay]\nhandlers = "shop"\n')
        (tmp_path / "shop/src/deep").mkdir(parents=True)

        project = find_project(tmp_path / "shop/src/deep")

        assert (project.folder, project.handlers) == (tmp_path / "shop", "shop")

    def test_a_table_wins_over_a_nearer_contract(self, tmp_path):
        """A table is explicit; a contract below it may belong to another tool."""
        write(tmp_path / "pyproject.toml", "[tool.relay]\n")
        write(tmp_path / "vendor/spec/openapi.yaml")

        assert find_project(tmp_path / "vendor").folder == tmp_path

    def test_takes_the_nearest_contract_without_a_table(self, tmp_path):
        """A pyproject.toml without [tool.relay] is ignored."""
        write(tmp_path / "pyproject.toml", "[tool.ruff]\n")
        write(tmp_path / "spec/openapi.yaml")
        (tmp_path / "handlers").mkdir()

        project = find_project(tmp_path / "handlers")

        assert (project.folder, project.spec) == (tmp_path, tmp_path / "spec/openapi.yaml")

    def test_finds_nothing_in_a_folder_without_either(self, tmp_path):
        """The caller decides what that means."""
        assert find_project(tmp_path) is None

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[tool.relay\n", "cannot be read: "),
            ("[tool]\nrelay = 3\n", "tool.relay must be a table"),
        ],
    )
    def test_reports_a_file_that_it_cannot_use(self, tmp_path, text, message):
        """A broken table must not count as a missing project."""
        write(tmp_path / "pyproject.toml", text)

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
        """An environment may be inside the project's folder."""
        with pytest.raises(SetupError, match="is outside the project"):
            Project(tmp_path).check_inside(tmp_path / path)

    def test_writes_inside(self, tmp_path):
        Project(tmp_path).check_inside(tmp_path / "handlers/new.py")

    def test_names_the_entries_of_its_tables(self, tmp_path):
        """Diagnostics show the path of an entry."""
        section = Project(tmp_path, {"contract": {"waivers": [{}]}}).section("contract")

        assert section.place(("waivers", "0")) == "pyproject.toml: tool.relay.contract.waivers[0]"

    def test_does_not_ignore_a_file_that_a_table_replaced(self, tmp_path):
        """Its ignored entries would be reported as findings again."""
        write(tmp_path / ".relay-contract.yaml", "secrets: [KEY]\n")

        with pytest.raises(SetupError, match=r"no longer read: move its entries to \[tool.relay.contract\]"):
            Project(tmp_path).section("contract")


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
