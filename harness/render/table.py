"""One format-neutral table of a leaderboard: every format only draws its rows.

All text in it is clean (see `harness.render.text`) but not escaped: each format escapes its own
specials. Figures are converted to their column's unit here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from harness.core.challenge import Challenge, Column, Track
from harness.core.counter_registry import Convention
from harness.core.leaderboard import Leaderboard, Row
from harness.core.metrics import label, metric
from harness.render.badges import Badge, badges
from harness.render.text import HINT_LIMIT, NOTE_LIMIT, REMARK_LIMIT, clean, cut, short
from harness.render.units import MISSING, converted, quantity, room_text, shown, times

RowKind = Literal["ranked", "unranked", "floor", "below", "failed", "published"]
SECTIONS: dict[RowKind, str] = {
    "ranked": "Ranked",
    "unranked": "Not ranked",
    "floor": "Floor",
    "below": "Below the floor",
    "failed": "Failed",
}
ENTRIES = "entries"  # the folder of rows' own pages
_LONGEST_SCORE = 1e6  # of an exponential score; longer ones would only widen the table


@dataclass(frozen=True)
class Heading:
    """A column after the name. `better` is "" for a track, else the metric's direction."""

    key: str
    title: str
    unit: str = ""
    group: str = ""
    better: Literal["", "lower", "higher"] = ""
    ranked: bool = False
    scored: bool = False  # a track that shows its score, with the rank beside it
    hint: str = ""
    words: bool = False  # its cells are words, which a value only orders

    @property
    def has_rank(self) -> bool:
        """Whether ranks stand beside this column's figures."""
        return self.ranked or self.scored

    @property
    def full(self) -> str:
        """Title and unit, as in `Runtime [ms]`."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True)
class Cell:
    """A figure as shown; `value` is the same in full precision and in the column's unit."""

    text: str = MISSING
    value: float | None = None
    rank: int | None = None
    best: bool = False
    second: bool = False  # second best
    spread: str = ""  # lowest to highest over the rounds, in the column's unit
    hint: str = ""
    ranks: str = ""  # the range of ranks that the data can't separate, as in 3–5

    @property
    def place(self) -> str:
        """What stands as the rank: a range where the rank is a tie."""
        return self.ranks or ("" if self.rank is None else str(self.rank))


@dataclass(frozen=True)
class Line:
    """A row: who, what was measured, and why it is not ranked."""

    kind: RowKind
    id: str
    team: str
    title: str
    cells: tuple[Cell, ...]
    badges: tuple[Badge, ...] = ()
    remark: str = ""
    hint: str = ""  # the whole names, where they were cut
    link: str = ""  # to all that is known of it

    @property
    def name(self) -> str:
        """Team and model, for formats that set them alike."""
        return " ".join(part for part in (self.team, self.title) if part)

    @property
    def marks(self) -> str:
        """The badges that a reader must know of: a row without any is an ordinary one."""
        return ", ".join(badge.text for badge in self.badges if badge.tone != "good")

    @property
    def empty(self) -> bool:
        """Whether there is no figure in it at all."""
        return all(cell.value is None for cell in self.cells)


