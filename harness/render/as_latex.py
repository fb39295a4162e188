"""The table as a LaTeX environment; it needs the packages booktabs and graphicx."""

from __future__ import annotations

import re

from harness.render.table import SECTIONS, Cell, Line, Table
from harness.render.text import cut

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "–": r"\textendash{}",
        "…": r"\dots{}",
        "×": r"$\times$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "→": r"$\rightarrow$",
    }
    | {character: f"\\{character}" for character in "{}$&#_%"}
    # After a line break `[` and `*` would be read as its arguments, and ` and ' join into quotes.
    | {character: f"{{{character}}}" for character in "[]*`'\""}
)
_REMARK = 90  # characters, so that a row does not run out of the page


def escape(text: str) -> str:
    """Text of one line that LaTeX sets as it is; scripts beyond Latin need LuaLaTeX or XeLaTeX."""
    # Two hyphens would become a dash.
    return re.sub("-(?=-)", "-{}", text.translate(_ESCAPES))


def to_latex(table: Table) -> str:
    """A complete `table*` environment: caption, booktabs rules, ranks as subscripts."""
    body: list[str] = []
    for number, (kind, lines) in enumerate(table.sections()):
        if number:
            body.append(r"\midrule")
        if kind != "ranked":
            width = len(table.headings) + 1
            body.append(rf"\multicolumn{{{width}}}{{l}}{{\emph{{{SECTIONS[kind]}}}}} \\")
        body += [_row(table, line) for line in lines]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,graphicx}",
            r"\begin{table*}[t]",
            r"\centering",
            rf"\caption{{{escape(table.caption)}}}",
            r"\resizebox{\textwidth}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * len(table.headings)}}}",
            r"\toprule",
            *_head(table),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            *_remarks(table),
            *(rf"{{\footnotesize {escape(note)}\par}}" for note in table.notes),
            r"\end{table*}",
            "",
        ]
    )


def _head(table: Table) -> list[str]:
    rows = []
    if table.groups:
        spans = [rf"\multicolumn{{{count}}}{{c}}{{{escape(name)}}}" for name, count in table.groups]
        rows.append(" & ".join(["", *spans]) + r" \\")
        first = 2  # the column of names comes before them
        for name, count in table.groups:
            if name:
                rows.append(rf"\cmidrule(lr){{{first}-{first + count - 1}}}")
            first += count
    titles = [escape(heading.full) for heading in table.headings]
    rows.append(" & ".join(["Team / model", *titles]) + r" \\")
    return rows


def _row(table: Table, line: Line) -> str:
    name = escape(line.name)
    if line.kind == "published":
        name = rf"\quad\footnotesize\emph{{{name}}}"
    if line.kind == "failed" and line.empty:
        why = escape(cut(line.remark, _REMARK))
        return rf"{name} & \multicolumn{{{len(table.headings)}}}{{l}}{{\emph{{{why}}}}} \\"
    name += rf" {{\scriptsize ({escape(line.marks)})}}" if line.marks else ""
    return " & ".join([name, *map(_cell, line.cells)]) + r" \\"


def _cell(cell: Cell) -> str:
    text = escape(cell.text) if cell.value is None else cell.text
    text = rf"\textbf{{{text}}}" if cell.best else text
    # in mathematics a plain dash would be a minus sign
    place = cell.place.replace("–", r"\mbox{\tiny--}")
    return f"{text}$_{{({place})}}$" if place else text


def _remarks(table: Table) -> list[str]:
    told = [
        line for line in table.lines if line.remark and not (line.kind == "failed" and line.empty)
    ]
    if not told:
        return []
    reasons = "; ".join(escape(f"{line.name}: {line.remark}") for line in told)
    return [r"\par\smallskip", rf"{{\footnotesize Not ranked: {reasons}.\par}}"]
