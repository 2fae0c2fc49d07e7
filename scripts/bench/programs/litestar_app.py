"""Litestar with msgspec, as in its documentation; converting the response to structs validates it."""

from __future__ import annotations

from typing import Any, Literal

import jwt
import msgspec
import uvicorn
from common import BODY, PATH, USERS, UVICORN, verify
from litestar import Litestar, get
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from msgspec import UNSET, UnsetType


class PhoneNumber(msgspec.Struct, omit_defaults=True):
    """A number, as in the contract."""

    provider: Literal["sinch"] | UnsetType = UNSET
    phoneNumber: str | UnsetType = UNSET
    isDefault: bool | UnsetType = UNSET
    isInboundEnabled: bool | UnsetType = UNSET
    aiEnabled: bool | UnsetType = UNSET
    aiAgentId: str | UnsetType = UNSET
    elevenlabsPhoneNumberId: str | UnsetType = UNSET
    label: str | UnsetType = UNSET
    userName: str | UnsetType = UNSET
    userId: str | UnsetType = UNSET


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


class Bearer(AbstractAuthenticationMiddleware):
    """Rejects requests without a valid token."""

    async def authenticate_request(self, connection: Any) -> AuthenticationResult:
        """Verify the token of a request."""
        scheme, _, token = connection.headers.get("Authorization", "").partition(" ")
        try:
            claims = verify(token if scheme.lower() == "bearer" else "")
            return AuthenticationResult(user=USERS[claims["userId"]], auth=claims)
        except (jwt.PyJWTError, KeyError):
            raise NotAuthorizedException from None


@get(PATH)
async def read_config() -> Config:
    """Return the data from memory."""
    return msgspec.convert({**BODY}, Config)


app = Litestar([read_config], middleware=[DefineMiddleware(Bearer)])

if __name__ == "__main__":
    uvicorn.run(app, **UVICORN)
