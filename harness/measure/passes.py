"""The forwards of a round: warm up, time every image, fetch and score.

A round can stop before and after each timed forward, so that several take turns (`measure.turns`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from harness.audits.clocks import Exchange
from harness.core.record import Phases, RoundFigures, Sample
from harness.measure.answer_validation import bounded, unseen
from harness.measure.code_round import CodeRound
from harness.measure.graph_round import GraphRound
from harness.measure.probes import PlainRound
from harness.measure.score_queue import ScoreQueue, Scoring
from harness.measure.session import LrImage, ScoreOutput, Session
from harness.measure.truth_probes import Truths
from harness.quality.pixels import Uint8

# A shape's first forward takes some 4 to 6 ms more once the process is warm: less than 1 % of one
# that takes so long. (At the rate of the process's first, which takes 1.6 times what others do.)
LONG_S = 1.0


@dataclass(frozen=True)
class TimedRound:
    """A round that has come to its end; its outputs may wait for their scores."""

    figures: RoundFigures
    scored: tuple[Scoring, ...]

    def whole(self) -> RoundFigures:
        """With the scores, once the queue was worked off."""
        score_s = sum(it.took_s for it in self.scored)
        phases = self.figures.phases
        return replace(
            self.figures,
            scores=tuple(it.score for it in self.scored if it.score is not None),
            phases=replace(
                phases, score_s=score_s, first_to_last_s=phases.first_to_last_s + score_s
            ),
        )


def in_turns(
    session: Session,
    images: tuple[LrImage, ...],
    score: ScoreOutput,
    queue: ScoreQueue,
    truths: Truths | None = None,
) -> Generator[None, None, TimedRound]:
    """A whole round in a fresh process, for somebody who takes turns with others.

    It stops before and after each timed forward: what it does in its first turn, third and so on is
    not timed, in each other one it times one forward. Audits make images of the `truths`. Outputs
    wait in the `queue` for their `score`.
    """
    audits = session.task.protocol.audits
    kind = CodeRound if session.task.as_code else GraphRound
    beside = kind(session, images, truths) if audits else PlainRound()
    began = time.perf_counter()
    first_call_s = warm_up(session, images, beside)
    warmup_s = time.perf_counter() - began - beside.audit_s
    put = partial(queue.put, score)
    samples, scored, phases = yield from time_passes(session, images, put, beside)
    largest = max(images, key=attrgetter("area"))
    if session.memory_forward:
        memory = session.memory(beside.unscored(largest))
        beside.after_unscored()
    else:
        memory = session.memory(largest)
    energy = session.energy(images, samples)
    state = session.inspect("collect")
    notes = session.notes(state) + unseen(samples)
    found = beside.finish(state)
    figures = RoundFigures(
        params=session.ready.params,
        first_call_s=first_call_s or samples[0].seconds,
        samples=samples,
        scores=(),
        memory=memory,
        phases=replace(
            phases,
            start_s=session.start_s,
            load_s=session.ready.load_s,
            warmup_s=warmup_s,
            audit_s=beside.audit_s,
        ),
        untrained=session.ready.untrained,
        notes=(*notes, *beside.notes()),
        energy=energy,
        compile_s=session.compile_s,
        policy=bounded(session.ready.policy),
        audits=found,
        yardstick=session.task.calibration,
        precision=session.precision,
        runtime="onnxruntime" if session.ready.runtime == "onnxruntime" else "torch",
    )
    return TimedRound(figures, scored)


def warm_up(session: Session, images: tuple[LrImage, ...], beside: PlainRound) -> float:
    """Untimed forwards of distinct shapes; seconds of the very first one, the largest, 0 if none.

    They see other pixels than the timed ones: a model that remembers what it was given would else
    answer those from memory. A graph on a CPU has nothing to learn of another
    shape but its kernels: where forwards are long, all shapes are warm with the largest one.
    """
    load = session.task.load
    plain = load.form == "graph" and load.device == "cpu" and not load.compile
    first = 0.0
    one_of_each_shape = list({it.size: it for it in reversed(images)}.values())[::-1]
    largest, *others = sorted(one_of_each_shape, key=attrgetter("area"), reverse=True)
    for image in (largest, *others):
        if plain and image is not largest and first * image.area >= LONG_S * largest.area:
            continue
        for _ in range(session.task.protocol.warmup):
            exchange = session.forward(beside.unscored(image), "warmup")
            beside.after_unscored()
            first = first or exchange.seconds
    return first


def time_passes(
    session: Session,
    images: tuple[LrImage, ...],
    put: Callable[[LrImage, Uint8], Scoring],
    beside: PlainRound,
) -> Generator[None, None, tuple[tuple[Sample, ...], tuple[Scoring, ...], Phases]]:
    """Every timed forward, what is to be scored of the first pass, and where time went."""
    session.reset_peak()
    samples: list[Sample] = []
    scores: list[Scoring] = []
    collect_s = others_s = 0.0
    began = time.perf_counter()
    audited_code = session.task.audited_code
    for timed_pass in range(session.task.protocol.passes):
        for image in images:
            scored = beside.untimed(image) if timed_pass == 0 else None
            given = beside.given(image, timed_pass)
            given = given.showing(given.pixels)  # decoded, if it has to be, before its turn
            others_s += yield from _others_turns()
            exchange = session.timed(given)
            others_s += yield from _others_turns()
            output = None
            # of an entry's own code each one, lest work wait for what is never asked
            if timed_pass == 0 or audited_code:
                output, exchange = session.fetched(exchange)
                collect_s += exchange.collect_s or 0.0
            samples.append(_sample(image, timed_pass, exchange, beside.ranked_s(exchange)))
            if timed_pass == 0 and not audited_code:
                scored = output
            if scored is not None:
                scores.append(put(image, scored))
            beside.after(image, exchange, output, scored)
    phases = Phases(
        first_to_last_s=time.perf_counter() - began - others_s,
        forwards_s=sum(sample.seconds for sample in samples),
        collect_s=collect_s,
    )
    return tuple(samples), tuple(scores), phases


def _others_turns() -> Generator[None, None, float]:
    """Give way; the seconds until it goes on."""
    began = time.perf_counter()
    yield
    return time.perf_counter() - began


def _sample(image: LrImage, timed_pass: int, exchange: Exchange, ranked_s: float) -> Sample:
    return Sample(
        *(image.dataset, image.image, timed_pass, *image.size),
        *(ranked_s, exchange.wall_s),
        device_wall_s=exchange.device_wall_s,
        throttled=exchange.throttled,
        collect_s=exchange.collect_s,
        reported_s=None if ranked_s == exchange.seconds else exchange.seconds,
    )
