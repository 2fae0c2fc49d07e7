"""The operation as it ships."""

from handlers.calls import get_calls_voice_ai_config

__all__ = ["get_calls_voice_ai_config"]
