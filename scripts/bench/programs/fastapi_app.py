"""FastAPI as its documentation writes it: `fastapi_app.py WAY`.

`async` and `def` are functions that read memory. `sqlmodel` reads SQLite in a session of SQLModel, by statements in SQL,
so that no models are built for rows; `sqlite3` reads it by Python's own driver. FastAPI runs both in threads.
"""

import sqlite3
import sys
import threading
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import jwt
import uvicorn
from common import BODY, PATH, SOURCE, USERS, UVICORN, verify
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import Session, create_engine


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


app = FastAPI()
WAY = sys.argv[1]
REFUSED = HTTPException(401, headers={"WWW-Authenticate": "Bearer"})


async def get_user_id(token: Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]) -> str:
    """Return the user id of a token."""
    try:
        return str(verify(token)["userId"])
    except (jwt.PyJWTError, KeyError):
        raise REFUSED from None


UserId = Annotated[str, Depends(get_user_id)]


def read_def(user_id: UserId) -> dict[str, Any]:
    """Return the data from memory, in a thread."""
    if user_id not in USERS:
        raise REFUSED
    return {**BODY}


async def read_async(user_id: UserId) -> dict[str, Any]:
    """Return the data from memory, on the event loop."""
    return read_def(user_id)


USER = "SELECT organization_id FROM users WHERE id = :id AND login_disabled IS NOT TRUE"
SETTINGS = """
    SELECT document ->> 'aiVoiceProvider', json_type(document, '$.elevenlabsApiKey') = 'object',
        json_type(document, '$.elevenlabsToolSecret') = 'object', json_type(document, '$.sinchEstKeySecret') = 'object',
        document ->> 'sinchEstProjectId', document ->> 'sinchEstTrunkId', document ->> 'sinchEstTrunkDomain'
    FROM credentials WHERE organization_id = :id
"""
NUMBERS = """
    SELECT provider, phone_number, is_default, is_inbound_enabled, ai_enabled, ai_agent_id,
        elevenlabs_phone_number_id, label, full_name, user_id
    FROM voice_numbers JOIN users ON users.id = user_id
    WHERE voice_numbers.organization_id = :id AND provider = 'sinch' ORDER BY user_id, position
"""


def config(user_id: str, execute: Any) -> dict[str, Any]:
    """Return the data that three statements read."""
    if (user := execute(USER, {"id": user_id}).fetchone()) is None:
        raise REFUSED
    settings = execute(SETTINGS, {"id": user[0]}).fetchone()
    numbers = execute(NUMBERS, {"id": user[0]}).fetchall()
    found = [dict(zip(PhoneNumber.model_fields, row, strict=True)) for row in numbers]
    return dict(zip(Config.model_fields, (*settings, found), strict=True))


engine = create_engine(SOURCE, connect_args={"check_same_thread": False}) if WAY == "sqlmodel" else None


def get_session() -> Iterator[Session]:
    """Open a session for a request."""
    with Session(engine) as session:
        yield session


def read_sqlmodel(user_id: UserId, session: Annotated[Session, Depends(get_session)]) -> dict[str, Any]:
    """Return the data from SQLite, in one transaction."""
    return config(user_id, lambda statement, values: session.connection().execute(text(statement), values))


threads = threading.local()


def read_sqlite3(user_id: UserId) -> dict[str, Any]:
    """Return the data from SQLite, in one transaction of the thread's connection."""
    if not hasattr(threads, "connection"):
        threads.connection = sqlite3.connect(SOURCE.removeprefix("sqlite:///"))
    with threads.connection as connection:
        connection.execute("BEGIN")
        return config(user_id, connection.execute)


READS = {"async": read_async, "def": read_def, "sqlmodel": read_sqlmodel, "sqlite3": read_sqlite3}
app.get(PATH, response_model=Config, response_model_exclude_unset=True)(READS[WAY])

if __name__ == "__main__":
    uvicorn.run(app, **UVICORN)
