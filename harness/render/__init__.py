"""A leaderboard drawn: HTML page, LaTeX, Markdown, CSV, terminal, JSON document, DataFrame."""

from __future__ import annotations

import json
from pathlib import Path

from harness import atomic
from harness.core.leaderboard import Leaderboard
from harness.render.as_terminal import to_terminal
from harness.render.document import document
from harness.render.frame import to_frame
from harness.render.table import table

__all__ = ["document", "table", "to_frame", "to_json", "to_terminal", "write"]


def write(board: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """Write index.html, table.md, table.tex, table.csv and leaderboard.json into `folder`.

    Each file is replaced whole: a reader sees the old one or the new one. Returns the paths, the
    page first. Raises atomic.WriteError.
    """
    from harness.render.as_csv import to_csv
    from harness.render.as_latex import to_latex
    from harness.render.as_markdown import to_markdown
    from harness.render.page import to_page

    drawn = table(board)
    texts = {
        "index.html": to_page(board),
        "table.md": to_markdown(drawn),
        "table.tex": to_latex(drawn),
        "table.csv": to_csv(drawn),
        "leaderboard.json": to_json(board),
    }
    for name, text in texts.items():
        atomic.write(folder / name, text.encode())
    return tuple(folder / name for name in texts)


def to_json(board: Leaderboard) -> str:
    """`document` as ASCII JSON text: lone surrogates and odd scripts survive any encoding."""
    return json.dumps(document(board), indent=2, allow_nan=False) + "\n"
