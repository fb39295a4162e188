"""`esr export`: a challenge for a platform that hosts it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness import __version__
from harness.cli.console import explained, say, tell
from harness.cli.options import DataDir, challenge_ids

app = typer.Typer(help="A challenge for a platform that hosts it.", no_args_is_help=True)


@app.callback()
def _export() -> None:
    """A challenge for a platform that hosts it."""


@app.command("codabench")
def codabench(
    challenge: Annotated[
        str,
        typer.Argument(help="A challenge's id, or a .toml file.", autocompletion=challenge_ids),
    ],
    data_dir: DataDir = None,
    into: Annotated[
        Path | None,
        typer.Option(help="Folder of the bundle.", show_default="codabench/CHALLENGE"),
    ] = None,
    image: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Container that both steps run in; default: that of the Dockerfile.",
        ),
    ] = "",
) -> None:
    """Write a bundle for Codabench: submissions run without the truth, scores without them."""
    from harness.cli.progress_bars import bars
    from harness.usecases.codabench.bundle import export_codabench

    with explained(), bars() as progress:
        folder = into or Path("codabench") / Path(challenge).stem
        path = export_codabench(
            challenge,
            data_dir=data_dir,
            into=folder,
            image=image or f"esr-harness:{__version__}",
            progress=progress,
        )
    tell(str(path))
    say(f"next: {folder / 'README.md'}")
