"""Claims → Caller: the token says who, the record says which organization and role, on every request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._errors import NotSignedIn

if TYPE_CHECKING:
    from ._store import Role, Store


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind a request, as the store knows them now; ids are 24 hex digits."""

    user_id: str
    organization_id: str
    access_role: Role


async def identify(claims: Mapping[str, Any], store: Store) -> Caller:
    """Find the user a token names: `userId`, else `sub`.

    Raises NotSignedIn for claims that name nobody, an unknown user, or one whose login is disabled.
    """
    user_id = claims.get("userId", claims.get("sub"))
    if not isinstance(user_id, str):
        raise NotSignedIn("nobody")
    user = await store.user(user_id)
    if user is None:
        raise NotSignedIn("unknown-user")
    if user.login_disabled:
        raise NotSignedIn("disabled")
    return Caller(user.id, user.organization_id, user.access_role)
