"""`esr sandbox`: what the sandbox holds off on this machine."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import ExitCode, explained, print_json, text_table
from harness.cli.options import AsJson

if TYPE_CHECKING:
    from harness.usecases.try_sandbox import Trial


def sandbox(
    gpu: Annotated[
        bool, typer.Option("--gpu", help="With the NVIDIA devices, as for --device cuda.")
    ] = False,
    unconfined: Annotated[
        bool, typer.Option("--unconfined", help="Try the same without a sandbox, to compare.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if anything is not held.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Try every escape against this machine, and show which are held off.

    Nothing is harmed: what is stolen, killed or filled up was laid out for the trial.
    """
    from harness.usecases.try_sandbox import try_out

    with explained():
        found = try_out(gpu=gpu, unconfined=unconfined)
    if as_json:
        print_json(_document(found))
    else:
        _print(found)
    if found.trouble and not unconfined:
        raise typer.Exit(ExitCode.NOT_MEASURED)
    if strict and not all(it.held for it in found.findings):
        raise typer.Exit(ExitCode.STRICT)


def _document(found: Trial) -> dict[str, object]:
    return {
        "isolation": found.isolation,
        "version": found.version,
        "usable": not found.trouble,
        "trouble": found.trouble,
        "limits": found.limits,
        "limits_kept_by": found.kept_by,
        "attempts": [
            {
                "attempt": finding.attempt,
                "tries": finding.tries,
                "held": finding.held,
                "evidence": finding.evidence,
            }
            for finding in found.findings
        ],
    }


def _print(found: Trial) -> None:
    from rich.console import Console
    from rich.markup import escape

    table = text_table("a worker tries to", "", "what it met, or got")
    for finding in found.findings:
        verdict = "[green]held[/green]" if finding.held else "[red]NOT held[/red]"
        table.add_row(escape(finding.tries), verdict, escape(finding.evidence))
    console = Console()
    show = functools.partial(console.print, highlight=False)
    if found.findings:
        show(table)
    show(f"isolation: {escape(f'{found.isolation} {found.version}'.strip())}")
    for name, value in found.limits.items():
        show(f"limit of a worker: {name} {value}")
    show(f"limits are kept by: {escape(found.kept_by)}")
    if found.trouble:
        show(f"[red]not usable:[/red] {escape(found.trouble)}")
