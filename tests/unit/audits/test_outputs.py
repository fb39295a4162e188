from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from harness.audits.fresh_images import Draw
from harness.audits.outputs import Shown, outputs
from harness.quality.bicubic import downscale, upscale
from harness.quality.colour import luma, with_luma

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


def _verdict(model: Model, seed: int = 0, lr: Uint8 = LR, *, luma: bool = False) -> str:
    draw = Draw(seed)
    fresh = [draw.fresh(lr) for _ in range(2)]
    shown = tuple((it, model(np.ascontiguousarray(it.shown))) for it in fresh)
    return outputs(Shown(lr, model(lr), (model(lr),), shown), 4, luma=luma).verdict


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
    warm_up = Draw(1).fresh(LR).perturbed
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

    perturbed = Draw(3).fresh(bright).perturbed
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
    one, other = draw.fresh(LR), draw.fresh(LR)
    wrong = replace(other, perturbed=one.perturbed)
    found = outputs(Shown(LR, bicubic(LR), fresh=((wrong, bicubic(other.shown)),)), 4)
    assert found.verdict == "rejected"


def in_grey(lr: Uint8) -> Uint8:
    """Luma in all three channels, from 0 to 255."""
    plane = (luma(upscale(lr, 4)) - 16) * 255 / 219
    return np.repeat(np.rint(plane)[..., None], 3, axis=2).astype(np.uint8)


def in_grey_of_papers(lr: Uint8) -> Uint8:
    """The same, from 16 to 235."""
    return np.repeat(np.rint(luma(upscale(lr, 4)))[..., None], 3, axis=2).astype(np.uint8)


def with_own_chroma(lr: Uint8) -> Uint8:
    """An honest luma, and the chroma of the enlarged image, as the harness adds it."""
    return with_luma(upscale(lr, 4), luma(nearest(lr)))


def stored_luma(lr: Uint8) -> Uint8:
    """A stored luma in the flip that fits, in front of the chroma of what is given."""
    return with_luma(upscale(lr, 4), luma(stored_by_flip(lr)))


def stored_in_grey(lr: Uint8) -> Uint8:
    return np.repeat(stored_by_flip(lr)[..., 1:2], 3, axis=2)


COLOURFUL = np.clip(LR + np.array([90, -40, -60]), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("model", [in_grey, in_grey_of_papers])
@pytest.mark.parametrize("lr", [LR, COLOURFUL, LR[:16, :16]], ids=["plain", "colourful", "small"])
def test_grey_is_held_against_luma(model: Model, lr: Uint8, seed: int) -> None:
    assert _verdict(model, seed, lr) == "ok"
    warm_up = Draw(seed).fresh(lr).perturbed
    assert outputs(Shown(lr, model(lr), warm_up=warm_up), 4).verdict == "ok"


def test_a_stored_image_does_not_get_away_as_grey() -> None:
    assert _verdict(stored_in_grey) == "rejected"
    warm_up = Draw(1).fresh(LR).perturbed
    found = outputs(Shown(LR, in_grey(warm_up), warm_up=warm_up), 4)
    assert found.verdict == "rejected"


def test_chroma_that_the_harness_added_does_not_speak_for_a_model_of_luma() -> None:
    assert _verdict(with_own_chroma, luma=True) == "ok"
    assert _verdict(stored_luma, luma=True) == "rejected"
    assert _verdict(in_grey, luma=True) == "ok"


def test_colours_that_turn_grey_for_fresh_images_alone_are_judged_as_colours() -> None:
    fresh = Draw(0).fresh(COLOURFUL)
    shown = ((fresh, in_grey_of_papers(np.ascontiguousarray(fresh.shown))),)
    assert outputs(Shown(COLOURFUL, bicubic(COLOURFUL), fresh=shown), 4).verdict == "rejected"
