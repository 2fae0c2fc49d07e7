"""What a program has to show before it is measured: that it does the work, and refuses whom it has to."""

from __future__ import annotations

import time
from typing import Literal

import httpx
import jwt

from bench.programs.answer import ORGANIZATION, SETTINGS, stored_numbers
from relay.contract.diagnostics import Diagnostic, SetupError

from .data import PATH, SECRET, USER

Fate = Literal["is held back", "is made to conform", "gets out"]

_SECONDS = 30.0


def prove(url: str, token: str, numbers: int, *, is_mock: bool = False) -> None:
    """Ask for what all answer, and with what none may let in; SetupError for the first that is otherwise.

    A mock, which makes up its answers, only has to answer.
    """
    answer = httpx.get(url, headers=_bearer(token), timeout=_SECONDS)
    if answer.status_code != httpx.codes.OK:
        raise _problem(f"answers {answer.status_code} to a good token")
    if is_mock:
        return
    owner = {"userName": "Ada Admin", "userId": USER}
    expected = {**SETTINGS, "phoneNumbers": [{**number, **owner} for number in stored_numbers(numbers)]}
    if _body(answer) != expected:
        raise _problem(f"answers something else than {numbers} numbers and the settings")
    for told, headers in _strangers().items():
        refused = httpx.get(url, headers=headers, timeout=_SECONDS)
        if refused.status_code != httpx.codes.UNAUTHORIZED:
            raise _problem(f"answers {refused.status_code} to {told}")


def fate(url: str, token: str) -> Fate:
    """Return what becomes of a body that breaks the contract, in a program whose data does."""
    answer = httpx.get(url, headers=_bearer(token), timeout=_SECONDS)
    body = _body(answer)
    if answer.status_code != httpx.codes.OK or not isinstance(body, dict):
        return "is held back"
    is_broken = any(number.get("isDefault") == "yes" for number in body.get("phoneNumbers", []))
    return "gets out" if is_broken else "is made to conform"


def _strangers() -> dict[str, dict[str, str]]:
    """Return what is shown by those who must not come in."""
    claims = {"userId": USER, "organizationId": ORGANIZATION, "exp": int(time.time()) + 3600}
    expired = jwt.encode({**claims, "exp": int(time.time()) - 3600}, SECRET, "HS256")
    return {
        "no token": {},
        "what is no token": _bearer("x.y.z"),
        "a token of another key": _bearer(jwt.encode(claims, SECRET[::-1], "HS256")),
        "a token that has expired": _bearer(expired),
        "a token of nobody": _bearer(jwt.encode({**claims, "userId": "f" * 24}, SECRET, "HS256")),
    }


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _body(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def _problem(told: str) -> SetupError:
    return SetupError([Diagnostic(PATH, f"{told}; nothing is measured of a program that does other work")])
