"""Who is ranked, and where: the rules of a challenge applied to measured rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal, cast

from harness.board.scoring import cost, places, score
from harness.core.challenge import Challenge, Limit
from harness.core.leaderboard import BoardEntry, EntryBadge, Leaderboard, Row
from harness.core.metrics import label, metric
from harness.core.record import Environment

_EVERY_DIGIT = Context(prec=400)  # of the largest float, with the decimals that rules may ask for


def rank(
    challenge: Challenge,
    entries: Sequence[BoardEntry],
    *,
    environment: Environment | None = None,
    notes: Sequence[str] = (),
    tie_order: Mapping[str, Sequence[str]] | None = None,
    baseline_figures: Mapping[str, float] | None = None,
    barred: Mapping[str, str] | None = None,
) -> Leaderboard:
    """The board of `entries` under the rules of `challenge`, whatever order they come in.

    An entry is ranked when it went through, may be ranked, no audit rejects its measurement (nor
    doubts it, where the rules say so), it has every figure that a limit or a term needs, keeps
    every limit, and has no less PSNR than the floor on any data set (unless the rules rank such
    rows); else its row says why not, and moves nobody. Rows stand by the first track's rank, then
    runtime, then id: ranked, not ranked, floor, below the floor, failed. Without a track the
    references lead.

    Ordinal ties stand in runtime order, then by id, unless `tie_order` lists a metric's ids, or by
    `track:ID` a track's, in the order of their ties. No run needs it, as measured figures hardly
    tie: it is for a printed table that is ranked again, since tables are printed with fewer digits
    than they were ranked by (the published NTIRE 2022 table is, in the tests).

    A baseline that is not ranked still serves the scores, if it has the figures; where it has not,
    the track has no standings and the board a note. `baseline_figures`, by metric key in base
    units, stand in for a baseline without a row: again for a printed table alone, as a run's
    figures are compared with no other machine's. `barred` says, by id, why an entry has no times
    that may be ranked.

    Raises ValueError where an id stands twice or a figure is NaN.
    """
    _refuse_nonsense(entries)
    kept_out = barred or {}
    floor = next((entry for entry in entries if entry.role == "floor"), None)
    below = {entry.id: _below(floor, entry) for entry in entries}
    reasons = {
        it.id: _reasons(challenge, it, kept_out.get(it.id, ""), below[it.id]) for it in entries
    }
    ranked = [entry for entry in entries if entry.role != "floor" and not reasons[entry.id]]
    ids = {entry.id for entry in ranked}
    turns = {key: _turns(ranked, (tie_order or {}).get(key, ())) for key in challenge.metrics()}
    ranks = {
        key: places(
            {row.id: (cost(key, row.values[key]),) for row in ranked if key in row.values},
            challenge.rank_ties,
            turns[key],
        )
        for key in turns
    }
    turns |= {key: _turns(ranked, ids) for key, ids in (tie_order or {}).items()}
    name = challenge.baseline
    baseline = next((entry for entry in entries if entry.id == name), None)
    if baseline is None and baseline_figures is not None:
        baseline = BoardEntry(name, "", name, "reference", values=baseline_figures)
    standings, told = score(challenge, ranked, baseline, ranks=ranks, turns=turns)
    shown = _ranked_metrics(challenge)
    rows = [
        Row(
            entry,
            ranked=entry.id in ids,
            reason="; ".join(reasons[entry.id]),
            ranks={key: ranks[key][entry.id] for key in shown if entry.id in ranks[key]},
            standings={
                track: table[entry.id] for track, table in standings.items() if entry.id in table
            },
            margins=_margins(challenge, entry),
            below_floor=tuple(below[entry.id]),
        )
        for entry in entries
    ]
    rows.sort(key=lambda row: _row_order(challenge, row))
    notes = (*notes, *_nowhere(challenge, entries), *told)
    return Leaderboard(challenge, tuple(rows), environment, notes)


def rounded(value: float, decimals: int) -> Decimal:
    """`value` as a table prints it: the shortest decimal that names the float, rounded half up.

    28.945 counts as 28.95, as it would for whoever reads the full figure, although the float lies
    a hair below it and `round` gives 28.94. An infinity stays one.
    """
    exact = _exact(value)
    if not exact.is_finite():
        return exact
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _EVERY_DIGIT)


def _reasons(
    challenge: Challenge, entry: BoardEntry, barred: str, below: Mapping[str, float]
) -> list[str]:
    """All that keeps the entry from being ranked; of a floor that it is not is no fault."""
    if entry.failure or entry.role == "floor":
        return [entry.reason] if entry.failure else []
    faults: list[str] = []
    # any other reference may be entered
    named = entry.id in (*challenge.references, challenge.baseline)
    shown_only = entry.role == "reference" and named
    if entry.untrained:
        told = f"{EntryBadge.UNTRAINED}: {entry.remedy}" if entry.remedy else EntryBadge.UNTRAINED
        faults += [] if challenge.rank_untrained else [told]
    elif not entry.rankable or (shown_only and not challenge.rank_references):
        faults.append("not entered for ranking")
    if challenge.capture == "required" and EntryBadge.AS_CODE in entry.marks:
        faults.append("its network was not captured, which the rules require")
    against = ("rejected",) if challenge.rank_suspect else ("rejected", "suspect")
    faults += [
        f"{audit.verdict} by the audit of {audit.id}: {audit.evidence}"
        for audit in entry.audits
        if audit.verdict in against
    ]
    absent = [key for key in challenge.needed() if key not in entry.values]
    if entry.remedy and not challenge.rank_untrained:  # it is said above why there is no quality
        absent = [key for key in absent if not metric(key).quality]
    barred = barred or _of_another_runtime(entry, absent)
    if barred:  # which says why there are no times
        absent = [key for key in absent if metric(key).unit != "s"]
        faults.append(barred)
    faults += [f"not measured: {', '.join(map(label, absent))}"] if absent else []
    if below and not challenge.rank_below_floor:
        by = ", ".join(f"{name} (by {less:.2g} dB)" for name, less in below.items())
        faults.append(f"below the floor: plain upscaling has more PSNR on {by}")
    return [*faults, *_breaches(challenge, entry)]


def _of_another_runtime(entry: BoardEntry, absent: Sequence[str]) -> str:
    """Why a runtime that the rules need is not there."""
    if EntryBadge.ONNXRUNTIME in entry.marks and any(metric(key).unit == "s" for key in absent):
        return "run by onnxruntime, whose runtime is no comparison with torch's"
    return ""


def _nowhere(challenge: Challenge, entries: Sequence[BoardEntry]) -> list[str]:
    """What to say of needed figures that no row has: it is the rules' or the machine's doing."""
    rows = [entry for entry in entries if entry.values and entry.role != "floor"]
    absent = [key for key in challenge.needed() if not any(key in row.values for row in rows)]
    if not rows or not absent:
        return []
    return [
        f"No row is ranked, since none has {', '.join(map(label, absent))}, which the rules need."
    ]


def _breaches(challenge: Challenge, entry: BoardEntry) -> list[str]:
    """What to say of limits that are not kept."""
    faults = []
    for limit in challenge.limits:
        value = entry.values.get(limit.metric)
        if value is None:
            continue
        bound, word = _bound(limit)
        judged = _exact(value) if limit.decimals is None else rounded(value, limit.decimals)
        if judged < _exact(bound) if word == "below" else judged > _exact(bound):
            unit = f" {metric(limit.metric).unit}".rstrip()
            form = f".{limit.decimals}f" if limit.decimals is not None else _form(value, bound)
            figure, edge = f"{float(judged):{form}}{unit}", f"{bound:{form}}{unit}"
            faults.append(f"{label(limit.metric)} {figure} is {word} {edge}")
    return faults


def _form(value: float, bound: float) -> str:
    """The fewest digits, of six at least, by which an unrounded figure differs from its bound.

    Large figures are counts, which are told whole.
    """
    least = 6 if max(abs(value), abs(bound)) < 1e6 else 15
    digits = (it for it in range(least, 15) if f"{value:.{it}g}" != f"{bound:.{it}g}")
    return f",.{next(digits, 15)}g"


def _margins(challenge: Challenge, entry: BoardEntry) -> dict[str, float]:
    """The unrounded room to each metric's nearest limit, in base units; negative beyond it."""
    margins: dict[str, float] = {}
    for limit in challenge.limits:
        if limit.metric in entry.values:
            bound, word = _bound(limit)
            above = entry.values[limit.metric] - bound
            room = above if word == "below" else -above
            margins[limit.metric] = min(room, margins.get(limit.metric, math.inf))
    return margins


