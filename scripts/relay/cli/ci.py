"""`relay ci`: a workflow that runs every check on every change."""

import shlex
from pathlib import Path
from string import Template

import click

from relay.contract.diagnostics import Diagnostic, SetupError

from .options import handlers_option, spec_option
from .output import emit

WORKFLOWS = Path(__file__).with_name("workflows")
FORGES = ("github", "gitlab")
_INSTALL = "pip install 'tether-relay[tools]'"
_OWN_PATH = "spec/openapi.yaml"  # where the contract lies that commands take when none is named

EXAMPLES = """\b
Examples:
  relay ci github > .github/workflows/contract.yml
  relay ci gitlab --spec api.yaml --handlers shop > .gitlab-ci.yml
  relay ci github --install "pip install -r requirements.txt 'tether-relay[tools]'"
"""


@click.command(epilog=EXAMPLES)
@click.argument("forge", type=click.Choice(FORGES))
@spec_option
@handlers_option
@click.option(
    "--install",
    metavar="COMMAND",
    default=_INSTALL,
    show_default=True,
    help="The command that installs Relay with its tools, and what the handlers import.",
)
def ci(forge: str, *, spec: Path | None, handlers: str | None, install: str) -> None:
    """Print a CI workflow that runs every check.

    FORGE is the service that runs it. The workflow lints the contract, looks for drift, compares with
    the base branch of a pull or merge request, and tests the running service; every step runs even when
    another one fails. The reports of `relay contract` are kept with the run. Call it at the root of the
    repository, where the workflow's commands run.

    Exit code 0: printed; 2: the contract is not below this folder, or a value is not one line or has an
    expression of CI.
    """
    emit(plan(forge, *_named(spec, handlers), install), end="")


def plan(forge: str, path: str | None, package: str | None, install: str = _INSTALL) -> str:
    """Return a workflow whose commands name a contract and a package, unless they are None.

    Raises SetupError for a value that is not one line, or that the forge would replace before the shell reads it.
    """
    given = {"--spec": path, "--handlers": package, "--install": install}
    found = {name: _problem(value) for name, value in given.items() if value is not None}
    if wrong := [Diagnostic(name, message) for name, message in found.items() if message]:
        raise SetupError(wrong)
    if path is not None and path.startswith("-"):
        path = f"./{path}"  # not an option
    template = _Workflow((WORKFLOWS / f"{forge}.yml").read_text("utf-8"))
    return template.substitute(
        install=install.strip(),
        path=shlex.quote(path or _OWN_PATH),
        spec_argument=f" {shlex.quote(path)}" if path else "",
        spec_option=f" --spec {shlex.quote(path)}" if path else "",
        handlers_option=f" --handlers {shlex.quote(package)}" if package else "",
    )


class _Workflow(Template):
    """A template that leaves `$` to the shell and the forge."""

    delimiter = "%"


def _named(spec: Path | None, handlers: str | None) -> tuple[str | None, str | None]:
    """Return the contract's path from here and the package's name, None for the project's own.

    Raises SetupError for a contract outside this folder, as a checkout would not have it.
    """
    from relay.project.settings import chosen

    project, path, package, *_ = chosen(spec, handlers)
    path, is_default = path.resolve(), package == project.handlers
    if is_default and path == (project.folder / _OWN_PATH).resolve() and not project.is_implicit:
        return None, None
    here = Path.cwd()
    if not path.is_file() or not path.is_relative_to(here):
        message = f"there is no file {path} below this folder; call this at the root of the repository"
        raise SetupError([Diagnostic("--spec", message)])
    return path.relative_to(here).as_posix(), None if is_default else package


def _problem(text: str) -> str | None:
    if not text.isprintable() or not text.strip():
        return "must be one line; join commands with &&"
    if "${{" in text or "$[[" in text:
        return "must not contain ${{ or $[[, as CI would replace it; pass the value by `env` of the workflow"
    return None
