"""`esr new` and `esr adopt`: submission folders from nothing, or from an official checkout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import ExitCode, explained, print_json, say, tell
from harness.cli.options import AsJson, Logs, Requirements, Sandbox, id_list

if TYPE_CHECKING:
    from harness.usecases.adopt import Adopted


def new(
    name: Annotated[str, typer.Argument(help="Id of the entry: a-z, 0-9 and _.")],
    team: Annotated[str, typer.Option(help="What the table shows as the team.")] = "My team",
    scale: Annotated[int, typer.Option(help="2, 3, 4 or 8.")] = 4,
    folder: Annotated[Path, typer.Option(help="Where the entry's folder is made.")] = Path(
        "submissions"
    ),
) -> None:
    """Write a working skeleton to submissions/NAME."""
    from harness.entries import skeleton

    with explained():
        entry = skeleton.place(folder, name)
        for path in skeleton.write(entry, team=team, scale=scale):
            say(f"wrote {path}")
    say(f"next: esr inspect {entry}")


def adopt(
    checkout: Annotated[Path, typer.Argument(help="An official NTIRE ESR repository.")],
    ids: Annotated[str, typer.Option("--ids", help="Its entries, as in 0,4,25.")],
    to: Annotated[Path, typer.Option(help="Where the folders are made.")] = Path("submissions"),
    requirements: Requirements = None,
    reports: Logs = Path("reports"),
    sandbox: Sandbox = "auto",
    as_json: AsJson = False,
) -> None:
    """Write entries of an official checkout as submission folders that give the same output."""
    from harness.cli.progress_bars import bars
    from harness.render.text import clean
    from harness.usecases.adopt import adopt as write

    with explained():
        numbers = id_list(ids, checkout) or ()
        with bars() as progress:
            done = write(
                checkout,
                numbers,
                to=to,
                logs=reports / "adopt",
                requirements=requirements,
                sandbox=sandbox,
                progress=progress,
            )
    if as_json:
        print_json([document(one) for one in done])
    else:
        for one in done:
            said = "; ".join([f"wrote {one.folder}", *one.notes])
            if one.failure:
                said = f"{one.candidate.id}: not adopted: {one.failure.message}"
            tell(clean(said))
    if any(one.failure for one in done):  # of several entries the worst code counts
        raise typer.Exit(ExitCode.NOT_MEASURED)


def document(one: Adopted) -> dict[str, Any]:
    """The JSON object of one entry: its folder, or why it has none."""
    return {
        "id": one.candidate.id,
        "status": "failed" if one.failure else "ok",
        "folder": "" if one.failure else str(one.folder),
        "reason": f"{one.failure.stage}: {one.failure.message}" if one.failure else "",
        "isolation": one.isolation,
        "notes": list(one.notes),
    }
