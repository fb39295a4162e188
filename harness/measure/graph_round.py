"""The audited round of a captured graph, or of a file that onnxruntime runs."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from harness.audits import thresholds
from harness.audits.fresh_images import Draw, Fresh
from harness.audits.outputs import Shown, outputs
from harness.audits.round_trace import RoundTrace
from harness.measure.probes import AuditedRound, Chosen, turned
from harness.measure.session import LrImage, Session
from harness.measure.truth_probes import Truths
from harness.quality.pixels import Uint8


class GraphRound(AuditedRound):
    """A graph remembers nothing and has no clock: its images are timed themselves.

    It is shown none again. In a thorough round forwards that nobody scores or ranks show what
    nobody can have stored: the warm-up and later passes fresh versions, the one whose memory counts
    a mosaic. So few are audits' own.
    """

    def __init__(
        self, session: Session, images: tuple[LrImage, ...], truths: Truths | None = None
    ) -> None:
        draw = Draw()
        size = max(images, key=attrgetter("area")).size
        like = [image for image in images if image.size == size]
        self._large = like[draw.below(len(like))]
        others = tuple(image for image in images if image is not self._large)
        self._held_images = (self._large, *draw.some(others, thresholds.FRESH_IMAGES - 1))
        self._unscored: tuple[LrImage, Fresh] | None = None  # of the forward that runs
        self._early: list[tuple[LrImage, Fresh, Uint8]] = []  # before their images were scored
        self._whole: list[tuple[Fresh, Uint8]] = []  # of the large image, where it has no truth
        sizes = self._large, images[draw.below(len(images))]
        chosen = Chosen(images, self._held_images, mosaics=sizes)
        super().__init__(session, images, truths, draw, chosen)

    def unscored(self, image: LrImage) -> LrImage:
        """A fresh version: of one that none was shown of, if such a one has that size.

        When all are scored, a mosaic of that size, if one can be made and none was.
        """
        if not self._session.task.thorough:
            return turned(image)
        if self._mosaics is not None and self._mosaics.begins_like(image):
            with self._auditing():
                return self._mosaics.until(1)[0]
        looked = self._looked()
        like = [it for it in self._held_images if it.size == image.size and it.key not in looked]
        if self._large in like and not self._knows(self._large):
            like = [self._large]
        image = next(iter(self._draw.some(like, 1)), image)
        self._unscored = image, self._version(image)
        return image.showing(self._unscored[1].shown)

    def after_unscored(self) -> None:
        """Keep the output that is held against a truth or a scored one."""
        if self._mosaics is not None and self._mosaics.waits:
            with self._auditing():
                self._mosaics.answered(self._session.collect()[0])
            return
        if self._unscored is None:
            return
        with self._auditing():
            image, version = self._unscored
            if image is self._large and not self._knows(image):
                self._whole.append((version, self._session.collect()[0]))
            elif self._knows(image) and image.key in self._held - self._looked():
                self._early.append((image, version, self._session.collect()[0]))

    def given(self, image: LrImage, timed_pass: int) -> LrImage:
        """The image itself where it is scored, and then images that nobody has seen."""
        if timed_pass == 0:
            return image
        version = self._timed_version = self._version(image)
        return image.showing(version.shown)

    def _version(self, image: LrImage) -> Fresh:
        """All pixels are changed where there is no truth: that it answers is seen, no PSNR."""
        return self._fresh(image, thresholds.FRESH_SHARE_CHANGED if self._knows(image) else 1.0)

    def _looked_at(self, image: LrImage) -> bool:
        held = self._session.task.thorough and self._knows(image) and image.key in self._held
        return held or super()._looked_at(image)

    def _looked(self) -> set[tuple[str, str]]:
        """Images of which a fresh version is, or will be, held against its truth."""
        return {it.image for it in self._fresh_errors} | {it.key for it, _, _ in self._early}

    def _look_again(self) -> None:
        """Fresh versions that other forwards did not show, and mosaics."""
        early, self._early = self._early, []
        for it in early:
            self._after_fresh(*it)
        looked = self._looked()
        known = [it for it in self._held_images if self._knows(it) and it.key not in looked]
        most = max(thresholds.FRESH_LEAST, int(thresholds.FRESH_SHARE * len(self._images)))
        for image in self._draw.some(known, max(most - len(looked), 0)):
            self._shown_afresh(image)
        if self._mosaics is not None:
            for mosaic in self._mosaics.until(thresholds.PAIRS):
                self._mosaics.answered(self._fetched(self._session.forward(mosaic)))
        self._shown.append(self._shown_large())

    def _shown_large(self) -> Shown:
        """With fresh versions where PSNR can't tell, or its output does not resemble the image.

        Small images are judged by the mean of several.
        """
        large, load = self._large, self._session.task.load
        shown = Shown(large.pixels, self._kept[large.key])
        resembles = outputs(shown, load.scale, luma=load.channels == 1).verdict == "ok"
        if not self._trained or (self._knows(large) and resembles):
            return shown
        wanted = 1 if large.area >= thresholds.MANY_PIXELS else thresholds.PAIRS
        while len(self._whole) < wanted:
            version = self._fresh(large)
            exchange = self._session.forward(large.showing(version.shown))
            self._whole.append((version, self._fetched(exchange)))
        return replace(shown, fresh=tuple(self._whole))

    def _thorough(self, trace: RoundTrace) -> RoundTrace:
        """Watched without values at any image: sizes may differ."""
        image = self._images[self._draw.below(len(self._images))]
        return replace(trace, watched=self._watched(image))
