"""The tracks of a challenge: which terms count, what each row scores by them, and its place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from harness.core.challenge import Challenge, Term, Track
from harness.core.leaderboard import BoardEntry, Standing
from harness.core.metrics import label, metric
from harness.core.phrasing import listed

Ranks = Mapping[str, Mapping[str, int]]  # by metric key, then entry id

# exp(2 x ratio) overflows a float at a ratio of 355; rows that slow share the last place.
_LARGEST_EXPONENT = 700.0


def score(
    challenge: Challenge,
    ranked: Sequence[BoardEntry],
    baseline: BoardEntry | None,
    *,
    ranks: Ranks,
    turns: Mapping[str, Mapping[str, int]],
) -> tuple[dict[str, dict[str, Standing]], tuple[str, ...]]:
    """Standings by track and entry id, where a track could be scored, and notes for the reader.

    An optional term counts in a track only if every ranked row (and the baseline, where scores are
    relative) has its figure: all rows are scored by one formula, and a note says what it lacks.
    `ranks` are the metrics' own; `turns`, by metric key or `track:ID`, say in what order equals
    stand.
    """
    standings: dict[str, dict[str, Standing]] = {}
    notes = []
    for track in challenge.tracks:
        counted, note = _counted(track, ranked, baseline)
        fault = _baseline_fault(challenge, counted, baseline)
        notes += [text for text in (note, fault) if text]
        if fault:
            continue
        base = baseline.values if baseline else {}
        scores = {entry.id: _score(counted, entry, ranks, base) for entry in ranked}
        stated = turns.get(f"track:{track.id}", turns[counted.terms[0].metric])
        taken = places(scores, track.ties, stated)
        standings[track.id] = {id_: Standing(it[0], taken[id_]) for id_, it in scores.items()}
    return standings, tuple(notes)


def places(
    keys: Mapping[str, tuple[float, ...]],
    ties: Literal["shared", "ordinal"],
    turns: Mapping[str, int],
) -> dict[str, int]:
    """Places from 1, the smallest key first: 1, 2, 2, 4 when shared, 1, 2, 3, 4 when ordinal."""
    if ties == "shared":
        return {id_: 1 + sum(it < key for it in keys.values()) for id_, key in keys.items()}
    order = sorted(keys, key=lambda id_: (keys[id_], turns[id_]))
    return {id_: place for place, id_ in enumerate(order, start=1)}


def cost(key: str, value: float) -> float:
    """A figure with its sign turned where more is better."""
    return value if metric(key).better == "lower" else -value


def _counted(
    track: Track, ranked: Sequence[BoardEntry], baseline: BoardEntry | None
) -> tuple[Track, str]:
    """The track with the terms that all can be scored by, and what to say of the other ones."""
    rows = list(ranked)
    if track.kind == "weighted_exp" and baseline is not None and not baseline.failure:
        rows += [] if baseline in rows else [baseline]
    without = {
        term: [row.id for row in rows if not _serves(term, row, relative=row is baseline)]
        for term in track.terms
        if term.optional
    }
    absent = {term: ids for term, ids in without.items() if ids}
    if not absent or not ranked:
        return track, ""
    told = [
        f"{label(term.metric)}, not measured of "
        + ("any row" if len(ids) == len(rows) else listed(tuple(sorted(ids))))
        for term, ids in absent.items()
    ]
    kept = tuple(term for term in track.terms if term not in absent)
    text = f"{track.title}: without what the rules call optional: {'; '.join(told)}"
    return replace(track, terms=kept), text


def _score(
    track: Track, entry: BoardEntry, ranks: Ranks, base: Mapping[str, float]
) -> tuple[float, ...]:
    """The track's score, where less is better, then what breaks its ties."""
    if track.kind == "order":
        return tuple(cost(term.metric, entry.values[term.metric]) for term in track.terms)
    if track.kind == "rank_sum":
        return (math.fsum(term.weight * ranks[term.metric][entry.id] for term in track.terms),)
    return (sum(_weighted(term, entry, base) for term in track.terms),)


def _weighted(term: Term, entry: BoardEntry, base: Mapping[str, float]) -> float:
    """The term's share: weight x exp(2 x cost), where the baseline's own cost is 1."""
    ours, theirs = entry.values[term.metric], base[term.metric]
    if term.per is None:
        relative = ours / theirs
    else:
        relative = 1 + (cost(term.metric, ours) - cost(term.metric, theirs)) / term.per
    return term.weight * math.exp(min(2 * relative, _LARGEST_EXPONENT))


def _baseline_fault(challenge: Challenge, track: Track, baseline: BoardEntry | None) -> str:
    """Why a track of relative scores has none, "" where it has."""
    if track.kind != "weighted_exp":
        return ""
    led = f"{track.title}: no scores, since the baseline {challenge.baseline}"
    if baseline is None:
        return f"{led} was not run"
    if baseline.failure:
        return f"{led} failed"
    for term in track.terms:
        if not _serves(term, baseline, relative=True):
            return f"{led} has no {label(term.metric)}"
    return ""


def _serves(term: Term, entry: BoardEntry, *, relative: bool) -> bool:
    """Whether the entry has the figure; a baseline's (`relative`) must be fit to divide by."""
    value = entry.values.get(term.metric)
    if value is None or not relative:
        return value is not None
    return math.isfinite(value) and (term.per is not None or value > 0)
