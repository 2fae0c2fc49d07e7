"""`python -m relay` is the command `relay`; `python -P -m relay` even where the folder has modules of Python's names."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the working directory: of it, only the project's package comes before installed ones

from relay.cli.main import main

main()
