# Generated from spec/openapi.yaml by `relay regenerate`; never edited.
"""The shapes of the contract's components/schemas, as TypedDicts."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Error(TypedDict):
    code: NotRequired[str]
    message: NotRequired[str]
    details: NotRequired[list[dict[str, Any]]]


class CallsErrorResponse(TypedDict):
    success: NotRequired[Literal[False]]
    error: NotRequired[str | Error]
    code: NotRequired[str]


class CallsVoiceAiOrgPhoneNumber(TypedDict):
    provider: NotRequired[Literal["sinch"]]
    phoneNumber: NotRequired[str]
    isDefault: NotRequired[bool]
    isInboundEnabled: NotRequired[bool]
    aiEnabled: NotRequired[bool]
    aiAgentId: NotRequired[str]
    elevenlabsPhoneNumberId: NotRequired[str]
    label: NotRequired[str]
    userName: NotRequired[str]
    userId: NotRequired[str]


class CallsVoiceAiConfigResponse(TypedDict):
    aiVoiceProvider: NotRequired[str | None]
    hasApiKey: NotRequired[bool]
    hasToolSecret: NotRequired[bool]
    hasEstCredentials: NotRequired[bool]
    sinchEstProjectId: NotRequired[str | None]
    sinchEstTrunkId: NotRequired[str | None]
    sinchEstTrunkDomain: NotRequired[str | None]
    phoneNumbers: NotRequired[list[CallsVoiceAiOrgPhoneNumber]]


# Operations, as they were when this was generated; by this a rename is recognised:
# get /api/calls/voice-ai/config = calls.get_calls_voice_ai_config()
