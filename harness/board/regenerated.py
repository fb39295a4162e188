"""A printed table as boards: its figures ranked again, once for each ruling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.board.rank import rank
from harness.core.challenge import Challenge
from harness.core.leaderboard import BoardEntry, Leaderboard
from harness.core.metrics import dataset_of, label
from harness.core.model_counts import CountVerdict
from harness.core.printed_table import TRACK, Correction, PrintedRow, PrintedTable, Ruling


def judge_printed(
    challenge: Challenge, table: PrintedTable, rows: Sequence[PrintedRow], ruling: Ruling
) -> Leaderboard:
    """The board of a table's rows under one of its rulings, with notes on ties and agreement."""
    rules = challenge
    if ruling.limits == "unrounded":
        limits = tuple(replace(limit, decimals=None) for limit in challenge.limits)
        rules = replace(challenge, limits=limits)
    if ruling != table.rulings[0]:
        rules = replace(rules, title=f"{rules.title}: {ruling.title}")
    entries = [_averaged(row.entry, rules) for row in rows]
    entries = [_treated(entry, table.corrections, ruling) for entry in entries]
    figures = challenge.baseline_figures.figures() if challenge.baseline_figures else None
    ranked_macs = f"macs_{rules.macs}"
    if figures and ranked_macs in figures:
        figures["macs"] = figures[ranked_macs]
    board = rank(rules, entries, tie_order=table.tie_order, baseline_figures=figures)
    compared = () if ruling != table.rulings[0] else _agreement(board, rows)
    notes = (*table.notes, *_ties(table, challenge, entries), *compared, *board.notes)
    board = replace(board, notes=notes, printed_in=table.source)
    if table.ranked:
        return board
    at = {row.entry.id: number for number, row in enumerate(rows)}
    plain = (replace(row, ranks={}, standings={}) for row in board.rows)
    return replace(board, rows=tuple(sorted(plain, key=lambda row: at[row.entry.id])))


def as_printed(challenge: Challenge, table: PrintedTable, rows: Sequence[PrintedRow]) -> Challenge:
    """The rules under the table's title, without what no row of it has a figure for."""
    printed = {key for row in rows for key in _averaged(row.entry, challenge).values}
    absent = {use.name for use in challenge.datasets if not use.required}
    kept = challenge.without(absent - {dataset_of(key) for key in printed})
    return replace(
        kept,
        title=table.title if table.rules == kept.id else f"{table.title}, by {kept.id}",
        description=table.description,
        caption=table.caption or kept.caption,
        columns=tuple(it for it in kept.columns if it.metric in printed) or kept.columns,
        tracks=kept.tracks if table.ranked else (),
        show_floor=False,
        show_published=False,
    )


def _averaged(entry: BoardEntry, challenge: Challenge) -> BoardEntry:
    """With the mean of the data sets' runtimes, where print gives those and no mean.

    A mean over images can't be had from them.
    """
    each = [entry.values.get(f"runtime:{name}") for name in challenge.timed()]
    there = [seconds for seconds in each if seconds is not None]
    if "runtime" in entry.values or not there or len(there) < len(each):
        return entry
    if challenge.runtime_mean != "datasets":
        return entry
    return replace(entry, values={**entry.values, "runtime": sum(there) / len(there)})


def _treated(entry: BoardEntry, corrections: Sequence[Correction], ruling: Ruling) -> BoardEntry:
    """With its wrong figures corrected, or as they are with the verdict on them."""
    mine = [it for it in corrections if it.entry == entry.id]
    done = "corrected" if ruling.corrected else "as printed"
    told = tuple(f"{label(it.metric)} {done}: {it.evidence}" for it in mine)
    if ruling.corrected:
        values = {**entry.values, **{it.metric: it.base_value for it in mine}}
        return replace(entry, values=values, notes=(*entry.notes, *told))
    incomplete = any(it.verdict == "incomplete" for it in mine)
    verdict = CountVerdict("incomplete" if incomplete else "disputed", told)
    return replace(entry, verdict=verdict) if mine else entry


def _ties(table: PrintedTable, challenge: Challenge, entries: Sequence[BoardEntry]) -> list[str]:
    teams = {entry.id: entry.team for entry in entries}
    titles = {f"{TRACK}{track.id}": track.title for track in challenge.tracks}
    notes = []
    for key, ids in table.tie_order.items():
        rows = ", ".join(teams[id_] for id_ in ids)
        if key in titles:
            notes.append(f"Of equal scores in {titles[key]}, print takes this order: {rows}.")
        elif not key.startswith(TRACK):
            notes.append(f"{rows}: equal {label(key)} at the printed precision, in print's order.")
    if notes:
        notes.append(
            "That order is taken from print; it is the one thing here that the figures don't give. "
            "Other such ties stand in runtime order."
        )
    return notes


def _agreement(board: Leaderboard, rows: Sequence[PrintedRow]) -> list[str]:
    """How many printed places and sums come out, and each that does not."""
    printed = {row.entry.id: row.places for row in rows}
    total, told = 0, []
    for row in board.rows:
        ours = {f"rank {key}": float(place) for key, place in row.ranks.items()}
        for track, standing in row.standings.items():
            ours |= {f"rank {track}": standing.rank, f"score {track}": standing.score}
        for key, value in printed[row.entry.id].items():
            total += 1
            if ours.get(key) != value:
                got = f"{ours[key]:g}" if key in ours else "none"
                told.append(f"{row.entry.team}: {key} is {value:g} in print and {got} by the rules")
    if not total:
        return []
    said = f"Of {total} printed places and sums, {total - len(told)} come out of the figures."
    return [" ".join([said, *(f"{line}." for line in told)])]
