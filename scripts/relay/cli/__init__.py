"""The command `relay`: one module per subcommand, joined by main.py.

Modules import heavy packages inside their functions, so that `--help` answers at once.
"""
