"""[tool.relay.limits] and [tool.relay.names]: `relay.project.tables`."""

import pytest

from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import SetupError
from relay.project.project import Section
from relay.project.settings import Settings, chosen
from relay.project.tables import read_names
from support.compiled import read
from support.hosting import contract, operation


@pytest.fixture
def limits(tmp_path, monkeypatch):
    """Read the limits of a project with some lines in its table [tool.relay.limits]."""
    monkeypatch.chdir(tmp_path)

    def load(lines):
        (tmp_path / "pyproject.toml").write_text(f"[tool.relay.limits]\n{lines}\n", "utf-8")
        return Settings.load().limits

    return load


def uploading(*media_types):
    """Return a contract whose operation `upload` takes these media types, and its operation."""
    body = {"content": {name: {} for name in media_types}}
    whole = read(
        contract({"/videos": {"post": operation("upload", requestBody=body), "get": operation("show")}})
    )
    return whole, next(one for one in whole.operations if one.id == "upload")


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("10", 10),
        ("0", 0),
        ('"10 GB"', 10_000_000_000),
        ('"10GiB"', 10_737_418_240),
        ('"512 kib"', 524_288),
        ('"1 MB"', 1_000_000),
        ('"7 B"', 7),
    ],
)
def test_a_size_is_a_number_or_has_a_unit(limits, written, size):
    """GB is a power of ten and GiB of two, as everywhere."""
    _, upload = uploading("video/mp4")
    assert limits(f"upload = {written}").of(upload) == {"*/*": size}


@pytest.mark.parametrize(
    "written", ["-1", "1.5", "true", '""', '"10 G"', '"-1 MB"', '"1.5 MB"', "[]", '"\\u0661 MB"']
)
def test_anything_else_is_an_error_with_its_place(limits, written):
    """A limit that is not understood must not become none."""
    with pytest.raises(SetupError) as raised:
        limits(f'"POST /videos" = {{"video/*" = {written}}}')

    (problem,) = raised.value.problems
    assert str(problem) == (
        "pyproject.toml: tool.relay.limits.POST /videos.video/*: "
        'must be a number of bytes, or a text such as "512 KiB", "20 MB" or "10 GB"'
    )


def test_method_and_path_are_more_specific_than_an_operation_id(limits):
    _, upload = uploading("video/mp4")
    assert limits('upload = 1\n"POST /videos" = {"Video/MP4; a=b" = 2}').of(upload) == {"video/mp4; a=b": 2}


@pytest.mark.parametrize("name", ["video/mp4", "video/*", "*/*", "image/png", "image/*"])
def test_media_types_are_those_of_the_contract(limits, name):
    """Or a range with one of them, or one within a documented range."""
    whole, _ = uploading("video/mp4", "image/*")
    assert limits(f'upload = {{"{name}" = 1}}').problems(whole) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("uplod = 1", "'uplod' is none of the contract's operations; did you mean 'upload'?"),
        ("x = 1", "'x' is none of the contract's operations; write 'POST /path', or its operationId"),
        ("show = 1", "'show' has no request body; delete the entry"),
        ('upload = {"audio/*" = 1}', "'audio/*' is none of the operation's media types: video/mp4"),
    ],
)
def test_what_the_contract_does_not_have_is_an_error(limits, line, message):
    """A misspelt name would leave the limit as it is."""
    whole, _ = uploading("video/mp4")
    (problem,) = limits(line).problems(whole)
    assert problem.message == message


@pytest.mark.parametrize("name", ["limits", "names"])
def test_a_variable_cannot_have_a_table(monkeypatch, name):
    """They belong to what is in the repository; the message names the table."""
    variable = f"RELAY_{name.upper()}"
    monkeypatch.setenv(variable, "{}")

    with pytest.raises(
        SetupError, match=rf"{variable}: cannot be a variable; write the table \[tool.relay.{name}\]"
    ):
        Settings.load()


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
    """`serve` and `regenerate` have to agree."""
    table = '[tool.relay.names.tags]\n"Event Logs" = "logs"\n'
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert chosen().names.tags == Settings().names.tags == {"Event Logs": "logs"}
