"""A round's forwards that nobody times, and the trace of those that are.

Audits of a round that was measured are functions of its trace (`harness.audits`). What only shows
in forwards of its own is probed in one round alone, a drawn one: how, depends on whether the
entry's code runs (`code_round`) or a graph that was captured from it (`graph_round`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from harness.audits import scores, thresholds
from harness.audits.clocks import Exchange
from harness.audits.fresh_images import TURNED, Draw, Fresh, flipped
from harness.audits.outputs import Shown, came_differently, levels_apart
from harness.audits.round_trace import RoundTrace, judged
from harness.audits.scores import FreshErrors, PartErrors
from harness.core.audit import Audit, ProcessState, WatchedForward
from harness.measure.session import LrImage, Session
from harness.measure.truth_probes import MosaicProbe, Truths, flips, fresh_errors
from harness.measure.worker_process import WorkerFailed
from harness.quality.pixels import Uint8


def turned(image: LrImage) -> LrImage:
    """Upside down and left to right: the same shape and statistics, other pixels."""
    return image.showing(flipped(image.pixels, TURNED))


class PlainRound:
    """A round that nothing is known of but its samples: no audits, as in a check."""

    audit_s = 0.0  # forwards, fetching and looking that only audits need

    def unscored(self, image: LrImage) -> LrImage:
        """What a forward that is neither timed nor scored is given, of the image's size.

        The warm-up, and the one whose memory counts: other pixels than the timed forwards.
        """
        return turned(image)

    def after_unscored(self) -> None:
        """That forward has ended; the worker still holds its output."""

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


@dataclass(frozen=True)
class Chosen:
    """What was drawn of a round's images."""

    itself: tuple[LrImage, ...]  # those that are shown as they are
    held: tuple[LrImage, ...]  # those whose fresh versions are held against their truths
    mosaics: tuple[LrImage, ...]  # of whose sizes they are, in turn


class AuditedRound(PlainRound):
    """A round whose trace is kept. Thorough, it has forwards of its own."""

    def __init__(
        self,
        session: Session,
        images: tuple[LrImage, ...],
        truths: Truths | None,
        draw: Draw,
        chosen: Chosen,
    ) -> None:
        self._session = session
        self._images = images
        self._truths = truths
        self._draw = draw
        self._held = {image.key for image in chosen.held}
        self._compared = chosen.held[draw.below(len(chosen.held))]  # where passes are several
        self._timed_version: Fresh | None = None
        # scored outputs that others are compared with
        self._kept: dict[tuple[str, str], Uint8] = {}
        self._fresh_errors: list[FreshErrors] = []
        self._exchanges: list[Exchange] = []
        self._shown: list[Shown] = []
        self._mosaics: MosaicProbe | None = None
        if truths is not None and session.task.thorough:
            scale = session.task.load.scale
            self._mosaics = MosaicProbe(chosen.itself, truths, draw, chosen.mosaics, scale)

    def after(
        self, image: LrImage, exchange: Exchange, output: Uint8 | None, scored: Uint8 | None
    ) -> None:
        """Keep what is looked at later."""
        with self._auditing():
            if output is None and self._looked_at(image):
                output, exchange = self._session.fetched(exchange)
            self._exchanges.append(exchange)
            if scored is not None:
                self._after_scored(image, scored)
            if output is not None and output is not scored and self._timed_version is not None:
                self._after_fresh(image, self._timed_version, output)

    def finish(self, state: ProcessState) -> tuple[Audit, ...]:
        """The probes that come last, and what all audits make of the trace."""
        with self._auditing():
            task = self._session.task
            load = task.load
            if task.thorough:
                self._look_again()
                self._more_fresh()
            trace = RoundTrace(
                load.device,
                load.threads,
                load.precision,
                load.scale,
                self._trained,
                state,
                tuple(self._exchanges),
                tuple(self._shown),
                load.channels == 1,
                task.calibration,
                fresh=tuple(self._fresh_errors),
            )
            if task.thorough:
                trace = self._thorough(replace(trace, parts=self._parts()))
            return judged(trace)

    def notes(self) -> tuple[str, ...]:
        """Of outputs that are drawn at random."""
        apart = [levels_apart(it.sr, again) for it in self._shown for again in it.again]
        return tuple(filter(None, [came_differently(max(apart, default=0))]))

    @property
    def _trained(self) -> bool:
        """Whether its output is judged. Whatever its worker says, a row without weights is not."""
        load, ready = self._session.task.load, self._session.ready
        named = load.form == "graph" or (load.form == "entry" and not load.weights)
        return not (named and ready.untrained and ready.params > 0)

    def _looked_at(self, image: LrImage) -> bool:
        """Whether an output of a later pass is fetched."""
        return image is self._compared

    def _look_again(self) -> None:
        """Forwards of its own that a thorough round has at its end."""

    def _thorough(self, trace: RoundTrace) -> RoundTrace:
        """With what else a thorough round tells."""
        return trace

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
        scored = self._kept.get(image.key)
        if scored is None:
            return
        if version.share == 1.0:
            self._shown.append(Shown(image.pixels, scored, fresh=((version, output),)))
        elif self._truths is not None and self._knows(image):
            errors = fresh_errors(self._truths, image, scored, version, output)
            self._fresh_errors += filter(None, [errors])

    def _after_scored(self, image: LrImage, output: Uint8) -> None:
        if image.key in self._held:
            self._kept[image.key] = output
        if self._mosaics is not None:
            self._mosaics.scored(image, output)

    def _parts(self) -> tuple[PartErrors, ...]:
        """What mosaics tell: one more after the other, of those that were drawn, while in doubt."""
        if self._mosaics is None or not self._trained:
            return ()
        while doubt := scores.doubt_of_parts(self._mosaics.errors()):
            another = self._mosaics.another(doubt)
            if another is None:
                break
            self._mosaics.answered(self._fetched(self._session.forward(another)))
        return self._mosaics.errors()

    def _more_fresh(self) -> None:
        """One more after the other, while there is a doubt: of what is in doubt, or was not shown.

        Images that lose nothing tell nothing when they are shown again.
        """
        kept = [it for it in self._images if it.key in self._kept and self._knows(it)]
        shown = Counter(it.image for it in self._fresh_errors)
        while self._trained and (doubt := scores.doubt_of_fresh(self._fresh_errors)):
            left = [
                *(it for it in kept if doubt.of_all and not shown[it.key]),
                *(it for it in kept if it.key in doubt.images),
            ]
            least = min((shown[it.key] for it in left), default=thresholds.VERSIONS)
            if least == thresholds.VERSIONS:
                break
            image = self._draw.some([it for it in left if shown[it.key] == least], 1)[0]
            shown[image.key] += 1
            self._shown_afresh(image)

    def _watched(self, image: LrImage) -> WatchedForward:
        """Asked at the end: a model that can't be watched has been measured by then."""
        try:
            return self._session.observe(image)
        except WorkerFailed as error:
            return WatchedForward(error=error.failure.message)

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
