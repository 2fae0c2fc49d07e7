"""The JSON Schema of [tool.relay]: `python -m relay.cli.table_schema` prints what tool-relay.schema.json holds.

Its form is SchemaStore's, so that editors which know pyproject.toml can complete and check the table.
"""

import json
from pathlib import Path
from typing import Any

from relay.contract_tests.contract_config import SHAPE as CONTRACT
from relay.diff.accepted_changes import SHAPE as IGNORE
from relay.lint.selection import SHAPE as LINT
from relay.project.settings import Settings, is_secret
from relay.project.tables import LIMITS, NAMES

FILE = Path(__file__).parents[1] / "tool-relay.schema.json"


def table_schema() -> dict[str, Any]:
    """Return the schema; settings that are secrets are left out, as the table must not hold them."""
    fields = Settings.model_json_schema(by_alias=False)["properties"]
    settings = {
        name.replace("_", "-"): {key: value for key, value in field.items() if key != "title"}
        for name, field in fields.items()
        if not is_secret(Settings, name)
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "tool-relay.schema.json",
        "title": "Relay: [tool.relay] of pyproject.toml",
        "type": "object",
        "properties": {
            **settings,
            "names": {"description": fields["names"]["description"], **NAMES},
            "limits": {"description": fields["limits"]["description"], **LIMITS},
            "contract": {"description": "Contract tests: see relay contract --help.", **CONTRACT},
            "lint": LINT,
            "breaking": {
                "description": "Changes that relay breaking accepts.",
                "type": "object",
                "additionalProperties": False,
                "properties": {"ignore": IGNORE},
            },
        },
    }


def text() -> str:
    """Return the schema as the file has it."""
    return json.dumps(table_schema(), indent=2) + "\n"


if __name__ == "__main__":
    print(text(), end="")  # noqa: T201 -- the module's output
