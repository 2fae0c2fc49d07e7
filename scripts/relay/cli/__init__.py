"""The command `relay`: one module per subcommand, joined by main.py.

Modules import heavy packages inside their functions, so that `--help` answers at once. The function of a command may be long: half
of it is its help, the rest its steps in their order, which nothing else uses.
"""
