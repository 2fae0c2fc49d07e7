"""The JSON Schema of [tool.relay] that ships with the package."""

from __future__ import annotations

import tomllib

import jsonschema_rs
import pytest

from relay.cli.table_schema import FILE, table_schema, text
from support.running import ROOT

VALIDATOR = jsonschema_rs.Draft7Validator(table_schema())


def test_the_file_is_current():
    """`python -m relay.cli.table_schema` writes it; editors read the file."""
    assert FILE.read_text("utf-8") == text()


def test_our_own_table_is_valid():
    """The first project that uses it is ours."""
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
def test_an_editor_sees_what_is_wrong(table):
    """The rules of settings and of both tables are in it."""
    assert not VALIDATOR.is_valid(table)


def test_it_offers_no_secret():
    """A key in pyproject.toml would be committed."""
    assert not [name for name in table_schema()["properties"] if "secret" in name or "key" in name]
