"""A published table under several rulings, side by side: which places change, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.core.challenge import Column
from harness.core.leaderboard import Leaderboard, Row
from harness.core.metrics import label, metric
from harness.core.printed_table import Judged, Regenerated, Ruling
from harness.render.badges import Badge, badges
from harness.render.table import (
    Cell,
    Heading,
    Line,
    Table,
    figure,
    kind_of,
    link_to,
    of_column,
    place,
    reason,
)
from harness.render.text import clean, short
from harness.render.units import converted, quantity

_MARGIN_DECIMALS = 4
_CHANGES = Badge("place changes", "warn", "The rulings place this row differently")


def rulings_table(again: Regenerated) -> Table | None:
    """Every row with its places under each ruling and its margins; None for a single ruling."""
    if len(again.judged) < 2:
        return None
    challenge = again.board.challenge
    keys = {correction.metric for correction in again.table.corrections}
    columns = tuple(column for column in challenge.columns if column.metric in keys)
    found = [{row.entry.id: row for row in judged.board.rows} for judged in again.judged]
    lines = [
        _line(again, columns, [rows[row.entry.id] for rows in found]) for row in again.board.rows
    ]
    return Table(
        title=clean(f"{challenge.title}: rulings side by side"),
        caption=clean(
            f"{challenge.title}. " + " ".join(_meaning(it.ruling) for it in again.judged)
        ),
        headings=tuple(_headings(again, columns)),
        lines=tuple(lines),
        notes=rulings_notes(again),
        label=f"{challenge.id}_rulings",
    )


def rulings_notes(again: Regenerated) -> tuple[str, ...]:
    """What each ruling does, and the evidence for each corrected figure."""
    told = [_meaning(it.ruling) for it in again.judged]
    told.append("A place that rows share is written with an equals sign, as 1=.")
    rows = {row.entry.id: row for row in again.board.rows}
    for correction in again.table.corrections:
        entry, key = rows[correction.entry].entry, correction.metric
        was, is_ = (quantity(key, it) for it in (entry.values.get(key), correction.base_value))
        told.append(f"{entry.team}, {label(key)}: {was} in print, {is_}. {correction.evidence}")
    return tuple(clean(text) for text in told)


def _meaning(ruling: Ruling) -> str:
    limits = "as they stand, unrounded" if ruling.limits == "unrounded" else "as the rules round"
    figures = "with the corrections" if ruling.corrected else "as printed"
    return f"{ruling.title}: limits {limits}; figures {figures}."


def _headings(again: Regenerated, columns: Sequence[Column]) -> list[Heading]:
    """The first track, the margins, the corrected figures, the other tracks: as `_line`."""
    challenge = again.board.challenge
    titles = [(it.ruling.id, clean(it.ruling.title)) for it in again.judged]
    tracks = [
        Heading(
            f"{id_}:track:{track.id}", title, group=clean(track.title), scored=track.kind != "order"
        )
        for track in challenge.tracks
        for id_, title in titles
    ]
    figures = [
        replace(head, key=f"{id_}:{head.key}", title=title, group=head.title, hint="")
        for head in map(of_column, columns)
        for id_, title in titles
    ]
    short_titles = {it.metric: it.title for it in reversed(challenge.columns)}
    margins = [
        Heading(
            f"margin:{key}",
            clean(short_titles.get(key, label(key))),
            unit=metric(key).shown,
            group="Margin",
        )
        for key in dict.fromkeys(limit.metric for limit in challenge.limits)
    ]
    return [*tracks[: len(titles)], *margins, *figures, *tracks[len(titles) :]]


def _line(again: Regenerated, columns: Sequence[Column], rows: list[Row]) -> Line:
    first = rows[0]
    marks = badges(first, earlier=())
    later = list(zip(again.judged[1:], rows[1:], strict=True))
    told = [text for it, row in later for text in _why(again, it, columns, (first, row))]
    places = _labels(again.board, first)
    moved = any(places != _labels(it.board, row) for it, row in later)
    challenge = again.board.challenge
    tracks = [place(track, row) for track in challenge.tracks for row in rows]
    figures = [figure(column, row) for column in columns for row in rows]
    margins = []
    for key in dict.fromkeys(limit.metric for limit in challenge.limits):
        room = converted(first.margins.get(key), metric(key).shown)
        margins.append(Cell() if room is None else Cell(f"{room:+.{_MARGIN_DECIMALS}f}", room))
    return Line(
        kind=kind_of(first),
        id=short(first.entry.id, 80),
        team=short(first.entry.team),
        title="" if first.entry.title == first.entry.team else short(first.entry.title),
        cells=(*tracks[: len(rows)], *margins, *figures, *tracks[len(rows) :]),
        badges=(*marks, _CHANGES) if moved else marks,
        remark="; ".join(told) or reason(first),
        link=link_to(again.board, first),
    )


def _why(
    again: Regenerated, judged: Judged, columns: Sequence[Column], rows: tuple[Row, Row]
) -> list[str]:
    """What the ruling changes for a row, `rows` being it before and after."""
    before, after = rows
    told = []
    for column in columns:
        was, is_ = (row.entry.values.get(column.metric) for row in rows)
        if was != is_:
            figures = (quantity(column.metric, value) for value in (was, is_))
            told.append(f"{clean(column.title)} {' → '.join(figures)}")
    if before.ranked and not after.ranked:
        return [*told, f"no longer ranked: {reason(after)}"]
    places, others = _labels(again.board, before), _labels(judged.board, after)
    steps = [
        f"{clean(track.title)} {places[track.id]} → {others[track.id]}"
        for track in again.board.challenge.tracks
        if track.id in places and places[track.id] != others.get(track.id)
    ]
    if steps:
        told.append(", ".join(steps) + _causes(again, judged, before))
    return told


def _labels(board: Leaderboard, row: Row) -> dict[str, str]:
    """The row's places by track, one that others share as `1=`."""
    places = [(id_, it.rank) for other in board.rows for id_, it in other.standings.items()]
    return {
        id_: f"{it.rank}=" if places.count((id_, it.rank)) > 1 else str(it.rank)
        for id_, it in row.standings.items()
    }


def _causes(again: Regenerated, judged: Judged, row: Row) -> str:
    """What moves a row: its own figures, those that drop out, and the figures of others."""
    kept = {it.entry.id for it in judged.board.rows if it.ranked}
    gone = sum(it.ranked and it.entry.id not in kept for it in again.board.rows)
    corrected = {it.entry for it in again.table.corrections if judged.ruling.corrected}
    causes = ["its own figures are corrected"] if row.entry.id in corrected else []
    causes += [f"{gone} rows are no longer ranked"] if gone else []
    if corrected - {row.entry.id}:
        causes.append("figures of other rows are corrected")
    return f", as {' and '.join(causes)}" if causes else ""
