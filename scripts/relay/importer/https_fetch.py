"""Fetch an `https://` address of a page, and nothing else."""

from urllib.parse import SplitResult, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError

_SECONDS = 60.0  # seconds that one response may take in total


def is_address(source: str) -> bool:
    """Return True for an address, which is not a file."""
    return "://" in source


def parse_address(address: str) -> SplitResult:
    """Split an `https://` address; SetupError for any other, or for one with a password."""
    try:
        url = urlsplit(address)
        is_valid = url.scheme == "https" and url.hostname and (url.port or 443)
    except ValueError:
        is_valid = None
    if not is_valid:
        raise SetupError([Diagnostic(address, "only https:// addresses are fetched; give one, or a file")])
    if "@" in url.netloc:
        message = "addresses with a password are not fetched; remove the password"
        raise SetupError([Diagnostic(url.hostname or "", message)])
    return url


def fetch(address: str, limit: int, seconds: float = _SECONDS) -> bytes:
    """Return the body of a response with at most `limit` bytes, which arrives within some seconds.

    Certificates are verified against the system's authorities, or those in SSL_CERT_FILE; proxies are
    taken from the environment. Raises SetupError for any status but 2xx: redirects are not followed.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError

    from relay.server import fetching

    parse_address(address)
    try:
        return fetching.fetch(address, limit, seconds)
    except HTTPError as exc:
        todo = "; check the address"
        if 300 <= exc.code < 400:
            todo = ", and redirects are not followed; give the target address"
        message = f"responds with {exc.code}{todo}"
    except fetching.TooLarge:
        message = f"is larger than {limit:,} bytes; raise --max-size"
    except TimeoutError:
        message = f"took longer than {seconds:.0f} seconds"
    except (OSError, ValueError, HTTPException) as exc:
        reason = getattr(exc, "reason", None) or exc
        words = (getattr(reason, name, "") for name in ("verify_message", "strerror"))
        message = f"cannot be fetched: {next(filter(None, words), type(reason).__name__)}"
    raise SetupError([Diagnostic(address, message)])
