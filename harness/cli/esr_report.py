"""`esr report` and `esr import`: boards of what is on disk, without measuring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import options
from harness.cli.console import ExitCode, explained, print_json, say_written, show
from harness.cli.esr_run import finish
from harness.cli.options import AsJson, Reports, Strict

if TYPE_CHECKING:
    from harness.core.leaderboard import Leaderboard


def report(
    challenge: options.ChallengeRun = None,
    published: Annotated[
        str | None,
        typer.Option(
            help="Rank a published table again from its figures: a bundled id, or a .toml file.",
            autocompletion=options.table_ids,
        ),
    ] = None,
    rules: Annotated[
        str | None,
        typer.Option(
            help="Rank the same records by another challenge's rules.",
            autocompletion=options.challenge_ids,
        ),
    ] = None,
    form: Annotated[
        Literal["ntire"] | None,
        typer.Option("--format", help="Also write results.json and results.txt as NTIRE does."),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            metavar="KEY,KEY",
            help="Also write selection.tex, .md and .csv with these columns, as in "
            "runtime,params,psnr:Set5.",
        ),
    ] = "",
    rows: Annotated[
        str, typer.Option(metavar="ID,ID", help="And with the rows of these ids alone.")
    ] = "",
    reports: options.RunFolder = Path("reports"),
    excel: options.Excel = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Rank and render what is on disk, without measuring."""
    from harness.core.outcome import BadInput
    from harness.usecases.official_results import write_results
    from harness.usecases.report import report as draw
    from harness.usecases.report import run_name

    picked = options.names(columns), options.names(rows)
    with explained():
        if published is not None:
            if challenge is not None:
                raise BadInput(
                    f"name a challenge that was run ({challenge}) or --published, not both"
                )
            folder = reports / "published"
            _published(
                published, rules, folder, picked, excel=excel, as_json=as_json, strict=strict
            )
            return
        run = run_name(challenge or "sample")
        board = draw(challenge or "sample", reports, rules=rules)
        folder = reports / _place(run, board, rules)
        if form == "ntire":
            say_written(write_results(board, folder))
        _select(board, folder, picked)
        finish(board, folder, run=reports / run, excel=excel, as_json=as_json, strict=strict)


def _place(name: str, board: Leaderboard, rules: str | None) -> str:
    """The folder of a board: by other rules than its own, beside its own board and not over it."""
    return name if rules is None else f"{name}_by_{board.challenge.id}"


def _select(
    board: Leaderboard, folder: Path, picked: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """Write the columns and rows that were asked for, if any were."""
    from harness import render

    columns, rows = picked
    if columns or rows:
        say_written(render.write_selection(board, folder, columns=columns, rows=rows))


def _published(
    name: str,
    rules: str | None,
    reports: Path,
    picked: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    excel: bool,
    as_json: bool,
    strict: bool,
) -> None:
    """Write, print and judge the exit code as `finish` does, for every ruling of the table."""
    from harness import render
    from harness.documents import atomic
    from harness.usecases.report import regenerate

    again, texts = render.drawn_published(regenerate(name, rules=rules))
    texts = render.for_excel(texts) if excel else texts
    folder = reports / _place(again.table.id, again.board, rules)
    files = atomic.write_texts(folder, texts)
    _select(again.board, folder, picked)
    if as_json:
        others = {it.ruling.id: render.document(it.board) for it in again.judged[1:]}
        print_json({**render.document(again.board), "published": again.table.id, "rulings": others})
    else:
        side_by_side = render.rulings_table(again)
        for drawn in (render.table(again.board), *([side_by_side] if side_by_side else [])):
            show(render.TerminalTable(drawn))
    say_written(files)
    rows = again.board.rows
    competing = [it for it in rows if it.entry.rankable and it.entry.role == "entry"]
    if strict and not all(row.ranked for row in competing):
        raise typer.Exit(ExitCode.STRICT)


def import_results(
    file: Annotated[Path, typer.Argument(help="results.json of an official script.")],
    challenge: Annotated[
        str,
        typer.Option(
            help="The challenge that the results are of: an id, or a .toml file.",
            autocompletion=options.challenge_ids,
        ),
    ],
    name: Annotated[
        str, typer.Option(help="What the board is called; default: CHALLENGE_imported.")
    ] = "",
    reports: Reports = Path("reports"),
    excel: options.Excel = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Rank and render the figures of an official results file, marked as imported.

    Nothing is measured. `esr report NAME` draws the board again.
    """
    from harness.usecases.official_results import import_results as use_case

    with explained():
        board = use_case(file, challenge, reports, name=name)
        finish(board, reports / board.challenge.id, excel=excel, as_json=as_json, strict=strict)
