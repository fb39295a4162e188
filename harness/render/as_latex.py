"""The table as a LaTeX environment; it needs the packages booktabs and graphicx.

Where a column has ranks they are subscripts, and the first is bold. Where it has none the best
figure is bold and the second one underlined, as papers do.
"""

from __future__ import annotations

import re

from harness.core.run import left_out_dataset
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
_FEW = 4  # columns, which one column of a paper holds
_PATH = re.compile(r"(?<![\w.:/])/(?:[^\s/,;:'\"`]+/)*([^\s/,;:'\"`]+)")
_REMARK = 90  # characters, so that a row does not run out of the page


def escape(text: str) -> str:
    """Text of one line that LaTeX sets as it is; scripts beyond Latin need LuaLaTeX or XeLaTeX."""
    # Two hyphens would become a dash.
    return re.sub("-(?=-)", "-{}", text.translate(_ESCAPES))


def to_latex(table: Table) -> str:
    """A complete `table*` environment, of few columns a `table`: caption, label, booktabs rules.

    It is shrunk where it is wider than the text, and never enlarged.
    """
    body: list[str] = []
    for number, (kind, lines) in enumerate(table.sections()):
        if number:
            body.append(r"\midrule")
        if kind != "ranked":
            width = len(table.headings) + 1
            body.append(rf"\multicolumn{{{width}}}{{l}}{{\emph{{{SECTIONS[kind]}}}}} \\")
        body += [_row(table, line) for line in lines]
    environment, width_of = ("table", "columnwidth") if _narrow(table) else ("table*", "textwidth")
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,graphicx}",
            rf"\begin{{{environment}}}[t]",
            r"\centering",
            rf"\caption{{{escape(table.caption)}}}",
            *([rf"\label{{tab:{_label(table)}}}"] if table.label else []),
            r"\smallskip",
            rf"\resizebox{{\ifdim\width>\{width_of}\{width_of}\else\width\fi}}{{!}}{{%",
            rf"\begin{{tabular}}{{l{'r' * len(table.headings)}}}",
            r"\toprule",
            *_head(table),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            *_below(table),
            rf"\end{{{environment}}}",
            "",
        ]
    )


def _narrow(table: Table) -> bool:
    return len(table.headings) <= _FEW


def _label(table: Table) -> str:
    """Of letters, digits and underscores, which no package makes active within a label."""
    return re.sub(r"\W", "_", table.label, flags=re.ASCII)


def _notes(table: Table) -> list[str]:
    """What a paper's reader must know: what was left out in one line, and no path of a machine."""
    left_out = [name for name in map(left_out_dataset, table.notes) if name]
    told = [_PATH.sub(r"\1", note) for note in table.notes if not left_out_dataset(note)]
    return [*told, *([f"Left out: {', '.join(left_out)}."] if left_out else [])]


def _head(table: Table) -> list[str]:
    rows = []
    if table.groups:
        spans = [rf"\multicolumn{{{count}}}{{c}}{{{escape(name)}}}" for name, count in table.groups]
        rows.append(" & ".join(["", *spans]) + r" \\")
        at = 2  # the column of names comes before them
        for name, count in table.groups:
            if name:
                rows.append(rf"\cmidrule(lr){{{at}-{at + count - 1}}}")
            at += count
    titles = [escape(heading.full) for heading in table.headings]
    first = "Model" if _narrow(table) else "Team / model"
    rows.append(" & ".join([first, *titles]) + r" \\")
    return rows


def _row(table: Table, line: Line) -> str:
    narrow = _narrow(table)
    name = escape((line.title or line.team) if narrow else line.name)
    if line.kind == "published":
        name = rf"\quad\footnotesize\emph{{{name}}}"
    if line.kind == "failed" and line.empty:
        why = escape(cut(line.remark, _REMARK))
        return rf"{name} & \multicolumn{{{len(table.headings)}}}{{l}}{{\emph{{{why}}}}} \\"
    name += rf" {{\scriptsize ({escape(line.marks)})}}" if line.marks and not narrow else ""
    return " & ".join([name, *map(_cell, line.cells)]) + r" \\"


def _cell(cell: Cell) -> str:
    text = escape(cell.text) if cell.value is None else cell.text
    text = rf"\textbf{{{text}}}" if cell.best else text
    text = rf"\underline{{{text}}}" if cell.second and not cell.place else text
    # in mathematics a plain dash would be a minus sign
    place = cell.place.replace("–", r"\mbox{\tiny--}")
    return f"{text}$_{{({place})}}$" if place else text


def _below(table: Table) -> list[str]:
    """Why rows are not ranked, and what else a paper's reader must know."""
    told = [it for it in table.lines if it.remark and not (it.kind == "failed" and it.empty)]
    texts = []
    for what, ranked in (("Remarks", True), ("Not ranked", False)):
        its = [f"{it.name}: {it.remark}" for it in told if (it.kind == "ranked") is ranked]
        texts += [f"{what}: {'; '.join(its)}."] if its else []
    texts += _notes(table)
    if not texts:
        return []
    set_in = (rf"{{\footnotesize\raggedright {escape(it)}\par}}" for it in texts)
    return [r"\par\smallskip", *set_in]
