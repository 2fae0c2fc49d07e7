"""Select the recorded exchanges that are about a contract, and check them against it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from relay.contract.documents import display
from relay.contract.model import Contract

from .conformance import ConformanceChecker
from .exchanges import Exchange
from .har_files import Recorded
from .results import UNLIMITED, Phase, TimeLimit, grouped

NOTHING = "it has no exchange of this contract; check that the contract's servers match the recorded hosts"
"""The reason for a file without any exchange of the contract."""

_SHOWN = 3
_VARIABLE = re.compile(r"\{[^}]*\}")


def judge_traffic(
    traffic: Mapping[Path, Recorded],
    checker: ConformanceChecker,
    url: str | None = None,
    contract: Contract | None = None,
    limit: TimeLimit = UNLIMITED,
) -> Phase:
    """Check the exchanges of HTTP Archives, by file; `url` is the base address of a tested service.

    An exchange is about the contract if the contract has its path, below the path of `url` or of one of
    the contract's servers, and if it went to one of their hosts or to the local machine (a loopback
    address, a name without a dot or below `.localhost` or `.test`). In a file without any such host, only
    the path decides, as servers of a contract are often placeholders. If `contract` has fewer operations
    than the checker's, exchanges of the others are skipped. The addresses of the returned exchanges have
    the checker's base path.
    """
    part = Phase("recorded traffic", "exchanges")
    servers = _Servers(checker, url)
    found: list[Exchange] = []
    for path, recorded in traffic.items():
        ours = servers.chosen(recorded.exchanges)
        part.notes += _notes(path, recorded.exchanges, ours, recorded.unanswered)
        selected = _selected(ours, checker, contract or checker.contract)
        if other := len(ours) - len(selected):
            part.notes.append(f"{display(path)}: {_entries(other)} about operations that are not selected")
        found += selected
        if not ours:
            part.skip(display(path), NOTHING)
    for exchange in limit.within(part, found, lambda exchange: exchange.part):
        part.exchanges.append(exchange)
        part.failures += checker.check(exchange)
    part.failures = grouped(part.failures)
    part.cases = len(part.exchanges)
    return part


def _selected(ours: list[Exchange], checker: ConformanceChecker, contract: Contract) -> list[Exchange]:
    """Return the exchanges of the operations of a contract; all if it has all of the checker's."""
    if len(contract.operations) == len(checker.contract.operations):
        return ours
    ids = {operation.id for operation in contract.operations}
    return [
        exchange
        for exchange in ours
        if (operation := checker.operation_of(exchange.request)) and operation.id in ids
    ]


class _Servers:
    """The hosts and base paths of a contract's operations."""

    def __init__(self, checker: ConformanceChecker, url: str | None) -> None:
        self._checker = checker
        documented = checker.contract.document.get("servers") or []
        servers = [*(str(server.get("url", "")) for server in documented), *([url] if url else [])]
        self._hosts = [re.compile(host) for address in servers if (host := _host(address))]
        written = [_path(address) for address in servers if not _VARIABLE.search(address)]
        bases = {checker.base_path, checker.contract.base_path, *written}
        self._bases = sorted(bases, key=lambda base: (base != checker.base_path, -len(base), base))

    def chosen(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Return the exchanges of one file that are about the contract."""
        known = [exchange for exchange in exchanges if self._has_host(exchange)]
        return [ours for exchange in known or exchanges if (ours := self._placed(exchange))]

    def _has_host(self, exchange: Exchange) -> bool:
        parts = urlsplit(exchange.request.url)
        host = (parts.hostname or "").lower()
        return _is_local(host) or any(pattern.fullmatch(host) for pattern in self._hosts)

    def _placed(self, exchange: Exchange) -> Exchange | None:
        parts = urlsplit(exchange.request.url)
        for base in self._bases:
            if parts.path.startswith(f"{base}/"):
                path = self._checker.base_path + parts.path.removeprefix(base)
                request = exchange.request
                if path != parts.path:
                    request = replace(request, url=parts._replace(path=path).geturl())
                if self._checker.where(request):
                    return replace(exchange, request=request)
        return None


def _host(address: str) -> str:
    """Return a pattern for the host of a server's URL, whose variables match anything; `""` for none."""
    found = re.match(r"[^/]*//([^/?#]*)", address)
    host = re.sub(r":[^:\]]*$", "", found[1]) if found else ""
    return ".+".join(map(re.escape, _VARIABLE.split(host.lower()))) if host else ""


def _path(address: str) -> str:
    path = re.sub(r"^[^/]*//[^/?#]*", "", address).partition("?")[0].strip("/")
    return f"/{path}" if path else ""


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".test"))


def _notes(path: Path, all_: Sequence[Exchange], ours: Sequence[Exchange], unanswered: int) -> list[str]:
    notes = []
    file = display(path)
    if unrelated := len(all_) - len(ours):
        hosts = Counter(map(_host_and_port, all_)) - Counter(map(_host_and_port, ours))
        shown = [host for host, _ in hosts.most_common(_SHOWN)]
        more = f" and {len(hosts) - _SHOWN} more" if len(hosts) > _SHOWN else ""
        notes.append(f"{file}: {_entries(unrelated)} not about this contract ({', '.join(shown)}{more})")
    if unanswered:
        notes.append(f"{file}: {_entries(unanswered)} without a response")
    if unknown := sum(exchange.body is None for exchange in ours):
        notes.append(
            f"{file}: {_entries(unknown)} recorded without the response's body, which was not checked"
        )
    return notes


def _host_and_port(exchange: Exchange) -> str:
    return urlsplit(exchange.request.url).netloc.rpartition("@")[2]


def _entries(count: int) -> str:
    return f"{count} entries are" if count != 1 else "1 entry is"
