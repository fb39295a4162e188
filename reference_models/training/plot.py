"""The curve of one or more runs: loss and validation PSNR against iterations."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.documents import atomic
from reference_models.training.log import Row

_SIZE_IN = (8.0, 6.0)
FORMATS = (".svg", ".png", ".pdf")


def write(path: Path, runs: Mapping[str, Sequence[Row]]) -> None:
    """Draw runs by name into a file, of the format that its suffix says (`FORMATS`)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_IN, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    for name, rows in runs.items():
        measured = [row for row in rows if row.psnr_db is not None]
        (line,) = above.plot(
            [row.iteration for row in measured],
            [row.psnr_db or 0.0 for row in measured],
            marker=".",
            label=name,
        )
        for stage in dict.fromkeys(row.stage for row in rows):
            part = [row for row in rows if row.stage == stage]
            iterations = [row.iteration for row in part]
            below.plot(iterations, [row.loss for row in part], color=line.get_color())
    above.set_ylabel("validation PSNR, luma (dB)")
    above.legend()
    below.set_ylabel("loss (of each stage's own kind)")
    below.set_xlabel("iterations")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lower().removeprefix("."))
    atomic.write(path, buffer.getvalue())
