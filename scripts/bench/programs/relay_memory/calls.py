"""The handler of the service."""

from handlers.calls import get_calls_voice_ai_config

__all__ = ["get_calls_voice_ai_config"]
