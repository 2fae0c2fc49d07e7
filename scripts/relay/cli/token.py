"""`relay token`: mint a development token."""

from __future__ import annotations

import time
from typing import Any

import click

from .output import setup_errors

EXAMPLES = """\b
Examples:
  relay token --user 64f0a1b2c3d4e5f6a7b8c9d1
  relay token --demo --expires 60
"""

LIFE = 3600  # seconds


@click.command(epilog=EXAMPLES)
@click.option("--user", metavar="ID", help="The user's id, 24 hex digits; with --demo, the demo's admin.")
@click.option("--demo", is_flag=True, help="Sign with the demo's own secret, for `relay serve --demo`.")
@click.option(
    "--expires",
    metavar="SECONDS",
    type=click.IntRange(1, 366 * 86400),
    help=f"How long it is good for; by default {LIFE}, or what RELAY_JWT_MAX_LIFE leaves of that.",
)
def token(user: str | None, *, demo: bool, expires: int | None) -> None:
    """Mint a bearer token for development and print it.

    It is signed with RELAY_JWT_SECRET, HS256, for the issuer and audience that are set; without a
    secret there is no token.
    """
    with setup_errors():
        from handlers._app import Settings
        from handlers._commands import demo as demo_data
        from relay.contract.diagnostics import Diagnostic, SetupError

        settings = demo_data.demo_settings() if demo else Settings.load()
        user = user or (demo_data.USER if demo else None)
        if user is None:
            raise SetupError([Diagnostic("--user", "missing: whose token is it to be?")])
        click.echo(mint(settings, user, expires or longest_life(settings, LIFE)))


def longest_life(settings: Any, seconds: int) -> int:
    """Return how long a token may be good for, `seconds` at most."""
    return min(seconds, settings.jwt_max_life or seconds)


def mint(settings: Any, user: str, expires: int) -> str:
    """Return a token for `user`, good for `expires` seconds, that a service with `settings` accepts.

    Raises SetupError when there is no shared secret to sign with, or it would be good for too long.
    """
    import jwt

    from relay.contract.diagnostics import Diagnostic, SetupError
    from relay.server.settings import token_verifier

    if settings.jwt_secret is None:
        raise SetupError(
            [
                Diagnostic(
                    "RELAY_JWT_SECRET", "missing: tokens are only minted with a secret you set, or --demo"
                )
            ]
        )
    if expires > longest_life(settings, expires):
        told = f"the service takes no token that is good for more than {settings.jwt_max_life} seconds"
        raise SetupError([Diagnostic("--expires", f"{told} (RELAY_JWT_MAX_LIFE)")])
    token_verifier(settings)  # a secret that the service would refuse signs nothing either
    now = int(time.time())
    claims: dict[str, Any] = {"userId": user, "iat": now, "exp": now + expires}
    if settings.jwt_issuer:
        claims["iss"] = settings.jwt_issuer
    if settings.jwt_audience:
        claims["aud"] = settings.jwt_audience
    headers = {"typ": settings.jwt_type or "JWT"}
    return jwt.encode(claims, settings.jwt_secret.get_secret_value(), "HS256", headers)
