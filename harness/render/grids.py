"""The small tables of one entry's section: what stands behind its counts, and its audits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.audit import CLAIMED
from harness.core.counter_registry import COMPARED, COUNTERS, DISPATCH, HOOKS
from harness.core.leaderboard import BoardEntry, counts_of
from harness.core.model_counts import BeforeDeploy, Counts
from harness.counts.consistency import expected
from harness.render.text import short
from harness.render.units import MISSING, shown

_OPERATORS = 10  # rows a counter
_MODULES = 40
_COLUMNS = tuple(
    it.id for it in sorted(COUNTERS, key=lambda it: not it.compared) if not it.witness_of
)
_SAME = 1e-3  # of a module's part: fvcore rounds einsum

_EVIDENCE = 600  # characters of an audit's
_WHAT = {
    "clock": "our clock around forwards",
    "collect": "time to fetch an output",
    "repeats": "seen against unseen images",
    "outputs": "output follows the pixels",
    "scores": "as good where nobody can have stored it",
    "constants": "no image stored in its tensors",
    "counted": "counted and timed network",
    "threads": "processor time of forwards",
    "idle": "at rest after a forward",
    "floor": "machine's peak",
    "references": "clocks and our functions",
    "flags": "global settings",
    "input": "input left alone",
    "precision": "precision of the operators",
}


@dataclass(frozen=True)
class Grid:
    """A small table. Columns whose index is in `words` hold text, the others figures."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})


def audited(entry: BoardEntry) -> Grid:
    """A row for each audit; those that the worker alone can tell say so."""
    rows = tuple(
        (
            audit.id,
            _WHAT[audit.id],
            audit.verdict,
            "worker" if audit.id in CLAIMED else "harness",
            short(audit.evidence, _EVIDENCE),
        )
        for audit in entry.audits
    )
    heads = ("Audit", "Of", "Verdict", "Seen by", "Evidence of the worst round")
    return Grid("Audits of the measurement", heads, rows, words=frozenset(range(5)))


def evidence(entry: BoardEntry) -> tuple[Grid, ...]:
    """The grids of an entry that was counted; one without rows is not drawn."""
    counts = counts_of(entry.records)
    if counts is None:
        return ()
    return (_fusing(counts), _followed(counts), _held(counts), _operators(counts), _modules(counts))


def _fusing(counts: Counts) -> Grid:
    """Before and after: what `deploy` did, or the model itself at its first forward."""
    heads = ("Figure", "Before", "After")
    if counts.unfused is not None:
        rows = tuple(_deployed(counts, counts.unfused))
        return Grid("Before and after the entry's deploy function", heads, rows)
    changed = counts.params_before != counts.params
    row = ("Params", f"{counts.params_before:,}", f"{counts.params:,}")
    title = "Before and after the model's first forward"
    return Grid(title, heads, (row,) if changed else ())


def _deployed(counts: Counts, before: BeforeDeploy) -> Iterator[tuple[str, ...]]:
    hooks = counts.counter(HOOKS)
    if before.params or before.macs:
        yield "Params", f"{before.params:,}", f"{counts.params:,}"
        for name in (it.id for it in COMPARED):
            after = counts.counter(name)
            macs = shown(before.macs.get(name), "G", 6)
            yield f"MACs ({name}) [G]", macs, shown(after.macs if after else None, "G", 6)
        activations = hooks.activations if hooks else None
        yield "Activations [M]", shown(before.activations, "M", 6), shown(activations, "M", 6)
        yield "Convs", shown(before.convs, "", 0), shown(hooks.convs if hooks else None, "", 0)
    if before.difference is not None:
        apart = f"{before.difference:.2g} of the data range"
        yield f"Outputs apart, {before.side}×{before.side} photograph", MISSING, apart
    if before.error:
        yield "Not compared", short(before.error, 160), MISSING


def _followed(counts: Counts) -> Grid:
    """The closed form beside the dispatch counter, here and at another size."""
    reads, there = counts.reads, counts.elsewhere
    rows = []
    dispatch = counts.counter(DISPATCH)
    if reads is not None and not reads.error:
        counted = dispatch.macs if dispatch else None
        others, hidden = expected(reads) - reads.closed_form, sum(reads.opaque.values())
        macs = (reads.closed_form, others, hidden, counted)
        rows.append((f"{counts.height}×{counts.width}", *(shown(it, "G", 6) for it in macs)))
    if there is not None and not there.error:
        size = f"{there.height}×{there.width}"
        form, ran = shown(there.closed_form, "G", 6), shown(there.macs, "G", 6)
        rows.append((size, form, MISSING, MISSING, ran))
    heads = (
        "LR input",
        "Weights × positions [G]",
        "Products of image parts [G]",
        "Of both, in opaque operators [G]",
        "Dispatch counter [G]",
    )
    return Grid("What was read must cost", heads, tuple(rows))


def _held(counts: Counts) -> Grid:
    held = counts.reads.held if counts.reads is not None else ()
    rows = tuple(
        (short(it.name, 100), short(it.kind), short(it.role), f"{it.numel:,}") for it in held
    )
    heads = ("Tensor", "Kind", "Read as", "Values")
    return Grid("Read, and no parameters", heads, rows, words=frozenset({0, 1, 2}))


def _operators(counts: Counts) -> Grid:
    rows = tuple(
        (
            short(counter.name),
            short(share.name, 80),
            str(share.calls) if share.calls else MISSING,
            shown(share.macs, "G", 6),
        )
        for counter in counts.counters
        for share in counter.by_operator[:_OPERATORS]
    )
    heads = ("Counter", "Operator or kind of module", "Calls", "MACs [G]")
    return Grid("Counted by operator", heads, rows, words=frozenset({0, 1}))


def _modules(counts: Counts) -> Grid:
    """Each module's own part by each counter; those that the counters differ on come first."""
    parts: dict[str, dict[str, int]] = {}
    for counter in counts.counters:
        for share in counter.by_module:
            parts.setdefault(share.name, {})[counter.name] = share.macs
    named = sorted(parts.items(), key=lambda item: (_agree(item[1]), -max(item[1].values())))
    rows = [
        (short(name, 80), *(shown(macs.get(column), "M", 3) for column in _COLUMNS))
        for name, macs in named[:_MODULES]
    ]
    if len(named) > _MODULES:
        rows.append((f"and {len(named) - _MODULES} more", *(MISSING for _ in _COLUMNS)))
    heads = ("Module, without those inside", *(f"{name} [M]" for name in _COLUMNS))
    return Grid("Counted by module", heads, tuple(rows))


def _agree(macs: dict[str, int]) -> bool:
    """Whether those who count matrix products have one figure; activations are convention."""
    if not macs.get(DISPATCH):
        return True
    figures = [macs.get(it.id, 0) for it in COMPARED]
    return max(figures) - min(figures) <= _SAME * max(figures)
