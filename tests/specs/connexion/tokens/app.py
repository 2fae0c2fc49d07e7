"""Tokens that the service signs itself."""

import jwt
from werkzeug.exceptions import Unauthorized

SECRET = "a-secret-of-the-service-of-thirty-two-bytes"


def issue(userId):  # noqa: N803 -- as the contract spells it
    """Return a token of a user."""
    return jwt.encode({"sub": str(userId)}, SECRET, algorithm="HS256")


def decode(token):
    """Return the claims of a token."""
    try:
        return jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as exc:
        raise Unauthorized from exc


def show(user, token_info) -> str:
    """Say who calls."""
    return f"{user} of {sorted(token_info)}"
