"""Tables in a real TeX: they compile, whatever names stand in them, and fit the page."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from fakes import boards

from harness.render import table
from harness.render.as_latex import to_latex
from harness.render.selection import selected
from harness.usecases.report import regenerate

PAPER = r"""
\documentclass[10pt,twocolumn]{article}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{booktabs,graphicx}
\begin{document}
%s
Table~\ref{tab:%s} has the figures.
\end{document}
"""


def compiled(pdflatex: str, folder: Path, text: str, label: str) -> str:
    """The log of the second run, after which references are known."""
    (folder / "paper.tex").write_text(PAPER % (text, label), encoding="utf-8")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    for _ in range(2):
        done = subprocess.run(
            command, check=False, cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout[-2000:]
    return (folder / "paper.log").read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("name", ["ntire2022", "ntire2026", "rlfn_paper_x4"])
def test_published_tables_compile_and_fit_the_page(
    name: str, pdflatex: str, tmp_path: Path
) -> None:
    drawn = table(regenerate(name).board)
    assert drawn.label.endswith("_printed")  # no other label than that of a run of the challenge
    log = compiled(pdflatex, tmp_path, to_latex(drawn), drawn.label)
    assert "undefined" not in log
    assert not re.search(r"Overfull \\hbox \(\d{2,}", log)  # by more than 10 pt


def test_hostile_names_compile(pdflatex: str, tmp_path: Path) -> None:
    text = to_latex(table(boards.full_board()))
    assert "undefined" not in compiled(pdflatex, tmp_path, text, "sample")


def test_few_columns_fit_one_column_of_a_paper(pdflatex: str, tmp_path: Path) -> None:
    few = selected(table(boards.full_board()), columns=("params", "psnr"), rows=("rlfn_ntire",))
    log = compiled(pdflatex, tmp_path, to_latex(few), "sample")
    assert "undefined" not in log
    assert not re.search(r"Overfull \\hbox \(\d{2,}", log)
