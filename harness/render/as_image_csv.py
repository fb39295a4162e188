"""What is known of each image, as CSV: one line an entry and image, in base units."""

from __future__ import annotations

import csv
import io

from harness.core.leaderboard import Leaderboard, rounds_of
from harness.core.metrics import QUALITY
from harness.render.as_csv import guard
from harness.render.document import finite
from harness.render.plots.runtime_scatter import image_medians
from harness.render.text import clean


def to_image_csv(board: Leaderboard) -> str:
    """PSNR in dB and SSIM of the first round, the median seconds of all rounds; "" where no image
    is known, as of a printed table. What was not measured is an empty field, and so are seconds of
    several nodes.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(("id", "dataset", "image", *(kind.name for kind in QUALITY), "runtime_s"))
    empty = stream.tell()
    for row in board.rows:
        scores = row.entry.scores
        seconds = {} if board.nodes else image_medians(rounds_of(row.entry.records))
        for name in dict.fromkeys([*scores, *seconds]):
            score = scores.get(name)
            figures = [getattr(score, kind.name, None) for kind in QUALITY]
            known = [finite(it) for it in (*figures, seconds.get(name))]
            texts = [guard(clean(it)) for it in (row.entry.id, *name)]
            # twelve digits drop what a median added behind the figure
            writer.writerow([*texts, *("" if it is None else float(f"{it:.12g}") for it in known)])
    return stream.getvalue() if stream.tell() > empty else ""
