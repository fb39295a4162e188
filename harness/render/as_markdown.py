"""The table in GitHub's Markdown."""

from __future__ import annotations

from harness.render.table import SECTIONS, Cell, Line, Table

# Entities rather than backslashes where a renderer would otherwise see HTML, a cell's end, a
# link, a mention, an issue or mathematics.
_ESCAPES = str.maketrans(
    {character: f"&#{ord(character)};" for character in "<>|`@#$:\"'~"}
    | {"&": "&amp;"}
    | {character: f"\\{character}" for character in "\\*_[](){}!"}
)


def escape(text: str) -> str:
    """Text of one line that Markdown shows as it is."""
    return text.translate(_ESCAPES).replace("www.", "www&#46;").replace("WWW.", "WWW&#46;")


def to_markdown(table: Table) -> str:
    """A title, one pipe table, its caption, and lists of reasons and of notes."""
    titles = (f"{it.group} {it.full}" if it.group else it.full for it in table.headings)
    heads = ["Team / model", *map(escape, titles)]
    rules = [":---", *("---:" for _ in table.headings)]
    rows = [_row(heads), _row(rules)]
    for kind, lines in table.sections():
        if kind != "ranked":
            rows.append(_row([f"*{SECTIONS[kind]}*", *("" for _ in table.headings)]))
        rows += [_row([_name(line), *map(_cell, line.cells)]) for line in lines]
    parts = [f"# {escape(table.title)}", "\n".join(rows)]
    remarks = [
        f"- **{_plain_name(line)}**: {escape(line.remark)}" for line in table.lines if line.remark
    ]
    if table.caption != table.title:
        parts.append(escape(table.caption))
    notes = [f"- {escape(note)}" for note in table.notes]
    parts += ["\n".join(listed) for listed in (remarks, notes) if listed]
    return "\n\n".join(parts) + "\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain_name(line: Line) -> str:
    return " – ".join(escape(part) for part in (line.team, line.title) if part)


def _name(line: Line) -> str:
    if line.kind == "published":
        return f"<sup>{_plain_name(line)}</sup>"
    name = f"**{escape(line.team)}** {escape(line.title)}" if line.team else escape(line.title)
    name = name.rstrip()
    return f"{name} <sup>{escape(line.marks)}</sup>" if line.marks else name


def _cell(cell: Cell) -> str:
    text = f"**{cell.text}**" if cell.best else cell.text
    return f"{text}<sub>({cell.place})</sub>" if cell.place else text
