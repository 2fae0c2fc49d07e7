"""`python -m relay` is the command `relay`.

Use `python -P -m relay` in a folder that has modules with names of Python's.
"""

import os
import sys
from contextlib import suppress

# Python has put the working directory first: of it, only the project's package comes before installed ones.
if not sys.flags.safe_path:
    with suppress(OSError, ValueError):  # it may have been deleted
        sys.path.remove(os.getcwd())  # noqa: PTH109 -- the text that Python has put there

from relay.cli.main import main

main()
