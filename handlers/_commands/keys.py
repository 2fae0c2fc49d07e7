"""`relay keys`: the keys that seal secrets at rest, and the secrets that they seal."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from handlers._store import Store, StoredSecret
    from handlers._store.encryption import EncryptionReport
    from handlers._store.keyring import Encrypted, Keyring

    Renew = Callable[[Keyring, StoredSecret], Encrypted | None]

_A_BATCH = 100  # secrets that are stored anew at a time: one transaction of SQLite, one trip to MongoDB

_INTERRUPTED = 130  # what a shell says of a command that SIGINT ends

EXAMPLES = """\b
A new key goes first, those it follows stay until nothing is sealed with them any more:
  umask 077; export RELAY_KEYRING=keyring
  relay keys new 2026-11 > keyring && relay keys seal
  (relay keys new 2027-05; cat keyring) > new && mv new keyring && relay keys rotate
  relay keys status
"""

_dry_run = click.option("--dry-run", is_flag=True, help="Count what there is to do, and change nothing.")


@click.group(epilog=EXAMPLES)
def keys() -> None:
    """Seal secrets at rest: make keys, seal, rotate, and see how things stand.

    RELAY_KEYRING holds the keys, `id:base64` each, or names a file of them; the first one seals, all of
    them open. RELAY_STORE is the store. The service itself opens no secret and needs no key.
    """


@keys.command(epilog="\b\nExamples:\n  relay keys new\n  relay keys new 2026-11-b")
@click.argument("key_id", metavar="[ID]", required=False)
def new(key_id: str | None) -> None:
    """Print a new key, an entry for the front of RELAY_KEYRING; its ID is the month unless one is given.

    It is printed once and kept nowhere: what is sealed with a key that is lost stays closed. A second one of
    a month needs an ID of its own, and no ID is ever used again.
    """
    from handlers._store.keyring import KEY_ID, new_entry
    from relay import Diagnostic, SetupError

    key_id = key_id or f"{datetime.now(UTC):%Y-%m}"
    if not KEY_ID.fullmatch(key_id):
        raise SetupError(
            [Diagnostic("ID", "has to be 1 to 64 letters, digits, dots, hyphens and underscores")]
        )
    click.echo(new_entry(key_id))


@keys.command(epilog="\b\nExample:\n  relay keys status --format json")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(form: str) -> None:
    """Count the stored secrets by key; exit with 1 when some are plain, or no key of the keyring opens them."""
    from handlers._store.encryption import count_secrets
    from handlers._store.keyring import Keyring

    async def look(store: Store, keyring: Keyring | None) -> tuple[Keyring, EncryptionReport]:
        keyring = keyring or Keyring({})
        return keyring, await count_secrets(store.secrets(), keyring)

    keyring, census = asyncio.run(_with_store(look, read_only=True))
    problems = list(census.problems())
    if form == "json":
        click.echo(json.dumps(_summary(keyring, census, problems), indent=2))
    else:
        for line in [*_key_lines(keyring, census), *problems] or ["no secrets, and no RELAY_KEYRING is set"]:
            click.echo(line)
    raise SystemExit(1 if problems else 0)


@keys.command(epilog="\b\nExamples:\n  relay keys seal --dry-run\n  relay keys seal")
@_dry_run
def seal(*, dry_run: bool) -> None:
    """Seal the secrets that lie in the store in plain text.

    It can be stopped at any point and run again, beside a service and loads. The SQLite file is written
    anew, so that nothing of them stays in it; MongoDB's journal and all backups keep what they have: a secret
    that was in them is best replaced where it was issued.
    """
    _run("seal", _sealed, dry_run=dry_run)


@keys.command(epilog="\b\nExamples:\n  relay keys rotate --dry-run\n  relay keys rotate")
@_dry_run
def rotate(*, dry_run: bool) -> None:
    """Bring all sealed secrets under the first key of the keyring.

    It can be stopped at any point and run again, beside a service and loads. A key goes out of the keyring
    when `relay keys status` counts no secret under it, and no backup is needed that has some. What is in
    plain text is left to `relay keys seal`.
    """
    _run("rotate", _rotated, dry_run=dry_run)


def _sealed(keyring: Keyring, secret: StoredSecret) -> Encrypted | None:
    """Seal a secret that is plain; None for one that is not."""
    if not isinstance(secret.value, str):
        return None
    return keyring.encrypt(secret.organization_id, secret.name, secret.value)


def _rotated(keyring: Keyring, secret: StoredSecret) -> Encrypted | None:
    """Seal a secret anew that is under another key than the first; None for any other.

    DecryptionFailed for one that stays closed, also under the first: its id may have been another key's.
    """
    from handlers._store.keyring import DecryptionFailed

    if secret.value is None:
        raise DecryptionFailed("it is of no use")
    if isinstance(secret.value, str):
        return None
    plain = keyring.decrypt(secret.organization_id, secret.name, secret.value)
    if secret.value.key_id == keyring.key_ids[0]:
        return None
    return keyring.encrypt(secret.organization_id, secret.name, plain)


def _run(command: str, renew: Renew, *, dry_run: bool) -> None:
    """Store anew what `renew` makes of the secrets, tell what became of them, and exit."""
    work = partial(_renew_all, command=command, renew=renew, dry_run=dry_run)
    try:
        is_done = asyncio.run(_with_store(work))
    except KeyboardInterrupt:
        click.echo(f"relay keys {command}: interrupted; what was done stays, run it again", err=True)
        raise SystemExit(_INTERRUPTED) from None
    raise SystemExit(0 if is_done else 1)


async def _renew_all(
    store: Store, keyring: Keyring | None, *, command: str, renew: Renew, dry_run: bool
) -> bool:
    """Return whether there is nothing left to do; SetupError without a keyring."""
    from handlers._store.encryption import count_secrets, counted
    from relay import Diagnostic, SetupError

    if keyring is None:
        raise SetupError([Diagnostic("RELAY_KEYRING", "missing: `relay keys new` makes a key")])
    before = await count_secrets(store.secrets(), keyring)
    click.echo(f"before: {_one_line(before)}")
    due, replaced, stuck = await _renew(store, keyring, renew, before.total, dry_run=dry_run)
    if dry_run:
        click.echo("".join(f"{problem}\n" for problem in before.stuck()), nl=False)
        click.echo(f"relay keys {command}: {counted(due)} to be sealed with the key {keyring.key_ids[0]}")
        return not stuck
    is_scrubbed = await store.scrub()
    after = await count_secrets(store.secrets(), keyring)
    click.echo(f"after: {_one_line(after)}")
    click.echo("".join(f"{problem}\n" for problem in after.stuck()), nl=False)
    click.echo(f"relay keys {command}: {counted(replaced)} sealed with the key {keyring.key_ids[0]}")
    if changed := due - replaced:
        click.echo(f"{counted(changed)} changed meanwhile, left as loaded; run it again")
    if not is_scrubbed:
        click.echo("the database is being read, so its file keeps old copies; run it again")
    return is_scrubbed and not (stuck or changed)


async def _renew(
    store: Store, keyring: Keyring, renew: Renew, total: int, *, dry_run: bool
) -> tuple[int, int, int]:
    """Go through the secrets; return how many were due, how many were replaced, how many stay closed."""
    from rich.console import Console
    from rich.progress import Progress

    from handlers._store.keyring import DecryptionFailed

    due = replaced = stuck = 0
    batch: list[tuple[StoredSecret, Encrypted]] = []
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Secrets", total=total)
        async for secret in store.secrets():
            progress.advance(task)
            try:
                encrypted = renew(keyring, secret)
            except DecryptionFailed:
                stuck += 1
                continue
            if encrypted is None:
                continue
            due += 1
            if not dry_run:
                batch.append((secret, encrypted))
            if len(batch) == _A_BATCH:
                replaced += await store.replace_secrets(batch)
                batch = []
        if batch:
            replaced += await store.replace_secrets(batch)
    return due, replaced, stuck


async def _with_store(work: Callable[[Store, Keyring | None], Any], *, read_only: bool = False) -> Any:
    """Do something with the store and the keyring of the settings; with `read_only`, nothing is created."""
    from handlers._collaborators import opened_store
    from handlers._settings import Settings, keyring
    from handlers._store import StoreUnavailable
    from relay import Diagnostic, NotYetThere, SetupError

    settings = Settings.load()
    try:
        async with opened_store(settings, read_only=read_only) as store:
            return await work(store, keyring(settings))
    except NotYetThere as exc:
        raise SetupError([Diagnostic("RELAY_STORE", f"{exc}; `relay load` makes it")]) from exc
    except StoreUnavailable as exc:
        told = exc.reason or "the database did not answer"
        raise SetupError([Diagnostic("RELAY_STORE", f"{told}; what was done stays, run it again")]) from exc


def _summary(keyring: Keyring, census: EncryptionReport, problems: list[str]) -> dict[str, Any]:
    counts = {key_id: census.by_key[key_id] for key_id in keyring.key_ids}
    return {
        "seals": next(iter(keyring.key_ids), None),
        "keys": counts,
        "unknown": {key_id: count for key_id, count in census.by_key.items() if key_id not in counts},
        "plain": census.plain,
        "unreadable": census.unreadable,
        "problems": problems,
    }


def _key_lines(keyring: Keyring, census: EncryptionReport) -> Iterator[str]:
    """Say of each key of the keyring what is sealed with it, and what to do about that."""
    from handlers._store.encryption import counted

    for position, key_id in enumerate(keyring.key_ids):
        count = census.by_key[key_id]
        if position == 0:
            told = "; it seals"
        elif count:
            told = f"; `relay keys rotate` brings what it can under {keyring.key_ids[0]}"
        else:
            told = "; it may go, unless a backup needs it"
        yield f"{counted(count)} under the key {key_id}{told}"


def _one_line(census: EncryptionReport) -> str:
    """Say how many secrets are in which state."""
    counts = [f"{count} under {key_id}" for key_id, count in sorted(census.by_key.items())]
    others = [(census.plain, "in plain text"), (census.unreadable, "of no use")]
    return ", ".join(counts + [f"{count} {told}" for count, told in others if count]) or "no secrets"
