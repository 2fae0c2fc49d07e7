"""The JSON Schema of [tool.relay] that ships with the package."""

import tomllib

import jsonschema_rs
import pytest

from relay.cli.table_schema import FILE, table_schema, text
from support.running import ROOT

VALIDATOR = jsonschema_rs.Draft7Validator(table_schema())


def test_the_file_is_current():
    """Editors read the file; `python -m relay.cli.table_schema` updates it."""
    assert FILE.read_text("utf-8") == text()


def test_our_own_table_is_valid():
    """Relay's own project uses the table."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["relay"]
    VALIDATOR.validate(table)


@pytest.mark.parametrize(
    "table",
    [
        {"port": "eighty"},
        {"environment": "staging"},
        {"contract": {"waivers": [{"status": "503"}]}},
        {"breaking": {"ignored": []}},
    ],
)
def test_rejects_invalid_tables(table):
    """The schema contains the rules of the settings and of both tables."""
    assert not VALIDATOR.is_valid(table)


def test_has_no_secrets():
    """A key in pyproject.toml would be committed."""
    assert not [name for name in table_schema()["properties"] if "secret" in name or "key" in name]
