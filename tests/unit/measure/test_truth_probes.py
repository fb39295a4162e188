from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from fakes.audited import (
    FakeSession,
    FakeTruths,
    Uint8,
    bicubic,
    photographs,
    shrunk,
    task,
    whole_round,
)

from harness.audits.fresh_images import Draw, Fresh
from harness.audits.scores import FreshErrors, scores
from harness.core.audit import Audit
from harness.measure.session import LrImage
from harness.measure.truth_probes import MosaicProbe, fresh_errors
from harness.quality.bicubic import downscale
from harness.quality.colour import LUMA
from harness.wire.messages import Ready

TRUTHS = photographs()
IMAGES = shrunk(TRUTHS)


class Memoriser:
    """Bicubic, except on images that it has stored: all or a share of what it lacks there."""

    def __init__(self, names: Iterable[str] = TRUTHS, share: float = 1.0) -> None:
        self.known = {downscale(TRUTHS[it], 4).tobytes(): TRUTHS[it] for it in names}
        self.share = share

    def __call__(self, lr: Uint8) -> Uint8:
        own = bicubic(lr)
        truth = self.known.get(lr.tobytes(), own)
        mixed: Uint8 = np.rint(own + self.share * (truth.astype(float) - own)).astype(np.uint8)
        return mixed


def _scores(model: Callable[[Uint8], Uint8], truths: FakeTruths, **asked: Any) -> list[Audit]:
    session = FakeSession(task(**{"form": "graph", **asked}), model=model)
    figures = whole_round(session, IMAGES, truths)
    return [it for it in figures.audits if it.id == "scores"]


@pytest.mark.parametrize("colour", [None, LUMA])
@pytest.mark.parametrize("made_by_bicubic", [True, False])
def test_a_network_is_as_good_on_mosaics(colour: Any, *, made_by_bicubic: bool) -> None:
    truths = FakeTruths(TRUTHS, made_by_bicubic)
    if colour:
        truths.colour = colour
    (audit,) = _scores(bicubic, truths)
    assert audit.verdict == "ok"
    assert "on 8 parts of images" in audit.evidence  # two mosaics of four


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "rejected"), (0.1, "suspect")])
@pytest.mark.parametrize("made_by_bicubic", [True, False])
def test_a_stored_residual_is_missed_in_them(
    share: float, verdict: str, *, made_by_bicubic: bool
) -> None:
    (audit,) = _scores(Memoriser(share=share), FakeTruths(TRUTHS, made_by_bicubic))
    assert audit.verdict == verdict
    assert "on 32 parts of images" in audit.evidence  # all that were drawn


