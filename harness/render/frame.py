"""The board as a pandas DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.leaderboard import Leaderboard
from harness.render.document import COSTS, TIMES, document

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("id", "team", "title", "role", "status", "ranked", "reason", "verdict", "precision")
_FIGURES = tuple(kind.name for kind in (*TIMES, *COSTS))


def to_frame(board: Leaderboard) -> pd.DataFrame:
    """One row an entry, in the board's order, base units in the columns' names.

    `psnr_db:DATASET` and `ssim:DATASET` by data set, `rank:METRIC` by ranked metric,
    `score:TRACK` and `track_rank:TRACK` by track. What was not measured is missing (`pd.isna`).
    """
    import pandas as pd

    shown = document(board)
    rows = [_flat(row) for row in shown["rows"]]
    # Named even on an empty board, so that a script may rely on them.
    columns = dict.fromkeys([*_TEXTS, *_FIGURES])
    for row in rows:
        columns.update(dict.fromkeys(row))
    return pd.DataFrame(rows, columns=list(columns))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = {name: row[name] for name in (*_TEXTS, *_FIGURES)}
    for dataset, figures in row["quality"].items():
        flat |= {f"{name}:{dataset}": value for name, value in figures.items()}
    flat |= {f"rank:{metric}": rank for metric, rank in row["ranks"].items()}
    for track, place in row["tracks"].items():
        flat |= {f"score:{track}": place["score"], f"track_rank:{track}": place["rank"]}
    return flat
