"""Greet people: an async function, and an application made when the module is imported."""

import connexion


async def greet(name: str):
    """Return a text alone."""
    return f"Good day, {name}"


app = connexion.AsyncApp(__name__, specification_dir="spec")
app.add_api("openapi.yaml", arguments={"title": "Greeting"})
