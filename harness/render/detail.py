"""Everything that is known of one row, as facts and small grids for its section of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.leaderboard import BoardEntry, Leaderboard, Row, counts_of, rounds_of
from harness.core.metrics import QUALITY, Metric, label, metric
from harness.core.model_counts import Counter
from harness.core.record import ImageScore, Memory
from harness.render.badges import Badge, badges
from harness.render.grids import Grid, audited, evidence
from harness.render.plots.runtime_scatter import image_medians, spread
from harness.render.plots.shapes import Drawing
from harness.render.table import RowKind, anchor, kind_of, reason
from harness.render.text import HINT_LIMIT, clean, cut, short
from harness.render.units import MISSING, quantity, room_text, shown, times

_LONG = 2_000  # characters of a text that stands alone

_SOURCES = {
    "rss_above_rest": "resident memory of all its processes, above their level at rest",
    "rss_above_null": (
        "resident memory of all its processes and of its scratch files, above a worker without a "
        "submission and its weights: what its code imports and keeps counts"
    ),
    "rss_peak": "resident memory of the process, above its level after the load",
    "cuda_allocated": "what PyTorch allocated on the GPU",
}
_LEVELS = {"rss_above_rest": "at rest", "rss_above_null": "without it"}


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


def detail(board: Leaderboard, row: Row) -> Detail:
    """What is known of a row of the board."""
    entry = row.entry
    same = entry.team and entry.title == entry.team
    # what readers look for first; the longest, which counts module by module, is the last one
    grids = (_images(entry), _published(entry), audited(entry), _counters(entry), *evidence(entry))
    return Detail(
        anchor=anchor(row),
        kind=kind_of(row),
        team=short(entry.team, HINT_LIMIT),
        title="" if same else short(entry.title or entry.id, HINT_LIMIT),
        badges=badges(row, earlier=board.earlier(row)),
        reason=cut(reason(row), _LONG),
        facts=facts(row),
        remarks=_remarks(entry),
        grids=tuple(grid for grid in grids if grid is not None and grid.rows),
        drawing=spread(entry),
    )


def facts(row: Row) -> tuple[tuple[str, str], ...]:
    """Terms and what they are, in the order of the entry's figures."""
    entry = row.entry
    told = [("Id", short(entry.id, HINT_LIMIT))]
    told += [
        (clean(label(key)), _figure(row, key))
        for key in entry.values
        if not _told_already(key, entry.values)
    ]
    told += _against(row)
    told += _declared(entry)
    # of the round whose peak is the table's figure, so that all are of one process
    measured = [it.memory for it in rounds_of(entry.records) if it.memory is not None]
    worst = max(measured, key=lambda it: it.peak_bytes, default=None)
    return tuple(told) if worst is None else (*told, *_memory(worst))


def _told_already(key: str, values: Mapping[str, float]) -> bool:
    """MACs that are those of a named convention, and luma's PSNR where PSNR is luma's."""
    if key == "macs":
        return values[key] in (it for name, it in values.items() if name.startswith("macs_"))
    return key.startswith("psnr_y:") and values[key] == values.get(key.replace("_y", "", 1))


def _figure(row: Row, key: str) -> str:
    text = quantity(key, row.entry.values[key])
    spread = row.entry.intervals.get(key)
    if spread is not None and spread.low < spread.high:
        text += f" ({quantity(key, spread.low)} to {quantity(key, spread.high)})"
    if key in row.margins:
        text += f", {room_text(key, row.margins[key])}"
    return text


def _against(row: Row) -> list[tuple[str, str]]:
    """The runtime over the baseline's, and the ranks that it may have."""
    told, ratio, span = [], row.runtime_ratio, row.runtime_span
    if ratio is not None:
        text = times(ratio.point, ratio.low, ratio.high)
        told.append((f"Runtime over {short(ratio.to)}", text))
    if span is not None and span.first != span.last:
        told.append(("Rank by runtime", f"{span.first} to {span.last}: not to be told apart"))
    return told


def _declared(entry: BoardEntry) -> list[tuple[str, str]]:
    """How it was run, and the energy's windows: few images stand for all."""
    rounds = rounds_of(entry.timed)
    told: list[tuple[str, str]] = [("Precision", entry.precision)] if rounds else []
    windows = next((it.energy.windows for it in rounds if it.energy), ())
    if windows:
        told.append(("Energy is", f"of the whole card by its counter, over {len(windows)} images"))
    return told


def _memory(memory: Memory) -> list[tuple[str, str]]:
    """How the peak was taken, and what else was seen; a figure that was not taken is left out."""
    told = [("Memory is", f"{_SOURCES[memory.source]} ({memory.source})")]
    others = {
        f"Memory {_LEVELS.get(memory.source, 'after the load')}": memory.level_bytes,
        "Memory reserved by PyTorch": memory.reserved_bytes,
        "Memory of the process (NVML)": memory.nvml_bytes,
    }
    return [*told, *((term, quantity("memory", value)) for term, value in others.items() if value)]


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
        f"Counters at {counts.channels}×{counts.height}×{counts.width}",
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
    scores = entry.scores
    seconds = image_medians(rounds_of(entry.records))
    known = scores.values()
    kinds = [
        kind
        for kind in QUALITY
        if not kind.named_only
        or any(getattr(it, kind.name) not in (None, it.psnr_db) for it in known)
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
