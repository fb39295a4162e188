"""When each audit looks; before it doubts, it looks again.

What only shows in forwards of its own (images seen against unseen, flipped and salted images, work
that goes on) is looked at in the first round alone: a worker can't tell that one from the others,
so it would have to behave in all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from harness.audits import clocks, outputs, processes, repeats, self_reported
from harness.audits.exchange import Exchange
from harness.audits.fresh_images import TURNED, Draw, Fresh
from harness.audits.outputs import Shown
from harness.audits.thresholds import MORE_PAIRS, PAIRS
from harness.core.audit import LEVELS, Audit
from harness.core.process_state import ProcessState, WatchedForward
from harness.core.record import Calibration
from harness.measure.session import LrImage, Session
from harness.measure.worker_process import WorkerFailed
from harness.quality.pixels import Uint8

Key = tuple[str, str]  # data set and image


class Auditor:
    """The audits of one round."""

    def __init__(self, session: Session, images: tuple[LrImage, ...]) -> None:
        task = session.task
        self.collect_s = 0.0
        self.audit_s = 0.0
        self._session = session
        self._on = task.protocol.audits
        self._draw = Draw()
        self._images = images
        self._exchanges: list[Exchange] = []
        self._warmed: dict[Key, Fresh] = {}
        self._passed: dict[Key, Fresh] = {}  # the last fresh version of each image
        self._shown: list[Shown] = []
        self._seen: list[float] = []
        self._unseen: list[float] = []
        # where the thorough look comes, and at which of the images until then
        self._place = self._draw.below(len(images)) if images else 0
        self._target = images[self._draw.below(self._place + 1)] if images else None
        self._fetched = self._draw.below(len(images)) if images else 0
        self._scored: dict[Key, Uint8] = {}

    def for_warm_up(self, image: LrImage) -> LrImage:
        """The image turned around, and salted if there are audits."""
        if not self._on:
            return replace(image, pixels=TURNED(image.pixels))
        fresh = self._draw.turned(image.pixels)
        self._warmed[_key(image)] = fresh
        return replace(image, pixels=fresh.shown)

    def for_pass(self, image: LrImage, timed_pass: int) -> LrImage:
        """The image itself in the pass that is scored, and one that nobody has seen later on."""
        if timed_pass == 0 or not self._on:
            return image
        fresh = self._passed[_key(image)] = self._draw.fresh(image.pixels)
        return replace(image, pixels=fresh.shown)

    def collected(self, image: LrImage, exchange: Exchange) -> Uint8:
        """The output of the first pass, fetched."""
        pixels, took_s = self._fetch(image, exchange)
        self.collect_s += took_s
        return pixels

    def scored(self, image: LrImage, pixels: Uint8) -> None:
        """An output of the first pass has been judged: the place for a thorough look."""
        if not self._on:
            return
        with self._auditing():
            if image is self._target or image is self._images[self._fetched]:
                self._scored[_key(image)] = pixels
            if not self._session.task.thorough:
                return
            warmed = self._warmed.pop(_key(image), None)
            if warmed is not None:
                self._shown.append(Shown(image.pixels, pixels, warm_up=warmed.salted))
            if image is self._images[self._place]:
                self._look()

    def repeated(self, image: LrImage, exchange: Exchange) -> None:
        """A forward of a later pass; of each pass one output is fetched and compared."""
        if not self._on or image is not self._images[self._fetched]:
            self._exchanges.append(exchange)
            return
        with self._auditing():
            pixels, _ = self._fetch(image, exchange)
            fresh = self._passed[_key(image)]
            shown = Shown(image.pixels, self._scored[_key(image)], fresh=((fresh, pixels),))
            self._shown.append(shown)

    def finish(self, state: ProcessState) -> tuple[Audit, ...]:
        """What all of them found."""
        if not self._on:
            return ()
        load = self._session.task.load
        with self._auditing():
            found: list[Audit | None] = [
                self_reported.references(state),
                self_reported.flags(state),
            ]
            if load.device == "cpu":
                found.append(processes.threads(self._exchanges, load.threads))
            if self._session.task.calibration is not None:
                found += self._clocks(self._session.task.calibration)
            found += self._outputs()
            observed = None
            if self._session.task.thorough:
                found += [repeats.repeats(self._seen, self._unseen), self._idle()]
                observed = self._observed()
                found.append(self_reported.precision(observed, load.precision))
            found.append(self_reported.untouched(state, observed))
        return tuple(it for it in found if it is not None)

    def _look(self) -> None:
        """The image again, and fresh versions of it, in drawn order; more where that is odd."""
        again: list[Uint8] = []
        fresh: list[tuple[Fresh, Uint8]] = []
        self._ask(PAIRS, again, fresh)
        if repeats.doubtful(self._seen, self._unseen):
            self._ask(MORE_PAIRS, again, fresh)
        target = self._need_target()
        shown = Shown(target.pixels, self._scored[_key(target)], tuple(again), tuple(fresh))
        self._shown.append(shown)

    def _ask(self, pairs: int, again: list[Uint8], fresh: list[tuple[Fresh, Uint8]]) -> None:
        target = self._need_target()
        for is_unseen in self._draw.order(pairs):
            version = self._draw.fresh(target.pixels)
            given = replace(target, pixels=version.shown) if is_unseen else target
            exchange = self._session.forward(given)
            pixels, _ = self._fetch(given, exchange)
            if is_unseen:
                fresh.append((version, pixels))
            else:
                again.append(pixels)
            (self._unseen if is_unseen else self._seen).append(exchange.seconds)

    def _fetch(self, image: LrImage, exchange: Exchange) -> tuple[Uint8, float]:
        """The output of a forward, and the seconds that fetching it took."""
        began = time.perf_counter()
        pixels, _output = self._session.collect(image)
        took_s = time.perf_counter() - began
        sr_pixels = pixels.shape[0] * pixels.shape[1]
        self._exchanges.append(replace(exchange, sr_pixels=sr_pixels, collect_s=took_s))
        return pixels, took_s

    def _clocks(self, calibration: Calibration) -> list[Audit | None]:
        """By the forwards of the round; if odd, by a few more too, and the better one counts."""
        first = _by_clock(self._exchanges, calibration)
        if all(it is None or it.verdict == "ok" for it in first):
            return first
        known = len(self._exchanges)
        for number in range(MORE_PAIRS):
            image = self._images[number % len(self._images)]
            self._fetch(image, self._session.forward(image))
        second = _by_clock(self._exchanges[known:], calibration)
        return [_better(one, other) for one, other in zip(first, second, strict=True)]

    def _outputs(self) -> list[Audit]:
        """Of all that was shown the worst; nothing where there is no trained model to judge."""
        if self._untrained():
            return [Audit("outputs", "ok", "the model is untrained: its output is not judged")]
        scale = self._session.task.load.scale
        found = [outputs.outputs(shown, scale) for shown in reversed(self._shown)]
        return [max(found, key=lambda it: LEVELS.index(it.verdict))] if found else []

    def _untrained(self) -> bool:
        """Whether the row stands as untrained, whatever its worker says: it has no weights file."""
        load, ready = self._session.task.load, self._session.ready
        return load.form == "entry" and not load.weights and ready.untrained and ready.params > 0

    def _idle(self) -> Audit | None:
        """After one more forward, whose output is not fetched."""
        self._session.forward(self._need_target())
        return processes.idle(self._session.root)

    def _observed(self) -> WatchedForward:
        """The last thing that is asked: a model that can't be watched has been measured by then."""
        smallest = min(self._images, key=lambda it: it.pixels.size)
        fresh = self._draw.fresh(smallest.pixels)
        try:
            return self._session.observe(replace(smallest, pixels=fresh.shown))
        except WorkerFailed as error:
            return WatchedForward(error=error.failure.message)

    def _need_target(self) -> LrImage:
        if self._target is None:
            raise ValueError("a round without images can't be audited")
        return self._target

    @contextmanager
    def _auditing(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.audit_s += time.perf_counter() - began


def _by_clock(exchanges: list[Exchange], calibration: Calibration) -> list[Audit | None]:
    return [clocks.clock(exchanges, calibration), clocks.collect(exchanges, calibration)]


def _better(one: Audit | None, other: Audit | None) -> Audit | None:
    if one is None or other is None:
        return one or other
    return min((other, one), key=lambda it: LEVELS.index(it.verdict))


def _key(image: LrImage) -> Key:
    return image.dataset, image.image
