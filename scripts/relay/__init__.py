"""Host an API from its OpenAPI contract and keep both in agreement."""

__version__ = "0.1.0"
