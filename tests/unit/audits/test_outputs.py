from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from harness.audits.fresh_images import Draw, Fresh
from harness.audits.outputs import Shown, outputs
from harness.quality.bicubic import downscale, upscale

Uint8 = npt.NDArray[np.uint8]
Model = Callable[[Uint8], Uint8]
RNG = np.random.default_rng(5)


def _photograph() -> Uint8:
    """Coarse shapes with detail, as photographs have them."""
    coarse = upscale(RNG.integers(30, 220, (12, 16, 3), dtype=np.uint8), 4)
    coarse = upscale(coarse, 4)
    noise = RNG.normal(0, 12, coarse.shape)
    return np.clip(coarse + noise, 0, 255).astype(np.uint8)


HR = _photograph()
LR = downscale(HR, 4)


def bicubic(lr: Uint8) -> Uint8:
    return upscale(lr, 4)


def nearest(lr: Uint8) -> Uint8:
    return lr.repeat(4, 0).repeat(4, 1)


def grey(lr: Uint8) -> Uint8:
    return np.full((lr.shape[0] * 4, lr.shape[1] * 4, 3), 128, np.uint8)


def stored(_: Uint8) -> Uint8:
    return HR


def stored_by_flip(lr: Uint8) -> Uint8:
    """The HR image in the flip that fits the pixels."""
    flips = [HR, HR[::-1], HR[:, ::-1], HR[::-1, ::-1]]
    return min(flips, key=lambda it: np.abs(downscale(it, 4).astype(int) - lr).mean())


def stored_and_corrected(lr: Uint8) -> Uint8:
    best = stored_by_flip(lr)
    change = upscale(lr, 4).astype(int) - upscale(downscale(best, 4), 4)
    return np.clip(best + change, 0, 255).astype(np.uint8)


def _verdict(model: Model, seed: int = 0) -> str:
    draw = Draw(seed)
    fresh = [draw.fresh(LR) for _ in range(2)]
    shown = tuple((it, model(np.ascontiguousarray(it.shown))) for it in fresh)
    return outputs(Shown(LR, model(LR), (model(LR),), shown), 4).verdict


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("model", [bicubic, nearest])
def test_an_output_that_follows_its_pixels_is_no_suspect(model: Model, seed: int) -> None:
    assert _verdict(model, seed) == "ok"


@pytest.mark.parametrize("model", [grey, stored, stored_by_flip])
def test_an_output_that_does_not_is_rejected(model: Model) -> None:
    assert _verdict(model) == "rejected"


def test_a_stored_image_that_is_corrected_has_the_wrong_detail() -> None:
    assert _verdict(stored_and_corrected) == "suspect"


def test_an_output_of_the_warm_ups_image_is_told_from_one_of_the_image_itself() -> None:
    warm_up = Draw(1).turned(LR).perturbed
    assert outputs(Shown(LR, bicubic(LR), warm_up=warm_up), 4).verdict == "ok"
    found = outputs(Shown(LR, bicubic(warm_up), warm_up=warm_up), 4)
    assert found.verdict == "rejected"
    assert "the warm-up's image alone had" in found.evidence


def test_a_change_of_tone_on_white_is_not_taken_for_the_warm_ups_image() -> None:
    """At 255 a perturbation can only darken, and so does the tone."""
    bright = np.clip(LR.astype(int) + 110, 0, 255).astype(np.uint8)
    assert (bright == 255).mean() > 0.2

    def greyer(lr: Uint8) -> Uint8:
        return np.asarray(0.8 * nearest(lr) + 25, np.uint8)

    perturbed = Draw(3).turned(bright).perturbed
    assert outputs(Shown(bright, greyer(bright), warm_up=perturbed), 4).verdict == "ok"


def test_another_output_for_the_same_image_is_suspect() -> None:
    found = outputs(Shown(LR, bicubic(LR), again=(nearest(LR[::-1]),)), 4)
    assert found.verdict == "suspect"
    assert "the same image once more" in found.evidence


def test_of_an_image_without_content_nothing_is_told() -> None:
    flat = np.full((20, 20, 3), 9, np.uint8)
    assert outputs(Shown(flat, grey(flat)), 4).verdict == "ok"
    tiny = LR[:8, :8]
    assert outputs(Shown(tiny, grey(tiny)), 4).verdict == "ok"


def test_fresh_images_are_held_to_their_own_perturbation() -> None:
    """The output of another perturbed image of one picture: similar, not of these pixels."""
    draw = Draw(3)
    one, other = draw.turned(LR), draw.turned(LR)
    wrong = Fresh(one.perturbed, other.flip)
    found = outputs(Shown(LR, bicubic(LR), fresh=((wrong, bicubic(other.shown)),)), 4)
    assert found.verdict == "rejected"
