"""Tokens of an authorization server, with scopes."""

TOKENS = {"1": {"uid": "ada", "scope": ["read", "write"]}, "2": {"uid": "bob", "scope": "write"}}


def token_info(access_token) -> dict:
    """Return what is known of a token; None for an unknown one."""
    return TOKENS.get(access_token)


def show(user) -> str:
    """Say who calls."""
    return f"read by {user}"
