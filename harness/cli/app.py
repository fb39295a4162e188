"""All commands. Slow imports wait until a command needs them: `esr --help` must be quick."""

from __future__ import annotations

from typing import Annotated

import typer

from harness import __version__
from harness.cli import (
    adopt,
    challenges,
    check,
    data,
    doctor,
    inspect,
    new,
    report,
    results,
    run,
    sandbox,
    weights,
)

app = typer.Typer(
    name="esr",
    help="Measure efficient image super-resolution models alike, rank them, render the table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 an entry failed or is not ranked (with --strict), "
    "2 bad input, 3 could not measure.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"esr {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Measure efficient image super-resolution models alike, rank them, render the table."""


app.command("run")(run.run)
app.command("inspect")(inspect.inspect)
app.command("check")(check.check)
app.command("report")(report.report)
app.command("adopt")(adopt.adopt)
app.command("import")(results.import_results)
app.command("new")(new.new)
app.add_typer(weights.app, name="weights")
app.command("data")(data.data)
app.command("sandbox")(sandbox.sandbox)
app.command("doctor")(doctor.doctor)
app.add_typer(challenges.app, name="challenges")
