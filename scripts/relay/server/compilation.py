"""Compile a contract and a handlers package into one application, before the first request."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from pydantic import SecretStr

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, errors
from relay.contract.loading import load_contract
from relay.contract.model import Contract, LeftOut
from relay.project.settings import Settings
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler, Strictness

from .app import Application
from .binding import Binding, MissingHandlerPolicy, Policies, bind, read_policies
from .connexion_code import connexion_notes
from .cors import cors
from .endpoint import Endpoint
from .error_bodies import ErrorBodies, package_errors
from .error_responses import ErrorTranslator, read_errors
from .errors import RenderOperationError
from .function_checks import undocumented_bodies
from .handler_modules import NamedFunctions, has_any_handler, import_package, is_package, no_package_message
from .info_functions import info_functions
from .observability import Metrics, Observer, bind_address
from .package_hooks import PackageHooks, read_middleware, tokens_needed, verifier_problems
from .request import scope_problem
from .security import certificate_problems
from .tokens import token_verifier
from .tracing import check_installed

T = TypeVar("T")


def create(
    settings: Settings, development_key: Callable[[], str] | None = None, folder: Path | None = None
) -> Application:
    """Compile a service, with a `development_key` if it needs one. Raises SetupError with all errors."""
    # One function: each step needs what those before it found, and all of their errors are reported at once.
    problems: list[Diagnostic] = []
    key_problems: list[Diagnostic] = []
    is_strict = settings.strict or settings.environment == "production"
    contract = _attempt(lambda: _contract(settings), problems)
    if contract is not None and is_strict:
        problems += errors(contract.faults)
    policies = _attempt(lambda: _policies(settings, contract), problems)
    named = NamedFunctions(folder, settings.handlers)
    package = _attempt(lambda: _package(settings, contract, policies, named), problems)
    jwt = _attempt(lambda: token_verifier(settings), key_problems)
    _attempt(lambda: _check_monitoring(settings), problems)
    problems += key_problems
    if contract is None or policies is None or package is None:
        raise SetupError(problems)
    hooks = PackageHooks.of(package)
    if hooks.scope is not None and (message := scope_problem(hooks.scope)):
        problems.append(Diagnostic("scope", message))
    is_mocking = policies.includes(MissingHandlerPolicy.MOCK)  # which production refuses
    origins = _attempt(lambda: cors(settings.cors_origins, contract, allows_local=is_mocking), problems)
    middleware = _attempt(lambda: read_middleware(hooks.middleware), problems) or []
    translate = _attempt(lambda: read_errors(hooks.errors), problems) or ErrorTranslator({})
    bindings, found = bind(contract, package, policies, named)
    is_alone = not is_package(package) and all(binding.missing for binding in bindings)
    wrong: list[Diagnostic] = []
    if is_alone:
        hooks.accept_unverified(contract)
    else:
        hooks.named_verifiers, wrong = info_functions(
            contract, hooks.verifiers, named, has_key=jwt is not None
        )
    has_key = jwt is not None or key_problems or settings.environment == "production"
    if development_key and not has_key and tokens_needed(contract, hooks):
        if (secret := _attempt(development_key, key_problems)) is not None:
            settings = settings.model_copy(update={"jwt_secret": SecretStr(secret)})
            jwt = token_verifier(settings)
        problems += key_problems
    if not key_problems and not wrong:
        problems += verifier_problems(contract, hooks, has_jwt=jwt is not None)
    problems += [] if is_alone else certificate_problems(contract, settings.trusted_proxies)
    compiled = _Endpoints(contract, bindings, settings)
    render = compiled.documented_errors() if is_alone else lambda report, _: hooks.render_error(report)
    problems += [*wrong, *errors(found), *(compiled.errors if is_strict else [])]
    if problems:
        raise SetupError(problems)
    bodies = [*undocumented_bodies(bindings, contract)]
    if not is_alone:
        own = package_errors(package.__name__, translate.reports.values())
        bodies += ErrorBodies(contract, compiled.compiler, hooks.render_error).findings(own)
    return Application(
        contract,
        settings,
        compiled.endpoints,
        compiled.left_out,
        middleware,
        origins,
        package,
        hooks,
        render,
        translate,
        jwt,
        Observer(Metrics() if settings.metrics else None),
        [*contract.faults, *found, *compiled.errors, *compiled.warnings, *bodies],
    )


class _Endpoints:
    """The endpoints of operations that can be compiled, by operation id; what is wrong with the others."""

    def __init__(self, contract: Contract, bindings: Iterable[Binding], settings: Settings) -> None:
        self._contract = contract
        strictness = Strictness(
            read_only=settings.read_only == "refuse",
            nul=settings.refuse_nul,
            unknown_query=settings.unknown_query == "refuse",
        )
        self.compiler = compiler = SchemaCompiler(contract, strictness)
        self.errors: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.left_out = [*contract.left_out]
        self.endpoints: dict[str, Endpoint] = {}
        for binding in bindings:
            decoder = RequestDecoder(binding.operation, binding.names, compiler)
            encoder = ResponseEncoder(binding.operation, compiler)
            self._add(Endpoint(binding, decoder, encoder))
        for endpoint in [*self.endpoints.values()]:
            if endpoint.binding.missing is MissingHandlerPolicy.MOCK:
                from relay.mock import Mock  # not imported in production, which has no mocks

                # It uses the validators of all operations.
                mock = Mock(endpoint.operation, compiler, endpoint.encoder)
                self._add(replace(endpoint, mock=mock))
        compiler.prepare()

    def documented_errors(self) -> RenderOperationError:
        """Return what renders errors as the contract documents them; what prevents that is a warning."""
        from .error_shapes import (  # it makes samples, which no service in production needs
            ErrorShapes,
            documented_statuses,
        )

        shapes = ErrorShapes(self._contract, self.compiler, documented_statuses(self._contract))
        found = self.compiler.take_problems()
        self.warnings += [one for one in found if one.severity is Severity.WARNING]
        return shapes.render

    def _add(self, endpoint: Endpoint) -> None:
        found = self.compiler.take_problems()
        wrong = errors(found)
        self.errors += wrong
        self.warnings += [one for one in found if one not in wrong]
        operation = endpoint.operation
        if wrong:
            place = self._contract.place(operation.pointer)
            self.left_out.append(LeftOut.of(operation.method, operation.path, place, wrong[0]))
            self.endpoints.pop(operation.id, None)
        else:
            self.endpoints[operation.id] = endpoint


def _attempt(step: Callable[[], T], problems: list[Diagnostic]) -> T | None:
    """Run one step of the set-up and collect its errors, so that the next steps can report theirs too."""
    try:
        return step()
    except SetupError as exc:
        problems += exc.problems
        return None


def _contract(settings: Settings) -> Contract:
    if settings.spec is None:
        raise SetupError(
            [Diagnostic("RELAY_SPEC", "missing: set it to the contract to serve, or use --spec")]
        )
    contract = load_contract(settings.spec, settings.contract_root).named(settings.names)
    if problems := settings.limits.problems(contract):
        raise SetupError(problems)
    return contract


def _check_monitoring(settings: Settings) -> None:
    if settings.metrics_bind is not None:
        bind_address(settings.metrics_bind)
    if settings.tracing:
        check_installed()


def _policies(settings: Settings, contract: Contract | None) -> Policies:
    if contract is None:
        return Policies()
    policies = read_policies(settings.missing, contract)
    if settings.environment == "production" and policies.includes(MissingHandlerPolicy.MOCK):
        message = "mock responses are not allowed with RELAY_ENVIRONMENT=production; use stub or fail"
        raise SetupError([Diagnostic("RELAY_MISSING", message)])
    return policies


def _package(
    settings: Settings, contract: Contract | None, policies: Policies | None, named: NamedFunctions
) -> ModuleType:
    """Import the handlers package; return an empty module if it is neither configured nor needed."""
    name = settings.handlers
    if "handlers" in settings.model_fields_set:
        return import_package(name)
    can_serve_alone = contract is not None and policies is not None and policies.cover(contract)
    names_any = contract is not None and named.has_any_module(contract)
    if importlib.util.find_spec(name) is None:
        if can_serve_alone or names_any or contract is None:
            return ModuleType(name)
        raise SetupError(
            [Diagnostic("RELAY_HANDLERS", no_package_message(name, contract)), *connexion_notes(named.folder)]
        )
    package = import_package(name)
    if contract is None or has_any_handler(contract, package):
        return package
    if names_any:
        return package if named.owns(package) else ModuleType(name)
    return ModuleType(name) if can_serve_alone else package
