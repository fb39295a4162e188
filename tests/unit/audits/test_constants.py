from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes.audited import SCALE, bicubic, photographs

from harness.audits import thresholds
from harness.audits.constants import constants, segments
from harness.audits.fresh_images import Draw
from harness.core.audit import Audit
from harness.quality.bicubic import downscale, upscale

CHANCE = np.random.default_rng(11)
HR = upscale(CHANCE.integers(60, 180, (48, 90, 3), dtype=np.uint8), SCALE) + CHANCE.integers(
    0, 30, (192, 360, 3), dtype=np.uint8
)
LR = downscale(HR, SCALE)
RESIDUAL = HR.astype(np.float32) / 255 - bicubic(LR).astype(np.float32) / 255
# Y, Cb and Cr by the coefficients of BT.601
COLOUR_DIFFERENCES = RESIDUAL @ np.array(
    [[0.299, -0.169, 0.5], [0.587, -0.331, -0.419], [0.114, 0.5, -0.081]]
)
SOUGHT = {"stored.png": segments(LR, HR, SCALE, Draw(0))}
Array = npt.NDArray[Any]


def _audit(*tensors: Array) -> Audit:
    audit = constants(tensors, SOUGHT)
    assert audit is not None
    return audit


@pytest.mark.parametrize("picture", [HR, LR, RESIDUAL, np.rint(RESIDUAL * 60).astype(np.int8)])
@pytest.mark.parametrize(
    "layout",
    [
        lambda it: it,
        lambda it: it.transpose(2, 0, 1)[None],
        lambda it: it[:, ::-1],
        lambda it: it[::-1, ::-1].transpose(2, 0, 1),
        lambda it: it.transpose(2, 1, 0),
        lambda it: it.reshape(2, -1),
        lambda it: -0.3 * it.astype(np.float16) + 5,
    ],
)
def test_a_stored_picture_is_found_in_any_plain_layout(
    picture: Array, layout: Callable[[Array], Array]
) -> None:
    weights = np.random.default_rng(2).normal(size=(3, 9, 9))
    audit = _audit(weights, layout(picture))
    assert (audit.id, audit.verdict) == ("constants", "suspect")
    assert "stored.png" in audit.evidence


@pytest.mark.parametrize("layout", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("chosen", [(0,), (1, 2), (0, 1, 2)])
def test_luma_and_chroma_are_found_in_what_is_given_luma(
    layout: tuple[int, ...], chosen: tuple[int, ...]
) -> None:
    kept = COLOUR_DIFFERENCES[..., chosen].transpose(layout)
    sought = {"stored.png": segments(LR, HR, SCALE, Draw(0), luma=True)}
    audit = constants([kept], sought)
    assert audit is not None
    assert audit.verdict == "suspect"


def test_a_pixel_unshuffled_residual_is_found() -> None:
    height, width, _ = LR.shape
    blocks = RESIDUAL.reshape(height, SCALE, width, SCALE, 3)
    assert _audit(blocks.transpose(4, 1, 3, 0, 2)).verdict == "suspect"


def test_weights_and_other_photographs_are_no_stored_images() -> None:
    weights = np.random.default_rng(3).normal(size=(48, 48, 3, 3))
    other = photographs(2, (48, 90))["0"]
    audit = _audit(weights, other, other.transpose(2, 0, 1))
    assert audit.verdict == "ok"
    assert "the closest of 1 images" in audit.evidence


def test_edges_waves_and_constants_say_nothing() -> None:
    wave = np.sin(np.arange(2000) / 3)
    step = np.repeat([0.0, 1.0], 1000)
    assert _audit(wave, step, np.zeros(1000), np.arange(1000)).verdict == "ok"


def test_a_flat_image_has_no_segments_to_look_for() -> None:
    flat = np.full((96, 96, 3), 90, np.uint8)
    rows = segments(downscale(flat, SCALE), flat, SCALE, Draw())
    assert rows.shape == (0, thresholds.SEGMENT)
    assert constants([np.ones(999)], {"flat": rows}) is None
    assert constants([np.ones(999)], {}) is None


def test_tensors_shorter_than_a_segment_are_passed_over() -> None:
    assert _audit(np.arange(9.0), np.array(1.0)).evidence.startswith("tensors correlate by 0.00")
