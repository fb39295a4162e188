"""`esr run`: measure, rank, render."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import options
from harness.cli.console import ExitCode, explained, print_json, say_written, show

if TYPE_CHECKING:
    from harness.core.leaderboard import Leaderboard


def run(
    entries: Annotated[
        list[str] | None,
        typer.Argument(
            help="Folders, folder:variant, ids, or .onnx files; default: all of ./submissions, or "
            "none with --ntire.",
            autocompletion=options.entry_ids,
        ),
    ] = None,
    ntire: options.Ntire = None,
    ids: options.Ids = None,
    requirements: options.Requirements = None,
    challenge: Annotated[
        str,
        typer.Option(
            help="Id of a challenge, or a .toml file.", autocompletion=options.challenge_ids
        ),
    ] = "sample",
    data_dir: options.DataDir = None,
    crop: options.Cropping = None,
    weights: options.WhichWeights = "bundled",
    weights_dir: options.WeightsDir = None,
    reports: options.Reports = Path("reports"),
    references: Annotated[
        bool, typer.Option("--references/--no-references", help="Run the challenge's references.")
    ] = True,
    rows: Annotated[
        str,
        typer.Option(
            metavar="ID,ID",
            help="Of the challenge's references run these, and the baseline; default: all.",
        ),
    ] = "",
    device: options.Device = "cpu",
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="CPU threads of a worker; default: the rulebook's."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Fresh processes for each entry.")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Minutes in which rounds are added while runtimes of ranked rows can't be told "
            "apart.",
        ),
    ] = None,
    spandrel: Annotated[
        bool,
        typer.Option(
            "--spandrel", help="Checkpoints named as entries hold networks that spandrel knows."
        ),
    ] = False,
    sandbox: options.Sandbox = "auto",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure again what is known already.")
    ] = False,
    untimed: Annotated[
        bool,
        typer.Option(
            "--untimed", help="Count and score alone, many entries at once: no runtime, no audits."
        ),
    ] = False,
    keep_images: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT[:DATASET]",
            help="Keep pictures of the outputs: all, crops, or a number of images of each data "
            "set whose pictures may be shown; all:DATASET names one (several times).",
        ),
    ] = None,
    executor: Annotated[
        Literal["local", "slurm", "ray"],
        typer.Option(help="What measures: this machine, or nodes of a cluster, by shards."),
    ] = "local",
    nodes: Annotated[int, typer.Option(min=1, help="Nodes at work at once (slurm, ray).")] = 1,
    devices: Annotated[
        str,
        typer.Option(
            metavar="cuda:0,cuda:1",
            help="GPUs of this machine, each with a queue of its own (local).",
        ),
    ] = "",
    engine_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Of slurm what sbatch takes, as in partition=gpu or time=600; of ray the address "
            "(several times).",
        ),
    ] = None,
    excel: options.Excel = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure entries and references, rank them, write the table under reports/.

    What is unchanged and known is not measured again; a run that was killed goes on. With an
    executor Ctrl-C detaches, and the same command collects what nodes did meanwhile.
    """
    from harness.cli.progress_bars import bars
    from harness.engines.choice import Elsewhere
    from harness.usecases.evaluate import RunRequest, evaluate

    gpus = options.names(devices)
    with explained():
        asked = options.id_list(ids, ntire)
    request = RunRequest(
        entries=tuple(entries) if entries else None,
        challenge=challenge,
        data_dir=data_dir,
        reports=reports,
        weights=weights,
        weights_dir=weights_dir,
        references=references,
        rows=options.names(rows) or None,
        device="cuda" if any(it.startswith("cuda:") for it in gpus) else device,
        threads=threads,
        rounds=rounds,
        budget_s=None if budget is None else 60.0 * budget,
        fresh=fresh,
        untimed=untimed,
        sandbox=sandbox,
        ntire=ntire,
        ids=asked,
        requirements=requirements,
        crop=crop,
        spandrel=spandrel,
        keep_images=tuple(keep_images or ()),
        elsewhere=Elsewhere(executor, nodes, gpus, tuple(engine_option or ())),
    )
    with explained(resumes=True):
        with bars() as progress:
            board = evaluate(request, progress)
        folder = reports / board.challenge.id
        finish(board, folder, run=folder, excel=excel, as_json=as_json, strict=strict)


def finish(
    board: Leaderboard,
    folder: Path,
    *,
    run: Path | None = None,
    excel: bool,
    as_json: bool,
    strict: bool,
) -> None:
    """Write every format, print the table or the JSON document, and exit as the rows say.

    `run` is the folder of the run, which has logs and pictures.
    """
    from rich.console import Console

    from harness import render

    with Console(stderr=True).status("Drawing the table"):  # hundreds of entries take a while
        board, files = render.write_board(board, folder, excel=excel, run=run)
    if as_json:
        print_json(render.document(board))
    else:
        show(render.TerminalTable(render.table(board)))
    say_written(files)
    models = [row for row in board.rows if row.entry.role != "floor"]
    if all(row.entry.status == "failed" for row in models):
        raise typer.Exit(ExitCode.NOT_MEASURED)
    # what was entered decides; a reference that may not be ranked is no fault of an entry's
    entered = [row for row in models if row.entry.role == "entry"] or models
    if strict and not all(row.ranked for row in entered):
        raise typer.Exit(ExitCode.STRICT)
