"""Checks a program before it is measured: that it returns correct data, and rejects invalid tokens."""

from __future__ import annotations

import time
from typing import Literal

import httpx
import jwt

from bench.programs.response_data import ORGANIZATION, SETTINGS, stored_numbers
from relay.contract.diagnostics import Diagnostic, SetupError

from .data import PATH, SECRET, USER

InvalidBodyOutcome = Literal["is rejected", "is converted", "is sent"]

_SECONDS = 30.0


def check_peer(url: str, token: str, numbers: int, *, is_mock: bool = False) -> None:
    """Check the response to a valid token, and the rejection of invalid ones; raise SetupError on the first error.

    A mock invents its responses, so only its status is checked.
    """
    response = httpx.get(url, headers=_bearer(token), timeout=_SECONDS)
    if response.status_code != httpx.codes.OK:
        raise _problem(f"returns {response.status_code} for a valid token")
    if is_mock:
        return
    owner = {"userName": "Ada Admin", "userId": USER}
    expected = {**SETTINGS, "phoneNumbers": [{**number, **owner} for number in stored_numbers(numbers)]}
    if _body(response) != expected:
        raise _problem(f"does not return {numbers} numbers and the settings")
    for credential, headers in _invalid_credentials().items():
        rejected = httpx.get(url, headers=headers, timeout=_SECONDS)
        if rejected.status_code != httpx.codes.UNAUTHORIZED:
            raise _problem(f"returns {rejected.status_code} for {credential}")


def invalid_body_outcome(url: str, token: str) -> InvalidBodyOutcome:
    """Return what a program does with a body that violates the contract; its data must be invalid."""
    response = httpx.get(url, headers=_bearer(token), timeout=_SECONDS)
    body = _body(response)
    if response.status_code != httpx.codes.OK or not isinstance(body, dict):
        return "is rejected"
    is_broken = any(number.get("isDefault") == "yes" for number in body.get("phoneNumbers", []))
    return "is sent" if is_broken else "is converted"


def _invalid_credentials() -> dict[str, dict[str, str]]:
    """Return headers with invalid credentials, by description."""
    claims = {"userId": USER, "organizationId": ORGANIZATION, "exp": int(time.time()) + 3600}
    expired = jwt.encode({**claims, "exp": int(time.time()) - 3600}, SECRET, "HS256")
    return {
        "no token": {},
        "a malformed token": _bearer("x.y.z"),
        "a token signed with another key": _bearer(jwt.encode(claims, SECRET[::-1], "HS256")),
        "an expired token": _bearer(expired),
        "a token of an unknown user": _bearer(jwt.encode({**claims, "userId": "f" * 24}, SECRET, "HS256")),
    }


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _body(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None


def _problem(message: str) -> SetupError:
    return SetupError([Diagnostic(PATH, f"{message}; only a program that does the same work is measured")])
