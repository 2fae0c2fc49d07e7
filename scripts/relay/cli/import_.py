"""`relay import`: operations from documentation pages into the contract."""

from pathlib import Path

import click

from .options import spec_option
from .output import echo_difference, say, tool
from .report import format_option, report_findings

EXAMPLES = """\b
Examples:
  relay import docs/get-order.md
  relay import --diff https://docs.example.com/llms.txt
  relay import --check docs/
"""


@click.command(name="import", epilog=EXAMPLES)
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@spec_option
@click.option("--update", is_flag=True, help="Apply changes of the pages that operations came from.")
@click.option("--diff", is_flag=True, help="Print the changes of the contract; write nothing.")
@click.option("--check", is_flag=True, help="Compare the pages with what was imported; write nothing.")
@click.option(
    "--max-size",
    metavar="BYTES",
    type=click.IntRange(min=1),
    default=1 << 20,
    show_default="1 MiB",
    help="Largest page or index that is read.",
)
@format_option
def import_(  # noqa: PLR0913 -- a command's arguments are its options
    sources: tuple[str, ...],
    spec: Path | None,
    *,
    update: bool,
    diff: bool,
    check: bool,
    max_size: int,
    form: str,
) -> None:
    """Import operations from documentation pages into the contract.

    A SOURCE is a page (.md, .mdx) with one OpenAPI block, an OpenAPI file, a folder of pages, an
    llms.txt that lists pages, or the https:// address of one of these except a folder. From an index on
    a host, only pages of that host are fetched.

    New operations are added, with a line in sources.lock for each. What the contract has already stays,
    prose and comments included; a page that contradicts it is refused, and then nothing is written.

    Exit code 0: done, or, with --check, no page has changed; 1: a page contradicts the contract, or has
    changed; 2: a source or the contract cannot be read.
    """
    if not sources and not check:
        raise click.UsageError(
            "name a SOURCE: a page, an OpenAPI file, a folder, an llms.txt, an https:// address"
        )
    if check and (update or diff):
        raise click.UsageError("--check compares only; use it without --update and --diff")
    with tool():
        from relay.importer.import_sources import Reader
        from relay.importer.merge import Merge
        from relay.importer.source_check import check_sources
        from relay.importer.sources_lock import NAME, read_lock
        from relay.importer.target_contract import Target, read_file
        from relay.project.files import replace_files
        from relay.project.settings import chosen

        project, path, _, root, _ = chosen(spec)
        project.check_inside(path)
        target = Target(path, root)
        lock = read_lock(target.path.parent / NAME)
        reader = Reader(max_size)
        if check:
            report_findings(
                "import", check_sources(target, lock, reader, sources), form, "no page has changed"
            )
            return
        read = reader.read(sources)
        target.refuse_as_source(read)
        merge = Merge(target.document, lock, read, update=update)
        content, contract, refused = target.merged(merge)
        findings = refused if contract is None else [*reader.notes, *merge.notes(contract)]
        if findings or form != "text":
            report_findings("import", findings, form, stderr=diff)
        if diff:
            echo_difference(target.source, content, target.name, target.name)
            return
        recorded = lock.with_records(
            lock.record(source, operation) for source, operation, _ in merge.outcomes
        )
        replaced = {target.path: content, lock.path: recorded.as_yaml().encode()}
        replace_files({path: text for path, text in replaced.items() if text != read_file(path)})
    if form == "text":
        say(*(f"{verb} {operation} ({source.name})" for source, operation, verb in merge.outcomes))
        if content != target.source:
            say("next: relay lint, relay regenerate")
