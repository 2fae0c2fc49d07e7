"""Operations of the tag Calls."""

from ._identity import Caller
from ._store import VoiceAiSettings
from ._types import CallsVoiceAiConfigResponse, CallsVoiceAiOrgPhoneNumber


async def get_calls_voice_ai_config(*, caller: Caller) -> CallsVoiceAiConfigResponse:
    """Show the caller's organization its voice-AI set-up: which secrets exist, never their values."""
    settings, numbers = await caller.voice_ai()
    return _config_view(settings, numbers)


def _config_view(
    settings: VoiceAiSettings, numbers: list[CallsVoiceAiOrgPhoneNumber]
) -> CallsVoiceAiConfigResponse:
    """Build the response body; the store returns numbers with exactly the contract's fields."""
    return {
        "aiVoiceProvider": settings.ai_voice_provider,
        "hasApiKey": settings.has_api_key,
        "hasToolSecret": settings.has_tool_secret,
        "hasEstCredentials": settings.has_est_credentials,
        "sinchEstProjectId": settings.sinch_est_project_id,
        "sinchEstTrunkId": settings.sinch_est_trunk_id,
        "sinchEstTrunkDomain": settings.sinch_est_trunk_domain,
        "phoneNumbers": numbers,
    }
