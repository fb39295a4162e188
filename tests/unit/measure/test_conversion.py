from __future__ import annotations

import numpy as np
import pytest

from harness.measure.conversion import Conversion
from harness.quality.bicubic import upscale
from harness.quality.colour import luma
from harness.wire.messages import Load, Output

LR = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)


def _of(channels: int = 3, enlarged: int = 1) -> Conversion:
    told = Load("", "m:N", "{}", 4, 1.0, "cpu", 1, 0, channels=channels, enlarged=enlarged)
    return Conversion.of(told)


def _output(channels: int) -> Output:
    return Output(20, 24, "torch.float32", 0.0, 1.0, channels)


def test_a_model_of_rgb_is_given_the_image_itself() -> None:
    assert _of().given(LR) is LR
    assert _of().size((5, 6)) == (5, 6)


def test_a_model_of_luma_is_given_one_plane_that_is_not_rounded() -> None:
    given = _of(channels=1).given(LR)
    assert given.dtype == np.float32
    assert given == pytest.approx(luma(LR), abs=1e-5)


def test_an_enlarged_image_is_what_matlab_makes_of_it() -> None:
    enlarged = _of(enlarged=4)
    assert (enlarged.given(LR) == upscale(LR, 4)).all()
    assert enlarged.size((5, 6)) == (20, 24)


def test_enlarged_luma_is_rounded_nowhere() -> None:
    grey = np.full((5, 6, 3), 128, np.uint8)
    given = _of(channels=1, enlarged=4).given(grey)
    assert given.shape == (20, 24)
    assert given.flags.c_contiguous
    assert given == pytest.approx(np.full((20, 24), 16 + 219 * 128 / 255), abs=1e-4)


def test_luma_comes_back_with_the_chroma_of_the_enlarged_image() -> None:
    large = upscale(LR, 4)
    plane = luma(large).astype(np.float32)
    payload = bytearray(plane.tobytes())
    assert (_of(channels=1).image(_output(1), payload, LR) == large).all()


def test_a_model_of_luma_may_return_colours() -> None:
    large = upscale(LR, 4)
    planes = bytearray(large.transpose(2, 0, 1).tobytes())
    found = _of(channels=1).image(_output(3), planes, LR)
    assert (found == large).all()


@pytest.mark.parametrize(
    ("channels", "output", "size", "fault"),
    [
        (1, _output(1), 20 * 24 * 4, ""),
        (1, _output(3), 20 * 24 * 3, ""),
        (3, _output(3), 20 * 24 * 3, ""),
        (3, _output(1), 20 * 24 * 4, "1920 bytes of output, 1440 expected"),
        (1, _output(1), 20 * 24 * 3, "1440 bytes of output, 1920 expected"),
        (3, Output(24, 20, "x", 0.0, 1.0), 20 * 24 * 3, "1440 bytes of output, 1440 expected"),
    ],
)
def test_an_answer_has_the_bytes_of_its_size(
    channels: int, output: Output, size: int, fault: str
) -> None:
    assert _of(channels).fault(output, bytearray(size), (20, 24)) == fault
    assert size <= _of(channels).payload_cap((20, 24)) or fault


def test_luma_that_is_not_finite_is_no_answer() -> None:
    plane = np.zeros((20, 24), np.float32)
    plane[3, 4] = np.nan
    assert "not finite" in _of(1).fault(_output(1), bytearray(plane.tobytes()), (20, 24))


@pytest.mark.parametrize(
    ("channels", "enlarged", "note"),
    [
        (3, 1, ""),
        (1, 1, "takes luma alone, and gets chroma by bicubic"),
        (3, 4, "takes images that bicubic has enlarged"),
        (
            1,
            4,
            "takes luma alone, and gets chroma by bicubic, and images that bicubic has enlarged",
        ),
    ],
)
def test_what_is_neither_counted_nor_timed_is_told(channels: int, enlarged: int, note: str) -> None:
    assert _of(channels, enlarged).note.partition(":")[0] == note
