"""The version, below every other module, so that each can name it."""

__version__ = "0.1.0"
