"""Identifies the caller of each request: the user id from the token, organization and role from the store."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import NotSignedIn
from ._store import Role, Store, VoiceAi


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of a request, as currently stored; ids are 24 hex digits.

    `voice_ai` returns what `Store.voice_ai` returns of the organization, for this request: a store may have read it
    together with the user.
    """

    user_id: str
    organization_id: str
    access_role: Role
    voice_ai: Callable[[], Awaitable[VoiceAi]]


async def identify(claims: Mapping[str, Any], store: Store) -> Caller:
    """Return the user with the token's `userId`, else `sub`.

    Raises NotSignedIn if the claims have no user id, the user is unknown, or the login is disabled.
    """
    user_id = claims.get("userId", claims.get("sub"))
    if not isinstance(user_id, str):
        raise NotSignedIn("nobody")
    member = await store.member(user_id)
    if member is None:
        raise NotSignedIn("unknown-user")
    user = member.user
    if user.login_disabled:
        raise NotSignedIn("disabled")
    return Caller(user.id, user.organization_id, user.access_role, member.voice_ai)