@dataclass(frozen=True)
class Table:
    """Headings and rows; the name column in front of every row is not among the headings."""

    title: str
    caption: str
    headings: tuple[Heading, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()  # to know when reading it
    label: str = ""  # by which a text may refer to it

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """Neighbouring headings of one group, with how many they are; empty without groups."""
        runs: list[tuple[str, int]] = []
        for heading in self.headings:
            if runs and runs[-1][0] == heading.group:
                runs[-1] = (heading.group, runs[-1][1] + 1)
            else:
                runs.append((heading.group, 1))
        return tuple(runs) if any(name for name, _ in runs) else ()

    def sections(self) -> tuple[tuple[RowKind, tuple[Line, ...]], ...]:
        """Lines of a kind together, in order; a published line goes with the line above it."""
        parts: list[tuple[RowKind, list[Line]]] = []
        for line in self.lines:
            if parts and line.kind in (parts[-1][0], "published"):
                parts[-1][1].append(line)
            else:
                parts.append((line.kind, [line]))
        return tuple((kind, tuple(lines)) for kind, lines in parts)


def table(board: Leaderboard) -> Table:
    """The board's table in the board's order: name, tracks, then the challenge's columns."""
    challenge = board.challenge
    lines: list[Line] = []
    failed: list[Line] = []  # last, also where one stands in a ranked place of the board
    for row in board.rows:
        if row.entry.role == "floor" and not challenge.show_floor:
            continue
        own = failed if row.entry.failure else lines
        own.append(_line(board, row))
        if challenge.show_published or row.entry.remedy:
            own += _published(board, row)
    headings = (
        *(_of_track(challenge, track) for track in challenge.tracks),
        *((PRECISION,) if not board.one_precision else ()),
        *(heading for column in challenge.columns for heading in _headings(board, column)),
    )
    return Table(
        title=clean(challenge.title),
        caption=clean(challenge.caption or challenge.title),
        headings=headings,
        lines=marked(headings, (*lines, *failed)),
        notes=tuple(short(note, NOTE_LIMIT) for note in board.notes),
        # a paper may show the same challenge as measured and as printed
        label=challenge.id if board.origin == "measured" else f"{challenge.id}_{board.origin}",
    )


PRECISION = Heading("precision", "Precision", hint="Type of weights and input", words=True)
_BITS = {"fp32": 32.0, "fp16": 16.0, "bf16": 16.0}


def kind_of(row: Row) -> RowKind:
    """Where in the table a row stands."""
    if row.entry.failure:
        return "failed"
    if row.entry.role == "floor":
        return "floor"
    if row.ranked:
        return "ranked"
    return "below" if row.below_floor else "unranked"


def reason(row: Row) -> str:
    """The whole reason; of a failure as `timeout in forward: no answer within 300 s`."""
    failure = row.entry.failure
    if failure is not None:
        return clean(f"{failure.reason.replace('_', ' ')} in {failure.stage}: {failure.message}")
    return "" if row.ranked else clean(row.reason)


def page_name(id_: str) -> str:
    """The file of a row's own page. It depends on the id alone, so that links stay."""
    return f"{quote(id_, safe='')}.html"


def anchor(row: Row) -> str:
    """The id of a row's section on the board's page."""
    return f"entry-{quote(row.entry.id, safe='')}"


def link_to(board: Leaderboard, row: Row) -> str:
    """Where all that is known of a row stands: on its page, or of a printed table on the board."""
    if board.origin == "printed":
        return f"#{anchor(row)}"
    return f"{ENTRIES}/{quote(page_name(row.entry.id))}"


def place(track: Track, row: Row) -> Cell:
    """The row's place in a track: its rank, or its score with the rank beside it."""
    standing = row.standings.get(track.id)
    if standing is None:
        return Cell()
    first = standing.rank == 1
    score = converted(standing.score, "")
    if track.kind == "order" or score is None:
        rank = standing.rank
        spread = _tied(row) if track.terms[0].metric == "runtime" else ""
        return Cell(str(rank), float(rank), best=first, spread=spread)
    whole = track.kind == "rank_sum" and score == int(score)
    decimal = f"{score:.3f}" if score < _LONGEST_SCORE else f"{score:.3e}"
    text = f"{score:.0f}" if whole else decimal
    return Cell(text, score, rank=standing.rank, best=first)


def figure(column: Column, row: Row, *, ratio: bool = True) -> Cell:
    """The row's figure for a column, with the rank beside it where the column has ranks.

    `ratio` says whether its hint tells a runtime's ratio to the baseline, if no column does.
    """
    key = column.metric
    value = converted(row.entry.values.get(key), column.unit)
    if value is None:
        return Cell()
    rank = row.ranks.get(key) if column.ranked and row.ranked else None
    return Cell(
        text=f"{value:.{column.decimals}f}",
        value=value,
        rank=rank,
        best=rank == 1,
        spread=_spread(column, row),
        hint="; ".join(_beside(row, key, ratio=ratio)),
        ranks=_tied(row) if key == "runtime" and rank is not None else "",
    )


def _of_track(challenge: Challenge, track: Track) -> Heading:
    """A place by the figure of a column is its rank, and not a second column of that name."""
    title, own = track_title(challenge, track), clean(track.title)
    hint = f"By {own}" if title != own else ""
    return Heading(f"track:{track.id}", title, scored=track.kind != "order", hint=hint)


def track_title(challenge: Challenge, track: Track) -> str:
    """What a track's column is called: Rank, if its own title is that of a column or a group."""
    titles = {it.casefold() for column in challenge.columns for it in (column.title, column.group)}
    named_twice = track.kind == "order" and track.title.casefold() in titles
    return "Rank" if named_twice else clean(track.title)


def marked(headings: Sequence[Heading], lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines with the best and the second best of the ranked ones marked in each column.

    By rank where a column has ranks, else by what is shown: figures that read alike are alike.
    """
    ranked = [line for line in lines if line.kind == "ranked"]
    marks = [_marks(it, [line.cells[at] for line in ranked]) for at, it in enumerate(headings)]
    return tuple(
        replace(line, cells=tuple(map(_mark, line.cells, headings, marks)))
        if line.kind == "ranked"
        else line
        for line in lines
    )


def _mark(cell: Cell, heading: Heading, marks: Sequence[str]) -> Cell:
    if heading.has_rank:
        return replace(cell, second=cell.rank == 2)
    return replace(cell, best=cell.best or cell.text in marks[:1], second=cell.text in marks[1:])


def _marks(heading: Heading, cells: Sequence[Cell]) -> tuple[str, ...]:
    """The shown texts of the best and the second best figure of a column without ranks."""
    shown = {cell.text: cell.value for cell in cells if cell.value is not None}
    if heading.has_rank or not heading.better or len(shown) < 2:
        return ()
    order = sorted(shown, key=lambda it: shown[it] or 0.0, reverse=heading.better == "higher")
    return tuple(order[:2])


def of_column(column: Column) -> Heading:
    """The heading of a challenge's column."""
    return Heading(
        key=column.metric,
        title=clean(column.title),
        unit=column.unit,
        group=clean(column.group),
        better=metric(column.metric).better,
        ranked=column.ranked,
        hint=label(column.metric),
    )


def has_ratio(board: Leaderboard, column: Column) -> bool:
    """Whether the ratio to the baseline stands beside this column."""
    return column.metric == "runtime" and board.has_ratios


def _headings(board: Leaderboard, column: Column) -> Iterator[Heading]:
    own = of_column(column)
    yield own
    if has_ratio(board, column):
        hint = f"Runtime over that of {clean(board.challenge.baseline)}"
        yield Heading("runtime_ratio", "Ratio", "", own.group, "lower", hint=hint)


def _ratio(board: Leaderboard, column: Column, row: Row) -> Cell:
    """With the rank where rows are of several nodes: then it is the ratio that is ranked."""
    shown = board.nodes and column.ranked and row.ranked and not board.one_round
    rank = row.ranks.get("runtime") if shown else None
    ratio, tied = row.runtime_ratio, _tied(row) if rank is not None else ""
    if ratio is None:
        timed = rank is not None or "runtime" in row.entry.values  # of several nodes none is shown
        is_base = row.entry.id == board.challenge.baseline and timed
        return Cell("1", 1.0, rank=rank, best=rank == 1, ranks=tied) if is_base else Cell()
    text, *ends = (f"{it:.3f}" for it in (ratio.point, ratio.low, ratio.high))
    return Cell(text, ratio.point, rank, rank == 1, spread="–".join(ends), ranks=tied)


def _line(board: Leaderboard, row: Row) -> Line:
    entry, challenge = row.entry, board.challenge
    untold = board.one_round and row.ranked
    cells = [
        Cell() if untold and _by_runtime(track) else place(track, row) for track in challenge.tracks
    ]
    if not board.one_precision:
        took_part = kind_of(row) not in ("failed", "floor")
        cells.append(Cell(entry.precision, _BITS[entry.precision]) if took_part else Cell())
    for column in challenge.columns:
        cell = figure(column, row, ratio=not has_ratio(board, column))
        if untold and column.metric == "runtime":
            cell = replace(cell, rank=None, best=False, ranks="")
        cells.append(cell)
        cells += [_ratio(board, column, row)] if has_ratio(board, column) else []
    team, title = clean(entry.team), clean(entry.title or entry.id)
    same = entry.team != "" and entry.title == entry.team
    names = (short(entry.team), "" if same else short(entry.title or entry.id))
    long = names != (team, "" if same else title)
    whole = cut(team if same else f"{team} – {title}", HINT_LIMIT) if long else ""
    return Line(
        kind=kind_of(row),
        id=short(entry.id, 80),
        team=names[0],
        title=names[1],
        cells=tuple(cells),
        badges=badges(row, earlier=board.earlier(row)),
        remark=short(reason(row), REMARK_LIMIT),
        hint=whole,
        link=link_to(board, row),
    )


def _by_runtime(track: Track) -> bool:
    return track.kind == "order" and track.terms[0].metric == "runtime"


def _spread(column: Column, row: Row) -> str:
    interval = row.entry.intervals.get(column.metric)
    if interval is None or not interval.high > interval.low:
        return ""
    low, high = (shown(end, column.unit, column.decimals) for end in (interval.low, interval.high))
    return f"{low}–{high}" if low != high else ""


def _tied(row: Row) -> str:
    """The ranks by runtime that the rounds can't separate, "" where there is one only."""
    span = row.runtime_span
    return "" if span is None or span.first == span.last else f"{span.first}–{span.last}"


def _beside(row: Row, key: str, *, ratio: bool) -> Iterator[str]:
    """The room to the limit, and the runtime over the baseline's."""
    if key in row.margins:
        yield room_text(key, row.margins[key])
    it = row.runtime_ratio
    if ratio and key == "runtime" and it is not None:
        yield f"{times(it.point, it.low, it.high)} the runtime of {short(it.to)}"


def _published(board: Leaderboard, row: Row) -> list[Line]:
    challenge, lines = board.challenge, []
    bases = (it.entry for it in board.rows if it.entry.id == challenge.baseline)
    base = next((it.printed_by_source for it in bases), {})
    for source, figures in row.entry.printed_by_source.items():
        cells = [Cell() for _ in challenge.tracks]
        cells += [Cell()] if not board.one_precision else []
        for column in challenge.columns:
            cells.append(_printed(column, figures, challenge.macs))
            cells += [_printed_ratio(figures, base.get(source, {}))] * has_ratio(board, column)
        line = Line(
            kind="published",
            id=short(row.entry.id, 80),
            team="as published",
            title=short(source),
            cells=tuple(cells),
            hint=cut(clean(source), HINT_LIMIT) if len(clean(source)) > len(short(source)) else "",
        )
        if not line.empty:
            lines.append(line)
    return lines


def _printed_ratio(figures: Mapping[str, float], base: Mapping[str, float]) -> Cell:
    """A printed runtime over the baseline's in the same print; of two machines there is none."""
    if "runtime" not in figures or not base.get("runtime"):
        return Cell()
    ratio = figures["runtime"] / base["runtime"]
    return Cell(f"{ratio:.3f}", ratio)


def _printed(column: Column, figures: Mapping[str, float], convention: Convention) -> Cell:
    """A printed figure of the column's own convention of MACs; the hint tells those of others.

    19.70 G above 19.67 G, counted in another way, would look like a difference of models.
    """
    key = column.metric
    value = converted(figures.get(f"macs_{convention}" if key == "macs" else key), column.unit)
    if value is not None:
        return Cell(f"{value:.{column.decimals}f}", value)
    told = []
    for name in figures if key.startswith("macs") else ():
        if name.startswith("macs"):
            named = metric(name).convention
            by = f"by {named}" if named else "of a convention that is not named"
            told.append(f"{quantity(name, figures[name])} {by}")
    hint = f"Printed: {', '.join(told)}; not the convention of this column" if told else ""
    return Cell(hint=hint)
