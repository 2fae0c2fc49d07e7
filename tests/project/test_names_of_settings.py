"""Settings of [tool.relay], and names that are not settings: `scripts/relay/project/settings.py`."""

import pytest
from pydantic import Field, SecretStr

import relay
from relay.project.project import current_project
from relay.project.settings import secret_files, unknown_names


class Shop(relay.Settings):
    """Settings of a package."""

    shelf: str = Field(default="fiction")
    partner_key: SecretStr | None = Field(default=None)


@pytest.fixture
def table(tmp_path, without_settings):
    """Write the table of a project in the working directory."""

    def write(text):
        (tmp_path / "pyproject.toml").write_text(f"[tool.relay]\n{text}\n", "utf-8")

    write("")
    return write


def warnings():
    return [str(diagnostic) for diagnostic in unknown_names(current_project(), Shop)]


def test_a_plain_constructor_reads_the_same_sources(table, tmp_path):
    """As users of pydantic-settings expect."""
    table('shelf = "table"')
    (tmp_path / ".env").write_text("RELAY_PORT=3\n", "utf-8")
    assert (Shop().shelf, Shop().port) == ("table", 3)


def test_the_contract_of_a_table_is_relative_to_its_folder(table, tmp_path, monkeypatch):
    """A command may run in a subfolder."""
    table('spec = "api/shop.yaml"')
    (tmp_path / "handlers").mkdir()
    monkeypatch.chdir(tmp_path / "handlers")
    assert Shop.load().spec == tmp_path / "api/shop.yaml"


@pytest.mark.parametrize(
    ("variable", "warning"),
    [
        ("RELAY_JWT_AUDIANCE", "unknown setting; did you mean RELAY_JWT_AUDIENCE?"),
        ("RELAY_SHELV", "unknown setting; did you mean RELAY_SHELF?"),
        ("RELAY_QQQQQQ", "unknown setting"),
        ("RELAY_JWT_REMEMBER", "is now called RELAY_JWT_CACHE_SECONDS"),
    ],
)
@pytest.mark.parametrize("source", ["environment", ".env", "secret file"])
def test_names_that_are_not_settings_are_reported(table, tmp_path, monkeypatch, source, variable, warning):
    """Otherwise a misspelt name would silently mean the default."""
    if source == "environment":
        monkeypatch.setenv(variable, "1")
        where = variable
    elif source == ".env":
        (tmp_path / ".env").write_text(f"{variable}=1\nOTHER=1\n", "utf-8")
        where = f".env: {variable}"
    else:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / variable.lower()).write_text("1", "utf-8")
        (tmp_path / "secrets" / "other").write_text("1", "utf-8")
        monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path / "secrets"))
        where = str(tmp_path / "secrets" / variable.lower())

    assert warnings() == [f"{where}: {warning}"]


def test_keys_of_the_table_that_are_not_settings_are_reported(table):
    """Settings of the package are known, and so are the tables of commands."""
    table('shelf = "a"\nmax-in-flight = 3\nmax_in_flite = 3\n[tool.relay.contract]\n[tool.relay.breaking]')
    assert warnings() == [
        "pyproject.toml: tool.relay.max_in_flite: unknown setting; did you mean max-in-flight?"
    ]


def test_known_names_are_not_reported(table, monkeypatch):
    """Settings, the folder of secrets, the key of contract tests, variables of test suites."""
    for name in ("RELAY_SHELF", "RELAY_JWT_PRIVATE_KEY", "RELAY_TEST_TRAFFIC", "RELAY_BENCH_MONGODB"):
        monkeypatch.setenv(name, "1")
    assert warnings() == []


def test_the_former_name_of_a_setting_is_still_read(table, monkeypatch):
    """An operator's configuration keeps working."""
    monkeypatch.setenv("RELAY_JWT_REMEMBER", "7")
    assert Shop.load().jwt_cache_seconds == 7


def test_secret_files_are_named_like_variables(tmp_path, monkeypatch):
    """In either case; a folder that is absent has none."""
    found = [list(secret_files())]
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path / "absent"))
    found.append(list(secret_files()))
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path))
    for name in ("relay_port", "RELAY_HOST", "other"):
        (tmp_path / name).write_text("", "utf-8")

    assert found == [[], []]
    assert sorted(file.name for file in secret_files()) == ["RELAY_HOST", "relay_port"]
    assert [file.name for file in secret_files(["RELAY_PORT"])] == ["relay_port"]
