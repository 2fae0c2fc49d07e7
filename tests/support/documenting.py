"""Build documentation pages like a publisher's: prose, and one operation as an OpenAPI block."""

import json
from pathlib import Path
from typing import Any

import yaml

from .hosting import contract, operation

STRUCTURE = json.loads(
    Path(__file__).parents[1].joinpath("specs").joinpath("seed-structure.json").read_text("utf-8")
)
"""The published operation of our own contract, without its prose."""


def page(document: Any, fence: str = "````") -> str:
    """A page that contains an OpenAPI document; a document given as text is used as it is."""
    block = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    return f"""\
> ## Documentation Index
> Every page is listed at https://docs.example.com/llms.txt

# Look at a thing

Some words, and an example that is not a contract:

```json
{{"not": "openapi"}}
```

## OpenAPI

{fence}yaml /api-reference/openapi.yaml get /things
{block.rstrip()}
{fence}
"""


def thing(name: str, schema: Any = None, **rest: Any) -> dict[str, Any]:
    """A document with one operation, `GET /{name}`, whose response is the component `{name}`."""
    answer = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    responses = {"200": {"description": f"A {name}", "content": {"application/json": answer}}}
    return contract(
        {f"/{name}": {"get": operation(f"get_{name}", summary=f"Get a {name}", responses=responses)}},
        tags=[{"name": "Things"}],
        components={"schemas": {name: schema or {"type": "object", "description": f"One {name}"}}},
        **rest,
    )


def described(value: Any, *, named: bool = False) -> Any:
    """The published structure with our own prose wherever OpenAPI allows some."""
    if isinstance(value, list):
        return [described(item) for item in value]
    if not isinstance(value, dict):
        return value
    inside = {
        key: item
        if key == "example"
        else described(item, named=key in ("properties", "schemas", "responses"))
        for key, item in value.items()
    }
    if named or not {"content", "type"} & set(value):
        return inside
    return {
        "description": "Words that a page has, long enough to be folded over more than one line of it",
        **inside,
    }
