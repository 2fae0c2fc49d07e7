"""The commands that the service adds to `relay`, and the demo organization for contract tests."""

from .demo import demo, test_environment
from .keys import keys
from .load import load

commands = (demo, load, keys)

__all__ = ["commands", "test_environment"]
