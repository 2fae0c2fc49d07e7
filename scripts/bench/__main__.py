"""`python -m bench`, run from the source root: benchmarks Relay and other servers on this machine."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path

import click
import platformdirs

from relay.cli.output import setup_errors

from .load import find_wrk
from .measuring import CELLS, Run
from .report import machine, markdown
from .stages import profile


@click.command()
@click.option("--only", type=click.Choice([*CELLS]), multiple=True, help="A cell to measure.  [default: all]")
@click.option("--quick", is_flag=True, help="Measure 2 rounds of 1 s instead of 5 of 2 s: 4 minutes.")
@click.option("--stages", is_flag=True, help="Print what each stage of a request costs instead.")
@click.option("--output", default="reports/bench.json", type=click.Path(path_type=Path), show_default=True)
def bench(*, only: tuple[str, ...], quick: bool, stages: bool, output: Path) -> None:
    """Compare Relay with other servers that do the same work, and say by how much each goal is met or missed.

    Each server verifies a token, finds the user and returns an organization's settings and numbers. They are
    installed first, by pip and npm. Each is checked for correct responses and rejections; then wrk loads them in
    turn, round by round. It needs Linux and two cores that are idle otherwise, and takes about ten minutes.
    RELAY_BENCH_MONGODB names a MongoDB server, where databases named relay_bench_… are created and not removed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that started processes are ended
    installed = platformdirs.user_cache_path("tether-relay", appauthor=False) / "bench"
    with setup_errors(), tempfile.TemporaryDirectory(prefix="relay-bench-") as temporary:
        find_wrk()
        rounds, seconds = (2, 1) if quick else (5, 2)
        run = Run(Path(temporary), installed, rounds, seconds, os.environ.get("RELAY_BENCH_MONGODB", ""))
        if stages:
            click.echo("\n".join(profile(run)))
            return
        for name in only or CELLS:
            with run.explained(name):
                CELLS[name](run)
        click.echo("\n".join(markdown(run)))
        output.parent.mkdir(parents=True, exist_ok=True)
        found = {"machine": machine(run), "reasons": run.reasons, "figures": run.figures}
        output.write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    bench(prog_name="python -m bench")
