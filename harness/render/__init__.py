"""A leaderboard drawn: HTML page, LaTeX, Markdown, CSV, terminal, JSON document, DataFrame."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from harness.core.leaderboard import Leaderboard
from harness.render.as_terminal import to_terminal
from harness.render.document import document
from harness.render.frame import to_frame
from harness.render.table import table

__all__ = ["document", "table", "to_frame", "to_json", "to_terminal", "write"]


def write(board: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """Write index.html, table.md, table.tex, table.csv and leaderboard.json into `folder`.

    The folder is made where it is missing. Each file is replaced whole: a reader sees the old one
    or the new one. Returns the paths, the page first. Raises OSError where it can't be written.
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
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _replace(folder / name, text)
    return tuple(folder / name for name in texts)


def to_json(board: Leaderboard) -> str:
    """`document` as ASCII JSON text: lone surrogates and odd scripts survive any encoding."""
    return json.dumps(document(board), indent=2, allow_nan=False) + "\n"


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(name).chmod(0o644)  # mkstemp's files are the owner's alone; a page is for reading
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
