"""`relay demo`: serve a demo organization from its own file; contract tests use the same data."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

import click

import relay
from handlers._collaborators import opened_store
from handlers._settings import Settings, data_folder
from handlers._store.keyring import new_entry
from handlers._store.rules import SECRETS

from .load import load_file

DATA = Path(__file__).with_name("demo.json")
USER = "64f0a1b2c3d4e5f6a7b8c9d1"  # the user id of the demo's administrator
EXAMPLES = """\b
Examples:
  relay demo
  relay demo --port 0 --record demo.har
"""

KEYRING = "demo-keyring"  # the file of the demo's keyring, next to its data


@click.command(epilog=EXAMPLES, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF relay serve]")
@click.pass_context
def demo(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Serve a demo organization from a file of its own.

    It takes the options of `relay serve`; see `relay serve --help`. The data survives a restart. Its
    tokens are signed with the project's development key, so that `relay token` signs more of them.
    """
    root = context.find_root()
    assert isinstance(root.command, click.Group)
    serve = root.command.get_command(root, "serve")
    assert serve is not None
    os.environ |= demo_variables()
    asyncio.run(_load_demo(Settings.load()))
    click.echo(f"Data: {data_folder() / 'demo.db'}, its secrets encrypted with {KEYRING}")
    serve.main([*arguments], prog_name="serve", parent=root, standalone_mode=False)


def demo_variables() -> dict[str, str]:
    """Return the variables that serve the demo from its own file with its own keyring.

    Raises SetupError when a store or keyring is set: the demo's data must not end up in it.
    """
    configured = Settings.load()
    if clashing := [name for name in ("store", "keyring") if getattr(configured, name) is not None]:
        names = ", ".join(f"RELAY_{name.upper()}" for name in clashing)
        message = "the demo has its own storage; unset it, or use `relay serve`"
        raise relay.SetupError([relay.Diagnostic(names, message)])
    folder = data_folder()
    return {"RELAY_STORE": f"sqlite:///{folder / 'demo.db'}", "RELAY_KEYRING": _keyring(folder / KEYRING)}


def test_environment(folder: Path) -> Mapping[str, str]:
    """Load the demo into a store in `folder`; return the variables of a service that reads it.

    The demo's secrets are among them, one variable each, so that `secrets` of [tool.relay.contract] can
    name what must not leave the service.
    """
    keyring = new_entry("run")
    variables = {"RELAY_STORE": f"sqlite:///{folder / 'demo.db'}", "RELAY_KEYRING": keyring}
    asyncio.run(load_file(Settings.load(store=variables["RELAY_STORE"], keyring=keyring), DATA))
    secrets = enumerate([keyring.partition(":")[2], *demo_secrets()], 1)
    return {**variables, **{f"DEMO_SECRET_{number}": value for number, value in secrets}}


def demo_secrets() -> list[str]:
    """Return the values of the demo's data that must never leave the service."""
    credentials = json.loads(DATA.read_text("utf-8"))["credentials"]
    return [record[name] for record in credentials for name in SECRETS if name in record]


async def _load_demo(settings: Settings) -> None:
    """Load the demo's data on its first start; later changes stay. SetupError when the store cannot be opened."""
    async with opened_store(settings) as store:
        is_new = await store.user(USER) is None
    if is_new:
        await load_file(settings, DATA)


def _keyring(path: Path) -> str:
    """Return the demo's keyring, which survives a restart; raise SetupError if it cannot be stored."""
    try:
        return relay.stored_secret(path, lambda: new_entry("demo"))
    except OSError as exc:
        message = f"the demo cannot store its keyring: {exc.strerror}; set XDG_DATA_HOME to another folder"
        raise relay.SetupError([relay.Diagnostic(str(path), message)]) from exc
