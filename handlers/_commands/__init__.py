"""What the service adds to the command `relay`, and the demo organization that contract tests use."""

from .demo import demo, test_environment
from .keys import keys
from .load import load

commands = (demo, load, keys)

__all__ = ["commands", "test_environment"]
