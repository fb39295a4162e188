"""The audited round of what runs as code."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from operator import attrgetter

import numpy as np

from harness.audits import clocks, thresholds
from harness.audits.clocks import Exchange
from harness.audits.counted import CountedAgain
from harness.audits.fresh_images import TURNED, Draw, Fresh
from harness.audits.outputs import Shown
from harness.audits.round_trace import RoundTrace
from harness.counts.routing import routed
from harness.machine import proc
from harness.measure.probes import AuditedRound, Chosen
from harness.measure.session import LrImage, Session
from harness.measure.truth_probes import Truths
from harness.measure.worker_process import WorkerFailed
from harness.quality.pixels import Uint8

ROUTED = 4  # images that costs are compared of
SEEN, FRESH, MOSAIC = range(3)  # what an image is to the worker


class CodeRound(AuditedRound):
    """An entry's own code may know images, remember them, and lie about its time.

    What can be recognised is scored in a forward of its own and never timed. A thorough look comes
    at a drawn place of a drawn round: a worker can't tell that round from the others, so it would
    have to behave in all of them.
    """

    def __init__(
        self, session: Session, images: tuple[LrImage, ...], truths: Truths | None = None
    ) -> None:
        draw, later = Draw(), session.task.later
        most = thresholds.FRESH_IMAGES
        if later:  # each costs a forward of its own; a first round shows all in any case
            share = int(thresholds.ITSELF_SHARE * len(images))
            most = min(most, max(thresholds.ITSELF_LEAST, share))
        held = draw.some(images, most)
        itself = held if later else images
        self._itself = {image.key for image in itself}
        # where the thorough look comes, and at which of the images until then
        at = draw.below(len(itself))
        self._place = itself[at]
        self._warmed: dict[tuple[str, str], Fresh] = {}
        self._seconds: dict[int, list[float]] = {SEEN: [], FRESH: [], MOSAIC: []}
        self._ranked_s: list[float] = []  # of the image that is probed
        self._routed = ""  # what is said of the cost of different images
        self._target = itself[draw.below(at + 1)]
        chosen = Chosen(itself, held, mosaics=(self._target,))
        super().__init__(session, images, truths, draw, chosen)

    def unscored(self, image: LrImage) -> LrImage:
        """Turned around, with small changes that the image's own output must not show later."""
        changed = self._draw.changed(image.pixels, 1.0)
        version = self._warmed[image.key] = Fresh(changed, TURNED)
        return image.showing(version.shown)

    def untimed(self, image: LrImage) -> Uint8 | None:
        """What can be recognised is scored, and never timed."""
        if image.key not in self._itself:
            return None
        with self._auditing():
            return self._fetched(self._session.forward(image))

    def given(self, image: LrImage, timed_pass: int) -> LrImage:
        """An image that nobody has seen."""
        whole = image is self._compared and (timed_pass > 0 or not self._knows(image))
        version = self._fresh(image, 1.0 if whole else thresholds.FRESH_SHARE_CHANGED)
        self._timed_version = version
        return image.showing(version.shown)

    def ranked_s(self, exchange: Exchange) -> float:
        """No less than our clock vouches, whatever the worker reports."""
        calibration = self._session.task.calibration
        return clocks.vouched_s(exchange, calibration) if calibration else exchange.seconds

    def after(
        self, image: LrImage, exchange: Exchange, output: Uint8 | None, scored: Uint8 | None
    ) -> None:
        """Keep what is looked at later, and probe at the drawn places."""
        if image is self._target:
            self._ranked_s.append(exchange.seconds)
        super().after(image, exchange, output, scored)

    def notes(self) -> tuple[str, ...]:
        """Of outputs that are drawn at random, and of a cost that depends on the image."""
        return (*super().notes(), *filter(None, [self._routed]))

    def _after_scored(self, image: LrImage, output: Uint8) -> None:
        super()._after_scored(image, output)
        if image is self._target:
            self._kept[image.key] = output
        if not self._session.task.thorough:
            return
        warmed = self._warmed.pop(image.key, None)
        if warmed is not None:
            self._shown.append(Shown(image.pixels, output, warm_up=warmed.perturbed))
        if image is self._place:
            self._seen_against_unseen()
            largest = max(self._images, key=attrgetter("area"))
            self._session.watch_memory(self._afresh(largest))

    def _seen_against_unseen(self) -> None:
        """The image again, fresh versions of it and mosaics, in drawn order; more where odd."""
        again: list[Uint8] = []
        fresh: list[tuple[Fresh, Uint8]] = []
        made = 0
        for pairs in (thresholds.PAIRS, thresholds.MORE_PAIRS):
            made += pairs
            mosaics = self._mosaics.until(made) if self._mosaics else []
            for kind in self._draw.order(pairs, pairs, len(mosaics)):
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
            if not any(clocks.doubtful(self._seconds[SEEN], it) for it in others):
                break
        scored = self._kept[self._target.key]
        self._shown.append(Shown(self._target.pixels, scored, tuple(again), tuple(fresh)))

    def _thorough(self, trace: RoundTrace) -> RoundTrace:
        task = self._session.task
        trace = replace(
            trace,
            ranked_s=tuple(self._ranked_s),
            seen_s=tuple(self._seconds[SEEN]),
            unseen_s=tuple(self._seconds[FRESH]),
            mosaics_s=tuple(self._seconds[MOSAIC]),
            idle_shares=self._idle_shares(),
            # before anything else that has the worker import its counters
            counted=self._counted_again() if task.counts else None,
            watched=self._watched(self._smallest_afresh()),
        )
        # at the end, since an answer that comes too late leaves no order to the next ones
        self._routed = self._costs()
        return trace

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

    def _costs(self) -> str:
        """Whether images of one size cost the same."""
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
        return self._afresh(min(self._images, key=attrgetter("area")))

    def _afresh(self, image: LrImage) -> LrImage:
        return image.showing(self._draw.fresh(image.pixels).shown)
