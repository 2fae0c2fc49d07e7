"""Litestar with msgspec, as in its documentation; converting the response to structs validates it."""

from __future__ import annotations

from typing import Any, Literal

import jwt
import msgspec
import uvicorn
from common import USERS, UVICORN, verify
from litestar import Litestar, Request, get
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from response_data import PATH, SETTINGS, numbers


class PhoneNumber(msgspec.Struct, omit_defaults=True):
    """A number, as in the contract."""

    provider: Literal["sinch"] | msgspec.UnsetType = msgspec.UNSET
    phoneNumber: str | msgspec.UnsetType = msgspec.UNSET
    isDefault: bool | msgspec.UnsetType = msgspec.UNSET
    isInboundEnabled: bool | msgspec.UnsetType = msgspec.UNSET
    aiEnabled: bool | msgspec.UnsetType = msgspec.UNSET
    aiAgentId: str | msgspec.UnsetType = msgspec.UNSET
    elevenlabsPhoneNumberId: str | msgspec.UnsetType = msgspec.UNSET
    label: str | msgspec.UnsetType = msgspec.UNSET
    userName: str | msgspec.UnsetType = msgspec.UNSET
    userId: str | msgspec.UnsetType = msgspec.UNSET


class Config(msgspec.Struct):
    """The response body, as in the contract."""

    aiVoiceProvider: str | None
    hasApiKey: bool
    hasToolSecret: bool
    hasEstCredentials: bool
    sinchEstProjectId: str | None
    sinchEstTrunkId: str | None
    sinchEstTrunkDomain: str | None
    phoneNumbers: list[PhoneNumber]


_NUMBERS = numbers()


class Bearer(AbstractAuthenticationMiddleware):
    """Rejects requests without a valid token."""

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        """Verify the token of a request."""
        scheme, _, token = connection.headers.get("Authorization", "").partition(" ")
        try:
            claims = verify(token)
            organization = USERS[claims["userId"]]
        except (jwt.PyJWTError, KeyError):
            raise NotAuthorizedException from None
        if scheme.lower() != "bearer":
            raise NotAuthorizedException
        return AuthenticationResult(user=organization, auth=claims)


@get(PATH)
async def read_config(request: Request[str, dict[str, Any], Any]) -> Config:  # noqa: ARG001 -- used by the middleware
    """Return the data from memory."""
    return msgspec.convert({**SETTINGS, "phoneNumbers": _NUMBERS}, Config)


app = Litestar([read_config], middleware=[DefineMiddleware(Bearer)])

if __name__ == "__main__":
    uvicorn.run(app, **UVICORN)
