"""What a handlers package exports beside its operations, and which credentials it leaves unverified."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Union

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract

from .errors import RenderError, problem_details
from .security import JWT_TYPES, Claims, missing_verifiers, nobody, scheme_type, schemes_in_use

if TYPE_CHECKING:
    import click

HeaderValue = str | int | float
Body = TypeVar("Body")
Result: TypeAlias = Union[Body, tuple[Body, int], tuple[Body, int, Mapping[str, HeaderValue]]]  # noqa: UP007 -- a generic alias begins with its variable
"""What a handler may return: a body, with its status, with headers; a body alone gets the lowest documented 2xx."""

Collaborators = Callable[..., Any]


@dataclass(slots=True)
class PackageHooks:
    """What a handlers package may export beside its operations.

    collaborators(settings): name → object, for the life of the service: a mapping, or a context manager
    or generator of one, sync or async. One that takes `read_only` as well creates nothing where that is
    true, and raises NotYetThere if it would;
    identify(claims, …): makes the `caller` from verified claims, or raises;
    verifiers: security scheme name → function from a credential to claims; None, {} or ValueError is 401;
    render_error(report): body and media type of an error, see `errors.ErrorReport`;
    commands: click commands that the package adds to `relay`;
    test_environment(folder): variables for the service that `relay contract` starts, with data in `folder`.
    """

    collaborators: Collaborators
    identify: Callable[..., Any]
    verifiers: Mapping[str, Callable[..., Any]]
    render_error: RenderError
    commands: Sequence[click.Command]
    test_environment: Callable[[Path], Mapping[str, str]] | None

    @classmethod
    def of(cls, package: ModuleType) -> PackageHooks:
        """Read a package's exports."""
        return cls(
            collaborators=getattr(package, "collaborators", _no_collaborators),
            identify=getattr(package, "identify", nobody),
            verifiers=getattr(package, "verifiers", {}),
            render_error=getattr(package, "render_error", problem_details),
            commands=getattr(package, "commands", ()),
            test_environment=getattr(package, "test_environment", None),
        )

    def trust_the_unverified(self, contract: Contract) -> None:
        """Take any credential of the schemes that only a package could verify: where nothing is served by one."""
        self.verifiers = {
            name: _trust
            for name in schemes_in_use(contract)
            if scheme_type(contract.security_schemes[name]) not in JWT_TYPES
        }


@asynccontextmanager
async def _no_collaborators(_settings: Any) -> AsyncIterator[Mapping[str, Any]]:
    yield {}


async def _trust(_credential: str) -> Claims:
    return {"sub": "anybody"}


async def open_collaborators(made: Any, stack: AsyncExitStack) -> Mapping[str, Any]:
    """Enter what `collaborators` returned, for as long as `stack` is open.

    It may be a mapping of names to objects, or an awaitable, a context manager or a generator of one,
    each sync or async. Raises SetupError for anything else.
    """
    if inspect.isasyncgen(made):
        made = _entered(made, asynccontextmanager)
    elif inspect.isgenerator(made):
        made = _entered(made, contextmanager)
    if inspect.isawaitable(made):
        made = await made
    if hasattr(made, "__aenter__"):
        made = await stack.enter_async_context(made)
    elif hasattr(made, "__enter__"):
        made = stack.enter_context(made)
    if not isinstance(made, Mapping):
        message = (
            f"collaborators() must return or yield a mapping of names to objects, not {type(made).__name__}"
        )
        raise SetupError([Diagnostic("collaborators", message)])
    return made


def _entered(generator: Any, as_context: Callable[..., Any]) -> Any:
    """Return the context manager of a generator that was made already."""
    return as_context(lambda: generator)()


def tokens_needed(contract: Contract, exports: PackageHooks) -> list[str]:
    """Return the schemes of bearer tokens that the package does not verify itself."""
    return [
        name
        for name in schemes_in_use(contract)
        if name not in exports.verifiers and scheme_type(contract.security_schemes[name]) in JWT_TYPES
    ]


def verifier_problems(contract: Contract, exports: PackageHooks, *, has_jwt: bool) -> list[Diagnostic]:
    """Find the schemes whose credentials nothing could verify; every call would be 401."""
    by_jwt = tokens_needed(contract, exports)
    problems = missing_verifiers(contract, {*exports.verifiers, *by_jwt})
    if by_jwt and not has_jwt:
        message = f"missing: the contract's security scheme {', '.join(by_jwt)} needs a key; "
        hint = "set it, or RELAY_JWT_PUBLIC_KEY, or RELAY_JWT_JWKS"
        problems.append(Diagnostic("RELAY_JWT_SECRET", message + hint))
    return problems
