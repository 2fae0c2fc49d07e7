"""Traffic that was recorded somewhere, held against the contract: whose it is, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from relay.contract.documents import display
from relay.contract.model import Contract

from .conformance import ConformanceChecker
from .exchanges import Exchange
from .har_files import Recorded
from .results import NotRun, Phase, grouped

NOTHING = "it holds nothing about this contract; see that the contract's servers are those that were asked"
"""What is wrong with a file that proves nothing."""

_SHOWN = 3
_VARIABLE = re.compile(r"\{[^}]*\}")


def judge_traffic(
    traffic: Mapping[Path, Recorded], judge: ConformanceChecker, url: str | None = None
) -> Phase:
    """ConformanceChecker what HTTP Archives hold, by file; `url` is where the contract's paths begin at a service that is tested.

    An exchange is about the contract when the contract has its path, below the path of `url` or of one of
    the contract's servers, and when it went to a host of theirs or of one's own machine (a loopback
    address, a name without a dot or below `.localhost` or `.test`). In a file without any such host, as
    servers of a contract are often placeholders, the path decides alone. The addresses of the exchanges
    that are returned have their path where the judge looks for it.
    """
    part = Phase("recorded traffic", "exchanges")
    servers = _Servers(judge, url)
    for path, recorded in traffic.items():
        ours = servers.chosen(recorded.exchanges)
        part.exchanges += ours
        part.notes += _notes(path, recorded.exchanges, ours, recorded.unanswered)
        if not ours:
            part.not_run.append(NotRun(display(path), NOTHING))
    part.cases = len(part.exchanges)
    part.failures = grouped(failure for exchange in part.exchanges for failure in judge.judge(exchange))
    return part


class _Servers:
    """Where a contract's operations are: hosts, and the paths that they lie below."""

    def __init__(self, judge: ConformanceChecker, url: str | None) -> None:
        self._judge = judge
        servers = [*_server_urls(judge.contract), *([url] if url else [])]
        self._hosts = [re.compile(host) for address in servers if (host := _host(address))]
        written = [_path(address) for address in servers if not _VARIABLE.search(address)]
        bases = {judge.base_path, judge.contract.base_path, *written}
        self._bases = sorted(bases, key=lambda base: (base != judge.base_path, -len(base), base))

    def chosen(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Return the exchanges of one file that are about the contract."""
        known = [exchange for exchange in exchanges if self._knows(exchange)]
        return [ours for exchange in known or exchanges if (ours := self._placed(exchange))]

    def _knows(self, exchange: Exchange) -> bool:
        parts = urlsplit(exchange.request.url)
        host = (parts.hostname or "").lower()
        return _is_local(host) or any(pattern.fullmatch(host) for pattern in self._hosts)

    def _placed(self, exchange: Exchange) -> Exchange | None:
        parts = urlsplit(exchange.request.url)
        for base in self._bases:
            if parts.path.startswith(f"{base}/"):
                path = self._judge.base_path + parts.path.removeprefix(base)
                placed = exchange if path == parts.path else _with_path(exchange, parts, path)
                if self._judge.where(placed):
                    return placed
        return None


def _with_path(exchange: Exchange, parts: SplitResult, path: str) -> Exchange:
    return replace(exchange, request=replace(exchange.request, url=parts._replace(path=path).geturl()))


def _server_urls(contract: Contract) -> list[str]:
    return [str(server.get("url", "")) for server in contract.document.get("servers") or []]


def _host(address: str) -> str:
    """Return a pattern of the host of a server's URL, whose variables stand for anything; `""` for none."""
    found = re.match(r"[^/]*//([^/?#]*)", address)
    host = re.sub(r":[^:\]]*$", "", found[1]) if found else ""
    return ".+".join(map(re.escape, _VARIABLE.split(host.lower()))) if host else ""


def _path(address: str) -> str:
    """Return the path of a URL, which may be relative, without a slash at its end."""
    path = re.sub(r"^[^/]*//[^/?#]*", "", address).partition("?")[0].strip("/")
    return f"/{path}" if path else ""


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".test"))


def _notes(path: Path, all_: Sequence[Exchange], ours: Sequence[Exchange], unanswered: int) -> list[str]:
    """Say what of a file was not judged."""
    notes = []
    file = display(path)
    if others := len(all_) - len(ours):
        hosts = Counter(map(_asked, all_)) - Counter(map(_asked, ours))
        shown = [host for host, _ in hosts.most_common(_SHOWN)]
        more = f" and {len(hosts) - _SHOWN} more" if len(hosts) > _SHOWN else ""
        notes.append(f"{file}: {_entries(others)} not about this contract ({', '.join(shown)}{more})")
    if unanswered:
        notes.append(f"{file}: {_entries(unanswered)} without an answer")
    if unknown := sum(exchange.body is None for exchange in ours):
        notes.append(f"{file}: {_entries(unknown)} recorded without the answer's body, which was not judged")
    return notes


def _asked(exchange: Exchange) -> str:
    """Return the host that was asked, and its port, without the user and password that may stand before it."""
    return urlsplit(exchange.request.url).netloc.rpartition("@")[2]


def _entries(count: int) -> str:
    return f"{count} entries are" if count != 1 else "1 entry is"