def _below(floor: BoardEntry | None, entry: BoardEntry) -> dict[str, float]:
    """By how much a trained model's PSNR is below the floor's, on the datasets where it is."""
    if floor is None or entry.untrained:
        return {}
    keys = [key for key in floor.values if key.startswith("psnr:") and key in entry.values]
    less = {key[5:]: floor.values[key] - entry.values[key] for key in keys}
    return {name: it for name, it in less.items() if it > 0.0}


def _bound(limit: Limit) -> tuple[float, Literal["below", "above"]]:
    """The bound, and where a figure must not lie."""
    if limit.at_least is not None:
        return limit.at_least, "below"
    return cast("float", limit.at_most), "above"  # a Limit has one of the two


def _ranked_metrics(challenge: Challenge) -> tuple[str, ...]:
    """The metrics whose ranks a board holds: drawn beside the figure, or summed by a track."""
    keys = [column.metric for column in challenge.columns if column.ranked]
    for track in challenge.tracks:
        keys += [term.metric for term in track.terms if track.kind == "rank_sum"]
    return tuple(dict.fromkeys(keys))


def _turns(ranked: Sequence[BoardEntry], listed: Sequence[str]) -> dict[str, int]:
    """The order in which equals stand: those listed, then by runtime, then by id."""
    at = {id_: number for number, id_ in enumerate(listed)}
    order = sorted(ranked, key=lambda it: (at.get(it.id, len(at)), _runtime(it), it.id))
    return {entry.id: number for number, entry in enumerate(order)}


def _row_order(challenge: Challenge, row: Row) -> tuple[float | str, ...]:
    entry = row.entry
    if entry.failure:
        group = 4
    elif entry.role == "floor":
        group = 2
    elif row.ranked:
        group = 0
    else:
        group = 3 if row.below_floor else 1
    lead = float(not challenge.tracks and entry.role != "reference")
    if challenge.tracks and challenge.tracks[0].id in row.standings:
        lead = row.standings[challenge.tracks[0].id].rank
    return group, lead, _runtime(entry), entry.id


def _runtime(entry: BoardEntry) -> float:
    return entry.values.get("runtime", math.inf)


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _refuse_nonsense(entries: Sequence[BoardEntry]) -> None:
    ids = [entry.id for entry in entries]
    doubled = sorted({id_ for id_ in ids if ids.count(id_) > 1})
    if doubled:
        raise ValueError(f"entries stand twice: {', '.join(doubled)}")
    for entry in entries:
        for key, value in entry.values.items():
            if math.isnan(value):
                raise ValueError(f"{entry.id}: {key} is NaN; leave out what was not measured")
