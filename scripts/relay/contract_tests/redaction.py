"""Redact exchanges before output: credentials, properties that the contract marks as secret, known secrets."""

import base64
import functools
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from relay.contract.model import Contract
from relay.contract.schema_words import applied_schemas
from relay.validation import media_types as media

from .exchanges import REDACTED, Exchange, Headers, Request, carrier
from .secret_spellings import Spellings

_CARRIERS = {("header", "authorization"), ("header", "proxy-authorization"), ("query", "access_token")}
_SCHEMES = frozenset("basic bearer digest dpop hoba mutual negotiate ntlm token".split())
_FORM = "application/x-www-form-urlencoded"
_PAIR = re.compile(r"([?&#])([^=&#\s]+)=[^&#\s]*")
_MAY_SPELL = re.compile(rb"[\\%\0]")  # a name may be escaped in JSON or a form, or encoded as UTF-16
_PART_NAME = re.compile(rb'name="?([^";\r\n]*)')
_USER = re.compile(r"(://)[^/?#\s@]+@")


# Between the words of `apiKey`, `JWTToken` (but not of `JWTs`), `X-API-Key`, `api.key`.
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])|[-. ]")
_SECRET = re.compile(
    r"""
    passw(or)?d | passphrase | secret (?! ar[iy]) | credential | authorization | signature | assertion
  | (api|access|private|signing|encryption|account|master|ssh) _? key
  | (access|auth|refresh|(?<![a-z])id|session|csrf|xsrf|bearer|api|security) _? tokens? (?![a-z])
  | (?<![a-z]) (token (?! _(count|type|limit|usage|expir)) | jwts? | otps? | auth | sids? | pwds?) (?![a-z])
  | session _? id
    """,
    re.VERBOSE,
)
_CURSOR = re.compile("(page|next|continuation|cursor|sync)_?token")

MAY_NAME = re.compile(
    rb"passw|passphrase|secret|credential|authorization|signature|assertion|key|token|jwt|otp|auth|sid|pwd|session",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=10_000)
def names_secret(name: str) -> bool:
    """Return True if values with this name are usually secret: a password, a key, a token, a signature.

    A token that continues a list (`next_page_token`) is not secret.
    """
    words = _JOINT.sub("_", name).lower()
    return _SECRET.search(words) is not None and _CURSOR.search(words) is None


