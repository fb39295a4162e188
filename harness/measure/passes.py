"""The forwards of a round: warm up, time every image, collect and score."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from harness.audits.exchange import Exchange
from harness.audits.fresh_images import TURNED
from harness.core.record import ImageScore, Phases, RoundFigures, Sample
from harness.measure.answer_validation import bounded, unseen
from harness.measure.auditor import Auditor
from harness.measure.session import LrImage, ScoreOutput, Session


def warm_up(
    session: Session, images: tuple[LrImage, ...], shown: Callable[[LrImage], LrImage]
) -> float:
    """Untimed forwards of every distinct shape; seconds of the very first one, 0 if none.

    They see other pixels than the timed ones, as `shown` makes them: a model that remembers what it
    was given would else answer those from memory.
    """
    first = 0.0
    for image in _one_of_each_shape(images):
        for _ in range(session.task.protocol.warmup):
            exchange = session.forward(shown(image), "warmup")
            first = first or exchange.seconds
    return first


def time_passes(
    session: Session, images: tuple[LrImage, ...], judge: ScoreOutput, auditor: Auditor
) -> RoundFigures:
    """Every pass over all images; the outputs of the first one are judged."""
    session.reset_cuda_peak()
    samples: list[Sample] = []
    scores: list[ImageScore] = []
    score_s = 0.0
    began = time.perf_counter()
    for timed_pass in range(session.task.protocol.passes):
        for image in images:
            given = auditor.for_pass(image, timed_pass)
            exchange = session.timed(given)
            height, width, _ = image.pixels.shape
            at = (image.dataset, image.image, timed_pass, height, width)
            samples.append(_sample(at, exchange))
            if timed_pass == 0:
                pixels = auditor.collected(image, exchange)
                before = time.perf_counter()
                scores.append(judge(image, pixels))
                score_s += time.perf_counter() - before
                auditor.scored(image, pixels)
            else:
                auditor.repeated(image, exchange)
    return RoundFigures(
        params=session.ready.params,
        untrained=session.ready.untrained,
        first_call_s=0.0,
        samples=tuple(samples),
        scores=tuple(scores),
        memory=session.memory(),
        phases=Phases(
            start_s=session.start_s,
            load_s=session.ready.load_s,
            forwards_s=sum(sample.seconds for sample in samples),
            first_to_last_s=time.perf_counter() - began,
            score_s=score_s,
            collect_s=auditor.collect_s,
        ),
    )


def _sample(at: tuple[str, str, int, int, int], it: Exchange) -> Sample:
    return Sample(
        *at, it.seconds, it.wall_s, device_wall_s=it.device_wall_s, throttled=it.throttled
    )


def turned(image: LrImage) -> LrImage:
    """Upside down and left to right: the same shape and statistics, other pixels."""
    return replace(image, pixels=TURNED(image.pixels))


def run(session: Session, images: tuple[LrImage, ...], judge: ScoreOutput) -> RoundFigures:
    """A whole round in a fresh process."""
    auditor = Auditor(session, images)
    began = time.perf_counter()
    first_call_s = warm_up(session, images, auditor.for_warm_up)
    warmup_s = time.perf_counter() - began
    figures = time_passes(session, images, judge, auditor)
    energy = session.energy(images, figures.samples)
    state = session.inspect("collect")
    notes = session.notes(state) + unseen(figures.samples)
    audits = auditor.finish(state)
    return replace(
        figures,
        first_call_s=first_call_s or figures.samples[0].seconds,
        notes=notes,
        energy=energy,
        compile_s=session.compile_s,
        policy=bounded(session.ready.policy),
        audits=audits,
        yardstick=session.task.calibration,
        precision=session.task.load.precision,
        phases=replace(figures.phases, warmup_s=warmup_s, audit_s=auditor.audit_s),
    )


def _one_of_each_shape(images: tuple[LrImage, ...]) -> list[LrImage]:
    return list({image.pixels.shape: image for image in reversed(images)}.values())[::-1]
