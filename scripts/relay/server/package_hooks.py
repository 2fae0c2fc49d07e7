"""The hooks that a handlers package may export, and the security schemes that it does not verify."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract

from . import security
from .errors import RenderError, problem_details
from .framework import MiddlewarePosition
from .handler_modules import NamedFunctions, package_or_empty
from .info_functions import InfoFunction, info_functions

if TYPE_CHECKING:
    import click

Collaborators = Callable[..., Any]

_FORM = "each item of `middleware` is (class, position) or (class, position, options)"
_POSITIONS = MiddlewarePosition.__members__


@asynccontextmanager
async def _no_collaborators(_settings: Any) -> AsyncIterator[Mapping[str, Any]]:
    yield {}


@dataclass(slots=True)
class PackageHooks:
    """The hooks that a handlers package may export, in addition to its handlers.

    collaborators(settings): returns objects by name, for the life of the service: a mapping, or a context
    manager or generator of one, sync or async. If it accepts `read_only` and that is true, it must not
    create anything, and raises NotYetThere instead;
    identify(claims, …): returns the `caller` for verified claims, or raises;
    verifiers: functions from a credential to claims, by security scheme; None, {} or ValueError is a 401;
    errors: the errors for exception classes of other libraries, see `error_responses.read_errors`;
    render_error(report): returns body and media type of an error, see `errors.ErrorReport`;
    scope(…): yields objects by name, for one request, see `request.RequestScope`;
    middleware: ASGI middlewares with their positions, see `read_middleware`;
    commands: click commands that the package adds to `relay`;
    test_environment(folder): returns variables for the service that `relay contract` starts, with data in
    `folder`.
    """

    collaborators: Collaborators = _no_collaborators
    identify: Callable[..., Any] = security.no_caller
    verifiers: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    errors: Any = field(default_factory=dict)
    render_error: RenderError = problem_details
    scope: Callable[..., Any] | None = None
    middleware: Any = ()
    commands: Sequence[click.Command] = ()
    test_environment: Callable[[Path], Mapping[str, str]] | None = None
    named_verifiers: Mapping[str, InfoFunction] = field(default_factory=dict, init=False)
    """The verifiers that the contract names, by security scheme."""

    @classmethod
    def of(cls, package: ModuleType) -> PackageHooks:
        """Read the hooks of a package; a missing one gets its default."""
        names = [one.name for one in fields(cls) if one.init]
        return cls(**{name: getattr(package, name) for name in names if hasattr(package, name)})

    @classmethod
    def of_project(cls, contract: Contract, package: str, folder: Path, *, has_key: bool) -> PackageHooks:
        """Return the hooks of a package that may be missing, and the verifiers that the contract names."""
        hooks = cls.of(package_or_empty(package))
        named = NamedFunctions(folder, package)
        hooks.named_verifiers, _ = info_functions(contract, hooks.verifiers, named, has_key=has_key)
        return hooks

    @property
    def verified(self) -> set[str]:
        """The security schemes with a verifier of the package or the contract."""
        return {*self.verifying_functions}

    @property
    def verifying_functions(self) -> dict[str, Callable[..., Any]]:
        """The functions that verify credentials, by security scheme: the package's go first."""
        return {name: one.function for name, one in self.named_verifiers.items()} | {**self.verifiers}

    def accept_unverified(self, contract: Contract) -> None:
        """Accept any credential of the schemes that only a package can verify; for a contract served without one."""
        self.verifiers = {
            name: partial(
                _accept_any, {"sub": "anybody", "scope": " ".join(security.scopes_in_use(contract, name))}
            )
            for name in sorted({*security.schemes_in_use(contract)} - security.token_schemes(contract))
        }


async def _accept_any(claims: security.Claims, _credential: str) -> security.Claims:
    return claims


async def open_collaborators(made: Any, stack: AsyncExitStack) -> Mapping[str, Any]:
    """Return the mapping that `collaborators` made in any form, opened on `stack`. Raises SetupError."""
    if inspect.isasyncgen(made):
        made = asynccontextmanager(lambda: made)()
    elif inspect.isgenerator(made):
        made = contextmanager(lambda: made)()
    if inspect.isawaitable(made):
        made = await made
    if hasattr(made, "__aenter__"):
        made = await stack.enter_async_context(made)
    elif hasattr(made, "__enter__"):
        made = stack.enter_context(made)
    if isinstance(made, Mapping):
        return made
    message = f"collaborators() must return or yield a mapping of names to objects, not {type(made).__name__}"
    raise SetupError([Diagnostic("collaborators", message)])


def tokens_needed(contract: Contract, hooks: PackageHooks) -> list[str]:
    """Return the bearer token schemes that the package does not verify itself."""
    return sorted(security.token_schemes(contract) - hooks.verified)


def verifier_problems(contract: Contract, hooks: PackageHooks, *, has_jwt: bool) -> list[Diagnostic]:
    """Report the security schemes without a verifier; all their requests would be a 401."""
    by_jwt = tokens_needed(contract, hooks)
    problems = security.missing_verifiers(contract, {*hooks.verified, *by_jwt})
    if by_jwt and not has_jwt:
        message = f"missing: the contract's security scheme {', '.join(by_jwt)} needs a key; "
        hint = "set it, or RELAY_JWT_PUBLIC_KEY, or RELAY_JWT_JWKS"
        problems.append(Diagnostic("RELAY_JWT_SECRET", message + hint))
    return problems


class PackageMiddleware(NamedTuple):
    """An ASGI middleware class, called with the next application and the options."""

    kind: Any
    position: MiddlewarePosition
    options: Mapping[str, Any]


def read_middleware(items: Any) -> list[PackageMiddleware]:
    """Return the middlewares of a package, the outermost first; positions may be names. Raises SetupError."""
    if not isinstance(items, Iterable):
        raise SetupError([Diagnostic("middleware", f"must be a list; {_FORM}")])
    found = [_read(item) for item in items]
    problems = [Diagnostic("middleware", one) for one in found if isinstance(one, str)]
    if problems:
        raise SetupError(problems)
    return [one for one in found if isinstance(one, PackageMiddleware)]


def _read(item: Any) -> PackageMiddleware | str:
    if not (isinstance(item, tuple) and len(item) in (2, 3) and callable(item[0])):
        return _FORM
    kind, position, options = (*item, {})[:3]
    name = str(getattr(position, "name", position))
    if name not in _POSITIONS:
        return f"{kind.__name__}: the position must be one of {', '.join(_POSITIONS)}"
    if not isinstance(options, Mapping):
        return f"{kind.__name__}: the options must be a mapping"
    return PackageMiddleware(kind, _POSITIONS[name], options)
