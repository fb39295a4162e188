"""What a round's forwards are given, and the forwards that only audits need.

Audits of a round that was measured are functions of its trace (`harness.audits`). What only shows
in forwards of its own (images seen against unseen, fresh images, work that goes on) is probed in
one round alone, a drawn one, at a drawn place of it and after it: a worker can't tell that round
from the others, so it would have to behave in all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np

from harness.audits import clocks, scores, thresholds
from harness.audits.clocks import Exchange
from harness.audits.counted import CountedAgain
from harness.audits.fresh_images import TURNED, Draw, Fresh, flipped
from harness.audits.outputs import Shown, came_differently, levels_apart
from harness.audits.round_trace import RoundTrace, judged
from harness.audits.scores import FreshErrors, PartErrors
from harness.core.audit import Audit, ProcessState, WatchedForward
from harness.counts.routing import routed
from harness.machine import proc
from harness.measure.session import LrImage, Session
from harness.measure.truth_probes import MosaicProbe, Truths, flips, fresh_errors
from harness.measure.worker_process import WorkerFailed
from harness.quality.pixels import Uint8

ROUTED = 4  # images that costs are compared of
Key = tuple[str, str]  # data set and image
SEEN, FRESH, MOSAIC = range(3)  # what an image is to the worker


def turned(image: LrImage) -> LrImage:
    """Upside down and left to right: the same shape and statistics, other pixels."""
    return image.showing(flipped(image.pixels, TURNED))


class PlainRound:
    """A round that nothing is known of but its samples: no audits, as in a check."""

    audit_s = 0.0  # forwards, fetching and looking that only audits need

    def warm_up(self, image: LrImage) -> LrImage:
        """What the warm-up is given for an image: other pixels than the timed forwards."""
        return turned(image)

    def untimed(self, image: LrImage) -> Uint8 | None:
        """The output of the image itself, where timed forwards are given others; else None."""
        del image
        return None

    def given(self, image: LrImage, timed_pass: int) -> LrImage:
        """What a timed forward is given for an image."""
        del timed_pass
        return image

    def ranked_s(self, exchange: Exchange) -> float:
        """What a timed forward is ranked with."""
        return exchange.seconds

    def after(
        self, image: LrImage, exchange: Exchange, output: Uint8 | None, scored: Uint8 | None
    ) -> None:
        """A timed forward has ended; its `output` is there where it was fetched.

        `scored` is the output of the image itself, in the first pass.
        """

    def finish(self, state: ProcessState) -> tuple[Audit, ...]:
        """The passes have ended, with the process in this `state`: what audits say."""
        del state
        return ()

    def notes(self) -> tuple[str, ...]:
        """What a reader should know, and no audit judges; asked after `finish`."""
        return ()


class AuditedRound(PlainRound):
    """A round whose trace is kept, with probes where they were drawn to be."""

    def __init__(
        self, session: Session, images: tuple[LrImage, ...], truths: Truths | None = None
    ) -> None:
        self._session = session
        self._images = images
        self._truths = truths
        self._draw = Draw()
        task = session.task
        held = self._drawn_images()
        self._held = {_key(image) for image in held}
        # a later round of code is timed on fresh versions, and shows few images themselves
        itself = held if task.as_code and task.later else images
        self._itself = {_key(image) for image in itself}
        # where the thorough look comes, and at which of the images until then
        at = self._draw.below(len(itself))
        self._place, self._target = itself[at], itself[self._draw.below(at + 1)]
        self._compared = held[self._draw.below(len(held))]  # of fresh versions
        # later passes show fresh versions anyway, and two of them both kinds of one image
        self._later_passes = not task.as_code and task.protocol.passes > 2
        self._warmed: dict[Key, Fresh] = {}
        self._passed: Fresh | None = None  # the version that was timed last
        self._kept: dict[Key, Uint8] = {}  # scored outputs that others are compared with
        self._fresh_errors: list[FreshErrors] = []
        self._exchanges: list[Exchange] = []
        self._shown: list[Shown] = []
        self._seconds: dict[int, list[float]] = {SEEN: [], FRESH: [], MOSAIC: []}
        self._ranked_s: list[float] = []  # of the image that is probed
        self._routed = ""  # what is said of the cost of different images
        self._mosaics: MosaicProbe | None = None
        if truths is not None and task.thorough:
            scale = task.load.scale
            self._mosaics = MosaicProbe(itself, truths, self._draw, self._target, scale)

    def warm_up(self, image: LrImage) -> LrImage:
        """The image turned around, with small changes that its output must not show later."""
        fresh = self._warmed[_key(image)] = self._draw.turned(image.pixels)
        return image.showing(fresh.shown)

    def untimed(self, image: LrImage) -> Uint8 | None:
        """Of code: what can be recognised is scored, and never timed."""
        if not self._session.task.as_code or _key(image) not in self._itself:
            return None
        with self._auditing():
            return self._fetched(self._session.forward(image))

    def given(self, image: LrImage, timed_pass: int) -> LrImage:
        """An image that nobody has seen; a graph's scored pass is timed on the image itself."""
        if timed_pass == 0 and not self._session.task.as_code:
            return image
        in_whole = timed_pass % 2 > 0 if self._later_passes else timed_pass > 0
        whole = image is self._compared and (in_whole or not self._knows(image))
        share = 1.0 if whole else thresholds.FRESH_SHARE_CHANGED
        fresh = self._passed = self._fresh(image, share)
        return image.showing(fresh.shown)

    def ranked_s(self, exchange: Exchange) -> float:
        """Of an entry's own code, which may lie about its time, no less than our clock vouches."""
        calibration = self._session.task.calibration
        if calibration is None or not self._session.task.as_code:
            return exchange.seconds
        return clocks.vouched_s(exchange, calibration)

    def after(
        self, image: LrImage, exchange: Exchange, output: Uint8 | None, scored: Uint8 | None
    ) -> None:
        """Keep what is looked at later, and probe at the drawn places."""
        with self._auditing():
            if output is None and self._looked_at(image):
                output, exchange = self._session.fetched(exchange)
            self._exchanges.append(exchange)
            if image is self._target:
                self._ranked_s.append(exchange.seconds)
            if scored is not None:
                self._after_scored(image, scored)
            if output is not None and output is not scored and self._passed is not None:
                self._after_fresh(image, self._passed, output)

    def _looked_at(self, image: LrImage) -> bool:
        """Whether an output of a later pass is fetched."""
        all_held = self._later_passes and self._session.task.thorough
        return image is self._compared or (all_held and _key(image) in self._held)

    def finish(self, state: ProcessState) -> tuple[Audit, ...]:
        """The probes that come last, and what all audits make of the trace."""
        with self._auditing():
            task, ready = self._session.task, self._session.ready
            load = task.load
            if task.thorough:
                self._more_fresh()
            # whatever its worker says, a row without a weights file stands as untrained
            named = load.form == "graph" or (load.form == "entry" and not load.weights)
            trace = RoundTrace(
                load.device,
                load.threads,
                load.precision,
                load.scale,
                not (named and ready.untrained and ready.params > 0),
                state,
                tuple(self._exchanges),
                tuple(self._shown),
                load.channels == 1,
                task.calibration,
                fresh=tuple(self._fresh_errors),
            )
            if task.thorough:
                trace = replace(
                    trace,
                    ranked_s=tuple(self._ranked_s),
                    seen_s=tuple(self._seconds[SEEN]),
                    unseen_s=tuple(self._seconds[FRESH]),
                    mosaics_s=tuple(self._seconds[MOSAIC]),
                    parts=self._parts(),
                    idle_shares=self._idle_shares() if task.as_code else None,
                    # before anything else that has the worker import its counters
                    counted=self._counted_again() if task.as_code and task.counts else None,
                    watched=self._watched(),
                )
                # at the end, since an answer that comes too late leaves no order to the next ones
                self._routed = self._costs() if task.as_code else ""
            return judged(trace)

    def notes(self) -> tuple[str, ...]:
        """Of outputs that are drawn at random, and of a cost that depends on the image."""
        apart = [levels_apart(it.sr, again) for it in self._shown for again in it.again]
        return tuple(filter(None, [came_differently(max(apart, default=0)), self._routed]))

    def _drawn_images(self) -> tuple[LrImage, ...]:
        """Those whose fresh versions are held against their truths, in the order of all.

        Few where that costs a forward of its own; a first round of code shows both in any case.
        """
        task, number = self._session.task, len(self._images)
        most = thresholds.FRESH_IMAGES
        if not task.as_code or task.later:
            most = min(most, max(thresholds.FRESH_LEAST, int(thresholds.FRESH_SHARE * number)))
        kinds = self._draw.order(min(most, number), max(number - most, 0))
        return tuple(it for it, kind in zip(self._images, kinds, strict=True) if kind == 0)

    def _knows(self, image: LrImage) -> bool:
        return self._truths is not None and self._truths.knows(image)

    def _fresh(self, image: LrImage, share: float = 1.0) -> Fresh:
        return self._draw.fresh(image.pixels, flips(self._truths, image), share)

    def _shown_afresh(self, image: LrImage) -> None:
        version = self._fresh(image, thresholds.FRESH_SHARE_CHANGED)
        shown = image.showing(version.shown)
        self._after_fresh(image, version, self._fetched(self._session.forward(shown)))

    def _after_fresh(self, image: LrImage, version: Fresh, output: Uint8) -> None:
        """Hold the output of a fresh version against the scored output: both, or their errors.

        That it answers small changes shows where all pixels were changed, its PSNR where few were.
        """
        scored = self._kept.get(_key(image))
        if scored is None:
            return
        if version.share == 1.0:
            self._shown.append(Shown(image.pixels, scored, fresh=((version, output),)))
        elif self._truths is not None and self._knows(image):
            errors = fresh_errors(self._truths, image, scored, version, output)
            self._fresh_errors += filter(None, [errors])

    def _after_scored(self, image: LrImage, output: Uint8) -> None:
        if image is self._target or _key(image) in self._held:
            self._kept[_key(image)] = output
        if not self._session.task.thorough:
            return
        if self._mosaics is not None:
            self._mosaics.scored(image, output)
        warmed = self._warmed.pop(_key(image), None)
        if warmed is not None:
            self._shown.append(Shown(image.pixels, output, warm_up=warmed.perturbed))
        own = not (self._session.task.as_code or self._later_passes)
        if own and _key(image) in self._held:
            self._shown_afresh(image)
        if image is self._place:
            self._seen_against_unseen()
            if self._session.task.as_code:
                largest = max(self._images, key=lambda image: image.size[0] * image.size[1])
                self._session.watch_memory(self._afresh(largest))

    def _seen_against_unseen(self) -> None:
        """The image again, fresh versions of it and mosaics, in drawn order; more where odd.

        A graph has no memory of an image, so that it is not shown one again, and no clock of its
        own, so that one fresh version will do, where it is large enough to be judged alone, and
        none where later passes show some.
        """
        again: list[Uint8] = []
        fresh: list[tuple[Fresh, Uint8]] = []
        as_code = self._session.task.as_code
        for pairs in (thresholds.PAIRS, thresholds.MORE_PAIRS):
            mosaics = self._mosaics.more(pairs) if self._mosaics else []
            seen, unseen = (pairs, pairs) if as_code else (0, self._fresh_of_graph())
            for kind in self._draw.order(seen, unseen, len(mosaics)):
                version = self._fresh(self._target)
                given = self._target
                if kind == FRESH:
                    given = self._target.showing(version.shown)
                elif kind == MOSAIC:
                    given = mosaics.pop(0)
                exchange = self._session.forward(given)
                output = self._fetched(exchange)
                self._seconds[kind].append(exchange.seconds)
                if kind == FRESH:
                    fresh.append((version, output))
                elif kind == MOSAIC and self._mosaics:
                    self._mosaics.answered(output)
                else:
                    again.append(output)
            others = filter(None, (self._seconds[FRESH], self._seconds[MOSAIC]))
            if not seen or not any(clocks.doubtful(self._seconds[SEEN], it) for it in others):
                break
        scored = self._kept[_key(self._target)]
        self._shown.append(Shown(self._target.pixels, scored, tuple(again), tuple(fresh)))

    def _fresh_of_graph(self) -> int:
        height, width = self._target.size
        alone = height * width >= thresholds.MANY_PIXELS
        return 0 if self._later_passes else 1 if alone else thresholds.PAIRS

    def _parts(self) -> tuple[PartErrors, ...]:
        """What mosaics tell; all that were drawn, where the first ones raise a doubt."""
        if self._mosaics is None:
            return ()
        if scores.doubtful(found := self._mosaics.errors(), scores.part_bounds(found)):
            for mosaic in self._mosaics.more(thresholds.MORE_PAIRS):
                self._mosaics.answered(self._fetched(self._session.forward(mosaic)))
        return self._mosaics.errors()

    def _more_fresh(self) -> None:
        """More fresh versions of the images that were kept, where the first ones raise a doubt."""
        if not scores.doubtful(self._fresh_errors, scores.fresh_bounds(self._fresh_errors)):
            return
        for image in [it for it in self._images if _key(it) in self._kept] * thresholds.MORE_PAIRS:
            self._shown_afresh(image)

    def _idle_shares(self) -> tuple[float, ...] | None:
        """Shares of a core that are used after one more forward; None where untold.

        The worker is looked at again and again until it rests.
        """
        self._session.forward(self._target)
        shares: list[float] = []
        for _ in range(thresholds.IDLE_LOOKS):
            share = proc.busy_share(self._session.root, thresholds.IDLE_WINDOW_S)
            if share is None:
                return None
            shares.append(share)
            if share <= thresholds.IDLE_SHARE:
                break
        return tuple(shares)

    def _watched(self) -> WatchedForward:
        """Asked at the end: a model that can't be watched has been measured by then.

        Of a graph, which is watched without values, any image: its sizes may differ.
        """
        image = self._images[self._draw.below(len(self._images))]
        if self._session.task.as_code:
            image = self._smallest_afresh()
        try:
            return self._session.observe(image)
        except WorkerFailed as error:
            return WatchedForward(error=error.failure.message)

    def _costs(self) -> str:
        """Whether images of one size cost the same; a graph has no choice."""
        size = tuple(min(it.size[axis] for it in self._images) for axis in (0, 1))
        macs = []
        with suppress(WorkerFailed):  # what it refuses is told elsewhere
            for image in self._images[:ROUTED]:
                part = np.ascontiguousarray(image.pixels[: size[0], : size[1]])
                macs.append(self._session.observe(self._afresh(image.showing(part))).macs)
        return routed(macs, (size[0], size[1]))

    def _counted_again(self) -> CountedAgain:
        """A count of the timed model, and outputs around it."""
        session, there = self._session, self._session.task.counts
        image = self._smallest_afresh()
        try:
            if there is None:
                raise ValueError("asked for without a count to hold it against")
            before = session.reply(image).pixels
            here = session.count(*there.lr_size, quick=True).counts
            return CountedAgain(before, session.reply(image).pixels, here, there)
        except WorkerFailed as error:
            return CountedAgain(there=there, error=error.failure.message)

    def _smallest_afresh(self) -> LrImage:
        return self._afresh(min(self._images, key=lambda image: image.size[0] * image.size[1]))

    def _afresh(self, image: LrImage) -> LrImage:
        return image.showing(self._draw.fresh(image.pixels).shown)

    def _fetched(self, exchange: Exchange) -> Uint8:
        """The output of a probe's forward, which is part of the trace."""
        output, exchange = self._session.fetched(exchange)
        self._exchanges.append(exchange)
        return output

    @contextmanager
    def _auditing(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.audit_s += time.perf_counter() - began


def _key(image: LrImage) -> Key:
    return image.dataset, image.image
