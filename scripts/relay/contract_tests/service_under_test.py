"""The service under test: its contract, its address, its identities."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import parse_document
from relay.contract.loading import build_contract, load_contract, resolved
from relay.contract.model import Contract
from relay.contract.pointers import PointerNotFound, lookup
from relay.project.settings import Settings

from .contract_config import FILE, Config

MOCK = "the mock has no data and no callers; write the handler"
"""The reason for a case that a mock cannot pass."""

UNMOCKABLE = (
    "the mock finds no response that conforms to the contract; correct its schema, or write the handler"
)
"""The reason for a case of an operation whose mock answers 501."""


class ContractSettings(Settings):
    """Settings of a contract test: those of the service, and a key to sign tokens with."""

    jwt_private_key: SecretStr | None = Field(
        default=None,
        description="Private key in PEM, or a file with it, that contract tests sign tokens with.",
    )


@dataclass(frozen=True, slots=True)
class Mocked:
    """The operations that a mock answers, and the security schemes of which any credential is accepted.

    `is_alone` is True for a service without a package, which knows no callers.
    """

    operations: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset()
    is_alone: bool = False


NOTHING_MOCKED = Mocked()


class Service(NamedTuple):
    """A service that was started here: its address and its log file."""

    url: str
    log: Path


@dataclass(frozen=True, slots=True)
class ServiceUnderTest:
    """A running service and its contract.

    `url` is where the contract's paths begin, without a slash at its end; `settings` hold the keys that
    the service verifies tokens with, as far as they are known. `log` is the file that a service of our
    own writes to, `mocked` what it answers without a person's code. `by_function` are the schemes whose tokens
    a function verifies, so that no key of this run signs them. `reproduce` are shell lines that set URL and TOKEN,
    for a reader of the report; `shown_credentials` those of the identities, which no report may contain. `copy` starts
    a service whose handlers fail; None where that cannot be done.
    """

    url: str
    contract: Contract
    config: Config
    settings: ContractSettings
    secrets: tuple[str, ...] = field(default=(), repr=False)
    log: Path | None = None
    mocked: Mocked = NOTHING_MOCKED
    by_function: frozenset[str] = frozenset()
    reproduce: tuple[str, ...] = ()
    shown_credentials: tuple[str, ...] = field(default=(), repr=False)
    copy: Callable[[], AbstractContextManager[Service]] | None = field(default=None, repr=False)

    @property
    def base_path(self) -> str:
        """The prefix of the contract's paths."""
        return urlsplit(self.url).path


def load_strict_contract(path: Path, config: Config, folder: Path | None = None) -> Contract:
    """Read a contract and merge the stricter schemas of the configuration into it.

    Raises SetupError as `load_contract` does, for a schema that the contract does not have, and for faults
    that only the merged keywords cause.
    """
    document, problems = parse_document(resolved(path))
    unknown: list[Diagnostic] = []
    for name, keywords in config.stricter.items():
        try:
            schemas = lookup(document.data, ("components", "schemas"))
            schema = lookup(schemas, (name,))
            # Next to a `$ref` keywords would be ignored.
            schemas[name] = {"allOf": [schema, keywords]} if "$ref" in schema else {**schema, **keywords}
        except (PointerNotFound, TypeError):  # a wrong structure is reported when the contract is built
            unknown.append(Diagnostic("stricter", f"the contract has no schema '{name}'"))
    if unknown:
        raise SetupError(unknown)
    contract = build_contract(document, problems, folder)
    if config.stricter and contract.faults:
        known = {str(fault) for fault in load_contract(path, folder).faults}
        if caused := [fault for fault in contract.faults if str(fault) not in known]:
            raise SetupError(caused)
    return contract


def base_url(url: str, contract: Contract) -> str:
    """Return the prefix of the contract's URLs: `url` if it has a path, else `url` with the server's path."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.query or parts.fragment:
        raise SetupError([Diagnostic("--url", "has to be like http://127.0.0.1:2212")])
    if "@" in parts.netloc:  # every report would contain it
        message = f"takes no user and password; name them for an identity in {FILE}"
        raise SetupError([Diagnostic("--url", message)])
    path = parts.path.rstrip("/") or contract.base_path
    return f"{parts.scheme}://{parts.netloc}{path}"
