"""`esr figure`: the comparison figure of a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.console import explained, say_written


def figure(
    challenge: Annotated[
        str,
        typer.Argument(
            help="A challenge that was run with --keep-images.",
            autocompletion=options.challenge_ids,
        ),
    ],
    image: Annotated[str, typer.Option(help="Name of an image, or DATASET/NAME.")],
    crop: Annotated[
        str,
        typer.Option(
            metavar="X,Y,WIDTH,HEIGHT",
            help="Pixels of the SR image; default: where the entries differ most.",
        ),
    ] = "",
    rows: Annotated[
        str,
        typer.Option(
            "--entries",
            metavar="ID,ID",
            help="Who is shown, in this order; default: the first rows.",
        ),
    ] = "",
    reports: options.RunFolder = Path("reports"),
    output: Annotated[
        Path | None,
        typer.Option(help="Files to write, without ending; default: REPORTS/CHALLENGE/figures/."),
    ] = None,
) -> None:
    """Draw the image with a box, and the box as HR, LR, bicubic and entries have it.

    Writes PDF, SVG and PNG.
    """
    from harness.usecases.figure import FigureRequest, draw_figure

    with explained():
        request = FigureRequest(
            challenge=challenge,
            image=image,
            crop=_numbers(crop) if crop else None,
            entries=options.names(rows),
            reports=reports,
            output=output,
        )
        say_written(draw_figure(request))


def _numbers(text: str) -> tuple[int, int, int, int]:
    """Four whole numbers; BadInput for anything else."""
    from harness.core.outcome import BadInput

    try:
        x, y, width, height = map(int, text.split(","))
    except ValueError:
        raise BadInput(
            f"--crop must be four whole numbers as in 40,80,96,96, got {text!r:.80}"
        ) from None
    return x, y, width, height
