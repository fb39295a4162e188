"""`esr doctor` and `esr sandbox`: what this machine is fit for, and what its sandbox holds off."""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import ExitCode, explained, print_json, say, text_table
from harness.cli.options import AsJson, Device, GatesFile, InputSize, Logs, Sandbox, Threads

if TYPE_CHECKING:
    from harness.usecases.doctor import Diagnosis, Trial

FEW = 10  # blocks: a spread of fewer is known to a third, or worse


def doctor(
    sample: Annotated[
        float, typer.Option(min=0, help="Seconds of a model against itself; 0 looks only.")
    ] = 30.0,
    gates: GatesFile = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds of the `esr check` whose powers are told.")
    ] = None,
    effect: Annotated[
        float | None, typer.Option(help="Smallest slowdown that matters to it, in %; default 5.")
    ] = None,
    size: InputSize = None,
    device: Device = "cpu",
    threads: Threads = None,
    sandbox: Sandbox = "auto",
    reports: Logs = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Say what disturbs measurements here, and which slowdown a check can find. Changes nothing.

    The check is the one that `esr check` makes in this folder, as its gates say.
    """
    from harness.cli.progress_bars import bars
    from harness.gate import configuration
    from harness.gate.pair import CheckRequest
    from harness.usecases.doctor import MODEL
    from harness.usecases.doctor import doctor as use_case

    with explained():
        book = configuration.read(gates)
        request = CheckRequest(
            candidates=(MODEL,),
            against=MODEL,
            settings=configuration.effective(book, budget_s=budget, effect=effect),
            size=size or book.size,
            images=book.images,
            device=device,
            threads=threads or book.threads,
            sandbox=sandbox,
            logs=reports / "doctor",
        )
        with bars() as progress:
            found = use_case(request, sample_s=sample, progress=progress)
        if as_json:
            print_json(document(found))
        else:
            _print(found, request.settings.budget_s)
    if found.forecast is None and sample:
        say(f"esr: no forecast: {found.problem}")
        raise typer.Exit(ExitCode.NOT_MEASURED)


def document(found: Diagnosis) -> dict[str, Any]:
    """The JSON object; shares are fractions, a slowdown that can't be found at all is null."""
    told = None if found.forecast is None else dataclasses.asdict(found.forecast)
    if told is not None and not math.isfinite(told["smallest"]):
        told["smallest"] = None
    return {
        "sights": [dataclasses.asdict(check) for check in found.checks],
        "forecast": told,
        "problem": found.problem,
    }


def _print(found: Diagnosis, budget: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from harness.render.text import short

    styles = {"ok": "green", "note": "cyan", "warning": "yellow"}
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in found.checks:
        mark = Text(check.level, style=styles[check.level])
        table.add_row(
            mark, check.name, Text(short(check.value, 200)), Text(check.advice, style="dim")
        )
    console = Console()
    console.print(table)
    told = found.forecast
    if told is None:
        return
    tell = functools.partial(console.print, highlight=False)
    if told.noise is not None:
        tell(f"Noise of a single pair: {told.noise:.1%}.")
    tell(f"Processes of one model lie {told.floor:.1%} apart.")
    if math.isfinite(told.smallest):
        smallest = f"the smallest slowdown that is found 4 times out of 5 is {told.smallest:.1%}"
    else:
        smallest = "that is too few for a verdict: allow more time, or a smaller input"
    tell(f"esr check with {budget:g} s: {told.blocks} blocks; {smallest}.")
    tell(
        f"False alarms: {told.false_alarms:.1%} of {told.simulated} simulated checks of equal "
        "sides, made of what was just sampled."
    )
    few = f" {FEW} or more tell it better: --sample 120." if told.sampled < FEW else ""
    console.print(f"All of it rests on {told.sampled} blocks of processes.{few}")


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
    from harness.usecases.doctor import try_out

    with explained():
        found = try_out(gpu=gpu, unconfined=unconfined)
    if as_json:
        print_json(_trial_document(found))
    else:
        _print_trial(found)
    if found.trouble and not unconfined:
        raise typer.Exit(ExitCode.NOT_MEASURED)
    if strict and not all(it.held for it in found.findings):
        raise typer.Exit(ExitCode.STRICT)


def _trial_document(found: Trial) -> dict[str, object]:
    return {
        "isolation": found.isolation,
        "version": found.version,
        "usable": not found.trouble,
        "trouble": found.trouble,
        "limits": found.limits,
        "limits_kept_by": found.kept_by,
        "attempts": [
            {name: getattr(finding, name) for name in ("attempt", "tries", "held", "evidence")}
            for finding in found.findings
        ],
    }


def _print_trial(found: Trial) -> None:
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
