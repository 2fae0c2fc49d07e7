"""`relay completion`: the script by which a shell completes commands and options."""

import click
from click.shell_completion import get_completion_class

from .output import emit

EXAMPLES = """\b
Examples:
  relay completion bash >> ~/.bashrc
  relay completion zsh > ~/.zfunc/_relay
  relay completion fish > ~/.config/fish/completions/relay.fish
"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete `relay`."""
    kind = get_completion_class(shell)
    assert kind is not None  # click has one for each of the choices
    emit(kind(context.find_root().command, {}, "relay", "_RELAY_COMPLETE").source())
