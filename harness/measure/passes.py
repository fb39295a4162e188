"""The forwards of a round: warm up, time every image, fetch and score."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.core.record import ImageScore, Phases, RoundFigures, Sample
from harness.measure.answer_validation import bounded, unseen
from harness.measure.probes import AuditedRound, PlainRound
from harness.measure.session import LrImage, ScoreOutput, Session


@dataclass(frozen=True)
class Passes:
    """The samples of every timed forward, the scores of the first pass, and where time went."""

    samples: tuple[Sample, ...]
    scores: tuple[ImageScore, ...]
    took_s: float  # first timed forward to last score
    collect_s: float
    score_s: float


def run(session: Session, images: tuple[LrImage, ...], score: ScoreOutput) -> RoundFigures:
    """A whole round in a fresh process."""
    load = session.task.load
    beside = AuditedRound(session, images) if session.task.protocol.audits else PlainRound()
    began = time.perf_counter()
    first_call_s = warm_up(session, images, beside.warm_up)
    warmup_s = time.perf_counter() - began
    timed = time_passes(session, images, score, beside)
    memory = session.memory()
    energy = session.energy(images, timed.samples)
    state = session.inspect("collect")
    notes = session.notes(state) + unseen(timed.samples)
    audits = beside.finish(state)
    return RoundFigures(
        params=session.ready.params,
        first_call_s=first_call_s or timed.samples[0].seconds,
        samples=timed.samples,
        scores=timed.scores,
        memory=memory,
        phases=Phases(
            start_s=session.start_s,
            load_s=session.ready.load_s,
            warmup_s=warmup_s,
            forwards_s=sum(sample.seconds for sample in timed.samples),
            first_to_last_s=timed.took_s,
            score_s=timed.score_s,
            collect_s=timed.collect_s,
            audit_s=beside.audit_s,
        ),
        untrained=session.ready.untrained,
        notes=notes,
        energy=energy,
        compile_s=session.compile_s,
        policy=bounded(session.ready.policy),
        audits=audits,
        yardstick=session.task.calibration,
        precision=load.precision,
    )


def warm_up(
    session: Session, images: tuple[LrImage, ...], shown: Callable[[LrImage], LrImage]
) -> float:
    """Untimed forwards of every distinct shape; seconds of the very first one, 0 if none.

    They see other pixels than the timed ones, as `shown` makes them: a model that remembers what it
    was given would else answer those from memory.
    """
    first = 0.0
    one_of_each_shape = list({it.pixels.shape: it for it in reversed(images)}.values())[::-1]
    for image in one_of_each_shape:
        for _ in range(session.task.protocol.warmup):
            exchange = session.forward(shown(image), "warmup")
            first = first or exchange.seconds
    return first


def time_passes(
    session: Session, images: tuple[LrImage, ...], score: ScoreOutput, beside: PlainRound
) -> Passes:
    """Every pass over all images; the outputs of the first one are scored."""
    session.reset_cuda_peak()
    samples: list[Sample] = []
    scores: list[ImageScore] = []
    score_s = collect_s = 0.0
    began = time.perf_counter()
    for timed_pass in range(session.task.protocol.passes):
        for image in images:
            exchange = session.timed(beside.given(image, timed_pass))
            samples.append(
                Sample(
                    *(image.dataset, image.image, timed_pass, *image.size),
                    *(exchange.seconds, exchange.wall_s),
                    device_wall_s=exchange.device_wall_s,
                    throttled=exchange.throttled,
                )
            )
            output = None
            if timed_pass == 0:
                output, exchange = session.fetched(image, exchange)
                collect_s += exchange.collect_s or 0.0
                before = time.perf_counter()
                scores.append(score(image, output))
                score_s += time.perf_counter() - before
            beside.after(image, exchange, output)
    took_s = time.perf_counter() - began
    return Passes(tuple(samples), tuple(scores), took_s, collect_s, score_s)
