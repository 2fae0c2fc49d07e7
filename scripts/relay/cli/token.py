"""`relay token`: print a development token."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from relay.contract.diagnostics import Diagnostic, SetupError

from .options import handlers_option, spec_option
from .output import emit

if TYPE_CHECKING:
    from relay.project.project import Project
    from relay.project.settings import Settings

EXAMPLES = """\b
Examples:
  relay token
  relay token --claim sub=u42 --claim 'roles=["admin"]' --expires 60
  relay token --identity clerk
  relay token --operation list_pets
  relay token --spec api.yaml --operation 'POST /pets'
  relay token --scope read:pets --scope write:pets
"""

LIFE = 3600  # seconds


def _claim(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    for one in given:
        name, sign, text = one.partition("=")
        if not (name and sign):
            raise click.BadParameter(f"'{one}' is not NAME=VALUE")
        if name in ("iat", "nbf", "exp"):
            raise click.BadParameter(f"'{name}' is set by --expires")
        try:
            claims[name] = json.loads(text)
        except ValueError:
            claims[name] = text
    return claims


@click.command(epilog=EXAMPLES)
@spec_option
@handlers_option
@click.option(
    "--claim",
    "claims",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_claim,
    help="A claim; VALUE is JSON, or else text. Can be repeated.",
)
@click.option(
    "--identity",
    metavar="NAME",
    help="Take the claims of an identity in [tool.relay.contract]; without --claim, the first that signs in.",
)
@click.option(
    "--operation",
    "operations",
    metavar="OPERATION",
    multiple=True,
    help="Add the scopes that an operation asks for: its operationId, or 'GET /pets'. Can be repeated.",
)
@click.option("--scope", "scopes", metavar="SCOPE", multiple=True, help="Add a scope. Can be repeated.")
@click.option(
    "--expires",
    metavar="SECONDS",
    type=click.IntRange(1, 366 * 86400),
    help=f"How long it is valid; by default {LIFE}, or RELAY_JWT_MAX_LIFE where that is less.",
)
def token(
    *,
    claims: dict[str, Any],
    identity: str | None,
    operations: tuple[str, ...],
    scopes: tuple[str, ...],
    expires: int | None,
    **given: Any,
) -> None:
    """Print a bearer token for development.

    It is signed with RELAY_JWT_SECRET, or in development with the project's own key, HS256, for the
    issuer and audience of the settings. A service whose functions verify all tokens would refuse it.
    """
    from relay.server.application import service_settings
    from relay.server.token_minting import longest_life, mint, with_development_key, with_scopes

    project, settings = service_settings(given)
    _check_signable(project, settings)
    wanted = {*scopes, *(_scopes(project, settings, operations) if operations else ())}
    if identity is not None or not claims:
        claims = {**development_claims(project, identity), **claims}
    settings = with_development_key(project, settings)
    emit(mint(settings, with_scopes(claims, wanted), expires or longest_life(settings, LIFE)))


def _check_signable(project: Project, settings: Settings) -> None:
    """Raise SetupError if functions verify all tokens; a contract with errors is reported elsewhere."""
    from relay.contract.loading import load_contract
    from relay.project.settings import token_keys
    from relay.server.handler_modules import NamedFunctions
    from relay.server.package_hooks import PackageHooks
    from relay.server.token_minting import check_signable

    try:
        contract = load_contract(settings.spec or project.spec, settings.contract_root)
    except SetupError:
        return
    package, folder = settings.handlers, project.folder
    if not token_keys(settings) and NamedFunctions(folder, package).is_used(contract):
        hooks = PackageHooks.of_project(contract, package, folder, has_key=False)
        check_signable(contract, hooks.verifying_functions)


def _scopes(project: Project, settings: Settings, names: Iterable[str]) -> set[str]:
    """Return the scopes that operations ask for.

    Raises SetupError for a name that is no operation's, and for an operation that takes no token.
    """
    from relay.contract.loading import load_contract
    from relay.server.token_minting import scopes_of

    contract = load_contract(settings.spec or project.spec, settings.contract_root)
    scopes: set[str] = set()
    for name in names:
        operation = next((one for one in contract.operations if name in (one.id, str(one))), None)
        if operation is None and (left_out := contract.not_served(name)):
            raise SetupError([Diagnostic("--operation", left_out.reason.message)])
        if operation is None:
            known = [text for one in contract.operations for text in (one.id, str(one))]
            near = "".join(f"; did you mean {one}?" for one in difflib.get_close_matches(name, known, 1))
            raise SetupError([Diagnostic("--operation", f"the contract has no operation '{name}'{near}")])
        found = scopes_of(operation, contract)
        if found is None:
            message = f"{operation} does not ask for a bearer token alone"
            raise SetupError([Diagnostic("--operation", message)])
        scopes |= found
    return scopes


def development_claims(project: Project, identity: str | None = None) -> dict[str, Any]:
    """Return the claims of an identity that contract tests know: the named one, else the first that signs in.

    A project without identities gets a made-up subject. Raises SetupError for an unknown name.
    """
    from relay.contract_tests.contract_config import find_config

    known = {one.name: one for one in find_config(None, project).identities}
    if identity is not None and identity not in known:
        message = f"[tool.relay.contract] has no identity '{identity}'; it has {', '.join(known) or 'none'}"
        raise SetupError([Diagnostic("--identity", message)])
    chosen = [known[identity]] if identity else [one for one in known.values() if one.signs_in and one.claims]
    return dict(chosen[0].claims or {}) if chosen else {"sub": "developer"}
