"""FastAPI with a response model, as in its documentation.

With BENCH_TOKEN_CACHE=1, tokens are cached as in Relay. With SQLite, the functions are synchronous, so FastAPI
runs them in threads; each thread has its own connection.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal

import jwt
import uvicorn
from common import SOURCE, USERS, UVICORN, verify, verify_cached
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from response_data import PATH, SETTINGS, numbers

app = FastAPI()
bearer = HTTPBearer()
decode = verify_cached if os.environ.get("BENCH_TOKEN_CACHE") == "1" else verify


class PhoneNumber(BaseModel):
    """A number, as in the contract."""

    provider: Literal["sinch"] | None = None
    phoneNumber: str | None = None
    isDefault: bool | None = None
    isInboundEnabled: bool | None = None
    aiEnabled: bool | None = None
    aiAgentId: str | None = None
    elevenlabsPhoneNumberId: str | None = None
    label: str | None = None
    userName: str | None = None
    userId: str | None = None


class Config(BaseModel):
    """The response body, as in the contract."""

    aiVoiceProvider: str | None
    hasApiKey: bool
    hasToolSecret: bool
    hasEstCredentials: bool
    sinchEstProjectId: str | None
    sinchEstTrunkId: str | None
    sinchEstTrunkDomain: str | None
    phoneNumbers: list[PhoneNumber]


Credentials = Annotated[HTTPAuthorizationCredentials, Depends(bearer)]


def user_id(credentials: Credentials) -> str:
    """Return the user id of a token."""
    try:
        return str(decode(credentials.credentials)["userId"])
    except (jwt.PyJWTError, KeyError):
        raise refusal() from None


def refusal() -> HTTPException:
    """Return the error for an invalid token or unknown user."""
    return HTTPException(status.HTTP_401_UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})


def from_memory() -> Callable[..., Any]:
    """Return the operation with its data in memory."""
    stored = numbers()

    async def current_organization(credentials: Credentials) -> str:
        organization = USERS.get(user_id(credentials))
        if organization is None:
            raise refusal()
        return organization

    async def read_config(_organization: Annotated[str, Depends(current_organization)]) -> dict[str, Any]:
        return {**SETTINGS, "phoneNumbers": stored}

    return read_config


_USER = "SELECT organization_id FROM users WHERE id = ? AND login_disabled IS NOT TRUE"
_SETTINGS = """
    SELECT document ->> 'aiVoiceProvider', document ->> 'sinchEstProjectId', document ->> 'sinchEstTrunkId',
        document ->> 'sinchEstTrunkDomain', json_type(document, '$.elevenlabsApiKey') = 'object',
        json_type(document, '$.elevenlabsToolSecret') = 'object', json_type(document, '$.sinchEstKeySecret') = 'object'
    FROM credentials WHERE organization_id = ?
"""
_NUMBERS = """
    SELECT provider, phone_number, is_default, is_inbound_enabled, ai_enabled, ai_agent_id,
        elevenlabs_phone_number_id, label, full_name, user_id
    FROM voice_numbers JOIN users ON users.id = user_id
    WHERE voice_numbers.organization_id = ? AND provider = 'sinch'
    ORDER BY user_id, position
"""


def from_sqlite() -> Callable[..., Any]:
    """Return the operation with its data in the file of BENCH_SOURCE."""
    path, threads = SOURCE.removeprefix("sqlite:///"), threading.local()
    names = list(PhoneNumber.model_fields)

    def connection() -> sqlite3.Connection:
        if not hasattr(threads, "connection"):
            threads.connection = sqlite3.connect(path)
        return threads.connection  # type: ignore[no-any-return]  # thread-local data has no type

    def current_organization(credentials: Credentials) -> str:
        row = connection().execute(_USER, (user_id(credentials),)).fetchone()
        if row is None:
            raise refusal()
        return str(row[0])

    def read_config(organization: Annotated[str, Depends(current_organization)]) -> dict[str, Any]:
        with connection() as reading:
            reading.execute("BEGIN")
            provider, project, trunk, domain, *flags = reading.execute(_SETTINGS, (organization,)).fetchone()
            rows = reading.execute(_NUMBERS, (organization,)).fetchall()
        return {
            "aiVoiceProvider": provider,
            "hasApiKey": flags[0],
            "hasToolSecret": flags[1],
            "hasEstCredentials": flags[2],
            "sinchEstProjectId": project,
            "sinchEstTrunkId": trunk,
            "sinchEstTrunkDomain": domain,
            "phoneNumbers": [dict(zip(names, row, strict=True)) for row in rows],
        }

    return read_config


app.get(PATH, response_model=Config, response_model_exclude_unset=True)(
    from_sqlite() if SOURCE.startswith("sqlite:") else from_memory()
)

if __name__ == "__main__":
    uvicorn.run(app, **UVICORN)
