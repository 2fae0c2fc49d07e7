"""`relay keys`: the keys that encrypt secrets at rest, and the encrypted secrets."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from handlers._settings import keyring as configured_keyring
from handlers._store import Store, StoredSecret
from handlers._store.encryption import EncryptionReport, count_secrets, counted
from handlers._store.keyring import KEY_ID, DecryptionFailed, Encrypted, Keyring, new_entry
from relay import Diagnostic, NotYetThere, SetupError

from .load import command_settings, command_store

Renew = Callable[[Keyring, StoredSecret], Encrypted | None]

_BATCH_SIZE = 100  # secrets replaced at once: one SQLite transaction, one MongoDB round trip

_INTERRUPTED = 130  # the exit code of a command ended by SIGINT

EXAMPLES = """\b
Put a new key first; keep the older ones until no secret is encrypted with them:
  umask 077; export RELAY_KEYRING=keyring
  relay keys new 2026-11 > keyring && relay keys encrypt
  (relay keys new 2027-05; cat keyring) > new && mv new keyring && relay keys rotate
  relay keys status
"""

_dry_run = click.option("--dry-run", is_flag=True, help="Count the secrets to encrypt, and change nothing.")


@click.group(epilog=EXAMPLES)
def keys() -> None:
    """Encrypt secrets at rest: create keys, encrypt, rotate, and show the status.

    RELAY_KEYRING contains the keys, `id:base64` each, or the path of a file with them. The first key
    encrypts, every key decrypts. RELAY_STORE is the store. The service itself decrypts no secret and needs
    no key.
    """


@keys.command(epilog="\b\nExamples:\n  relay keys new\n  relay keys new 2026-11-b")
@click.argument("key_id", metavar="[ID]", required=False)
def new(key_id: str | None) -> None:
    """Print a new key, an entry for the front of RELAY_KEYRING; the default ID is the current month.

    The key is printed once and not stored: secrets encrypted with a lost key cannot be decrypted. A second
    key in the same month needs another ID. Never use an ID again.
    """
    key_id = key_id or f"{datetime.now(UTC):%Y-%m}"
    if not KEY_ID.fullmatch(key_id):
        raise SetupError([Diagnostic("ID", "must be 1 to 64 letters, digits, dots, hyphens and underscores")])
    click.echo(new_entry(key_id))


@keys.command(epilog="\b\nExample:\n  relay keys status --format json")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(form: str) -> None:
    """Count the stored secrets by key; exit code 1 if some are in plain text or cannot be decrypted."""

    async def count(store: Store, keyring: Keyring | None) -> EncryptionReport:
        return await count_secrets(store.secrets(), keyring or Keyring({}))

    report: EncryptionReport = asyncio.run(_with_store(count, read_only=True))
    problems = list(report.problems())
    if form == "json":
        click.echo(json.dumps(_summary(report, problems), indent=2))
    else:
        for line in [*_key_lines(report), *problems] or ["no secrets, and no RELAY_KEYRING is set"]:
            click.echo(line)
    raise SystemExit(1 if problems else 0)


@keys.command(epilog="\b\nExamples:\n  relay keys encrypt --dry-run\n  relay keys encrypt")
@_dry_run
def encrypt(*, dry_run: bool) -> None:
    """Encrypt the secrets that are stored in plain text.

    The command can be interrupted and repeated, while the service and `relay load` run. It rewrites the
    SQLite file, so that no plain text remains in it. MongoDB's journal and all backups keep the plain text:
    replace secrets that are in them at their issuer.
    """
    _run("encrypt", _encrypted, dry_run=dry_run)


FORMER = "The former name of `relay keys encrypt`."
keys.add_command(
    click.Command("seal", callback=encrypt.callback, params=encrypt.params, help=FORMER, hidden=True)
)


@keys.command(epilog="\b\nExamples:\n  relay keys rotate --dry-run\n  relay keys rotate")
@_dry_run
def rotate(*, dry_run: bool) -> None:
    """Encrypt all encrypted secrets again, with the first key of the keyring.

    The command can be interrupted and repeated, while the service and `relay load` run. Remove a key from
    the keyring when `relay keys status` counts no secret under it and no backup needs it. Secrets in plain
    text are not changed; use `relay keys encrypt`.
    """
    _run("rotate", _reencrypted, dry_run=dry_run)


def _encrypted(keyring: Keyring, secret: StoredSecret) -> Encrypted | None:
    """Encrypt a secret in plain text; return None for any other."""
    if isinstance(secret.value, str):
        return keyring.encrypt(secret.organization_id, secret.name, secret.value)
    return None


def _reencrypted(keyring: Keyring, secret: StoredSecret) -> Encrypted | None:
    """Encrypt a secret again that is not under the first key; return None for any other.

    Raises DecryptionFailed, also for a secret under the first key: another key may have had the same id.
    """
    if secret.value is None:
        raise DecryptionFailed("it is unreadable")
    if isinstance(secret.value, str):
        return None
    plaintext = keyring.decrypt(secret.organization_id, secret.name, secret.value)
    if secret.value.key_id == keyring.key_ids[0]:
        return None
    return keyring.encrypt(secret.organization_id, secret.name, plaintext)


def _run(command: str, renew: Renew, *, dry_run: bool) -> None:
    """Replace the secrets with the results of `renew`, print the counts, and exit."""
    work = partial(_renew_all, command=command, renew=renew, dry_run=dry_run)
    try:
        is_done = asyncio.run(_with_store(work))
    except KeyboardInterrupt:
        click.echo(f"relay keys {command}: interrupted; completed changes are kept; run it again", err=True)
        raise SystemExit(_INTERRUPTED) from None
    raise SystemExit(0 if is_done else 1)


async def _renew_all(
    store: Store, keyring: Keyring | None, *, command: str, renew: Renew, dry_run: bool
) -> bool:
    """Return True if no secret remains to be changed; raise SetupError without a keyring."""
    if keyring is None:
        raise SetupError([Diagnostic("RELAY_KEYRING", "missing: create a key with `relay keys new`")])
    before = await count_secrets(store.secrets(), keyring)
    click.echo(f"before: {_one_line(before)}")
    due, replaced, failed = await _renew(store, keyring, renew, before.total, dry_run=dry_run)
    if dry_run:
        click.echo("".join(f"{problem}\n" for problem in before.undecryptable()), nl=False)
        click.echo(f"relay keys {command}: {counted(due)} to be encrypted with the key {keyring.key_ids[0]}")
        return not failed
    is_scrubbed = await store.scrub()
    after = await count_secrets(store.secrets(), keyring)
    click.echo(f"after: {_one_line(after)}")
    click.echo("".join(f"{problem}\n" for problem in after.undecryptable()), nl=False)
    click.echo(f"relay keys {command}: {counted(replaced)} encrypted with the key {keyring.key_ids[0]}")
    if changed := due - replaced:
        click.echo(f"{counted(changed)} changed at the same time and skipped; run it again")
    if not is_scrubbed:
        click.echo(
            "another process is reading the database, so its file still contains old copies; run it again"
        )
    return is_scrubbed and not (failed or changed)


async def _renew(
    store: Store, keyring: Keyring, renew: Renew, total: int, *, dry_run: bool
) -> tuple[int, int, int]:
    """Renew all secrets; return the numbers of secrets due, replaced, and not decrypted."""
    from rich.console import Console
    from rich.progress import Progress

    due = replaced = failed = 0
    batch: list[tuple[StoredSecret, Encrypted]] = []
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Secrets", total=total)
        async for secret in store.secrets():
            progress.advance(task)
            try:
                encrypted = renew(keyring, secret)
            except DecryptionFailed:
                failed += 1
                continue
            due += encrypted is not None
            if encrypted is not None and not dry_run:
                batch.append((secret, encrypted))
            if len(batch) == _BATCH_SIZE:
                replaced += await store.replace_secrets(batch)
                batch = []
        if batch:
            replaced += await store.replace_secrets(batch)
    return due, replaced, failed


async def _with_store(work: Callable[[Store, Keyring | None], Any], *, read_only: bool = False) -> Any:
    """Call `work` with the configured store and keyring; with `read_only`, nothing is created."""
    settings = command_settings()
    outcome = "completed changes are kept; run it again"
    try:
        async with command_store(settings, outcome, read_only=read_only) as store:
            return await work(store, configured_keyring(settings))
    except NotYetThere as exc:
        raise SetupError([Diagnostic("RELAY_STORE", f"{exc}; `relay load` creates it")]) from exc


def _summary(report: EncryptionReport, problems: list[str]) -> dict[str, Any]:
    counts = {key_id: report.by_key[key_id] for key_id in report.key_ids}
    return {
        "seals": next(iter(report.key_ids), None),
        "keys": counts,
        "unknown": {key_id: count for key_id, count in report.by_key.items() if key_id not in counts},
        "plain": report.plain,
        "unreadable": report.unreadable,
        "problems": problems,
    }


def _key_lines(report: EncryptionReport) -> Iterator[str]:
    """Yield a line for each key of the keyring: how many secrets it encrypts, and what to do."""
    for position, key_id in enumerate(report.key_ids):
        count = report.by_key[key_id]
        if position == 0:
            note = "; it encrypts new secrets"
        elif count:
            note = f"; `relay keys rotate` encrypts them with {report.key_ids[0]}"
        else:
            note = "; it can be removed, unless a backup needs it"
        yield f"{counted(count)} under the key {key_id}{note}"


def _one_line(report: EncryptionReport) -> str:
    """Return the numbers of secrets by state, in one line."""
    counts = [f"{count} under {key_id}" for key_id, count in sorted(report.by_key.items())]
    others = [(report.plain, "in plain text"), (report.unreadable, "unreadable")]
    return ", ".join(counts + [f"{count} {state}" for count, state in others if count]) or "no secrets"
