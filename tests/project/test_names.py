"""[tool.relay.names]: `relay.project.tables`."""

from __future__ import annotations

import pytest

from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import SetupError
from relay.project.project import Section
from relay.project.settings import Settings, chosen
from relay.project.tables import read_names


def test_reads_three_tables():
    """Each of them may be left out."""
    section = Section({"tags": {"Event Logs": "logs"}}, "pyproject.toml: tool.relay.names")

    assert read_names(section) == ChosenNames(tags={"Event Logs": "logs"}, place=section.name)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"tag": {}}, "names.tag: unknown key; did you mean tags?"),
        ({"x": {}}, "names.x: unknown key; there are operations, tags, parameters"),
        ({"tags": "logs"}, 'names.tags: must be a table: "the contract\'s name" = "python_name"'),
        ({"tags": {"A": 1}}, "names.tags.A: must be a name in quotes"),
        ([], "names: must be a table with operations, tags, parameters"),
    ],
)
def test_what_is_no_name_is_an_error(data, message):
    """It says where, and what to write."""
    with pytest.raises(SetupError) as raised:
        read_names(Section(data, "names"))

    assert [str(one) for one in raised.value.problems] == [message]


def test_all_commands_read_the_names_with_the_other_settings(tmp_path, monkeypatch):
    """What serves and what regenerates have to agree."""
    table = '[tool.relay.names.tags]\n"Event Logs" = "logs"\n'
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")
    monkeypatch.chdir(tmp_path)

    assert chosen().names.tags == Settings().names.tags == {"Event Logs": "logs"}
