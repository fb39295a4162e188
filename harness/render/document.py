"""The board as one JSON document, in base units; `null` is "not measured", never a failure."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from harness.core.audit import worst
from harness.core.challenge import Challenge, DatasetUse
from harness.core.disturbances import OTHERS, STEAL, THROTTLED, by_round
from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.core.metrics import METRICS, QUALITY, Metric

_TIMES = tuple(it for it in METRICS.values() if it.unit == "s" and not it.named_only)
_OF_SOME = tuple(it for it in METRICS.values() if it.named_only and not it.quality)
_COSTS = tuple(it for it in METRICS.values() if it.unit != "s" and not it.quality)
DISTURBANCES = (OTHERS, STEAL, THROTTLED)
_OF_FAILURE = ("stage", "reason", "message")
RATIO = {  # of a frame, the ratio's field by column
    "runtime_ratio": "point",
    "runtime_ratio_low": "low",
    "runtime_ratio_high": "high",
}
OF_ALL = (  # in every row, whatever its challenge
    *("id", "team", "title", "role", "status", "ranked", "reason", "verdict", "precision"),
    *(kind.name for kind in (*_TIMES, *_COSTS)),
)


def document(board: Leaderboard) -> dict[str, Any]:
    """`{challenge, environment, disturbances, notes, printed_in, rows}` of plain values for `json`.

    `printed_in` is the source of a published table's figures, None where they were measured.

    A row's `quality` is PSNR in dB and SSIM by data set, times are in seconds, memory in bytes,
    energy in joules per image, `ranks` by metric key, `tracks` `{id: {score, rank}}`. `reason` says
    why a row failed or is not ranked, "" for a ranked one and the floor; `failure` is
    `{stage, reason, message}` or None. `runtime_ranks` is `[first, last]` of the ranks that the
    rounds can't separate, `runtime_ratio` `{to, point, low, high}` to the baseline; None where one
    round or none can't tell. `below_floor` names the data sets on which the floor has more PSNR.
    `audit` is the worst verdict of the `audits` of its measurement, each `{id, verdict, evidence}`;
    None where it was not audited. `earlier_run` says that not all of its rounds were timed together
    with the latest rows. Every figure is finite or None. Text is the submissions' own, as it came.
    """
    return {
        "challenge": _challenge(board.challenge),
        "environment": board.environment and dataclasses.asdict(board.environment),
        "disturbances": [
            {"round": number + 1, **{name: finite(it.get(name)) for name in DISTURBANCES}}
            for number, it in by_round(row.entry for row in board.rows).items()
        ],
        "notes": list(board.notes),
        "printed_in": board.printed_in or None,
        "rows": [_row(board, row) for row in board.rows],
    }


def finite(value: float | None) -> float | int | None:
    """The figure, whole numbers as integers' equals; None where it is missing or not finite."""
    return value if value is not None and math.isfinite(value) else None


def _challenge(challenge: Challenge) -> dict[str, Any]:
    protocol = dataclasses.asdict(challenge.protocol)
    del protocol["round_deadline_s"]  # on which no figure depends
    return {
        "id": challenge.id,
        "title": challenge.title,
        "scale": challenge.scale,
        "quality_profile": challenge.quality_profile,
        "macs": challenge.macs,
        "complexity_input": list(challenge.complexity_input),
        "baseline": challenge.baseline,
        "datasets": [_dataset(use) for use in challenge.datasets],
        "limits": [dataclasses.asdict(limit) for limit in challenge.limits],
        "tracks": [{"id": track.id, "title": track.title} for track in challenge.tracks],
        "protocol": protocol,
    }


def _dataset(use: DatasetUse) -> dict[str, Any]:
    told = dataclasses.asdict(use)
    del told["show"]  # on which no figure depends
    return told


def _row(board: Leaderboard, row: Row) -> dict[str, Any]:
    entry, span = row.entry, row.runtime_span
    failure, verdict, spread = entry.failure, entry.verdict, entry.intervals.get("runtime")
    return {
        "id": entry.id,
        "team": entry.team,
        "title": entry.title,
        "role": entry.role,
        "status": entry.status,
        "ranked": row.ranked,
        "reason": row.reason,
        "failure": failure and {key: getattr(failure, key) for key in _OF_FAILURE},
        "quality": _quality(board.challenge, entry),
        _TIMES[0].name: _figure(entry, _TIMES[0]),
        "runtime_range_s": spread and [finite(spread.low), finite(spread.high)],
        "runtime_ranks": span and [span.first, span.last],
        "runtime_ratio": row.runtime_ratio and dataclasses.asdict(row.runtime_ratio),
        **{kind.name: _figure(entry, kind) for kind in _TIMES[1:]},
        **{it.name: _figure(entry, it) for it in _OF_SOME if it.key in entry.values},
        "precision": entry.precision,
        **{kind.name: _figure(entry, kind) for kind in _COSTS},
        "ranks": dict(row.ranks),
        "tracks": {
            name: {"score": finite(standing.score), "rank": standing.rank}
            for name, standing in row.standings.items()
        },
        "below_floor": list(row.below_floor),
        "margins": {key: finite(room) for key, room in row.margins.items()},
        "verdict": verdict and verdict.level,
        "verdict_reasons": list(verdict.reasons) if verdict else [],
        "audit": worst(entry.audits) if entry.audits else None,
        "audits": [dataclasses.asdict(audit) for audit in entry.audits],
        "badges": list(entry.badges),
        "earlier_run": bool(board.earlier(row)),
        "notes": list(entry.notes),
        "published": entry.printed_by_source,
    }


def _figure(entry: BoardEntry, kind: Metric) -> float | int | None:
    number = finite(entry.values.get(kind.key))
    return round(number) if kind.whole and number is not None else number


def _quality(challenge: Challenge, entry: BoardEntry) -> dict[str, dict[str, float | None]]:
    named = {key.partition(":")[0] for key in challenge.metrics()}
    kinds = [kind for kind in QUALITY if kind.key in named or not kind.named_only]
    return {
        use.name: {kind.name: finite(entry.values.get(f"{kind.key}:{use.name}")) for kind in kinds}
        for use in challenge.datasets
        if use.truth
    }
