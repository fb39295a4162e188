"""What a round showed, and what all audits make of it: values in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.audits import clocks, counted, outputs, scores, self_reported
from harness.audits.clocks import Exchange
from harness.audits.counted import CountedAgain
from harness.audits.outputs import Shown
from harness.audits.scores import FreshErrors, PartErrors
from harness.core.audit import LEVELS, Audit, ProcessState, WatchedForward
from harness.core.record import Calibration


@dataclass(frozen=True)
class RoundTrace:
    """One round, as far as audits look at it.

    What only shows in forwards of its own is of thorough rounds alone: `unseen_s` and the rest
    below it are absent from the others.
    """

    device: str
    threads: int  # declared, as is the precision
    precision: str
    scale: int
    trained: bool  # False: the row stands as untrained, and its output is not judged
    state: ProcessState  # after the last timed forward
    exchanges: tuple[Exchange, ...]  # in their order
    shown: tuple[Shown, ...]  # images with the outputs that were kept
    luma: bool = False  # the model is given luma alone
    calibration: Calibration | None = None  # None: clocks are held against nothing
    fresh: tuple[FreshErrors, ...] = ()  # of fresh versions of scored images
    ranked_s: tuple[float, ...] = ()  # the worker's seconds for an image where it is ranked
    seen_s: tuple[float, ...] = ()  # the worker's seconds for an image that it had seen
    unseen_s: tuple[float, ...] = ()  # and for fresh ones of the same size
    mosaics_s: tuple[float, ...] = ()  # and for mosaics, of that size as well
    parts: tuple[PartErrors, ...] = ()  # of the mosaics
    idle_shares: tuple[float, ...] | None = None  # of a core, while nothing was asked
    watched: WatchedForward | None = None
    counted: CountedAgain | None = None  # of what runs as code


def judged(trace: RoundTrace) -> tuple[Audit, ...]:
    """What each audit that has something to look at says of the round."""
    found: list[Audit | None] = [
        self_reported.references(trace.state),
        self_reported.flags(trace.state),
        clocks.threads(trace.exchanges, trace.threads) if trace.device == "cpu" else None,
        *by_clock(trace.exchanges, trace.calibration),
        _outputs(trace),
        scores.scores(trace.parts, trace.fresh) if trace.trained else None,
    ]
    if trace.watched is not None:
        found += [
            _repeats(trace) if trace.seen_s else None,
            clocks.idle(trace.idle_shares),
            self_reported.precision(trace.watched, trace.precision),
            _counted(trace, trace.counted) if trace.counted is not None else None,
        ]
    found.append(self_reported.untouched(trace.state, trace.watched))
    return tuple(audit for audit in found if audit is not None)


def by_clock(exchanges: Sequence[Exchange], calibration: Calibration | None) -> list[Audit | None]:
    """What our clock says of forwards, and of fetching their outputs."""
    if calibration is None:
        return []
    return [clocks.clock(exchanges, calibration), clocks.collect(exchanges, calibration)]


def _counted(trace: RoundTrace, found: CountedAgain) -> Audit:
    """The worse of what its own counters tell and of what the processor's time does."""
    audits = [counted.counted(found)]
    if trace.device == "cpu" and trace.calibration is not None and found.there is not None:
        known, calibration = found.there, trace.calibration
        forwards, threads = trace.exchanges, trace.threads
        work = counted.explained(forwards, known, calibration, threads, trace.precision)
        audits += filter(None, [work])
    return max(audits, key=_gravity)


def _repeats(trace: RoundTrace) -> Audit:
    """The worst of both kinds of unseen images, each of which may be told from the others, and of
    ranked forwards against all of these.
    """
    kinds = [trace.unseen_s, *filter(None, [trace.mosaics_s])]
    found = [clocks.repeats(trace.seen_s, unseen) for unseen in kinds]
    if trace.ranked_s:
        probes = (*trace.seen_s, *trace.unseen_s, *trace.mosaics_s)
        found.append(clocks.unranked(trace.ranked_s, probes))
    return max(found, key=_gravity)


def _outputs(trace: RoundTrace) -> Audit | None:
    """The worst of all that was shown; nothing where there is no trained model to judge."""
    if not trace.trained:
        return Audit("outputs", "ok", "the model is untrained: its output is not judged")
    found = [
        outputs.outputs(shown, trace.scale, luma=trace.luma) for shown in reversed(trace.shown)
    ]
    return max(found, key=_gravity, default=None)


def _gravity(audit: Audit) -> int:
    return LEVELS.index(audit.verdict)
