"""Everything that is known of one row, as facts and small grids for its section of the page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.leaderboard import BoardEntry, Leaderboard, Row, counts_of, rounds_of
from harness.core.metrics import QUALITY, Metric, label, metric
from harness.core.model_counts import Counter
from harness.core.record import FloorFigures, ImageScore, RoundFigures
from harness.render.badges import Badge, badges
from harness.render.facts import facts, reason
from harness.render.grids import Grid, audited, evidence
from harness.render.runtime_scatter import Drawing, image_medians, spread
from harness.render.table import RowKind, kind_of
from harness.render.text import HINT_LIMIT, clean, cut, short
from harness.render.units import MISSING, quantity, shown

_LONG = 2_000  # characters of a text that stands alone


@dataclass(frozen=True)
class Detail:
    """One row's section."""

    anchor: str
    kind: RowKind
    team: str
    title: str
    badges: tuple[Badge, ...]
    reason: str
    facts: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    grids: tuple[Grid, ...]
    drawing: Drawing | None = None  # of how its runtime scatters


def details(board: Leaderboard) -> tuple[Detail, ...]:
    """A section for every row of the board, under the anchors that the table links to."""
    return tuple(
        _detail(board, row, anchor=f"entry-{index + 1}") for index, row in enumerate(board.rows)
    )


def _detail(board: Leaderboard, row: Row, *, anchor: str) -> Detail:
    entry = row.entry
    same = entry.team and entry.title == entry.team
    grids = (audited(entry), _counters(entry), *evidence(entry), _published(entry), _images(entry))
    return Detail(
        anchor=anchor,
        kind=kind_of(row),
        team=short(entry.team, HINT_LIMIT),
        title="" if same else short(entry.title or entry.id, HINT_LIMIT),
        badges=badges(row, earlier=board.earlier(row)),
        reason=cut(reason(row), _LONG),
        facts=facts(row),
        remarks=_remarks(entry),
        grids=tuple(grid for grid in grids if grid is not None and grid.rows),
        drawing=spread(entry, salt=anchor),
    )


def _remarks(entry: BoardEntry) -> tuple[str, ...]:
    told = [f"counts: {reason}" for reason in (entry.verdict.reasons if entry.verdict else ())]
    told += entry.notes
    counts = counts_of(entry.records)
    if counts is not None:
        told += counts.notes
    return tuple(dict.fromkeys(short(text, _LONG) for text in told))


def _counters(entry: BoardEntry) -> Grid | None:
    counts = counts_of(entry.records)
    if counts is None:
        return None
    return Grid(
        f"Counters at 3×{counts.height}×{counts.width}",
        (
            "Counter",
            "MACs [G]",
            "Conv and matmul [G]",
            "Activations [M]",
            "Convs",
            "Device",
            "Remarks",
        ),
        tuple(_counter(counter) for counter in counts.counters),
        words=frozenset({0, 5, 6}),
    )


def _counter(counter: Counter) -> tuple[str, ...]:
    missed = [f"{name} ×{calls}" for name, calls in counter.uncounted.items()]
    remarks = [f"not counted: {', '.join(missed)}"] if missed else []
    remarks += [counter.error] if counter.error else []
    return (
        short(counter.name),
        shown(counter.macs, "G", 6),
        shown(counter.matmul_macs, "G", 6),
        shown(counter.activations, "M", 6),
        shown(counter.convs, "", 0),
        short(counter.device),
        short("; ".join(remarks), HINT_LIMIT),
    )


def _published(entry: BoardEntry) -> Grid:
    rows = []
    for source, figures in entry.printed_by_source.items():
        for key, printed in figures.items():
            ours = entry.values.get(key)
            rows.append(
                (
                    "MACs (convention not named)" if key == "macs" else clean(label(key)),
                    short(source, HINT_LIMIT),
                    quantity(key, printed),
                    quantity(key, ours),
                    _difference(key, ours, printed),
                )
            )
    heads = ("Figure", "Source", "Published", "Measured", "Measured − published")
    return Grid("Published and measured", heads, tuple(rows), words=frozenset({0, 1}))


def _difference(key: str, ours: float | None, printed: float) -> str:
    if ours is None or not metric(key).comparable:
        return MISSING
    text = quantity(key, abs(ours - printed))
    if not any(digit in text for digit in "123456789"):
        return "0"
    return f"{'−' if ours < printed else '+'}{text}"


def _images(entry: BoardEntry) -> Grid:
    scores = _scores(entry)
    seconds = image_medians(rounds_of(entry.records))
    known = scores.values()
    kinds = [
        kind
        for kind in QUALITY
        if not kind.named_only or any(getattr(score, kind.name) is not None for score in known)
    ]
    rows = [
        (
            *map(short, name),
            *(_scored(kind, scores.get(name)) for kind in kinds),
            shown(seconds.get(name), "ms", 2),
        )
        for name in dict.fromkeys([*scores, *seconds])
    ]
    titles = (f"{kind.label} [{kind.shown}]" if kind.shown else kind.label for kind in kinds)
    heads = ("Data set", "Image", *titles, "Runtime [ms], median")
    return Grid("Images", heads, tuple(rows), words=frozenset({0, 1}))


def _scored(kind: Metric, score: ImageScore | None) -> str:
    value = getattr(score, kind.name) if score else None
    return "identical" if value == math.inf else shown(value, kind.shown, kind.decimals)


def _scores(entry: BoardEntry) -> dict[tuple[str, str], ImageScore]:
    """The scores of the lowest round, which are those that the table shows."""
    found: dict[int, Iterable[ImageScore]] = {
        record.round: record.outcome.scores
        for record in reversed(entry.records)
        if isinstance(record.outcome, (RoundFigures, FloorFigures))
    }
    first = found[min(found)] if found else ()
    return {(score.dataset, score.image): score for score in first}
