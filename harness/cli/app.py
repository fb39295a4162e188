"""All commands. Slow imports wait until a command needs them: `esr --help` must be quick."""

from __future__ import annotations

from typing import Annotated

import typer

from harness import __version__
from harness.cli import (
    esr_adopt,
    esr_challenges,
    esr_check,
    esr_data,
    esr_doctor,
    esr_entries,
    esr_export,
    esr_figure,
    esr_inspect,
    esr_intake,
    esr_lock,
    esr_plot,
    esr_report,
    esr_run,
    esr_schema,
    esr_site,
    esr_weights,
    esr_work,
)

app = typer.Typer(
    name="esr",
    help="Measure efficient image super-resolution models alike, rank them, render the table.",
    no_args_is_help=True,
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


app.command("run")(esr_run.run)
app.command("entries")(esr_entries.entries)
app.command("inspect")(esr_inspect.inspect)
app.command("intake")(esr_intake.intake)
app.command("lock")(esr_lock.lock)
app.command("check")(esr_check.check)
app.command("report")(esr_report.report)
app.command("figure")(esr_figure.figure)
app.command("plot")(esr_plot.plot)
app.command("site")(esr_site.site)
app.command("adopt")(esr_adopt.adopt)
app.command("import")(esr_report.import_results)
app.command("new")(esr_adopt.new)
app.add_typer(esr_weights.app, name="weights")
app.add_typer(esr_data.app, name="data")
app.add_typer(esr_export.app, name="export")
app.command("sandbox")(esr_doctor.sandbox)
app.command("schema")(esr_schema.schema)
app.command("doctor")(esr_doctor.doctor)
app.command("work")(esr_work.work)
app.add_typer(esr_challenges.app, name="challenges")
