"""The `relay` command, one module per subcommand; `cli.py` joins them.

Modules import what is heavy inside their functions, so that `--help` answers at once.
"""