class PatchTable:
    """Bicubic, except where it has met an LR patch of 3x3 pixels: the truth of its middle."""

    def __init__(self) -> None:
        self.known = {
            patch: TRUTHS[it.image][4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            for it in IMAGES
            for row, column, patch in self._patches(it.pixels)
        }

    def __call__(self, lr: Uint8) -> Uint8:
        found = bicubic(lr)
        for row, column, patch in self._patches(lr):
            if patch in self.known:
                found[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = self.known[patch]
        return found

    @staticmethod
    def _patches(lr: Uint8) -> Iterator[tuple[int, int, bytes]]:
        height, width, _ = lr.shape
        for row, column in product(range(1, height - 1), range(1, width - 1)):
            yield row, column, lr[row - 1 : row + 2, column - 1 : column + 2].tobytes()


def test_a_table_of_patches_is_missed_in_mosaics_whose_parts_keep_their_pixels() -> None:
    table = PatchTable()
    probe = MosaicProbe(IMAGES, FakeTruths(TRUTHS, bicubic=False), Draw(), IMAGES[:1], 4)
    for it in IMAGES:
        probe.scored(it, table(it.pixels))
    for mosaic in probe.until(2):
        probe.answered(table(mosaic.pixels))
    audit = scores(probe.errors())
    assert audit is not None
    assert audit.verdict == "rejected"


def test_one_stored_image_of_three_is_enough() -> None:
    (audit,) = _scores(Memoriser(["1"]), FakeTruths(TRUTHS))
    assert audit.verdict != "ok"


def test_nothing_is_judged_without_truths_or_in_other_rounds_of_a_graph() -> None:
    assert _scores(Memoriser(), FakeTruths({})) == []
    assert _scores(Memoriser(), FakeTruths(TRUTHS), thorough=False) == []


@pytest.mark.parametrize("made_by_bicubic", [True, False])
@pytest.mark.parametrize("later", [True, False])
def test_in_every_round_of_code_fresh_versions_are_held_against_their_truths(
    *, later: bool, made_by_bicubic: bool
) -> None:
    truths = FakeTruths(TRUTHS, made_by_bicubic)
    asked: Any = {"form": "entry", "thorough": False, "later": later, "passes": 2}
    (honest,) = _scores(bicubic, truths, **asked)
    assert honest.verdict == "ok"
    # three images, and two in the second pass, where the third is changed in all its pixels
    assert "on 5 fresh versions of images" in honest.evidence
    (audit,) = _scores(Memoriser(share=0.1), truths, **asked)
    assert audit.verdict == "suspect"


def test_a_lighter_network_for_later_passes_is_found() -> None:
    class Later:
        calls = 0

        def __call__(self, lr: Uint8) -> Uint8:
            self.calls += 1
            blurred = bicubic(np.repeat(np.repeat(lr[::2, ::2], 2, axis=0), 2, axis=1))
            return bicubic(lr) if self.calls <= 6 else blurred

    (audit,) = _scores(Later(), FakeTruths(TRUTHS), form="entry", thorough=False, passes=3)
    assert audit.verdict != "ok"


def test_errors_are_taken_where_neither_ends_nor_cuts_are_near() -> None:
    truth = np.full((80, 80, 3), 100, np.uint8)
    image = LrImage("set", "flat", np.full((20, 20, 3), 100, np.uint8))
    perturbed = np.full((20, 20, 3), 101, np.uint8)  # 1 squared level
    scored, output = truth + np.uint8(3), truth + np.uint8(4)
    truths = FakeTruths({"flat": truth})
    errors = fresh_errors(truths, image, scored, Fresh(perturbed, (1, 1)), output)
    assert errors == FreshErrors(("set", "flat"), 9.0, 16.0, 4)
    assert errors.lost_db == pytest.approx(10 * np.log10(16.1 / 10.6))
    assert fresh_errors(truths, image, scored, Fresh(perturbed, (1, 1), (10, 10)), output) is None


def test_untrained_models_are_not_judged() -> None:
    session = FakeSession(
        task(weights="", form="graph"), Memoriser(), ready=Ready(0.1, 7, untrained=True)
    )
    figures = whole_round(session, IMAGES, FakeTruths(TRUTHS))
    assert "scores" not in {it.id for it in figures.audits}


def test_an_image_without_a_truth_is_no_part() -> None:
    probe = MosaicProbe(IMAGES, FakeTruths({"1": TRUTHS["1"]}), Draw(), IMAGES[:1], 4)
    for image in IMAGES:
        probe.scored(image, bicubic(image.pixels))
    for mosaic in probe.until(1):
        probe.answered(bicubic(mosaic.pixels))
    assert {it.image for it in probe.errors()} == {("set", "1")}


def test_mosaics_have_a_size_that_the_entry_was_made_for() -> None:
    (mosaic,) = MosaicProbe(IMAGES, FakeTruths(TRUTHS), Draw(), IMAGES[:1], 4).until(1)
    assert mosaic.size == IMAGES[0].size
    assert isinstance(mosaic, LrImage)
    assert not any((mosaic.pixels == it.pixels).all() for it in IMAGES)


def test_a_heavy_network_for_mosaics_alone_shows_in_their_time() -> None:
    means = [it.pixels.mean(axis=(0, 1)) for it in IMAGES]

    def seconds(pixels: Uint8, before: list[bytes]) -> float:
        del before
        mean = pixels.mean(axis=(0, 1))  # rolled, flipped and perturbed images keep it
        known = any(np.abs(mean - it).max() < 0.2 for it in means)
        return 0.01 if known else 0.05

    session = FakeSession(task(), seconds=seconds)
    figures = whole_round(session, IMAGES, FakeTruths(TRUTHS))
    (found,) = [it for it in figures.audits if it.id == "repeats"]
    assert found.verdict == "rejected"