class Redactor:
    """Replaces secrets by `[redacted]` in exchanges of one contract.

    These are: credentials in headers, cookies and queries, also where a response repeats them; in JSON and
    form bodies, the values of properties that some schema marks as `writeOnly` or `format: password`;
    texts and numbers in headers, queries and bodies whose name is that of a secret (`names_secret`), marked
    or not; `secrets` anywhere, in every encoding. Paths and texts without a name are kept.
    """

    def __init__(self, contract: Contract, secrets: Iterable[str] = ()) -> None:
        self.contract = contract
        self._secrets = Spellings(secrets)
        schemes = contract.security_schemes.values()
        self._carriers = _CARRIERS.union(map(carrier, schemes))
        self._schemes = _SCHEMES.union(str(one["scheme"]).lower() for one in schemes if one["type"] == "http")
        self._names = frozenset(_secret_names(contract))
        self._named = re.compile(b"|".join(re.escape(name.encode()) for name in sorted(self._names)))

    def redact(self, exchange: Exchange) -> Exchange:
        """Return an exchange without secrets."""
        carried = Spellings(self._carried(exchange.request))
        body = self._body(exchange.body, exchange.headers)
        headers = self._redacted_headers(exchange.headers)
        return replace(
            exchange,
            request=self.request(exchange.request),
            headers=tuple((name, carried.redacted_text(value)) for name, value in headers),
            body=body and carried.redacted(body),
        )

    def _carried(self, request: Request) -> Iterator[str]:
        for name, value in ((name.lower(), value.strip()) for name, value in request.headers):
            if self._is_credential(name):
                scheme, _, rest = value.partition(" ")
                yield rest.strip() if rest and scheme.lower() in self._schemes else value
                if scheme.lower() == "basic":
                    yield from _password(rest)
            elif name == "cookie":
                pairs = (pair.strip().partition("=") for pair in value.split(";"))
                yield from (text for key, _, text in pairs if ("cookie", key) in self._carriers)
        yield from (value for name, value in parse_qsl(request.url.partition("?")[2]) if self._is_key(name))

    def request(self, request: Request) -> Request:
        """Return a request without secrets."""
        return Request(
            request.method,
            self.text(self._without_keys(request.url)),
            self._redacted_headers(request.headers),
            self._body(request.body, request.headers),
        )

    def text(self, text: str) -> str:
        """Return text without the known secrets."""
        return self._secrets.redacted_text(text)

    def _redacted_headers(self, headers: Headers) -> Headers:
        return tuple((name, self.text(self._header(name.lower(), value))) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if self._is_credential(name):
            scheme, _, rest = value.strip().partition(" ")
            return f"{scheme} {REDACTED}" if rest and scheme.lower() in self._schemes else REDACTED
        if name == "cookie":
            return "; ".join(map(_cookie, value.split(";")))
        if name == "set-cookie":
            pair, sign, attributes = value.partition(";")
            return f"{_cookie(pair)}{sign}{attributes}"
        return self._without_keys(value) if "=" in value or "@" in value else value

    def _without_keys(self, text: str) -> str:
        def hidden(match: re.Match[str]) -> str:
            is_key = self._is_key(unquote_plus(match[2]))
            return f"{match[1]}{match[2]}={REDACTED}" if is_key else match[0]

        return _PAIR.sub(hidden, _USER.sub(r"\1", text))

    def _is_credential(self, header: str) -> bool:
        return ("header", header) in self._carriers or names_secret(header)

    def _is_key(self, parameter: str) -> bool:
        return ("query", parameter) in self._carriers or names_secret(parameter)

    def _body(self, body: bytes | None, headers: Headers) -> bytes | None:
        if not body:
            return body
        if self._is_named(body) or _MAY_SPELL.search(body):
            kind = next((value for name, value in headers if name.lower() == "content-type"), "")
            body = self._without_properties(body, media.essence(kind))
        return self._secrets.redacted(body)

    def _without_properties(self, body: bytes, kind: str) -> bytes:
        if kind == _FORM:
            return b"&".join(map(self._field, body.split(b"&")))
        is_found = False

        def hidden(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            nonlocal is_found
            redacted = [(name, self._hidden(name, value)) for name, value in pairs]
            is_found = is_found or any(
                new is not old for (_, new), (_, old) in zip(redacted, pairs, strict=True)
            )
            return dict(redacted)

        try:
            value = json.loads(body, object_pairs_hook=hidden, parse_float=_number)
            written = json.dumps(value, ensure_ascii=False)
        except (ValueError, RecursionError):
            return REDACTED.encode() if self._may_hold(body, kind) else body
        return written.encode("utf-8", "surrogatepass") if is_found else body

    def _hidden(self, name: str, value: Any) -> Any:
        if name in self._names:
            return REDACTED
        return _hidden(value) if names_secret(name) else value

    def _field(self, pair: bytes) -> bytes:
        name, _, _ = pair.partition(b"=")
        field = unquote_plus(name.decode(errors="replace"))
        # A form may contain lists and objects as `name[]` or `owner[name]`.
        is_secret = any(part in self._names or names_secret(part) for part in re.split(r"[\[\].]", field))
        return name + b"=" + REDACTED.encode() if is_secret else pair

    def _may_hold(self, body: bytes, kind: str) -> bool:
        """Return True if a body that cannot be parsed may hold a secret; it is redacted as a whole."""
        if kind.startswith("multipart/"):
            names = [name.decode("latin-1") for name in _PART_NAME.findall(body)]
            return any(name in self._names or names_secret(name) for name in names)
        # Lines of JSON, and broken JSON, have many media types.
        is_json = not kind or "json" in kind or body.lstrip().startswith((b"{", b"["))
        return is_json and self._is_named(body)

    def _is_named(self, body: bytes) -> bool:
        return bool((self._names and self._named.search(body)) or MAY_NAME.search(body))


def _number(text: str) -> float | str:
    """Return a number; its text if it is too large, as JSON has no infinity."""
    number = float(text)
    return number if math.isfinite(number) else text


def _hidden(value: Any) -> Any:
    """Redact texts and numbers, also in lists; a flag says only that there is a secret."""
    if isinstance(value, list):
        redacted = [_hidden(one) for one in value]
        return redacted if any(new is not old for new, old in zip(redacted, value, strict=True)) else value
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return REDACTED if is_text and value != REDACTED else value


def _password(coded: str) -> Iterator[str]:
    try:
        yield base64.b64decode(coded).decode().partition(":")[2]
    except ValueError:
        return


def _cookie(pair: str) -> str:
    name, sign, _ = pair.strip().partition("=")
    return f"{name}={REDACTED}" if sign else REDACTED


def _secret_names(contract: Contract) -> Iterator[str]:
    pending: list[Any] = [contract.document]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            pending += node.values()
            properties = node.get("properties")
            for name, schema in properties.items() if isinstance(properties, dict) else ():
                if _is_secret(contract, schema, set()):
                    yield name


def _is_secret(contract: Contract, schema: Any, seen: set[int]) -> bool:
    """Return True if a schema, one for the same value, or one of its items, is marked as secret."""
    if isinstance(schema, dict) and "$ref" in schema:
        schema = contract.resolve(schema)
    if not isinstance(schema, dict) or id(schema) in seen:
        return False
    seen.add(id(schema))
    if schema.get("writeOnly") is True or schema.get("format") == "password":
        return True
    items = [schema.get("items"), *schema.get("prefixItems", ())]
    return any(_is_secret(contract, part, seen) for part in [*applied_schemas(schema), *items])
