"""Send requests unchanged: no redirects are followed, and only headers that HTTP requires are added."""

import time
from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlsplit

import httpx

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract, Operation

from .exchanges import Exchange, Request
from .results import Failure, Phase

SECONDS = 15.0  # the maximum time in seconds until a response starts, and between two chunks of it
MAX_SECONDS = 60.0  # the maximum time in seconds for a whole response: a stream may never end
MAX_BYTES = 64 * 1024 * 1024
"""A longer body counts as not recorded: it would need a multiple of its size in memory."""


class NoAnswer(Exception):
    """The service closed the connection, or did not respond in time."""


def no_answer(contract: Contract, message: str, operation: Operation | None = None) -> Failure:
    """Return the failure of a request that got no response."""
    place = contract.place(operation.pointer if operation else ("paths",))
    return Failure(place, message, "no-answer", operation=str(operation) if operation else None)


class Client:
    """Sends the requests of one part of a run, and counts and collects them there; a context manager.

    It trusts the default authorities, or those in SSL_CERT_FILE and SSL_CERT_DIR.
    """

    def __init__(self, part: Phase, seconds: float = SECONDS, max_seconds: float = MAX_SECONDS) -> None:
        self._part = part
        self._max_seconds = max_seconds
        self._http = httpx.Client(
            verify=httpx.create_ssl_context(), timeout=seconds, follow_redirects=False, trust_env=False
        )
        self._http.headers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._http.close()

    def send(self, request: Request, credential: str | None = None) -> Exchange:
        """Send a request and return the whole exchange; raise NoAnswer."""
        self._part.cases += 1
        started = datetime.now(UTC)
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        target = request.url[len(origin) :].partition("#")[0]
        target = target if target.startswith("/") else f"/{target}"
        try:
            with self._http.stream(
                request.method,
                origin,
                headers=[(_latin(name), _latin(value)) for name, value in request.headers],
                content=request.body or None,
                extensions={"target": target.encode()},  # httpx would normalize the path
            ) as answer:
                body = self._body(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise NoAnswer(type(exc).__name__) from exc
        finally:
            self._http.cookies.clear()  # each request has only its own credentials
        headers, seconds = tuple(answer.headers.multi_items()), answer.elapsed.total_seconds()
        exchange = Exchange(
            request, answer.status_code, headers, body, self._part.name, credential, seconds, started
        )
        self._part.exchanges.append(exchange)
        return exchange

    def _body(self, answer: httpx.Response) -> bytes | None:
        """Return a body; None if it is too long. Raise NoAnswer if it does not end in time."""
        deadline = time.monotonic() + self._max_seconds
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > MAX_BYTES:
                return None
            if time.monotonic() > deadline:
                raise NoAnswer("EndlessAnswer")
        return bytes(body)


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def check_reachable(url: str) -> None:
    """Raise SetupError if no service answers at `url`."""
    try:
        with httpx.stream("GET", url, timeout=10, trust_env=False, verify=httpx.create_ssl_context()):
            pass  # the response may be endless
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        if "CERTIFICATE_VERIFY_FAILED" in str(exc):
            message = f"the certificate of {url} is not trusted; name its CA's file in SSL_CERT_FILE"
        else:
            message = (
                f"no service answers at {url} ({type(exc).__name__}); start the service, or leave --url out"
            )
        raise SetupError([Diagnostic("--url", message)]) from exc


def answers(url: str) -> bool:
    """Return True if a service still answers."""
    try:
        check_reachable(url)
    except SetupError:
        return False
    return True
