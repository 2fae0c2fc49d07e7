"""The configuration of contract tests: `scripts/relay/contract_tests/contract_config.py`."""

import pytest

from relay.contract.diagnostics import SetupError, SourceLocation
from relay.contract.documents import read_document
from relay.contract_tests.contract_config import Accepted, Config, Identity, find_config, read_config
from relay.project.project import Project, find_project

FILE = "contract.yaml"


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(text):
        path = tmp_path / FILE
        path.write_text(text, "utf-8")
        return read_config(read_document(path))

    return read


def test_reads_who_calls_and_what_is_promised(read):
    config = read("""\
identities:
  admin: {claims: {sub: a}, refused: [closeShop]}
  robot: {variables: {apiKey: ROBOT_KEY}}
  stranger: {signs-in: false}
stricter:
  Pet: {additionalProperties: false}
secrets: [DATABASE_PASSWORD]
waivers:
  - {operation: showPet, status: '404', reason: no pet is ever lost}
  - {status: 5XX, media-type: text/html, reason: the proxy's page}
accepted:
  - {rule: incomplete-allow, reason: the framework writes it}
""")

    assert config.identities == (
        Identity("admin", claims={"sub": "a"}, refused=frozenset(["closeShop"])),
        Identity("robot", variables={"apiKey": "ROBOT_KEY"}),
        Identity("stranger", signs_in=False),
    )
    assert config.stricter == {"Pet": {"additionalProperties": False}}
    assert config.secrets == ("DATABASE_PASSWORD",)
    first, second = config.waivers
    assert (first.operation, first.status, first.media_type) == ("showPet", "404", None)
    assert (second.operation, second.status, second.media_type) == (None, "5XX", "text/html")
    assert [str(waiver.place) for waiver in config.waivers] == [f"{FILE}:9:5", f"{FILE}:10:5"]
    place = SourceLocation(FILE, 12, 5)
    assert config.accepted == (Accepted("incomplete-allow", None, None, "the framework writes it", place),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("waivers: [{status: '404'}]", "1:11: waivers[0] has no reason; say why"),
        ("waivers: [{reason: a}]", "1:11: waivers[0] has no status; say which response is waived"),
        ("waivers:\n- {status: '1', reason: ' '}", "2:17: waivers[0].reason is empty; fill it in, or remove it"),
        ("waivers: [{status: 404, reason: a}]", "1:12: waivers[0].status must be text; put it in quotes"),
        ("secrets: KEY", "1:1: secrets must be a list"),
        ("secrets: ['A', '']", "1:16: secrets[1] is empty; fill it in, or remove it"),
        ("identities: {a: {signs-in: yes}}", "1:18: identities.a.signs-in must be true or false"),
        ("identities:\n  a:", "2:3: identities.a must be a mapping of names to values"),
        ("- a", "1:1: the file must be a mapping of names to values"),
        ("identities: {a: {clams: {}}}", "1:14: identities.a has the unknown key 'clams'; check its spelling and place"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_where_and_what_to_do(read, text, message):
    with pytest.raises(SetupError) as trouble:
        read(text)

    assert str(trouble.value) == f"{FILE}:{message}"


def test_reports_everything_at_once(read):
    with pytest.raises(SetupError) as trouble:
        read("waivers: [{}]\nsecrets: 1\nwhatever: 2\n")

    assert len(trouble.value.problems) == 4


TABLE = """\
[[tool.relay.contract.waivers]]
status = "404"
reason = "no pet is ever lost"

[[tool.relay.contract.waivers]]
status = 405
reason = "b"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make the working directory a project with some text as its pyproject.toml."""
    monkeypatch.chdir(tmp_path)

    def project(text):
        (tmp_path / "pyproject.toml").write_text(text, "utf-8")
        return find_project()

    return project


def test_reads_the_table_of_the_project(project):
    """A file that is given goes before it; a project without the table configures nothing."""
    here = project("[tool.relay.contract.identities]\na = { claims = { sub = 'a' } }\n")
    other = here.folder / "other.yaml"
    other.write_text("identities:\n  b: {claims: {sub: b}}\n", "utf-8")

    assert find_config(None, here).identities == (Identity("a", claims={"sub": "a"}),)
    assert find_config(other, here).identities == (Identity("b", claims={"sub": "b"}),)
    assert find_config(None, project("[tool.relay]\n")) == Config()


def test_says_which_entry_of_the_table_is_wrong(project):
    """The TOML parser gives no lines; the number in the list identifies a waiver."""
    with pytest.raises(SetupError) as trouble:
        find_config(None, project(TABLE))

    assert str(trouble.value) == (
        "pyproject.toml: tool.relay.contract.waivers[1].status: "
        "waivers[1].status must be text; put it in quotes"
    )


def test_a_file_that_the_table_has_replaced_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".relay-contract.yaml").write_text("waivers: []\n", "utf-8")

    with pytest.raises(SetupError) as trouble:
        find_config(None, Project(tmp_path))

    assert str(trouble.value) == (
        ".relay-contract.yaml: is no longer read: move its entries to [tool.relay.contract] in pyproject.toml"
    )
