"""The test-suite of JSON Schema itself, 2020-12, through requests and responses of a service in OpenAPI 3.1.

RELAY_TEST_JSON_SCHEMA names the folder of the suite, which `tox -e json-schema` fetches.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from support.hosting import calling, contract, host

if TYPE_CHECKING:
    import httpx

DRAFT = "draft2020-12"
FILES = sorted(
    path.stem
    for path in Path(os.environ.get("RELAY_TEST_JSON_SCHEMA", "/nowhere"), "tests", DRAFT).glob("*.json")
)
REMOTE = "http://localhost:1234/"

pytestmark = pytest.mark.json_schema

FORMATS = [
    f"{name} format"
    for name in (
        "email idn-email ipv4 ipv6 hostname idn-hostname date date-time time json-pointer relative-json-pointer iri "
        "iri-reference uri uri-reference uri-template uuid duration regex"
    ).split()
]
ASSERTED = "a format is asserted: who writes one into a contract expects it"
CONTENTS = [
    f"validation of {what}"
    for what in (
        "string-encoded content based on media type",
        "binary string-encoding",
        "binary-encoded media type documents",
        "binary-encoded media type documents with schema",
    )
]
DIFFERENT = {
    "content": dict.fromkeys(
        CONTENTS, "what a text contains is asserted: a handler decodes it, so a wrong one would be a 500"
    ),
    "format": dict.fromkeys(FORMATS, ASSERTED),
    "vocabulary": {
        "schema that uses custom metaschema with with no validation vocabulary": "`relay lint` refuses a meta-schema that "
        "it does not know"
    },
}
"""The schemas of which a value is judged otherwise, by file, with the reason."""


def suite() -> Path:
    """Return the folder of the suite."""
    return Path(os.environ["RELAY_TEST_JSON_SCHEMA"])


def named(schema: Any, uri: str) -> Any:
    """Give a schema an URI, if it has none: in the suite each is a document of its own."""
    return {"$id": uri, **schema} if isinstance(schema, dict) else schema


def remotes() -> dict[str, Any]:
    """Return the documents that the suite refers to, by the URI under which it expects them."""
    folder = suite() / "remotes"
    shared = [path for path in folder.glob("**/*.json") if not path.is_relative_to(folder / "draft2019-09")]
    found = {str(path.relative_to(folder)): json.loads(path.read_text("utf-8")) for path in shared}
    wanted = {
        REMOTE + path: schema
        for path, schema in found.items()
        if not path.startswith("draft") or path.startswith(DRAFT)
    }
    renamed = {
        uri: schema["$id"]
        for uri, schema in wanted.items()
        if isinstance(schema, dict) and schema.get("$id", uri) != uri
    }
    aliases = {uri: {"$ref": urljoin(uri, own)} for uri, own in renamed.items()}
    return {**{urljoin(uri, renamed.get(uri, uri)): schema for uri, schema in wanted.items()}, **aliases}


def document(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a contract with two operations for each schema: one takes its values, the other answers them."""
    paths = {}
    schemas = {
        f"Remote{number}": named(schema, uri) for number, (uri, schema) in enumerate(remotes().items())
    }
    for number, group in enumerate(groups):
        schemas[f"Schema{number}"] = named(group["schema"], f"https://suite.example/{number}")
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/Schema{number}"}}}
        which = {"name": "which", "in": "query", "required": True, "schema": {"type": "integer"}}
        paths[f"/{number}"] = {
            "post": {
                "operationId": f"take_{number}",
                "tags": ["values"],
                "requestBody": {"required": True, "content": content},
                "responses": {"204": {"description": "taken"}},
            },
            "get": {
                "operationId": f"give_{number}",
                "tags": ["values"],
                "parameters": [which],
                "responses": {"200": {"description": "given", "content": content}},
            },
        }
    return contract(paths, openapi="3.1.1", components={"schemas": schemas})


def handlers(groups: list[dict[str, Any]], data: Path) -> str:
    """Return the source of the functions of these operations."""
    data.write_text(json.dumps([[test["data"] for test in group["tests"]] for group in groups]), "utf-8")
    functions = [
        f"async def take_{number}(body):\n    return None\n\nasync def give_{number}(which):\n    return VALUES[{number}][which]\n"
        for number in range(len(groups))
    ]
    return "\n".join(
        [
            "import json",
            "from pathlib import Path",
            f"VALUES = json.loads(Path({str(data)!r}).read_text('utf-8'))",
            *functions,
        ]
    )


async def verdicts(client: httpx.AsyncClient, number: int, group: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the direction, the description and the status of each value that is judged wrongly."""
    wrong = []
    for which, test in enumerate(group["tests"]):
        content = json.dumps(test["data"])
        taken = await client.post(f"/{number}", content=content, headers={"content-type": "application/json"})
        given = await client.get(f"/{number}", params={"which": which})
        expected = (204, 200) if test["valid"] else (400, 500)
        got = (taken.status_code, given.status_code)
        if got != expected:
            wrong.append((group["description"], test["description"], expected, got))
    return wrong


def test_the_suite_is_there():
    """Without its files no value would be judged."""
    assert len(FILES) > 40


@pytest.mark.parametrize("file", FILES)
async def test_judges_each_value_as_the_suite_does(file, tmp_path, monkeypatch):
    """A service accepts and returns the bodies that JSON Schema accepts, and no others."""
    monkeypatch.syspath_prepend(tmp_path)
    groups = json.loads((suite() / "tests" / DRAFT / f"{file}.json").read_text("utf-8"))
    application = host(tmp_path, document(groups), values=handlers(groups, tmp_path / "values.json"))

    async with calling(application) as client:
        wrong = [one for number, group in enumerate(groups) for one in await verdicts(client, number, group)]

    assert {one[0] for one in wrong} == DIFFERENT.get(file, {}).keys(), wrong
